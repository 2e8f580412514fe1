//! The pages of `help`: all functions, a function, a module, a type.

use std::collections::BTreeSet;

use rhai::Engine;

use super::deprecated;
use super::function::{Function, Role, first_sentence, in_language};
use super::library::Library;
use crate::model::value::language::{Language, ReaderProfile};
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};
use crate::script::options;
use crate::ui::format::columns;
use crate::ui::messages;

/// Returns the index of all functions, one a line.
pub fn help_index(library: &Library, reader: ReaderProfile) -> String {
    let language = reader.language;
    let mut text = String::new();
    for (title, functions) in library.own_functions() {
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
    for module in library.modules() {
        let summary = first_sentence(&in_language(&module.doc, language));
        text.push_str(&columns::row(module.name, &summary, reader.width));
    }
    text.push('\n');
    let more = "See help(\"run\") for one function. A verb works as start(c), c.start() and \"web\".start().";
    text + &messages::help(language, more)
}

/// Returns the page of a function, a property, a type or a module.
///
/// # Errors
/// [`Kind::NotFound`] for an unknown name, with the nearest one.
pub fn help_page(
    library: &Library,
    engine: &Engine,
    name: &str,
    language: Language,
) -> Result<String> {
    if let Some(page) = module_help_page(library, name, language)
        .or_else(|| type_help_page(library, name, language))
    {
        return Ok(page);
    }
    if let Some(current) = deprecated::replacement(name) {
        let page = help_page(library, engine, current, language)?;
        let note = messages::help(language, "This name is deprecated. Use instead:");
        return Ok(format!("{note}\n\n{page}"));
    }
    let own = library.own_functions().iter().flat_map(|(_, functions)| functions);
    let mut found: Vec<&Function> = own.filter(|f| f.name == name && f.is_shown()).collect();
    let everything = library.all_functions(engine);
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

/// Returns the page of a module `stack`, or of one of its functions, `stack::up`.
fn module_help_page(library: &Library, name: &str, language: Language) -> Option<String> {
    let (module, function) = match name.split_once("::") {
        Some((module, function)) => (module, Some(function)),
        None => (name, None),
    };
    let module = library.modules().iter().find(|known| known.name == module)?;
    let Some(function) = function else {
        let doc = in_language(&module.doc, language);
        let mut text = format!("import \"{0}\" as {0};\n\n{doc}\n\n", module.name);
        for function in &module.functions {
            text.push_str(&format!("  {}\n", function.signature()));
        }
        text.push_str(&format!(
            "\nSee help(\"{0}::{1}\") for one function.",
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

/// Returns the page of a type `Container`, or of one of its properties, `Container.status`.
fn type_help_page(library: &Library, name: &str, language: Language) -> Option<String> {
    let (kind, property) = match name.split_once('.') {
        Some((kind, property)) => (kind, Some(property)),
        None => (name, None),
    };
    let own = library.own_functions().iter().flat_map(|(_, functions)| functions);
    let of_kind: Vec<_> = own.filter(|f| f.role == Role::Property && f.of() == kind).collect();
    let Some(property) = property else {
        let lines = of_kind
            .iter()
            .map(|f| format!("  {}\n      {}", f.signature(), f.summary_in(language)));
        let lines: Vec<String> = lines.collect();
        let more = format!("\n\nSee help(\"{kind}.{}\") for one property.", of_kind.first()?.name);
        return Some(format!("{kind}\n{}{more}", lines.join("\n")));
    };
    let found = of_kind.iter().find(|f| f.name == property)?;
    let doc = in_language(&found.doc, language);
    Some(format!("{}\n{}", found.signature(), indent(&plain(&doc))))
}

/// Removes code fences from a doc comment, for the terminal.
fn plain(doc: &str) -> String {
    doc.lines().filter(|line| !line.starts_with("```")).collect::<Vec<_>>().join("\n")
}

fn indent(text: &str) -> String {
    let line = |line: &str| if line.is_empty() { String::new() } else { format!("    {line}") };
    text.lines().map(line).collect::<Vec<_>>().join("\n").trim_end().to_owned()
}
