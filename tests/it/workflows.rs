//! The scripts that lifebox brings, run as users run them.

use std::time::{Duration, Instant};

use crate::harness::TestEngine;
use crate::needs_root;

fn script(name: &str) -> String {
    format!("{}/scripts/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The words before the colon of lines such as `paused: its processes are paused`.
fn walk(output: &str) -> Vec<&str> {
    let before = output.lines().filter_map(|line| line.split_once(": ")).map(|(before, _)| before);
    before.filter(|before| !before.contains(' ')).collect()
}

#[test]
fn quickstart_shows_each_state_within_five_seconds() {
    needs_root!();
    let engine = TestEngine::new();
    let begun = Instant::now();
    let output = engine.ok(&[&script("quickstart.rhai")]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(
        walk(&output),
        ["created", "running", "paused", "running", "exited", "running", "removed"]
    );
    for said in ["hello, world", "bye", "it is paused", "is it still there? false"] {
        assert!(output.contains(said), "{said}\n{output}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn hundredcounter_walks_through_dockers_texts() {
    needs_root!();
    let engine = TestEngine::new();
    let output = engine.ok(&[&script("hundredcounter.rhai")]);
    let mut rest = output.as_str();
    for said in [
        "STATUS",
        "Created",
        "# start",
        "Up ",
        "# pause",
        "(Paused)",
        "# unpause",
        "Up ",
        "# stop",
        "Exited (137) ",
        "# logs",
        "\n1\n2\n3\n",
        "# rm",
        "exists: false",
    ] {
        let at = rest.find(said).unwrap_or_else(|| panic!("no {said:?} in\n{rest}"));
        rest = &rest[at + said.len()..];
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn hundredcounter_is_built_by_a_script_and_quickly_the_second_time() {
    needs_root!();
    let engine = TestEngine::empty();
    let first = engine.ok(&[&script("hundredcounter-build.rhai")]);
    assert!(first.contains("built: hundredcounter:built"), "{first}");
    assert!(first.contains("it counts:\n1\n2\n3\n") && first.ends_with("exited with 0"), "{first}");
    let begun = Instant::now();
    assert_eq!(engine.ok(&[&script("hundredcounter-build.rhai")]), first);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    engine.ok(&["run", "-d", "--name", "counter", "hundredcounter:built"]);
    engine.wrote("counter", "1\n");
    engine.ok(&["stop", "-t", "0", "counter"]);
    assert_eq!(engine.get("counter", "{{.State.ExitCode}}"), "137");
    engine.ok(&["rm", "counter"]);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

/// A workflow's exit code and what it printed; it leaves no container behind.
fn ran(name: &str, words: &[&str]) -> (i32, String) {
    let engine = TestEngine::new();
    let script = script(name);
    let ran = engine.run(&[&[script.as_str()], words].concat());
    assert_eq!(ran.err, "", "{name}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "{name}");
    (ran.code, ran.out)
}

#[test]
fn a_smoke_test_tells_good_images_from_bad_ones() {
    needs_root!();
    let good = "ok: it wrote /^listening/\nok: it exited after SIGTERM\n".to_owned();
    assert_eq!(ran("smoke-test.rhai", &[]), (0, good));
    let words = ["host", "ready", "sh", "-c", "echo no disk; exit 7"];
    let (code, out) = ran("smoke-test.rhai", &words);
    assert_eq!(code, 1);
    assert!(out.contains("exited with code 7") && out.contains("stdout: no disk"), "{out}");
}

#[test]
fn a_job_runs_when_its_service_is_ready() {
    needs_root!();
    let (code, out) = ran("wait-then-run.rhai", &[]);
    let last = "the job exited with 3, and 0 containers are left\n";
    assert_eq!((code, out), (3, format!("service: healthy\njob: migrating\n{last}")));
}

#[test]
fn results_of_a_fan_out_come_in_order_and_a_failure_ends_it() {
    needs_root!();
    let (code, out) = ran("fan-out.rhai", &["2", "30", "4"]);
    assert_eq!(code, 0);
    assert_eq!(out, "2 squared is 4\n30 squared is 900\n4 squared is 16\n");
    let engine = TestEngine::new();
    let failed = engine.run(&[&script("fan-out.rhai"), "2", "x y", "4"]);
    assert_eq!(failed.code, 1);
    assert!(failed.err.contains("the square of x y exited with"), "{}", failed.err);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_batch_tries_again_and_reports() {
    needs_root!();
    let (code, out) = ran("nightly-batch.rhai", &[]);
    assert_eq!(code, 1);
    let report = "backup: done at attempt 1\nreport: done at attempt 3\n\
                  import: given up after 3 attempts: timeout\n";
    assert_eq!(out, report);
}

#[test]
fn the_least_memory_is_found_by_halving() {
    needs_root!();
    let (code, out) = ran("memory-limit.rhai", &[]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("132 MB: enough") && out.contains(": killed"), "{out}");
    let last = out.lines().last().unwrap();
    assert!(last.starts_with("it needs between ") && last.ends_with(" MB"), "{last}");
}

#[test]
fn what_has_ended_is_cleaned_up_by_predicate() {
    needs_root!();
    let engine = TestEngine::new();
    for (name, program) in [("good", "exit 0"), ("bad", "exit 3")] {
        engine.run(&["run", "--name", name, "-l", "app=x", "host", "sh", "-c", program]);
    }
    engine.ok(&["run", "-d", "--name", "runs", "host", "sleep", "1000"]);
    let script = script("cleanup.rhai");
    let out = engine.ok(&[&script, "--failed"]);
    assert_eq!(out, "would remove bad (exited, 3)\n1 of 3 containers");
    let out = engine.ok(&[&script, "--yes", "--failed"]);
    assert_eq!(out, "removing bad (exited, 3)\n1 of 3 containers");
    let out = engine.ok(&[&script, "--yes", "--label", "app=x"]);
    assert_eq!(out, "removing good (exited, 0)\n1 of 2 containers");
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "runs");
}

#[test]
fn an_alert_restarts_what_complains() {
    needs_root!();
    let (code, out) = ran("log-alert.rhai", &[]);
    assert_eq!((code, out.as_str()), (0, "alert: 3 complaints\nevent: die\nevent: restart\n"));
}

#[test]
fn a_rolling_restart_gives_all_a_new_version_or_brings_all_back() {
    needs_root!();
    let engine = TestEngine::new();
    let output = engine.ok(&[&script("rolling-restart.rhai"), "7"]);
    assert!(output.contains("all 3 are at version 7"), "{output}");
    for name in ["web-1", "web-2", "web-3"] {
        assert!(output.contains(&format!("{name}: version 7 ready")), "{output}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn blue_gives_way_to_green_while_both_run() {
    needs_root!();
    let engine = TestEngine::new();
    let output = engine.ok(&[&script("blue-green.rhai")]);
    assert_eq!(output, "before: blue, and 2 run\nafter: green, served by shop (green)");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "");
}

#[test]
fn a_test_matrix_fails_for_the_image_that_is_broken() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = engine.run(&[&script("test-matrix.rhai")]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    let broken = ran.out.lines().find(|line| line.starts_with("matrix:broken"));
    let broken = broken.unwrap_or_else(|| panic!("{}{}", ran.out, ran.err));
    assert_eq!(
        broken.split_whitespace().collect::<Vec<_>>(),
        ["matrix:broken", "ok", "ok", "FAIL"]
    );
    assert!(ran.out.ends_with("1 failed\n"), "{}", ran.out);
    assert!(!engine.ok(&["images"]).contains("matrix"));
    let sound = engine.ok(&[&script("test-matrix.rhai"), "host"]);
    assert!(sound.contains("host"), "{sound}");
}

#[test]
fn a_dashboard_shows_what_runs_and_what_it_uses() {
    needs_root!();
    let engine = TestEngine::new();
    assert_eq!(engine.ok(&[&script("dashboard.rhai"), "0.01", "1"]), "nothing runs");
    engine.ok(&["run", "-d", "--init", "--name", "web", "host", "sleep", "1000"]);
    let output = engine.ok(&[&script("dashboard.rhai"), "0.01", "2"]);
    let rows: Vec<_> = output.lines().filter(|line| line.starts_with("web ")).collect();
    assert_eq!(rows.len(), 2, "{output}");
    assert!(rows[0].contains("running") && rows[0].contains("KiB"), "{output}");
}
