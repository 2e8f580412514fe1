//! Completions at the cursor: functions, methods and properties by the type of the variable before
//! the dot, options inside `#{`, containers and images inside strings.

use std::any::TypeId;
use std::collections::BTreeMap;

use rhai::{Dynamic, Engine, GlobalRuntimeState, ImmutableString, Map, Scope};

use crate::script::context::script_context::ScriptContext;
use crate::script::docs::{Function, Library, Role};
use crate::script::syntax::scheme;
use crate::script::syntax::sources::CLOSURE;
use crate::script::values::handle::{Container, Image};
use crate::script::{display, options};

/// The completions before the cursor.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Completion {
    /// The start of the word that they replace.
    pub start: usize,
    /// The candidates, sorted.
    pub candidates: Vec<Candidate>,
}

/// One completion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The inserted text.
    pub text: String,
    /// A short description.
    pub about: String,
}

impl Candidate {
    /// Returns the line for a list: the description, beginning with the name.
    pub fn label(&self) -> String {
        let name = self.text.trim_end_matches([' ', ':', '(']);
        if self.about.starts_with(name) {
            return self.about.clone();
        }
        if self.about.is_empty() { self.text.clone() } else { format!("{name}  {}", self.about) }
    }
}

/// Words that begin statements and expressions.
const KEYWORDS: &[&str] = &[
    "let", "const", "if", "else", "while", "loop", "for", "in", "fn", "return", "break",
    "continue", "switch", "try", "catch", "throw", "import", "true", "false", "this",
];

/// Returns the completions at `position` in `line`.
pub fn complete(
    engine: &Engine,
    context: &ScriptContext,
    scope: &Scope<'static>,
    global: &GlobalRuntimeState,
    line: &str,
    position: usize,
) -> Completion {
    let before = &line[..position.min(line.len())];
    let place = Cursor::of(before);
    let word = &before[place.start..];
    let mut words: BTreeMap<String, String> = BTreeMap::new();
    match &place.context {
        Context::Text => {
            words.extend(container_names(context).into_iter().map(|n| (n, "container".to_owned())));
            words.extend(image_names(context).into_iter().map(|n| (n, "image".to_owned())));
        }
        Context::Option(function) => {
            let keys = options::keys(function).into_iter();
            words.extend(keys.map(|key| (format!("{}: ", key.name), key.about.to_owned())));
        }
        Context::Member(receiver) => {
            members(engine, context.library(), scope, receiver, &mut words);
        }
        Context::Module(alias) => of_module(engine, context.library(), global, alias, &mut words),
        Context::Import => {
            let all = context.library().modules().iter();
            words.extend(all.map(|module| (module.name.to_owned(), module.summary())));
        }
        Context::Name => {
            let functions =
                context.library().all_functions(engine).iter().filter(|f| f.role == Role::Function);
            for f in functions {
                words.entry(format!("{}(", f.name)).or_insert_with(|| f.signature());
            }
            words.extend(KEYWORDS.iter().map(|word| ((*word).to_owned(), String::new())));
            let own = global.lib.iter().flat_map(|lib| lib.iter_script_fn_info());
            words.extend(
                own.filter(|(_, _, name, _, _)| !name.starts_with(CLOSURE))
                    .map(|(_, _, name, _, _)| (format!("{name}("), "function".to_owned())),
            );
            let variables = scope.iter_raw().map(|(name, _, _)| name.to_owned());
            words.extend(variables.map(|name| (name, "variable".to_owned())));
        }
    }
    let candidates = words
        .into_iter()
        .filter(|(text, _)| text.starts_with(word) && text != word)
        .map(|(text, about)| Candidate { text, about })
        .collect();
    Completion { start: place.start, candidates }
}

