//! Writes the reference as a document: Markdown for people, JSON for programs, definitions for
//! editors. Everything comes from the registrations, through `docs`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::model::value::option_spec::OptionSpec;
use crate::script::api::LIBRARY;
use crate::script::docs::{Function, ModuleDocs, Role};
use crate::script::options;
use crate::script::sandbox::rules::{self, Rule};

/// A form of the reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// For people.
    Markdown,
    /// For programs.
    Json,
    /// For editors: Rhai's definition files, which its language server reads.
    Definitions,
}

/// Returns the reference in this form.
pub fn reference(form: Form) -> String {
    match form {
        Form::Markdown => markdown(),
        Form::Json => json_text(),
        Form::Definitions => definitions(),
    }
}

const PREFACE: &str = "# The language of lifebox

All functions of scripts and the prompt beyond those of [Rhai](https://rhai.rs/book).
`lifebox docs` writes this file; a test holds it to the code.

A verb takes a handle, a name or an id, and works in both styles: `start(c)`, `c.start()`,
`\"web\".start()`. A duration is a number of seconds or a text such as `\"500ms\"`, `\"10s\"`, `\"2m\"`; a
size is a number of bytes or a text such as `\"256m\"`. Options are maps; an unknown option is an
error that suggests the nearest. `engine::start(c)` means lifebox's function even if a script defines
its own `start`.
";

fn markdown() -> String {
    let mut text = PREFACE.to_owned();
    for (title, functions) in LIBRARY.own_functions() {
        text.push_str(&format!("\n## {title}\n"));
        push_functions(&mut text, "", functions);
        push_properties(&mut text, functions);
    }
    for module in LIBRARY.modules() {
        text.push_str(&format!("\n## Module `{}`\n\n", module.name));
        text.push_str(&format!("`import \"{0}\" as {0};`\n\n{1}\n", module.name, module.doc));
        push_functions(&mut text, &format!("{}::", module.name), &module.functions);
    }
    push_rules(&mut text);
    text
}

/// Adds the rule of each function for a script that is not trusted.
fn push_rules(text: &mut String) {
    text.push_str(rules::PREFACE);
    for name in function_names() {
        let rule = rules::rule(name).map_or("", Rule::describe);
        text.push_str(&format!("| `{name}` | {rule} |\n"));
    }
}

/// Returns the names of the library's own functions, sorted.
fn function_names() -> BTreeSet<&'static str> {
    let all = LIBRARY.own_functions().iter().flat_map(|(_, functions)| functions);
    all.filter(|function| function.role == Role::Function).map(|f| f.name.as_str()).collect()
}

fn push_functions(text: &mut String, prefix: &str, functions: &[Function]) {
    let mut by_name: BTreeMap<&str, Vec<&Function>> = BTreeMap::new();
    for function in functions.iter().filter(|function| function.role == Role::Function) {
        by_name.entry(&function.name).or_default().push(function);
    }
    for (name, overloads) in by_name {
        text.push_str(&format!("\n### {prefix}{name}\n"));
        for function in overloads {
            text.push_str(&format!("\n`{prefix}{}`\n\n{}\n", function.signature(), function.doc));
        }
        let keys = if prefix.is_empty() { options::keys(name) } else { Vec::new() };
        push_options(text, &keys);
    }
}

fn push_options(text: &mut String, keys: &[OptionSpec]) {
    if keys.is_empty() {
        return;
    }
    text.push_str("\n| option | takes | |\n|---|---|---|\n");
    for key in keys {
        let takes = escaped(&key.value_type.describe());
        text.push_str(&format!("| `{}` | {takes} | {} |\n", key.name, escaped(key.about)));
    }
}

fn push_properties(text: &mut String, functions: &[Function]) {
    let mut properties =
        functions.iter().filter(|function| function.role == Role::Property).peekable();
    if properties.peek().is_none() {
        return;
    }
    text.push_str("\n| property | |\n|---|---|\n");
    for property in properties {
        let signature = property.signature();
        text.push_str(&format!("| `{signature}` | {} |\n", escaped(&property.summary())));
    }
}

/// Escapes a text for a cell of a table.
fn escaped(text: &str) -> String {
    text.replace('|', "\\|")
}

