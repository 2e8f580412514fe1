//! Parses Rhai's error messages back into errors.
//!
//! After `catch` and calls only text is left of an error. The messages are those of one version of
//! Rhai, and the tests below provoke each of them.

use rhai::{EvalAltResult, INT, Position};

/// The beginning of a message, and the error that its rest makes.
type Sentence = (&'static str, fn(&str) -> Option<EvalAltResult>);

const SENTENCES: &[Sentence] = &[
    ("Function not found: ", |rest| {
        Some(EvalAltResult::ErrorFunctionNotFound(rest.into(), Position::NONE))
    }),
    ("Variable not found: ", |rest| {
        Some(EvalAltResult::ErrorVariableNotFound(rest.into(), Position::NONE))
    }),
    ("Module not found: ", |rest| {
        Some(EvalAltResult::ErrorModuleNotFound(rest.into(), Position::NONE))
    }),
    ("Data race detected on ", |rest| {
        Some(EvalAltResult::ErrorDataRace(rest.into(), Position::NONE))
    }),
    ("'this' not bound", |rest| {
        rest.is_empty().then_some(EvalAltResult::ErrorUnboundThis(Position::NONE))
    }),
    ("For loop expects iterable type", |rest| {
        rest.is_empty().then_some(EvalAltResult::ErrorFor(Position::NONE))
    }),
    ("Data type incorrect: ", |rest| {
        let (given, wanted) = rest.split_once(" (expecting ")?;
        let wanted = wanted.trim_end_matches(')');
        Some(EvalAltResult::ErrorMismatchDataType(wanted.into(), given.into(), Position::NONE))
    }),
];

/// The text before the place of an error: `(line 3, position 7)`.
const PLACE: &str = " (line ";

/// The beginnings of the lines of a call stack.
const WAY: [&str; 3] = ["\nin call to function '", "\nin closure call", "\nin module"];

/// Returns the error of a message without place, if [`super::explain`] explains it.
pub(super) fn error_of(text: &str) -> Option<EvalAltResult> {
    SENTENCES.iter().find_map(|(begin, make)| make(text.strip_prefix(begin)?))
}

/// Returns a message without the place at its end.
pub(super) fn without_place(text: &str) -> &str {
    text.rsplit_once(PLACE).map_or(text, |(before, _)| before)
}

/// The innermost error of a message with a call stack.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Innermost<'a> {
    /// The message, without its place.
    pub(super) message: &'a str,
    /// The source, if the text names it.
    pub(super) source: Option<&'a str>,
    /// Line and column, if the message has a place.
    pub(super) place: Option<(Option<INT>, Option<INT>)>,
}

/// Reads the first line of a message with a call stack: that of the innermost place. `None` for a
/// message without one.
pub(super) fn innermost(text: &str) -> Option<Innermost<'_>> {
    let way = WAY.iter().filter_map(|way| text.find(way)).min()?;
    let (first, rest) = text.split_at(way);
    let (first, place) = match first.rsplit_once(PLACE) {
        Some((before, place)) => {
            let place = place.trim_end_matches(')');
            let (line, column) = place.split_once(", position ").unzip();
            let number = |text: &str| text.parse().ok();
            (before, Some((number(line.unwrap_or(place)), column.and_then(number))))
        }
        None => (first, None),
    };
    let (message, source) = match first.rsplit_once(" @ '") {
        Some((message, source)) => (message, Some(source.trim_end_matches('\''))),
        None => (first, called_in(rest)),
    };
    Some(Innermost { message, source, place })
}

/// Returns the source of the first call of the stack: `in call to function 'f' (from 'a.rhai')`.
fn called_in(way: &str) -> Option<&str> {
    let line = way.trim_start().lines().next()?;
    let (_, from) = line.split_once(" (from '")?;
    from.split_once('\'').map(|(source, _)| source)
}

#[cfg(test)]
mod tests {
    use rhai::packages::{Package as _, StandardPackage};
    use rhai::{Engine, OptimizationLevel};

    use super::*;

    /// A script that provokes each message of the table, in its order.
    const PROVOKED: &[&str] = &[
        "nonesuch(1, \"a\")",
        "nonesuch",
        "nonesuch::f()",
        "let a = 1; let f = |x| { this += a + x }; a.call(f, 1)",
        "fn f() { this } f()",
        "let v = true; for x in v { print(x) }",
        "let v = 5; if v { print(v) }",
    ];

    fn engine() -> Engine {
        let mut engine = Engine::new_raw();
        engine.register_global_module(StandardPackage::new().as_shared_module());
        engine.set_optimization_level(OptimizationLevel::None);
        engine
    }

    fn provoke(script: &str) -> EvalAltResult {
        *engine().run(script).expect_err(script)
    }

    fn leaf(error: &EvalAltResult) -> &EvalAltResult {
        match error {
            EvalAltResult::ErrorInFunctionCall(_, _, inner, _) => leaf(inner),
            other => other,
        }
    }

    #[test]
    fn rhai_still_says_each_sentence_of_the_table() {
        assert_eq!(PROVOKED.len(), SENTENCES.len());
        for (script, (begin, _)) in PROVOKED.iter().zip(SENTENCES) {
            let whole = provoke(script);
            let error = leaf(&whole);
            let text = error.to_string();
            let sentence = without_place(&text);
            assert!(sentence.starts_with(begin), "{script}: {text}");
            let read = error_of(sentence).unwrap_or_else(|| panic!("{script}: {text}"));
            assert_eq!(std::mem::discriminant(&read), std::mem::discriminant(error), "{script}");
            assert_eq!(read.to_string(), sentence, "{script}");
        }
    }

    #[test]
    fn other_sentences_are_of_no_error_that_we_explain() {
        for script in ["1 / 0", "[1][5]", "throw 5"] {
            let text = provoke(script).to_string();
            assert!(error_of(without_place(&text)).is_none(), "{script}: {text}");
        }
    }

    #[test]
    fn the_way_of_an_error_begins_as_rhai_tells_it() {
        let message = "Function not found: nonesuch ()";
        for script in ["fn f() {\n  nonesuch()\n} f()", "let f = || {\n  nonesuch()\n}; f.call()"] {
            let text = provoke(script).to_string();
            let told = innermost(&text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((told.message, told.place), (message, Some((Some(2), Some(3)))), "{text}");
        }
        let inner = Box::new(provoke("\n nonesuch()"));
        let text = EvalAltResult::ErrorInModule("m".into(), inner, Position::NONE).to_string();
        let told = innermost(&text).unwrap_or_else(|| panic!("{text}"));
        assert_eq!((told.message, told.place), (message, Some((Some(2), Some(2)))), "{text}");
        assert_eq!(innermost(&provoke("nonesuch").to_string()), None);
    }

    #[test]
    fn the_source_is_that_of_the_place_or_of_the_first_call() {
        let engine = engine();
        let mut ast = engine.compile("fn f() { nonesuch() } f()").unwrap();
        ast.set_source("a.rhai");
        let text = engine.run_ast(&ast).unwrap_err().to_string();
        assert_eq!(innermost(&text).unwrap().source, Some("a.rhai"), "{text}");
    }
}