/// Lists the functions and variables of an imported module.
fn of_module(
    engine: &Engine,
    library: &Library,
    global: &GlobalRuntimeState,
    alias: &str,
    words: &mut BTreeMap<String, String>,
) {
    let mut list = |functions: &[Function]| {
        for f in functions.iter().filter(|f| f.role == Role::Function) {
            words.entry(format!("{}(", f.name)).or_insert_with(|| f.signature());
        }
    };
    let imported = global.scan_imports_raw().filter(|(name, _)| name.as_str() == alias);
    let Some((_, module)) = imported.last() else {
        if alias == "engine" {
            list(library.all_functions(engine));
        }
        return;
    };
    let provided = library
        .modules()
        .iter()
        .find(|provided| module.id().is_some_and(|id| id == scheme::source(provided.name)));
    if let Some(provided) = provided {
        return list(&provided.functions);
    }
    for (_, _, name, _, definition) in module.iter_script_fn_info() {
        if !name.starts_with(CLOSURE) {
            let params: Vec<&str> = definition.params.iter().map(|param| param.as_str()).collect();
            words.insert(format!("{name}("), format!("{name}({})", params.join(", ")));
        }
    }
    words.extend(
        module.iter_var().map(|(name, value)| (name.to_owned(), entry(engine, name, value))),
    );
}

/// Lists the properties and methods of a value; of any handle if the variable is not known yet.
fn members(
    engine: &Engine,
    library: &Library,
    scope: &Scope<'static>,
    receiver: &str,
    words: &mut BTreeMap<String, String>,
) {
    let value = scope.get(receiver).map(|value| value.clone().flatten());
    if let Some(map) = value.as_ref().and_then(|value| value.read_lock::<Map>()) {
        words.extend(map.iter().map(|(key, value)| (key.to_string(), entry(engine, key, value))));
    }
    let kind = value.as_ref().map(Dynamic::type_id);
    for f in library.all_functions(engine) {
        let fits = match (kind, f.receiver) {
            (Some(kind), Some(receiver)) => kind == receiver,
            (value, None) => is_about(f, value),
            (None, Some(_)) => false,
        };
        match f.role {
            Role::Function if fits && !f.params.is_empty() => {
                words.entry(format!("{}(", f.name)).or_insert_with(|| f.signature());
            }
            Role::Property if fits => {
                let now = value.as_ref().and_then(|value| property(engine, value, &f.name));
                words.insert(f.name.clone(), now.unwrap_or_else(|| f.summary()));
            }
            _ => {}
        }
    }
}

/// Returns whether a verb takes a value of this type: a handle, or a name. True for all of these if
/// the type is not known.
fn is_about(function: &Function, kind: Option<TypeId>) -> bool {
    let (container, image) = match kind {
        Some(kind) if kind == TypeId::of::<Container>() => (true, false),
        Some(kind) if kind == TypeId::of::<Image>() => (false, true),
        Some(kind) => {
            let name = kind == TypeId::of::<ImmutableString>();
            (name, name)
        }
        None => (true, true),
    };
    match function.kinds.first().map(String::as_str) {
        Some("ContainerOrName") => container,
        Some("ImageOrName") => image,
        Some("AnyOrName") => container || image,
        _ => false,
    }
}

/// Returns a property with its current value: `status = "running"`.
fn property(engine: &Engine, value: &Dynamic, name: &str) -> Option<String> {
    let mut scope = Scope::new();
    scope.push_dynamic("it", value.clone());
    let now = engine.eval_expression_with_scope::<Dynamic>(&mut scope, &format!("it.{name}"));
    Some(entry(engine, name, &now.ok()?))
}

/// Formats a name and a value, in a line.
fn entry(engine: &Engine, name: &str, value: &Dynamic) -> String {
    let shown = display::value(engine, value).unwrap_or_else(|| "()".to_owned());
    let line: Vec<&str> = shown.lines().map(str::trim).collect();
    format!("{name} = {}", line.join(" "))
}

/// Returns the names of all containers; none if they cannot be read.
pub fn container_names(context: &ScriptContext) -> Vec<String> {
    let list = context.backend().ps().unwrap_or_default();
    list.iter().map(|container| container.state.name.to_string()).collect()
}

/// Returns the references of all images.
pub fn image_names(context: &ScriptContext) -> Vec<String> {
    let list = context.backend().images().unwrap_or_default();
    let mut names: Vec<String> =
        list.iter().flat_map(|image| image.tags.iter().map(|tag| tag.familiar())).collect();
    names.push("host".to_owned());
    names.sort();
    names.dedup();
    names
}

