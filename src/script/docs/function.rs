//! The reference: what is registered, as help, completion and error messages tell it.
//!
//! Everything comes out of the registrations. Nothing about a function is written here.

use std::any::TypeId;
use std::collections::BTreeSet;

use rhai::{Dynamic, Engine, FuncInfo};

use crate::model::value::language::{Language, ReaderProfile};
use crate::model::{Error, Kind, Result};
use crate::script::api::stdlib;
use crate::script::api::stdlib::StdModule;
use crate::script::api::{ApiModule, MODULES};
use crate::script::options;
use crate::script::syntax::parser;
use crate::script::syntax::sources::CLOSURE;
use crate::script::syntax::suggest::suggest;
use crate::ui::format::columns;
use crate::ui::messages;

/// One registered function. Overloads are several.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name; a property's without `get$`.
    pub name: String,
    /// What it is.
    pub role: Role,
    /// Parameters as `name: type`, or `name` alone where the type says no more.
    pub params: Vec<String>,
    /// What the types of its parameters are called here; unknown ones of a script's function.
    pub kinds: Vec<String>,
    /// What it returns; empty for nothing.
    pub returns: String,
    /// The type of its first parameter, where it is a certain one.
    pub receiver: Option<TypeId>,
    /// Its doc comment, without `///`.
    pub doc: String,
}

/// How a function is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// By its name.
    Function,
    /// As `value.name`.
    Property,
    /// By the language: operators, indexers, conversions, setters.
    Internal,
}

impl Function {
    fn from_info(info: &FuncInfo<'_>) -> Option<Function> {
        let data = info.metadata;
        // A module that is registered twice is listed twice; the qualified half says nothing new.
        if !info.namespace.is_empty() {
            return None;
        }
        let name = data.name.as_str();
        let (role, name) = match name.strip_prefix("get$") {
            Some(property) => (Role::Property, property),
            None if is_internal(name) => (Role::Internal, name),
            None => (Role::Function, name),
        };
        let receiver = data.param_types.first().copied().filter(|t| *t != TypeId::of::<Dynamic>());
        Some(Function {
            name: name.to_owned(),
            role,
            params: data.params_info.iter().map(|info| parameter(info)).collect(),
            kinds: data.params_info.iter().map(|info| kind(info)).collect(),
            returns: script_type(&data.return_type).unwrap_or_default(),
            receiver,
            doc: without_slashes(data.comments.iter().map(|line| line.as_str())),
        })
    }

    /// `pause(container) -> Container`, `Container.status -> string`.
    pub fn signature(&self) -> String {
        let call = match self.role {
            Role::Property => format!("{}.{}", self.of(), self.name),
            _ => format!("{}({})", self.name, self.params.join(", ")),
        };
        if self.returns.is_empty() { call } else { format!("{call} -> {}", self.returns) }
    }

    /// The type that a property belongs to; empty for several.
    pub fn of(&self) -> &str {
        let first = self.params.first().map_or("", String::as_str);
        first.split_once(": ").map_or("", |(_, kind)| kind)
    }

    /// The first sentence of its doc comment.
    pub fn summary(&self) -> String {
        first_sentence(&self.doc)
    }

    /// The same, in another language.
    fn summary_in(&self, language: Language) -> String {
        first_sentence(&in_language(&self.doc, language))
    }

    /// A function that is written in the language, with its parameters.
    fn of_script(function: &rhai::ScriptFnMetadata<'_>) -> Function {
        Function {
            name: function.name.to_owned(),
            role: Role::Function,
            params: function.params.iter().map(|name| (*name).to_owned()).collect(),
            kinds: Vec::new(),
            returns: String::new(),
            receiver: None,
            doc: without_slashes(function.comments.iter().copied()),
        }
    }

    fn of_output(name: &str, doc: &str) -> Function {
        Function {
            name: name.to_owned(),
            role: Role::Function,
            params: vec!["value".to_owned()],
            kinds: vec!["Dynamic".to_owned()],
            returns: String::new(),
            receiver: None,
            doc: doc.to_owned(),
        }
    }

