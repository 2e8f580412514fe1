//! The library that comes with the language, tested in the language; and the verb that does it.

use crate::harness::TestEngine;
use crate::needs_root;

/// A directory with scripts.
fn scripts(files: &[(&str, &str)]) -> tempfile::TempDir {
    let directory = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
    for (name, text) in files {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}

const MIXED: (&str, &str) = (
    "mixed_test.rhai",
    r#"import "test" as test;
test::describe("arithmetic", || {
    test::it("adds", || test::equal(1 + 1, 2));
    test::it("subtracts", || test::equal(3 - 1, 1));
    test::skip("divides", || ());
});
"#,
);

#[test]
fn each_module_of_the_library_does_what_it_says() {
    needs_root!();
    let engine = TestEngine::new();
    let mut command = engine.command(&["test", "tests/stdlib"]);
    let output = command.current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("scripts: "), "{text}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn tests_are_found_in_a_directory_and_told_with_the_place_of_a_failure() {
    needs_root!();
    let engine = TestEngine::new();
    let place =
        scripts(&[MIXED, ("deep/er_test.rhai", "throw \"outside\""), ("no.rhai", "throw 1")]);
    let ran = engine.run(&["test", place.path().to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    for said in [
        "ok    arithmetic adds (",
        "FAIL  arithmetic subtracts (",
        "error: expected 1, got 2",
        "mixed_test.rhai:4:",
        "skip  arithmetic divides",
        "FAIL  the script itself",
        "4 tests in 2 scripts: 1 passed, 2 failed, 1 skipped",
    ] {
        assert!(ran.out.contains(said), "no {said:?} in {}", ran.out);
    }
    assert!(!ran.out.contains("std:test"), "{}", ran.out);
}

#[test]
fn tests_are_chosen_by_name_and_end_with_success() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[MIXED]);
    let path = place.path().join("mixed_test.rhai");
    let printed = engine.ok(&["test", "--filter", "adds", path.to_str().unwrap()]);
    assert!(printed.ends_with("s)"), "{printed}");
    assert!(printed.contains("1 test in 1 script: 1 passed ("), "{printed}");
}

#[test]
fn tests_are_told_as_tap_and_as_junit() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[MIXED]);
    let path = place.path().to_str().unwrap();
    let tap = engine.run(&["test", "--format", "tap", path]);
    assert_eq!(tap.code, 1);
    for line in
        ["TAP version 14", "ok 1 - arithmetic adds", "not ok 2 - arithmetic subtracts", "1..3"]
    {
        assert!(tap.out.lines().any(|said| said == line), "no {line:?} in {}", tap.out);
    }
    let junit = engine.run(&["test", "--format=junit", path]);
    assert_eq!(junit.code, 1);
    assert!(junit.out.starts_with("<?xml"), "{}", junit.out);
    assert!(junit.out.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
}

#[test]
fn a_test_that_is_run_as_a_script_tells_its_results_and_fails() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[MIXED]);
    let path = place.path().join("mixed_test.rhai");
    let ran = engine.run(&[path.to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("FAIL  arithmetic subtracts"), "{}", ran.out);
    assert!(ran.err.contains("1 of 2 tests failed"), "{}", ran.err);
}

#[test]
fn a_script_that_hangs_does_not_keep_the_others_from_their_tests() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[("a_test.rhai", "loop { sleep(1) }"), MIXED]);
    let ran = engine.run(&["test", "--timeout", "0.3", place.path().to_str().unwrap()]);
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("time limit reached"), "{}", ran.out);
    assert!(ran.out.contains("ok    arithmetic adds"), "{}", ran.out);
}

#[test]
fn a_place_without_tests_is_an_error() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[]);
    let said = engine.fails(&["test", place.path().to_str().unwrap()], 1);
    assert!(said.contains("there are no tests in"), "{said}");
    assert!(engine.run(&["test", "/nosuch_test.rhai"]).out.contains("cannot read script"));
}

#[test]
fn a_test_that_ends_the_script_is_told_as_failed() {
    needs_root!();
    let engine = TestEngine::new();
    for exit in ["exit(0)", "[1].map(|n| exit(0))", "{ try { [1].map(|n| exit()); } catch { } }"] {
        let text = format!(
            "import \"test\" as test;\ntest::it(\"adds\", || ());\ntest::it(\"exits\", || {exit});\n\
             test::it(\"never\", || test::fail(\"no\"));\n"
        );
        let place = scripts(&[("a_test.rhai", &text), ("b_test.rhai", "exit(0);"), MIXED]);
        let ran = engine.run(&["test", place.path().to_str().unwrap()]);
        assert_eq!(ran.code, 1, "{exit}: {}", ran.out);
        for said in [
            "FAIL  exits (",
            "it called exit(0): the rest of the script did not run",
            "the script exited with 0 before its last line",
            "ok    arithmetic adds",
            "6 tests in 3 scripts: 2 passed, 3 failed, 1 skipped",
        ] {
            assert!(ran.out.contains(said), "{exit}: no {said:?} in {}", ran.out);
        }
        let alone = engine.run(&[place.path().join("a_test.rhai").to_str().unwrap()]);
        assert_eq!(alone.code, 1, "{exit}: {}", alone.out);
        assert!(alone.err.contains("1 of 2 tests failed"), "{exit}: {}", alone.err);
    }
}

#[test]
fn a_filter_that_fits_no_test_is_an_error() {
    needs_root!();
    let engine = TestEngine::new();
    let place = scripts(&[MIXED]);
    let path = place.path().to_str().unwrap();
    let said = engine.fails(&["test", "--filter", "divdes", path], 1);
    assert!(said.contains("no test name contains \"divdes\""), "{said}");
    let place = scripts(&[("a_test.rhai", "let sum = 1 + 1;")]);
    let said = engine.fails(&["test", place.path().to_str().unwrap()], 1);
    assert!(said.contains("there are no tests in these scripts"), "{said}");
}

#[test]
fn what_tests_write_is_kept_apart_from_results_that_programs_read() {
    needs_root!();
    let engine = TestEngine::new();
    let text = r#"import "test" as test;
test::it("x", || { print("not ok 7"); debug("beside"); run("host", "echo not ok 8", #{ attach: true }); });
"#;
    let place = scripts(&[("a_test.rhai", text)]);
    let path = place.path().to_str().unwrap();
    for (format, begins) in [("tap", "TAP version 14\n"), ("junit", "<?xml ")] {
        let ran = engine.run(&["test", "--format", format, path]);
        assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
        assert!(ran.out.starts_with(begins), "{}", ran.out);
        assert!(!ran.out.contains("not ok"), "{}", ran.out);
        for said in ["not ok 7", "beside", "not ok 8"] {
            assert!(ran.err.contains(said), "no {said:?} in {}", ran.err);
        }
    }
    let ran = engine.run(&["test", path]);
    assert!(ran.out.contains("not ok 7\nnot ok 8\n"), "{}", ran.out);
}
