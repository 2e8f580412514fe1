//! Explains errors of Rhai to the author of a script: hints for the pitfalls of the language, and
//! the nearest name for an unknown one.

use super::rhai_text;
use super::words::{ErrorText, bare, lower_first, thrown};
use crate::model::value::suggest::suggest;
use crate::script::docs::{Function, Library, Role, current_name};
use crate::script::syntax::declared::{self, Unseen};
use crate::script::syntax::keyword;
use rhai::{Engine, EvalAltResult, ParseErrorType, Position, Scope};

/// The names that an error can suggest.
#[derive(Debug)]
pub struct NameScope<'a> {
    /// The engine, for functions and limits.
    pub engine: &'a Engine,
    /// The documentation of functions.
    pub library: &'a Library,
    /// The variables.
    pub scope: &'a Scope<'static>,
    /// The text with the error, empty if unknown. It declares names too.
    pub text: &'a str,
}

/// Returns message and hint of the innermost error.
pub fn explain(error: &EvalAltResult, known: &NameScope<'_>) -> ErrorText {
    use EvalAltResult as E;
    match error {
        E::ErrorRuntime(value, _) => thrown(value),
        E::ErrorParsing(kind, place) => syntax(kind, *place, known),
        E::ErrorVariableNotFound(name, place) => variable(name, *place, known),
        E::ErrorModuleNotFound(name, _) => ErrorText::new(format!("there is no module `{name}`"))
            .hint(Some(format!("write `import \"{name}\" as {name};` first"))),
        E::ErrorFunctionNotFound(signature, _) => function(signature, known),
        E::ErrorDataRace(..) => ErrorText::new(
            "a variable is used by a closure while a call on the same variable still runs",
        )
        .hint(Some(
            "in c.logs(|line| c.stop()) write `this.stop()`, or call logs(c, |line| c.stop())"
                .to_owned(),
        )),
        E::ErrorUnboundThis(_) => ErrorText::new("`this` is not bound here").hint(Some(
            "use `this` in a function called as c.f(), or in a closure that a verb calls"
                .to_owned(),
        )),
        E::ErrorMismatchDataType(wanted, given, _) if !given.is_empty() => mismatch(wanted, given),
        E::ErrorDotExpr(text, _) => no_property(text).map_or_else(
            || ErrorText::new(bare(error)),
            |(message, hint)| ErrorText::new(message).hint(hint),
        ),
        E::ErrorFor(_) => ErrorText::new(
            "cannot loop over this value: expected an array, a range, a string or logs",
        )
        .hint(Some("for a map, write `for key in map.keys()`".to_owned())),
        E::ErrorTooManyOperations(_) => {
            let most = known.engine.max_operations();
            ErrorText::new(format!("operation limit reached ({most})"))
                .hint(Some("raise it with --max-ops N".to_owned()))
        }
        E::ErrorStackOverflow(_) => {
            let most = known.engine.max_call_levels();
            ErrorText::new(format!("call depth limit reached ({most})"))
                .hint(Some("end the recursion, such as: if n == 0 { return 0; }".to_owned()))
        }
        E::ErrorDataTooLarge(message, _) => ErrorText::new(message.clone())
            .hint(Some("keep the values side by side in one array: list.push(value)".to_owned())),
        other => ErrorText::new(bare(other)),
    }
}

/// Returns message and hint of an error that Rhai has turned into text.
pub fn from_rhai_text(text: &str, known: &NameScope<'_>) -> ErrorText {
    match rhai_text::error_of(text) {
        Some(error) => explain(&error, known),
        None => ErrorText::new(lower_first(text)),
    }
}

/// Explains a value of the wrong type.
fn mismatch(wanted: &str, given: &str) -> ErrorText {
    let (wanted, given) = (in_script_words(wanted), in_script_words(given));
    let wanted = if wanted.is_empty() { "another type" } else { &wanted };
    let hint = (given == "range" && wanted == "int").then(|| {
        "write list.extract(0..2) for an array, text.sub_string(0..2) for a string".to_owned()
    });
    ErrorText::new(format!("expected {wanted}, got {given}")).hint(hint)
}

/// Explains Rhai's message about an unknown or read-only property.
fn no_property(text: &str) -> Option<(String, Option<String>)> {
    let mut quoted = text.split('\'').skip(1).step_by(2);
    let (property, kind) = (quoted.next()?, in_script_words(quoted.next()?));
    match quoted.next() {
        None => Some((format!("{kind} has no property `{property}`"), None)),
        Some(_) => {
            let message = format!("{kind} has no property `{property}` that can be set");
            Some((message, Some("use a map: only maps take new keys".to_owned())))
        }
    }
}

fn syntax(kind: &ParseErrorType, place: Position, known: &NameScope<'_>) -> ErrorText {
    match kind {
        ParseErrorType::VariableUndefined(name) => variable(name, place, known),
        ParseErrorType::ModuleUndefined(name) => {
            ErrorText::new(format!("there is no module `{name}`"))
                .hint(Some(format!("write `import \"{name}\" as {name};` first")))
        }
        ParseErrorType::Reserved(word) => no_name(word, place, known.text),
        ParseErrorType::ExprTooDeep => {
            let most = known.engine.max_expr_depth();
            ErrorText::new(format!("expression nesting limit reached ({most})"))
                .hint(Some("split the expression: let part = ...;".to_owned()))
        }
        other => match keyword::at(known.text, place, other) {
            Some(word) => no_name(&word, place, known.text),
            None => ErrorText::new(format!("syntax: {}", lower_first(&other.to_string()))),
        },
    }
}

