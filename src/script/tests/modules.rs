//! `import`.

use std::path::Path;

use super::super::{Outcome, Source, run};
use super::host;
use crate::script::context::script_context::ScriptContext;
use crate::script::session::interpreter::LANGUAGE;

/// Writes files and runs the first one; returns its outcome and its output.
fn run_files(files: &[(&str, &str)]) -> (Outcome, String) {
    let directory = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let (host, output) = host();
    let mut outcome = run(host, Source::File(directory.path().join(files[0].0)));
    let place = format!("{}/", directory.path().display());
    outcome.report = outcome.report.map(|report| report.replace(&place, ""));
    (outcome, output.text())
}

#[test]
fn imports_are_relative_to_the_importing_file() {
    let (outcome, output) = run_files(&[
        ("main.rhai", "#!/usr/bin/env lifebox\nimport \"lib/a\" as a;\nprint(a::twice(4));"),
        ("lib/a.rhai", "import \"b\" as b;\nfn twice(x) { b::add(x, x) }"),
        ("lib/b.rhai", "fn add(x, y) { x + y }"),
    ]);
    assert_eq!(outcome, Outcome { exit_code: 0, report: None, completed: true });
    assert_eq!(output, "8\n");
}

#[test]
fn a_closure_of_a_module_can_be_called_by_its_importer() {
    let (outcome, output) = run_files(&[
        (
            "main.rhai",
            "import \"a\" as a;\nlet f = a::adder(3);\nprint(f.call(4));\nprint([1].map(f));",
        ),
        ("a.rhai", "fn adder(n) { |x| x + n }"),
    ]);
    assert_eq!(outcome, Outcome { exit_code: 0, report: None, completed: true });
    assert_eq!(output, "7\n[4]\n");
}

#[test]
fn an_error_in_a_module_shows_its_own_line() {
    let (outcome, _) = run_files(&[
        ("main.rhai", "import \"a\" as a;\n\na::find(\"web\");"),
        ("a.rhai", "fn find(name) {\n    engine::container(name)\n}"),
    ]);
    expect_test::expect![[r#"
        error: no such container: web
         --> a.rhai:2:13
          |
        2 |     engine::container(name)
          |             ^^^^^^^^^
          |
         ::: main.rhai:3:4
          |
        3 | a::find("web");
          |    ---- in `find` called here
          |
          = hint: list all containers with `ps -a`
    "#]]
    .assert_eq(&format!("{}\n", outcome.report.unwrap()));
    let (outcome, _) = run_files(&[("main.rhai", "import \"a\" as a;"), ("a.rhai", "let x = ;")]);
    expect_test::expect![[r#"
        error: syntax: unexpected ';'
         --> a.rhai:1:9
          |
        1 | let x = ;
          |         ^
          |
         ::: main.rhai:1:8
          |
        1 | import "a" as a;
          |        - imported here
    "#]]
    .assert_eq(&format!("{}\n", outcome.report.unwrap()));
}

#[test]
fn a_circle_of_imports_is_an_error_and_not_an_overflow() {
    let (outcome, _) = run_files(&[
        ("main.rhai", "import \"a\" as a;"),
        ("a.rhai", "import \"b\" as b;"),
        ("b.rhai", "import \"a\" as a;"),
    ]);
    let report = outcome.report.unwrap();
    assert!(report.contains("`a` imports itself"), "{report}");
}

#[test]
fn a_missing_module_or_script_names_the_file() {
    let (outcome, _) = run_files(&[(
        "main.rhai",
        "try { import \"no\" as no; } catch (e) { print(e.kind); throw; }",
    )]);
    let report = outcome.report.unwrap();
    assert!(report.contains("cannot import `no`"), "{report}");
    let (host, _) = host();
    let outcome = run(host, Source::File("no/such.rhai".into()));
    assert_eq!(outcome.exit_code, 1);
    assert!(outcome.report.unwrap().contains("cannot read script `no/such.rhai`"));
}

#[test]
fn a_module_does_not_lose_our_functions_to_its_importer() {
    let (outcome, output) = run_files(&[
        (
            "main.rhai",
            "import \"a\" as a;\nfn exists(name) { \"mine\" }\nprint(a::there(\"web\"));",
        ),
        ("a.rhai", "fn there(name) { engine::exists(name) }"),
    ]);
    assert_eq!(outcome, Outcome { exit_code: 0, report: None, completed: true });
    assert_eq!(output, "false\n");
}

#[test]
fn the_workflows_that_lifebox_brings_parse() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    let (host, _) = host();
    let engine = ScriptContext::new(host, LANGUAGE).new_engine();
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|ending| ending == "rhai") {
            let text = std::fs::read_to_string(&path).unwrap();
            let parsed = engine.compile(crate::script::syntax::sources::without_shebang(&text));
            assert!(parsed.is_ok(), "{}: {:?}", path.display(), parsed.err());
            seen += 1;
        }
    }
    assert!(seen >= 2);
}
