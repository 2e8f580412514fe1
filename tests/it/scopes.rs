//! What a script's scope made is gone when it ends, however it ends.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, signal, wait_for_exit, wait_until};
use crate::needs_root;

/// A container that is made, one that runs, and a wait without end. Says `ready` before.
const SCOPE: &str = r#"
    defer(|| print("put off"));
    scope(|| {
        create("host", #{ name: "made" });
        run("host", #{ name: "runs", cmd: "sleep 1000", volumes: ["/data"] });
        keep(run("host", #{ name: "kept", cmd: "sleep 1000" }));
        print("ready");
        WAIT
    });
"#;

/// Begins a script and reads on until it says `ready`.
fn begin(engine: &TestEngine, text: &str) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = engine.spawn(&["-e", text]);
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while line.trim() != "ready" {
        line.clear();
        assert!(output.read_line(&mut line).unwrap() > 0, "the script ended early");
    }
    (child, output)
}

fn names(engine: &TestEngine) -> Vec<String> {
    let all = engine.ok(&["ps", "-a", "--format", "{{.Names}}"]);
    all.lines().map(str::to_owned).collect()
}

#[test]
fn a_killed_script_leaves_nothing_of_its_scope() {
    needs_root!();
    let engine = TestEngine::new();
    let (mut child, _output) = begin(&engine, &SCOPE.replace("WAIT", "sleep(1000);"));
    assert_eq!(names(&engine), ["kept", "runs", "made"]);
    let begun = Instant::now();
    child.kill().unwrap();
    child.wait().unwrap();
    let gone = wait_until(TIMEOUT, || names(&engine) == ["kept"]);
    assert!(gone, "{:?}", names(&engine));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert!(wait_until(TIMEOUT, || engine.ok(&["volume", "ls", "-q"]).is_empty()));
}

#[test]
fn ctrl_c_ends_any_call_soon_and_tidies_up() {
    needs_root!();
    let engine = TestEngine::new();
    for call in [
        "sleep(1000)",
        "wait(\"runs\")",
        "for line in logs(\"runs\", #{ follow: true }) { }",
        "logs(\"runs\", |line| true)",
        "exec(\"runs\", \"sleep 1000\")",
        "loop { }",
        "parallel([1, 2, 3], |n| sleep(1000))",
        "retry(#{ times: 9, delay: 1000 }, || throw 1)",
        "run(\"host\", \"sleep 1000\", #{ attach: true })",
        "stop(\"runs\", 1000)",
    ] {
        let (mut child, mut output) = begin(&engine, &SCOPE.replace("WAIT", call));
        // It may not have come to the call yet; then the call ends as soon as it begins.
        let begun = Instant::now();
        signal(child.id(), Signal::INT);
        assert_eq!(
            wait_for_exit(&mut child, TIMEOUT).and_then(|status| status.code()),
            Some(130),
            "{call}"
        );
        // Half a second for the call, the rest for two containers to go on a loaded machine.
        assert!(begun.elapsed() < Duration::from_secs(4), "{call}: {:?}", begun.elapsed());
        let mut said = String::new();
        std::io::Read::read_to_string(&mut output, &mut said).unwrap();
        assert_eq!(said, "put off\n", "{call}");
        let gone = wait_until(TIMEOUT, || names(&engine) == ["kept"]);
        assert!(gone, "{call}: {:?}", names(&engine));
        engine.ok(&["rm", "-f", "kept"]);
    }
}

#[test]
fn a_second_ctrl_c_ends_the_cleanup_and_leaves_nothing_all_the_same() {
    needs_root!();
    let engine = TestEngine::new();
    let text = r#"
        scope(|| {
            run("host", #{ name: "runs", cmd: "sleep 1000" });
            defer(|| { print("tidying"); sleep(1000); print("never"); });
            print("ready");
            sleep(1000);
        });
    "#;
    let (mut child, mut output) = begin(&engine, text);
    signal(child.id(), Signal::INT);
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    assert_eq!(line, "tidying\n");
    let begun = Instant::now();
    signal(child.id(), Signal::INT);
    assert_eq!(wait_for_exit(&mut child, TIMEOUT).and_then(|status| status.code()), Some(130));
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    assert!(wait_until(TIMEOUT, || names(&engine).is_empty()), "{:?}", names(&engine));
}

#[test]
fn a_script_that_ends_by_itself_leaves_what_it_kept_and_no_process() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = engine.run(&["-e", &SCOPE.replace("WAIT", "throw \"over\";")]);
    assert_eq!((ran.code, ran.out.as_str()), (1, "ready\nput off\n"), "{}", ran.err);
    assert_eq!(names(&engine), ["kept"]);
    let root = engine.root().to_string_lossy().into_owned();
    let keepers = || {
        let found = std::process::Command::new("pgrep")
            .args(["-f", &format!("^lifebox-reaper {root}")])
            .output()
            .unwrap();
        found.stdout.is_empty()
    };
    assert!(wait_until(TIMEOUT, keepers), "a keeper is left");
}

#[test]
fn a_script_ends_when_its_time_or_its_operations_are_used_up() {
    needs_root!();
    let engine = TestEngine::new();
    let file = engine.root().join("script.rhai");
    let path = file.to_string_lossy();
    for call in ["sleep(1000)", "loop { }", "wait(\"runs\")", "parallel([1, 2], |n| sleep(1000))"] {
        std::fs::write(&file, SCOPE.replace("WAIT", &format!("{call};"))).unwrap();
        let begun = Instant::now();
        let ran = engine.run(&["script", "--timeout", "1s", &path]);
        assert_eq!((ran.code, ran.out.as_str()), (124, "ready\nput off\n"), "{call}: {}", ran.err);
        assert!(ran.err.contains("time limit reached"), "{}", ran.err);
        assert!(begun.elapsed() < Duration::from_secs(8), "{call}: {:?}", begun.elapsed());
        assert_eq!(names(&engine), ["kept"], "{call}");
        engine.ok(&["rm", "-f", "kept"]);
    }
    std::fs::write(&file, "let n = 0; while n < 100000 { n += 1; } print(args());").unwrap();
    assert_eq!(
        engine.ok(&["script", "--timeout", "60s", &path, "a", "--timeout"]),
        "[\"a\", \"--timeout\"]"
    );
    let said = engine.fails(&["script", "--max-ops", "1000", &path], 1);
    assert!(said.contains("operation limit reached (1000)"), "{said}");
    assert!(engine.fails(&["script", "--timeout", "soon", &path], 1).contains("--timeout"));
}

#[test]
fn a_loop_over_events_ends_with_the_others_of_its_group() {
    needs_root!();
    let engine = TestEngine::new();
    let text = r#"
        try {
            parallel([
                || for e in events(#{ follow: true }) { },
                || events(|e| true),
                || { sleep(0.2); throw "enough" },
            ]);
        } catch (e) { print(e); }
    "#;
    let mut script = engine.spawn(&["-e", text]);
    assert!(wait_for_exit(&mut script, TIMEOUT).is_some_and(|status| status.success()));
}

/// Interrupts a script that has said `ready`, when a line of `ps` says `sign`.
fn interrupt_at(engine: &TestEngine, text: &str, sign: &str) {
    let (mut child, _output) = begin(engine, text);
    let lines = || engine.ok(&["ps", "-a", "--format", "{{.Names}}\n{{.State}}"]);
    assert!(wait_until(TIMEOUT, || lines().lines().any(|line| line == sign)), "{text}");
    signal(child.id(), Signal::INT);
    assert_eq!(
        wait_for_exit(&mut child, TIMEOUT).and_then(|status| status.code()),
        Some(130),
        "{text}"
    );
}

#[test]
fn ctrl_c_during_a_rollout_brings_the_old_containers_back() {
    needs_root!();
    let engine = TestEngine::new();
    let stubborn = r#"#{ cmd: ["sh", "-c", "trap '' TERM; while :; do sleep 0.1; done"] }"#;
    let begin = format!(
        r#"import "rollout" as rollout;
        let fleet = [1, 2].map(|n| ensure_running(`web-${{n}}`, "host", {stubborn}));
        print("ready");"#
    );
    engine.ok(&["-e", &format!("{begin} for c in fleet {{ c.stop(0); }}")]);
    let ids = engine.ok(&["ps", "-aq"]);
    for rollout in [
        // In the stop of the first, which has no name of its own then.
        ("rolling(fleet, \"host\", #{ options: #{ cmd: \"sleep 200\" }, grace: 2 })", "web-1-old"),
        // When all new ones are there.
        (
            "blue_green(fleet, \"host\", #{ options: #{ cmd: \"sleep 200\" }, turn: |c| sleep(100) })",
            "web-2-new",
        ),
        (
            "canary(fleet, \"host\", #{ options: #{ cmd: \"sleep 200\" }, grace: 0, watch: 100 })",
            "web-1-old",
        ),
    ] {
        interrupt_at(&engine, &format!("{begin} rollout::{}", rollout.0), rollout.1);
        let running = engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]);
        assert_eq!(running, "web-2 running\nweb-1 running", "{rollout:?}");
        assert_eq!(engine.ok(&["ps", "-aq"]), ids, "{rollout:?}");
    }
}

#[test]
fn ctrl_c_leaves_nothing_of_a_stack_that_comes_up_and_nothing_disturbed() {
    needs_root!();
    let engine = TestEngine::new();
    let stack = r#"
        import "stack" as stack;
        let one = #{ image: "host", cmd: "sleep 200" };
        print("ready");
        stack::up("shop", #{ db: one, web: one + #{ depends_on: ["db"], ready: #{ file: "/never" } } });
    "#;
    interrupt_at(&engine, stack, "shop-web");
    assert_eq!(names(&engine), Vec::<String>::new());
    let chaos = r#"
        import "chaos" as chaos;
        let c = run("host", "sleep 200", #{ name: "node" });
        print("ready");
        chaos::disturb([c], #{ rounds: 1, actions: ["pause"], hold: 100 });
    "#;
    interrupt_at(&engine, chaos, "paused");
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.State}}"]), "running");
}