/// Explains a reserved word in the place of a name.
fn no_name(word: &str, place: Position, text: &str) -> ErrorText {
    let hint = keyword::in_quotes(text, place, word).or_else(|| reserved(word));
    ErrorText::new(format!("`{word}` is a reserved word and cannot be a name")).hint(hint)
}

/// Returns what to write for a word of another language.
fn reserved(word: &str) -> Option<String> {
    let hint = match word {
        "null" | "nil" | "void" => "write `()`",
        "var" => "write `let`",
        "match" | "case" => "write `switch x { 1 => a, _ => b }`",
        "async" | "await" | "spawn" | "thread" => "leave it out: calls wait until they are done",
        "eval" => "text cannot be run as a script",
        _ => return None,
    };
    Some(hint.to_owned())
}

fn variable(name: &str, place: Position, known: &NameScope<'_>) -> ErrorText {
    let words = ErrorText::new(format!("there is no variable `{name}` here"));
    if known.library.is_function(known.engine, name) {
        return words.hint(Some(format!("`{name}` is a function: call it, {name}(...)")));
    }
    let outer = known.scope.contains(name);
    if let Some(why) = declared::unseen(known.text, name, place, outer) {
        return words.hint(Some(unseen(name, why)));
    }
    let others = known.scope.iter_raw().map(|(name, _, _)| name.to_owned());
    let names: Vec<String> = others.chain(declared_names(known.text)).collect();
    let near = suggest(name, names.iter().map(String::as_str));
    words.hint(near.map(|near| format!("did you mean `{near}`?")))
}

/// Returns the hint for a variable that is declared but not visible.
fn unseen(name: &str, why: Unseen) -> String {
    match why {
        Unseen::Outside => format!(
            "a `fn` sees no variables from outside: give it `{name}` as a parameter, or write a \
             closure, `let f = |x| ...`"
        ),
        Unseen::Itself => format!(
            "a closure does not see its own variable: to call itself, write `fn {name}(...) {{ ... }}`"
        ),
        Unseen::Ended(line) => format!(
            "the `{name}` of line {line} ends with its block: declare it before the block, and set it \
             inside"
        ),
        Unseen::Later(line) => format!("move its declaration up from line {line}"),
    }
}

/// Returns the names that a text declares.
fn declared_names(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    while let Some(word) = words.next() {
        if matches!(word, "let" | "const" | "for") {
            names.extend(words.next().map(str::to_owned));
        }
    }
    names
}

fn function(signature: &str, known: &NameScope<'_>) -> ErrorText {
    let name = signature.split(['(', ' ']).next().unwrap_or(signature);
    let name = current_name(name.rsplit("::").next().unwrap_or(name));
    let given = signature.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
    let given = in_script_words(given);
    if name.starts_with(crate::script::syntax::sources::CLOSURE) {
        return ErrorText::new("a closure has the wrong number of parameters").hint(Some(
            "see the help of the function that calls the closure, such as help(\"logs\")"
                .to_owned(),
        ));
    }
    let all = known.library.all_functions(known.engine);
    let own = known.library.own_functions().iter().flat_map(|(_, functions)| functions);
    let is_named = |f: &&Function| f.name == name && f.role == Role::Function;
    // Rhai has a `start` of ranges; an error is more likely about lifebox's.
    let mut same: Vec<&Function> = own.filter(is_named).collect();
    if same.is_empty() {
        same = all.iter().filter(is_named).collect();
    }
    if !same.is_empty() {
        let forms: Vec<_> = same.iter().map(|function| function.signature()).collect();
        return ErrorText::new(format!("{name}() does not take ({given})"))
            .hint(Some(format!("usage: {}", forms.join(", or "))));
    }
    if let Some(property) = name.strip_prefix("get$") {
        return ErrorText::new(format!("{given} has no property `{property}`"));
    }
    if !name.starts_with(|c: char| c.is_alphabetic() || c == '_') {
        return operator(name, &given);
    }
    let names = all.iter().filter(|f| f.role == Role::Function).map(|f| f.name.as_str());
    let own = script_functions(known.text);
    let near = suggest(name, names.chain(own.iter().map(String::as_str)));
    ErrorText::new(format!("there is no function `{name}`")).hint(match near {
        Some(near) => Some(format!("did you mean `{near}`?")),
        None => Some("help() lists all functions".to_owned()),
    })
}

/// Explains an operator between values that it does not take.
fn operator(name: &str, given: &str) -> ErrorText {
    if !matches!(name, "<" | "<=" | ">" | ">=") {
        return ErrorText::new(format!("`{name}` does not take ({given})"));
    }
    let values = given.split(", ").collect::<Vec<_>>().join(" and ");
    ErrorText::new(format!("values of type {values} cannot be compared by `{name}`"))
        .hint(Some("compare numbers, texts or truth values: a.len < b.len".to_owned()))
}

/// Returns the functions that a text defines.
fn script_functions(text: &str) -> Vec<String> {
    let word = |rest: &str| {
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().map(str::to_owned)
    };
    text.split("fn ").skip(1).filter_map(word).collect()
}

/// Translates Rhai's type names to those of the documentation.
fn in_script_words(types: &str) -> String {
    let word = |kind: &str| match kind.trim().trim_start_matches("&mut ") {
        "&str | ImmutableString | String" | "ImmutableString" | "&str" => "string".to_owned(),
        "i64" => "int".to_owned(),
        "f64" => "float".to_owned(),
        "()" => "nothing".to_owned(),
        "Fn" => "function".to_owned(),
        kind if kind.starts_with("core::ops::range::Range") => "range".to_owned(),
        other => other.to_owned(),
    };
    types.split(',').map(word).collect::<Vec<_>>().join(", ")
}
