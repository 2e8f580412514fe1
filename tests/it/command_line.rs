//! The command line against what Docker was measured to do: exit codes, states and streams.

use std::io::Write as _;
use std::process::Stdio;

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, fixture, wait_until, waits_for_monitor};
use crate::needs_root;

const TRANSITIONS: &str = include_str!("../transitions.tsv");
const IMAGE: &str = "hundredcounter";

/// The verbs of the table that lifebox has and that end by themselves.
const VERBS: [&str; 12] = [
    "start", "stop", "kill", "pause", "unpause", "restart", "rm", "logs", "rename", "wait",
    "update", "stats",
];

fn engine() -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine
}

/// Brings `box1` into a state, as it was when Docker was measured.
fn bring(engine: &TestEngine, state: &str) {
    engine.ok(&["rm", "-f", "box1", "box2"]);
    let sleeping = ["--name", "box1", IMAGE, "sleep", "300"];
    match state {
        "created" => drop(engine.ok(&[&["create"], &sleeping[..]].concat())),
        "running" => drop(engine.ok(&[&["run", "-d"], &sleeping[..]].concat())),
        "paused" => {
            engine.ok(&[&["run", "-d"], &sleeping[..]].concat());
            engine.ok(&["pause", "box1"]);
        }
        "exited" => {
            let ran = engine.run(&["run", "--name", "box1", IMAGE, "sh", "-c", "echo hi; exit 3"]);
            assert_eq!((ran.code, ran.out.as_str()), (3, "hi\n"), "{}", ran.err);
        }
        _ => assert_eq!(state, "missing"),
    }
}