/// The place of the cursor.
#[derive(Debug, PartialEq, Eq)]
struct Cursor {
    start: usize,
    context: Context,
}

#[derive(Debug, PartialEq, Eq)]
enum Context {
    /// Inside a string.
    Text,
    /// A key of the options of this function.
    Option(String),
    /// After the dot of this variable.
    Member(String),
    /// After the colons of this module.
    Module(String),
    /// The path of an import.
    Import,
    /// Anything else.
    Name,
}

impl Cursor {
    /// Scans the text before the cursor once, from left to right.
    fn of(before: &str) -> Cursor {
        let mut string: Option<(char, usize)> = None;
        // The open brackets; a map carries the function whose options it holds.
        let mut open: Vec<(char, Option<String>)> = Vec::new();
        let mut after_key = false;
        let mut chars = before.char_indices();
        while let Some((at, c)) = chars.next() {
            match (string, c) {
                (Some(_), '\\') => {
                    chars.next();
                }
                (Some((quote, _)), c) if c == quote => string = None,
                (Some(_), _) => {}
                (None, '"' | '`') => string = Some((c, at + 1)),
                (None, '(') => open.push(('(', Some(word_before(before, at)))),
                (None, '{') if before[..at].ends_with('#') => {
                    let call = open
                        .last()
                        .and_then(|(bracket, name)| name.clone().filter(|_| *bracket == '('));
                    open.push(('#', call));
                    after_key = false;
                }
                (None, '{' | '[') => open.push((c, None)),
                (None, ')' | '}' | ']') => {
                    open.pop();
                }
                (None, ':') => after_key = true,
                (None, ',') => after_key = false,
                _ => {}
            }
        }
        if let Some((_, start)) = string {
            let import = before[..start - 1].trim_end().ends_with("import");
            return Cursor { start, context: if import { Context::Import } else { Context::Text } };
        }
        let start = before.len() - word_before(before, before.len()).len();
        let context = match open.last() {
            Some(('#', Some(function))) if !after_key => Context::Option(function.clone()),
            _ if before[..start].ends_with('.') && !before[..start].ends_with("..") => {
                Context::Member(word_before(before, start - 1))
            }
            _ if before[..start].ends_with("::") => Context::Module(word_before(before, start - 2)),
            _ => Context::Name,
        };
        Cursor { start, context }
    }
}

/// Returns the name that ends at `end`.
fn word_before(text: &str, end: usize) -> String {
    let head = &text[..end];
    let start = head
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || *c == '_')
        .last()
        .map_or(end, |(at, _)| at);
    head[start..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_place_of_the_cursor_is_read_from_the_line() {
        let member = |name: &str| Context::Member(name.to_owned());
        let option = |name: &str| Context::Option(name.to_owned());
        for (line, start, context) in [
            ("", 0, Context::Name),
            ("sta", 0, Context::Name),
            ("let a = cre", 8, Context::Name),
            ("c.", 2, member("c")),
            ("c.sta", 2, member("c")),
            ("start(\"we", 7, Context::Text),
            ("start(`we", 7, Context::Text),
            ("start(\"web\").lo", 13, member("")),
            ("run(\"host\", #{", 14, option("run")),
            ("run(\"host\", #{ na", 15, option("run")),
            ("run(\"host\", #{ name: we", 21, Context::Name),
            ("run(\"host\", #{ name: \"web\", c", 28, option("run")),
            ("c.logs(#{ ta", 10, option("logs")),
            ("let m = #{ a", 11, Context::Name),
            ("0..le", 3, Context::Name),
            ("st::u", 4, Context::Module("st".to_owned())),
            ("print(st::", 10, Context::Module("st".to_owned())),
            ("import \"st", 8, Context::Import),
            ("run(\"host\", #{ name: st::u", 25, Context::Module("st".to_owned())),
        ] {
            assert_eq!(Cursor::of(line), Cursor { start, context }, "{line}");
        }
    }
}