    /// The runnable example of its doc comment.
    #[cfg(test)]
    pub fn example(&self) -> Option<&str> {
        let (_, rest) = self.doc.split_once("```rhai\n")?;
        rest.split_once("```").map(|(example, _)| example)
    }
}

/// A module that comes with the language.
#[derive(Clone, Debug)]
pub struct ModuleDocs {
    /// What `import` calls it.
    pub name: &'static str,
    /// What it is for.
    pub doc: String,
    /// Its public functions, in the order of their names.
    pub functions: Vec<Function>,
}

impl ModuleDocs {
    /// The first sentence of what it is for.
    pub fn summary(&self) -> String {
        first_sentence(&self.doc)
    }
}

/// The modules that come with the language.
pub fn modules() -> Vec<ModuleDocs> {
    stdlib::MODULES.iter().map(std_module_functions).collect()
}

fn std_module_functions(module: &StdModule) -> ModuleDocs {
    let mut functions = module.native.map(module_functions).unwrap_or_default();
    // One of these texts that does not compile is found by their tests.
    let ast = parser::parser().compile(module.text).unwrap_or_default();
    let is_shown = |function: &rhai::ScriptFnMetadata<'_>| {
        function.access.is_public() && !function.name.starts_with(CLOSURE)
    };
    let public = ast.iter_functions().filter(is_shown);
    functions.extend(public.map(|function| Function::of_script(&function)));
    in_order(&mut functions);
    let doc = module.text.lines().take_while(|line| line.starts_with("//!"));
    let doc = doc.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>();
    ModuleDocs { name: module.name, doc: doc.join("\n"), functions }
}

fn in_order(functions: &mut [Function]) {
    // Down to the parameters: the registrations come in no certain order.
    functions.sort_by(|a, b| {
        (&a.name, a.params.len(), &a.params).cmp(&(&b.name, b.params.len(), &b.params))
    });
}

/// A doc comment whose first paragraph is in another language.
fn in_language(doc: &str, language: Language) -> String {
    if language == Language::English {
        return doc.to_owned();
    }
    let first = first_paragraph(doc);
    let rest: Vec<&str> = doc.lines().skip_while(|line| !line.trim().is_empty()).collect();
    format!("{}\n{}", messages::help(language, &first), rest.join("\n"))
}

/// The first paragraph of a text, as one line.
pub fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ")
}

/// The first sentence of a text whose lines are broken.
fn first_sentence(text: &str) -> String {
    let text = first_paragraph(text);
    match text.find(". ") {
        Some(end) => text[..=end].to_owned(),
        None => text,
    }
}

fn is_internal(name: &str) -> bool {
    let word = name.chars().all(|c| c.is_alphanumeric() || c == '_');
    !word || matches!(name, "to_debug" | "to_string")
}

/// The functions of one part of the language, in the order of their names.
pub fn module_functions(build: fn() -> rhai::Module) -> Vec<Function> {
    let mut engine = Engine::new_raw();
    engine.register_global_module(build().into());
    let mut functions = engine.collect_fn_metadata(None, |info| Function::from_info(&info), false);
    in_order(&mut functions);
    functions
}

/// Everything that `engine` knows by name, Rhai's own functions too.
pub fn all_functions(engine: &Engine) -> Vec<Function> {
    let mut functions = engine.collect_fn_metadata(None, |info| Function::from_info(&info), true);
    in_order(&mut functions);
    functions
}

/// Our own functions, part by part.
pub fn own_functions() -> Vec<(&'static str, Vec<Function>)> {
    let with_output = |part: &ApiModule| {
        let mut functions = module_functions(part.build);
        if part.title == "System" {
            functions.extend(OUTPUT.iter().map(|(name, doc)| Function::of_output(name, doc)));
            in_order(&mut functions);
        }
        (part.title, functions)
    };
    MODULES.iter().map(with_output).collect()
}

/// What Rhai does with what its functions of these names return: those tell nothing of it.
const OUTPUT: [(&str, &str); 2] = [
    (
        "print",
        "Prints a value and a newline: a string as it is, another value as the script would write \
         it.\n\n```rhai\nprint(\"hello\");\nprint(#{ a: [1, 2] });\n```",
    ),
    (
        "debug",
        "Writes a value to standard error, as the script would write it, after the file and the \
         line.\n\n```rhai\ndebug(\"hello\");\n```",
    ),
];

