//! `Function`: a registered function with its name, parameters and doc comment.
//!
//! Everything comes from the registrations. No function is described here.

use std::any::TypeId;

use rhai::{Dynamic, Engine, FuncInfo};

use super::deprecated;
use crate::model::value::language::Language;
use crate::ui::messages;

/// A registered function. Each overload is one.
#[derive(Clone, Debug)]
pub struct Function {
    /// Its name; a property's without `get$`.
    pub name: String,
    /// Its role.
    pub role: Role,
    /// Parameters as `name: type`, or `name` alone where the type says no more.
    pub params: Vec<String>,
    /// The names of its parameters' types in Rust; empty for a function in the language.
    pub kinds: Vec<String>,
    /// The type of its result; empty for none.
    pub returns: String,
    /// The type of its first parameter, if it is not any type.
    pub receiver: Option<TypeId>,
    /// Its doc comment, without `///`.
    pub doc: String,
}

/// How a function is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// By its name.
    Function,
    /// By a former name of a function: not shown.
    Deprecated,
    /// As `value.name`.
    Property,
    /// By the language only: operators, indexers, conversions, setters.
    Internal,
}

impl Function {
    fn from_info(info: &FuncInfo<'_>) -> Option<Function> {
        let data = info.metadata;
        // A module that is registered twice is listed twice; the qualified entries say nothing new.
        if !info.namespace.is_empty() {
            return None;
        }
        let name = data.name.as_str();
        let (role, name) = match name.strip_prefix("get$") {
            Some(property) => (Role::Property, property),
            None if is_internal(name) => (Role::Internal, name),
            None if deprecated::replacement(name).is_some() => (Role::Deprecated, name),
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

    /// Returns whether help, completion and the reference show the function.
    pub fn is_shown(&self) -> bool {
        matches!(self.role, Role::Function | Role::Property)
    }

    /// Returns the signature: `pause(container) -> Container`, `Container.status -> string`.
    pub fn signature(&self) -> String {
        let call = match self.role {
            Role::Property => format!("{}.{}", self.of(), self.name),
            _ => format!("{}({})", self.name, self.params.join(", ")),
        };
        if self.returns.is_empty() { call } else { format!("{call} -> {}", self.returns) }
    }

    /// Returns the type of a property; empty for a property of several types.
    pub fn of(&self) -> &str {
        let first = self.params.first().map_or("", String::as_str);
        first.split_once(": ").map_or("", |(_, kind)| kind)
    }

    /// Returns the first sentence of the doc comment.
    pub fn summary(&self) -> String {
        first_sentence(&self.doc)
    }

    /// Returns the first sentence of the doc comment in another language.
    pub(super) fn summary_in(&self, language: Language) -> String {
        first_sentence(&in_language(&self.doc, language))
    }

    /// Returns a function that is written in the language.
    pub(super) fn of_script(function: &rhai::ScriptFnMetadata<'_>) -> Function {
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

    /// Returns a function of Rhai whose output lifebox prints.
    pub(super) fn of_output(name: &str, doc: &str) -> Function {
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

    /// Returns the runnable example of the doc comment.
    #[cfg(test)]
    pub fn example(&self) -> Option<&str> {
        let (_, rest) = self.doc.split_once("```rhai\n")?;
        rest.split_once("```").map(|(example, _)| example)
    }
}

/// Sorts functions by their names.
pub(super) fn in_order(functions: &mut [Function]) {
    // By name and parameters: the order of registrations varies.
    functions.sort_by(|a, b| {
        (&a.name, a.params.len(), &a.params).cmp(&(&b.name, b.params.len(), &b.params))
    });
}

/// Returns a doc comment with its first paragraph in another language.
pub(super) fn in_language(doc: &str, language: Language) -> String {
    if language == Language::English {
        return doc.to_owned();
    }
    let first = first_paragraph(doc);
    let rest: Vec<&str> = doc.lines().skip_while(|line| !line.trim().is_empty()).collect();
    format!("{}\n{}", messages::help(language, &first), rest.join("\n"))
}

/// Returns the first paragraph of a text, as one line.
pub fn first_paragraph(text: &str) -> String {
    let lines: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ")
}

/// Returns the first sentence of a text with line breaks.
pub(super) fn first_sentence(text: &str) -> String {
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

/// Returns the functions of one module of the language, in the order of their names.
pub fn module_functions(build: fn() -> rhai::Module) -> Vec<Function> {
    let mut engine = Engine::new_raw();
    engine.register_global_module(build().into());
    let mut functions = engine.collect_fn_metadata(None, |info| Function::from_info(&info), false);
    in_order(&mut functions);
    functions
}

/// Returns all functions of `engine`, Rhai's own too.
pub fn all_functions(engine: &Engine) -> Vec<Function> {
    let mut functions = engine.collect_fn_metadata(None, |info| Function::from_info(&info), true);
    in_order(&mut functions);
    // A function of Rhai that is written again stands twice; Rhai's text says more.
    functions.dedup_by(|next, kept| {
        let same = next.name == kept.name && next.role == kept.role && next.kinds == kept.kinds;
        if same && next.doc.len() > kept.doc.len() {
            std::mem::swap(next, kept);
        }
        same
    });
    functions
}

fn without_slashes<'a>(comments: impl Iterator<Item = &'a str>) -> String {
    let mut lines = Vec::new();
    for line in comments.flat_map(str::lines) {
        let line = line.trim_start().trim_start_matches("///");
        lines.push(line.strip_prefix(' ').unwrap_or(line).trim_end().to_owned());
    }
    lines.join("\n").trim().to_owned()
}

/// Formats a parameter: `container: ContainerOrName` as `container`, `tail: i64` as `tail: int`.
fn parameter(info: &str) -> String {
    let (name, kind) = info.split_once(':').unwrap_or(("_", info));
    let (name, kind) = (name.trim(), kind.trim());
    match (name, script_type(kind)) {
        ("_", Some(kind)) => kind,
        (name, Some(kind)) if kind != "any" => format!("{name}: {kind}"),
        (name, _) => name.to_owned(),
    }
}

/// Returns the Rust type of a parameter: `container: ContainerOrName` as `ContainerOrName`.
fn kind(info: &str) -> String {
    let kind = info.split_once(':').map_or("", |(_, kind)| kind.trim());
    kind.rsplit("::").next().unwrap_or(kind).to_owned()
}

/// Returns the name of a type in scripts; `None` for `()` and for parameters whose name says
/// enough.
fn script_type(rust: &str) -> Option<String> {
    let rust = rust.trim().trim_start_matches("&mut ").trim();
    let inner = rust.strip_prefix("RhaiResultOf<").and_then(|rest| rest.strip_suffix('>'));
    let rust = inner.unwrap_or(rust).trim();
    // Without its path.
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