fn json_text() -> String {
    let part = |(title, functions): &(&str, Vec<Function>)| json!({ "title": title, "functions": functions_json(functions, true) });
    let module = |module: &ModuleDocs| {
        json!({
            "name": module.name,
            "doc": module.doc,
            "functions": functions_json(&module.functions, false),
        })
    };
    let document = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "parts": LIBRARY.own_functions().iter().map(part).collect::<Vec<_>>(),
        "modules": LIBRARY.modules().iter().map(module).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn functions_json(functions: &[Function], with_options: bool) -> Vec<Value> {
    let visible = functions.iter().filter(|function| function.is_shown());
    let json = |function: &Function| {
        let keys = match (with_options, function.role) {
            (true, Role::Function) => options::keys(&function.name),
            _ => Vec::new(),
        };
        let option = |key: &OptionSpec| json!({ "name": key.name, "takes": key.value_type.describe(), "about": key.about });
        json!({
            "name": function.name,
            "kind": if function.role == Role::Property { "property" } else { "function" },
            "signature": function.signature(),
            "untrusted": rules::rule(&function.name).map(Rule::describe),
            "params": function.params,
            "returns": function.returns,
            "doc": function.doc,
            "options": keys.iter().map(option).collect::<Vec<_>>(),
        })
    };
    visible.map(json).collect()
}

fn definitions() -> String {
    let mut text = String::from("module static;\n");
    for (_, functions) in LIBRARY.own_functions() {
        for function in functions.iter().filter(|function| function.is_shown()) {
            text.push('\n');
            for line in function.doc.lines() {
                text.push_str(format!("/// {line}").trim_end());
                text.push('\n');
            }
            let params = function.params.iter().map(|param| typed(param)).collect::<Vec<_>>();
            let get = if function.role == Role::Property { "get " } else { "" };
            let returns = if function.returns.is_empty() { "()" } else { &function.returns };
            let head = format!("fn {get}{}({})", function.name, params.join(", "));
            text.push_str(&format!("{head} -> {returns};\n"));
        }
    }
    text
}

/// Formats a parameter: `container` as `container: ?`, `tail: int` as it is, a bare type as `_:
/// Type`.
fn typed(param: &str) -> String {
    let is_type = param.starts_with(char::is_uppercase);
    match (param, param.contains(':'), is_type) {
        ("options", ..) => "options: map".to_owned(),
        (_, true, _) => param.to_owned(),
        (_, false, true) => format!("_: {param}"),
        (_, false, false) => format!("{param}: ?"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reference_beside_the_readme_is_this_one() {
        expect_test::expect_file!["../../../REFERENCE.md"].assert_eq(&markdown());
    }

    #[test]
    fn each_function_has_a_rule_for_scripts_that_are_not_trusted() {
        let names = function_names();
        let without: Vec<_> = names.iter().filter(|name| rules::rule(name).is_none()).collect();
        assert!(without.is_empty(), "add a rule in sandbox/rules.rs: {without:?}");
        let unknown = rules::names().find(|name| !names.contains(name));
        assert_eq!(unknown, None);
    }

    #[test]
    fn no_form_shows_a_type_of_rust() {
        for form in [Form::Markdown, Form::Json, Form::Definitions] {
            let text = reference(form);
            for hidden in ["lifebox::", "rhai::", "Dynamic", "FnPtr", "Anything", "NativeCall"] {
                assert!(!text.contains(hidden), "{hidden} in {form:?}");
            }
        }
    }

    #[test]
    fn each_function_is_in_each_form() {
        let json: Value = serde_json::from_str(&json_text()).unwrap();
        let parts = json["parts"].as_array().unwrap();
        let (markdown, definitions) = (markdown(), definitions());
        for ((title, functions), part) in LIBRARY.own_functions().iter().zip(parts) {
            assert_eq!(part["title"], *title);
            let named = part["functions"].as_array().unwrap();
            for function in functions.iter().filter(|function| function.is_shown()) {
                assert!(named.iter().any(|f| f["signature"] == function.signature()));
                assert!(markdown.contains(&format!("`{}`", function.signature())));
                assert!(definitions.contains(&function.name));
            }
        }
    }
}
