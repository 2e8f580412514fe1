//! `lifebox check`.

use std::path::Path;

use crate::harness::TestEngine;

/// All scripts that lifebox brings.
fn scripts() -> Vec<String> {
    let mut all = Vec::new();
    for directory in ["scripts", "stdlib", "tests/stdlib"] {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(directory);
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "rhai") {
                all.push(path.to_str().unwrap().to_owned());
            }
        }
    }
    all
}

#[test]
fn the_scripts_that_lifebox_brings_have_no_errors() {
    let engine = TestEngine::empty();
    let scripts = scripts();
    assert!(scripts.len() > 20, "{scripts:?}");
    let arguments: Vec<&str> =
        ["check"].into_iter().chain(scripts.iter().map(String::as_str)).collect();
    engine.ok(&arguments);
    for script in scripts.iter().filter(|path| path.contains("/scripts/")) {
        assert_eq!(engine.ok(&["check", "--strict", script]), "");
    }
}

#[test]
fn findings_are_drawn_listed_and_written_for_programs() {
    let engine = TestEngine::empty();
    let path = engine.root().join("bad.rhai");
    std::fs::write(&path, "let c = run(\"host\");\nc.strat();\nfor i in 0..2 { defer(|| i); }\n")
        .unwrap();
    let path = path.to_str().unwrap();
    let drawn = engine.run(&["check", path]);
    assert_eq!(drawn.code, 1);
    for said in ["error: there is no function `strat`", "2 | c.strat();", "1 error, 1 warning"] {
        assert!(drawn.out.contains(said), "no {said:?} in {}", drawn.out);
    }
    let short = engine.run(&["check", "--format", "short", path]);
    let first = short.out.lines().next().unwrap();
    assert!(
        first
            .ends_with("bad.rhai:2:3: error: there is no function `strat` (did you mean `start`?)")
    );
    let json = engine.run(&["check", "--format", "json", path]);
    let list: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&list[0]["line"], &list[1]["severity"]), (&2.into(), &"warning".into()));
}

#[test]
fn warnings_fail_only_where_they_are_to() {
    let engine = TestEngine::empty();
    let path = engine.root().join("odd.rhai");
    std::fs::write(&path, "exit(0);\nprint(1);\n").unwrap();
    let path = path.to_str().unwrap();
    assert!(engine.ok(&["check", path]).contains("never reached"));
    assert_eq!(engine.run(&["check", "--strict", path]).code, 1);
    assert!(engine.fails(&["check", "/nosuch.rhai"], 1).contains("cannot read script"));
}