/// The properties of a type.
pub fn properties(engine: &Engine, receiver: TypeId) -> Vec<String> {
    let of_type = |function: &Function| {
        function.role == Role::Property && function.receiver == Some(receiver)
    };
    let names: BTreeSet<String> =
        all_functions(engine).into_iter().filter(of_type).map(|function| function.name).collect();
    names.into_iter().collect()
}

/// Whether there is a function of this name.
pub fn is_function(engine: &Engine, name: &str) -> bool {
    all_functions(engine)
        .iter()
        .any(|function| function.role == Role::Function && function.name == name)
}

/// All our functions, a line each.
pub fn help_index(reader: ReaderProfile) -> String {
    let language = reader.language;
    let mut text = String::new();
    for (title, functions) in own_functions() {
        let mut seen = BTreeSet::new();
        let first = functions
            .iter()
            .filter(|f| f.role == Role::Function && seen.insert(f.name.clone()))
            .collect::<Vec<_>>();
        if first.is_empty() {
            continue;
        }
        text.push_str(&format!("{}\n", messages::help(language, title)));
        for function in first {
            text.push_str(&columns::row(
                &function.name,
                &function.summary_in(language),
                reader.width,
            ));
        }
        text.push('\n');
    }
    text.push_str(&format!("{}\n", messages::help(language, "Modules")));
    for module in modules() {
        let summary = first_sentence(&in_language(&module.doc, language));
        text.push_str(&columns::row(module.name, &summary, reader.width));
    }
    text.push('\n');
    let more = "help(\"run\") tells more. A verb works as start(c), c.start() and \"web\".start().";
    text + &messages::help(language, more)
}

/// The page of a function or a property.
///
/// # Errors
/// [`Kind::NotFound`] for what is not there, with the nearest name.
pub fn help_page(engine: &Engine, name: &str, language: Language) -> Result<String> {
    if let Some(page) = module_help_page(name, language).or_else(|| type_help_page(name, language))
    {
        return Ok(page);
    }
    let own: Vec<Function> =
        own_functions().into_iter().flat_map(|(_, functions)| functions).collect();
    let mut found: Vec<&Function> =
        own.iter().filter(|f| f.name == name && f.role != Role::Internal).collect();
    let everything = all_functions(engine);
    if found.is_empty() {
        found = everything.iter().filter(|f| f.name == name).collect();
    }
    if found.is_empty() {
        let names = everything.iter().filter(|f| f.role == Role::Function).map(|f| f.name.as_str());
        let error = Error::new(Kind::NotFound, format!("there is no function `{name}`"));
        return Err(match suggest(name, names) {
            Some(near) => error.hint(format!("did you mean `{near}`?")),
            None => error.hint("help() lists all functions"),
        });
    }
    let mut pages: Vec<String> = Vec::new();
    for function in &found {
        let doc = in_language(&function.doc, language);
        pages.push(format!("{}\n{}", function.signature(), indent(&plain(&doc))));
    }
    let keys = options::keys(name);
    if !keys.is_empty() {
        let width = keys.iter().map(|key| key.name.len()).max().unwrap_or_default();
        let mut text = format!("{}\n", messages::help(language, "Options"));
        for key in keys {
            let takes = messages::help(language, &key.value_type.describe());
            let about = messages::help(language, key.about);
            text.push_str(&format!("    {:<width$}  {about} ({takes})\n", key.name));
        }
        pages.push(text.trim_end().to_owned());
    }
    Ok(pages.join("\n\n"))
}

