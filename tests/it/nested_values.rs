//! Values of a script that are nested without bound: the script fails, the process does not.

use crate::harness::TestEngine;
use crate::needs_root;

const LIMIT: &str = "value nesting limit reached (1000)";

#[test]
fn nested_values_end_the_script_and_not_the_process() {
    let engine = TestEngine::empty();
    for text in [
        "let a = || 1; for i in 0..400000 { let b = a; a = || b; } print(a);",
        "let a = || 1; for i in 0..400000 { let b = a; a = || [i, b, i]; }",
        "let a = []; for i in 0..400000 { a = [a]; } print(a == a);",
        "let a = #{}; for i in 0..400000 { a = #{ x: 1, a: a, z: 2 }; }",
        "let a = []; for i in 0..400000 { let b = []; b.push(a); a = b; }",
        "let l = []; l.pad(400000, 0); let a = l.reduce(|sum, i| [sum], []); print(a);",
        "fn nest(a) { [a] } let a = []; for i in 0..400000 { a = nest(a); }",
        "let m = #{}; for i in 0..400000 { m += #{ x: m }; }",
        "fn f() {} let f = Fn(\"f\"); for i in 0..400000 { f = Fn(\"f\").curry(f); }",
        "fn grow() { for i in 0..3000 { let n = i; this.push([this.pop()]); } } let a = [[]]; a.grow();",
        // Without a variable in the loop: noticed at the first use after it.
        "fn grow() { for i in 0..3000 { this.push([this.pop()]); } } let a = [[]]; a.grow(); print(a);",
        "fn grow() { for i in 0..2000 { this.a = [this.a]; } } let m = #{ a: 1 }; m.grow(); m == m",
    ] {
        let error = engine.fails(&["-e", text], 1);
        assert!(error.contains(LIMIT), "{text}: {error}");
    }
}

#[test]
fn a_deep_value_that_is_never_used_is_dropped() {
    let engine = TestEngine::empty();
    let text =
        "fn grow() { for i in 0..9000 { this.push([this.pop()]); } } let a = [[]]; a.grow();";
    assert_eq!(engine.script(text), "");
}

#[test]
fn a_text_cannot_nest_values_deeply() {
    let engine = TestEngine::empty();
    for (open, close) in [("[", "]"), ("{\"a\":", "}"), ("- ", ""), ("? ", ""), ("!x ", "")] {
        for reader in ["parse_json", "parse_yaml"] {
            let text = format!(
                "let s = \"\"; for i in 0..100000 {{ s += '{open}' }} s += \"1\"; \
                 for i in 0..100000 {{ s += '{close}' }} {reader}(s);"
            )
            .replace('\'', "`");
            engine.fails(&["-e", &text], 1);
        }
    }
}

#[test]
fn a_value_that_contains_itself_is_refused() {
    let engine = TestEngine::empty();
    for text in [
        "let a = []; let f = || a; a = [f]; print(a);",
        "let a = #{}; let f = || a; a.x = f; print(a == a);",
    ] {
        assert!(engine.fails(&["-e", text], 1).contains(LIMIT), "{text}");
    }
}

#[test]
fn ordinary_nesting_is_allowed() {
    let engine = TestEngine::empty();
    let text = "let a = []; for i in 0..500 { a = [a]; } print(a == a); print(a.to_string().len);";
    assert_eq!(engine.script(text), "true\n1002");
}

#[test]
fn cleanups_follow_the_limit() {
    needs_root!();
    let engine = TestEngine::new();
    let text = "let c = create(\"host\", #{ cmd: \"true\" }); defer(|| rm(c)); \
                let a = || 1; for i in 0..400000 { let b = a; a = || b; }";
    assert!(engine.fails(&["-e", text], 1).contains(LIMIT));
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn the_prompt_goes_on_after_the_limit() {
    let engine = TestEngine::empty();
    let input = "let a = || 1; for i in 0..400000 { let b = a; a = || b; }\na\n1 + 1\n";
    let ran = engine.run_with_input(&[], input.as_bytes());
    assert!(String::from_utf8_lossy(&ran.stdout).contains('2'), "{ran:?}");
    assert_eq!(ran.status.code(), Some(0));
}
