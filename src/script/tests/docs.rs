//! `help` and the examples in doc comments.

use super::super::api::LIBRARY;
use super::super::docs::{Function, Role, help_index, help_page};
use super::super::session::interpreter;
use crate::model::value::language::{Language, ReaderProfile};
use crate::script::syntax::incomplete::InputValidator;

/// Returns all functions with a page, those of modules too.
fn functions() -> Vec<&'static Function> {
    let own = LIBRARY.own_functions().iter().flat_map(|(_, functions)| functions);
    own.chain(LIBRARY.modules().iter().flat_map(|module| &module.functions)).collect()
}

#[test]
fn every_function_has_a_summary_and_an_example() {
    let mut missing = Vec::new();
    for function in functions() {
        if function.summary().is_empty() {
            missing.push(format!("{}: no summary", function.signature()));
        }
        if function.role == Role::Function && function.example().is_none() {
            missing.push(format!("{}: no example", function.signature()));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

/// Help has all languages: first paragraphs, options, titles.
#[test]
fn no_language_lacks_a_text_of_the_help() {
    use super::super::docs::first_paragraph;
    use super::super::options;
    use crate::ui::messages::korean_help;
    let mut texts: Vec<String> = Vec::new();
    for function in functions().iter().filter(|function| function.role != Role::Internal) {
        texts.push(first_paragraph(&function.doc));
        for key in options::keys(&function.name) {
            texts.extend([key.about.to_owned(), key.value_type.describe()]);
        }
    }
    texts.extend(LIBRARY.modules().iter().map(|module| first_paragraph(&module.doc)));
    texts.extend(LIBRARY.own_functions().iter().map(|(title, _)| (*title).to_owned()));
    let known = korean_help();
    let used: std::collections::BTreeSet<_> = texts.iter().cloned().collect();
    texts.retain(|text| !known.contains_key(text));
    assert!(texts.is_empty(), "{texts:#?}");
    let fixed = ["Modules", "Options", "This name is deprecated. Use instead:"];
    let is_left = |text: &&String| {
        !used.contains(*text) && !fixed.contains(&text.as_str()) && !text.starts_with("See help(")
    };
    let left: Vec<_> = known.keys().filter(is_left).collect();
    assert!(left.is_empty(), "of no use any more: {left:#?}");
}

#[test]
fn help_shows_a_deprecated_function_under_its_current_name() {
    let reader = ReaderProfile { language: Language::English, width: 80, ascii: false };
    let index = help_index(&LIBRARY, reader);
    let engine = interpreter::vocabulary();
    for (old, current) in
        [("moves", "actions"), ("rmv", "remove_volume"), ("absolute", "absolute_path")]
    {
        assert!(index.contains(&format!("\n  {current} ")), "{index}");
        assert!(!index.contains(&format!("\n  {old} ")), "{index}");
        let page = help_page(&LIBRARY, &engine, old, Language::English).unwrap();
        assert!(page.starts_with("This name is deprecated. Use instead:\n\n"), "{page}");
        assert!(page.contains(&format!("\n{current}(")), "{page}");
    }
    let page = help_page(&LIBRARY, &engine, "test::gone", Language::English).unwrap();
    assert!(page.starts_with("This name is deprecated. Use instead:\n\ntest::removed("), "{page}");
}

#[test]
fn every_module_has_functions_and_says_what_it_is_for() {
    for module in LIBRARY.modules() {
        assert!(!module.doc.is_empty(), "{}", module.name);
        assert!(module.functions.len() > 1, "{}", module.name);
    }
}

#[test]
fn every_example_is_a_whole_script() {
    let validator = InputValidator::new();
    let engine = rhai::Engine::new();
    for function in functions() {
        let Some(example) = function.example() else { continue };
        let parsed = engine.compile(example);
        assert!(parsed.is_ok(), "{}: {parsed:?}", function.name);
        assert!(!validator.is_incomplete(example), "{}", function.name);
    }
}

#[test]
fn signatures_read_as_the_language() {
    let signatures: Vec<String> = LIBRARY
        .own_functions()
        .iter()
        .flat_map(|(_, functions)| functions)
        .filter(|function| function.role == Role::Function)
        .map(|function| function.signature())
        .collect();
    for expected in [
        "pause(container) -> Container",
        "wait(container, timeout) -> int",
        "ps(options) -> array",
        "exists(container) -> bool",
        "rename(container, name: string) -> Container",
        "logs(container, options, each: function) -> Container",
        "sleep(time)",
    ] {
        assert!(signatures.iter().any(|s| s == expected), "{expected} in {signatures:#?}");
    }
}

#[test]
fn no_name_is_a_word_that_rhai_reserves() {
    const RESERVED: &[&str] = &[
        "var",
        "static",
        "shared",
        "goto",
        "is",
        "go",
        "match",
        "case",
        "public",
        "protected",
        "new",
        "use",
        "with",
        "module",
        "package",
        "super",
        "thread",
        "spawn",
        "async",
        "await",
        "sync",
        "yield",
        "default",
        "void",
        "null",
        "nil",
        "import",
        "export",
    ];
    for (_, functions) in LIBRARY.own_functions() {
        for function in functions {
            assert!(!RESERVED.contains(&function.name.as_str()), "{}", function.name);
            for key in super::super::options::keys(&function.name) {
                assert!(!RESERVED.contains(&key.name), "{}", key.name);
            }
        }
    }
}
