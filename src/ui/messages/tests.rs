//! Tests that every language has every text, and that the code uses each.

use std::collections::{BTreeMap, BTreeSet};

use fluent_bundle::FluentResource;

use super::catalog::source;
use super::format_message;
use crate::model::value::language::Language;

/// Returns the variables of each text of a language, by the text's id. Leaves out the summaries of
/// steps, which the code has in English.
fn variables(language: Language) -> BTreeMap<String, BTreeSet<String>> {
    let resource = FluentResource::try_new(source(language).to_owned());
    let resource = resource.unwrap_or_else(|(_, errors)| panic!("{language}: {errors:?}"));
    let mut found = BTreeMap::new();
    for entry in resource.entries() {
        let fluent_syntax::ast::Entry::Message(message) = entry else { continue };
        let id = message.id.name.to_owned();
        if let Some(value) = message.value.as_ref().filter(|_| !id.starts_with("step-")) {
            found.insert(id.clone(), of_pattern(value));
        }
        for attribute in &message.attributes {
            found.insert(format!("{id}.{}", attribute.id.name), of_pattern(&attribute.value));
        }
    }
    found
}

fn of_pattern(pattern: &fluent_syntax::ast::Pattern<&str>) -> BTreeSet<String> {
    // Names of variables begin with `$` wherever they are in a text.
    let text = format!("{pattern:?}");
    let names = text.split("VariableReference { id: Identifier { name: \"").skip(1);
    names.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn no_language_lacks_a_text_nor_a_variable_of_one() {
    let english = variables(Language::English);
    for language in Language::ALL {
        let texts = variables(language);
        let ids: Vec<_> = texts.keys().collect();
        assert_eq!(ids, english.keys().collect::<Vec<_>>(), "{language}");
        for (id, names) in &texts {
            // What is counted can be said without the number.
            let differ: Vec<_> = names.symmetric_difference(&english[id]).collect();
            assert!(differ.is_empty(), "{language}, {id}: {differ:?}");
        }
    }
}

#[test]
fn no_text_is_in_another_language_by_mistake() {
    let hangul = |text: &str| text.chars().any(|c| ('가'..='힣').contains(&c));
    assert!(!hangul(source(Language::English)));
    // A text may be a name that is the same everywhere, but those are few.
    let korean = source(Language::Korean);
    let translated = korean.lines().filter(|line| line.contains(" = ") && hangul(line)).count();
    let all = korean.lines().filter(|line| line.contains(" = ")).count();
    assert!(translated * 10 > all * 9, "{translated} of {all}");
}

/// Prefixes of the texts whose ids are composed in the code.
const COMPOSED: [&str; 10] = [
    "step-",
    "why-",
    "status-",
    "costs-",
    "reason-",
    "refuse-",
    "signal-",
    "who-",
    "resources-",
    "sources-",
];

#[test]
fn no_text_is_of_no_use() {
    let mut code = String::new();
    let mut todo = vec![std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/src"))];
    while let Some(place) = todo.pop() {
        for entry in std::fs::read_dir(place).unwrap() {
            let path = entry.unwrap().path();
            match path.extension() {
                Some(extension) if extension == "rs" => {
                    code.push_str(&std::fs::read_to_string(path).unwrap());
                }
                _ if path.is_dir() => todo.push(path),
                _ => {}
            }
        }
    }
    let ids = variables(Language::English).into_keys().filter(|id| !id.contains('.'));
    let ids = ids.filter(|id| !COMPOSED.iter().any(|begin| id.starts_with(begin)));
    let left: Vec<_> = ids.filter(|id| !code.contains(&format!("\"{id}\""))).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_counted_has_its_plural() {
    let total = |count| {
        format_message(Language::English, "trace-total", &[("count", count), ("time", "1 ms")])
    };
    assert_eq!(total("1"), "one step in 1 ms");
    assert_eq!(total("2"), "2 steps in 1 ms");
    assert_eq!(format_message(Language::Korean, "no-such-text", &[]), "no-such-text");
}