#[test]
fn every_verb_ends_as_dockers_in_every_state() {
    needs_root!();
    let engine = engine();
    let mut wrong = Vec::new();
    for row in TRANSITIONS.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let [state, command, code, after, output] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let words: Vec<&str> = command.split(' ').collect();
        let waits = words[0] == "wait" && matches!(state, "running" | "paused");
        if !VERBS.contains(&words[0]) || waits || words.contains(&"-a") {
            continue;
        }
        bring(&engine, state);
        let ran = engine.run(&words);
        // Of a restart of what ends at once either state may be seen.
        let short = state == "exited" && matches!(words[0], "start" | "restart");
        if short {
            engine.ok(&["wait", "box1"]);
        }
        let renamed = after.contains("named box2");
        let (expected, name) = if renamed { (state, "box2") } else { (after, "box1") };
        let reached = engine.status(name);
        let printed = code != "0"
            || words.contains(&"-f")
            || output == "(output omitted)"
            || ran.out.trim_end() == output
            || renamed;
        if ran.code.to_string() != code || reached != expected || !printed {
            wrong
                .push(format!("{row}\n  ours: {} {reached} {:?} {:?}", ran.code, ran.out, ran.err));
        }
        engine.ok(&["rm", "-f", "box1", "box2"]);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rows that wait: Docker was measured with a `rm -f` (for `start -a`) and a `kill` (for
/// `wait`) from elsewhere after a while.
#[test]
fn what_waits_for_a_container_ends_with_it_as_dockers_does() {
    needs_root!();
    let engine = engine();
    let mut seen = 0;
    for row in TRANSITIONS.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let [state, command, code, after, output] = row.split('\t').collect::<Vec<_>>()[..] else {
            panic!("{row}");
        };
        let waits = command == "wait box1" && matches!(state, "running" | "paused");
        if !waits && !command.starts_with("start -a") {
            continue;
        }
        seen += 1;
        bring(&engine, state);
        let words: Vec<&str> = command.split(' ').collect();
        let mut child = engine.spawn(&words);
        let blocks = waits || matches!(state, "created" | "running");
        if blocks {
            let live = || matches!(engine.status("box1").as_str(), "running" | "paused");
            assert!(wait_until(TIMEOUT, || live() && waits_for_monitor(&child)), "{row}");
            assert!(child.try_wait().unwrap().is_none(), "{row}: it did not wait");
            engine.ok(if waits { &["kill", "box1"] } else { &["rm", "-f", "box1"] });
        }
        let ran = CommandOutput::from(child.wait_with_output().unwrap());
        assert_eq!(ran.code.to_string(), code, "{row}: {}", ran.err);
        let expected = if after.starts_with('(') { "gone" } else { after };
        assert_eq!(engine.status("box1"), expected, "{row}");
        assert!(!waits || ran.out.trim_end() == output, "{row}: {}", ran.out);
    }
    assert_eq!(seen, 7, "rows");
}

#[test]
fn several_names_are_all_tried_and_all_told() {
    needs_root!();
    let engine = engine();
    for name in ["aa", "bb"] {
        engine.ok(&["create", "--name", name, IMAGE, "true"]);
    }
    let CommandOutput { code, out, err } = engine.run(&["start", "aa", "no1", "bb", "no2"]);
    assert_eq!((code, out.as_str()), (1, "aa\nbb\n"));
    assert!(err.ends_with("error: failed to start containers: no1, no2\n"), "{err}");
    let ran = engine.run(&["wait", "aa", "bb"]);
    assert_eq!(ran.out, "0\n0\n");
    let err = engine.fails(&["start", "-a", "aa", "bb"], 1);
    assert!(err.contains("you cannot start and attach multiple containers at once"), "{err}");
    let CommandOutput { code, out, err } = engine.run(&["rm", "aa", "no", "bb"]);
    assert_eq!((code, out.as_str()), (1, "aa\nbb\n"), "{err}");
    let ran = engine.run(&["rm", "-f", "no"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (0, "", ""));
}

#[test]
fn run_ends_with_the_programs_code_or_says_why_not() {
    needs_root!();
    let engine = engine();
    let check = |words: &[&str], code: i32| {
        let ran = engine.run(&[&["run", "--rm"], words].concat());
        assert_eq!(ran.code, code, "{words:?}: {}", ran.err);
    };
    check(&[IMAGE, "sh", "-c", "exit 42"], 42);
    check(&[IMAGE, "nosuch"], 127);
    check(&[IMAGE, "/nosuch"], 127);
    check(&[IMAGE, "/etc"], 126);
    check(&["missing"], 125);
    check(&["--nosuch", IMAGE], 125);
    check(&["--network", "bridge", IMAGE], 125);
    check(&["-e", "=x", IMAGE], 125);
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "--rm removes what could not start too");
}

/// Measured with Docker's command line: its client reads some values itself.
#[test]
fn a_flag_that_dockers_client_refuses_has_its_exit_code() {
    let engine = TestEngine::empty();
    for (line, code) in [
        ("create --xyzzy host", 125),
        ("create --publish 80:80 host", 125),
        ("create --memory", 125),
        ("create --memory abc host", 125),
        ("create --cpus abc host", 125),
        ("create --pids-limit abc host", 125),
        ("create --shm-size abc host", 125),
        ("create --stop-timeout abc host", 125),
        ("create --health-interval abc host", 125),
        ("create --ulimit xyzzy=3 host", 125),
        ("create --mount abc host", 125),
        ("create --add-host abc host", 125),
        ("create --pid abc host", 125),
        ("create --pull abc host", 125),
        ("create -e =x host", 125),
        ("create --env-file /no/such host", 125),
        ("container create --memory abc host", 125),
        ("create --name ? host", 1),
        ("create --cap-add XYZZY host", 1),
        ("create --network bridge host", 1),
        ("create", 1),
        ("run", 1),
        ("update --xyzzy web", 125),
        ("update --memory abc web", 125),
        ("update web", 1),
        ("update", 1),
        ("exec --xyzzy web true", 125),
        ("exec -e =x web true", 125),
        ("exec --env-file /no/such web true", 1),
        ("exec web", 1),
    ] {
        let ran = engine.run(&line.split(' ').collect::<Vec<_>>());
        assert_eq!(ran.code, code, "{line}: {}", ran.err);
        assert!(ran.err.starts_with("error: "), "{line}: {}", ran.err);
    }
}

#[test]
fn streams_arrive_byte_for_byte() {
    needs_root!();
    let engine = engine();
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let mut child = engine
        .command(&["run", "-i", "--name", "cat", IMAGE, "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let sender = std::thread::spawn(move || stdin.write_all(&sent));
    let output = child.wait_with_output().unwrap();
    sender.join().unwrap().unwrap();
    assert!(output.stdout == bytes, "{} bytes came back", output.stdout.len());
    assert!(engine.command(&["logs", "cat"]).output().unwrap().stdout == bytes);
    engine.ok(&["run", "--name", "both", IMAGE, "sh", "-c", "echo out; echo err >&2"]);
    let ran = engine.run(&["logs", "both"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("out\n", "err\n"));
}

#[test]
fn an_attached_run_ends_when_nobody_reads_it_any_more() {
    needs_root!();
    let engine = engine();
    let mut run = engine.command(&["run", "--name", "flood", IMAGE, "yes"]);
    let mut child = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&output.stderr).contains("broken pipe"), "{output:?}");
    assert_eq!(engine.status("flood"), "running");
    engine.ok(&["rm", "-f", "flood"]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    needs_root!();
    let engine = engine();
    engine.run(&["run", "--name", "many", IMAGE, "sh", "-c", "yes | head -n 200000"]);
    let mut child = engine
        .command(&["logs", "many"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), vec![]));
}