/// The page of a module `stack`, or of one of its functions, `stack::up`.
fn module_help_page(name: &str, language: Language) -> Option<String> {
    let (module, function) = match name.split_once("::") {
        Some((module, function)) => (module, Some(function)),
        None => (name, None),
    };
    let module = modules().into_iter().find(|known| known.name == module)?;
    let Some(function) = function else {
        let doc = in_language(&module.doc, language);
        let mut text = format!("import \"{0}\" as {0};\n\n{doc}\n\n", module.name);
        for function in &module.functions {
            text.push_str(&format!("  {}\n", function.signature()));
        }
        text.push_str(&format!(
            "\nhelp(\"{0}::{1}\") tells more.",
            module.name, module.functions[0].name
        ));
        return Some(text);
    };
    let pages: Vec<String> = module
        .functions
        .iter()
        .filter(|known| known.name == function)
        .map(|known| {
            let doc = in_language(&known.doc, language);
            format!("{}::{}\n{}", module.name, known.signature(), indent(&plain(&doc)))
        })
        .collect();
    (!pages.is_empty()).then(|| pages.join("\n\n"))
}

/// The page of a type `Container`, or of one of its properties, `Container.status`.
fn type_help_page(name: &str, language: Language) -> Option<String> {
    let (kind, property) = match name.split_once('.') {
        Some((kind, property)) => (kind, Some(property)),
        None => (name, None),
    };
    let own = own_functions().into_iter().flat_map(|(_, functions)| functions);
    let of_kind: Vec<_> = own.filter(|f| f.role == Role::Property && f.of() == kind).collect();
    let Some(property) = property else {
        let lines = of_kind
            .iter()
            .map(|f| format!("  {}\n      {}", f.signature(), f.summary_in(language)));
        let lines: Vec<String> = lines.collect();
        let more = format!("\n\nhelp(\"{kind}.{}\") tells more.", of_kind.first()?.name);
        return Some(format!("{kind}\n{}{more}", lines.join("\n")));
    };
    let found = of_kind.iter().find(|f| f.name == property)?;
    let doc = in_language(&found.doc, language);
    Some(format!("{}\n{}", found.signature(), indent(&plain(&doc))))
}

/// A doc comment for the terminal: the code fences say nothing there.
fn plain(doc: &str) -> String {
    doc.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
}

fn indent(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}

fn without_slashes<'a>(comments: impl Iterator<Item = &'a str>) -> String {
    let mut lines = Vec::new();
    for line in comments.flat_map(str::lines) {
        let line = line.trim_start().trim_start_matches("///");
        lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
    }
    lines.join("\n").trim().to_owned()
}

/// `container: ContainerOrName` as `container`, `tail: i64` as `tail: int`.
fn parameter(info: &str) -> String {
    let (name, kind) = info.split_once(':').unwrap_or(("_", info));
    let (name, kind) = (name.trim(), kind.trim());
    match (name, script_type(kind)) {
        ("_", Some(kind)) => kind,
        (name, Some(kind)) if kind != "any" => format!("{name}: {kind}"),
        (name, _) => name.to_owned(),
    }
}

/// `container: ContainerOrName` as `ContainerOrName`.
fn kind(info: &str) -> String {
    let kind = info.split_once(':').map_or("", |(_, kind)| kind.trim());
    kind.rsplit("::").next().unwrap_or(kind).to_owned()
}

/// The type as scripts know it; `None` for what returns nothing or says no more than its name.
fn script_type(rust: &str) -> Option<String> {
    let rust = rust.trim().trim_start_matches("&mut ").trim();
    let inner = rust.strip_prefix("RhaiResultOf<").and_then(|rest| rest.strip_suffix('>'));
    let rust = inner.unwrap_or(rust).trim();
    // The name alone, as the language has it.
    let rust = rust.rsplit("::").next().unwrap_or(rust);
    Some(match rust {
        "()" | "" | "Options" | "ContainerOrName" | "ImageOrName" | "AnyOrName" | "Command"
        | "Duration" | "DurationOrOptions" | "Signal" => return None,
        "&str" | "String" | "ImmutableString" | "SmartString" | "string" => "string".to_owned(),
        "i64" | "INT" | "int" => "int".to_owned(),
        "f64" | "FLOAT" | "float" => "float".to_owned(),
        "Map" | "map" => "map".to_owned(),
        "Array" | "array" => "array".to_owned(),
        "FnPtr" => "function".to_owned(),
        "Dynamic" | "Anything" => "any".to_owned(),
        "Handle" | "ContainerHandle" => "Container".to_owned(),
        "ImageHandle" => "Image".to_owned(),
        other => other.to_owned(),
    })
}
