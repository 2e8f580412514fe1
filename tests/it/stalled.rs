//! Output that nobody takes, though its reader is alive: Ctrl-C and a time limit end each wait.

use std::io::PipeReader;
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, signal, wait_until};
use crate::needs_root;

/// Starts a command whose standard output is a pipe that is full, and stays so while the result
/// lives.
fn into_full_pipe(mut command: Command) -> (Child, PipeReader) {
    let (reader, writer) = std::io::pipe().unwrap();
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    while rustix::io::write(&writer, b"x").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    let child = command.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    (child, reader)
}

/// Whether a process waits for room in its pipe, after it has prepared for Ctrl-C.
fn waits(process: &Child) -> bool {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/{}/{file}", process.id()));
    let caught = read("status").unwrap_or_default();
    // A signal that is forwarded is blocked, and read.
    let masks = caught.lines().filter_map(|line| {
        line.strip_prefix("SigCgt:\t").or_else(|| line.strip_prefix("SigBlk:\t"))
    });
    let caught = masks.filter_map(|mask| u64::from_str_radix(mask, 16).ok());
    let caught = caught.fold(0, |all, mask| all | mask);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", process.id())).into_iter().flatten();
    let stalls = tasks.flatten().any(|task| {
        let wchan = std::fs::read_to_string(task.path().join("wchan")).unwrap_or_default();
        wchan.contains("poll") || wchan.contains("pipe_write")
    });
    stalls && caught & 2 != 0
}

const PRINTS: [&str; 8] = [
    "print(1);",
    "loop { print(1) }",
    "print(table([[1]]));",
    "help();",
    "diagram();",
    "parallel([1, 2], |n| print(n));",
    "try { print(1) } catch { }",
    "run(\"host\", #{ cmd: [\"echo\", \"x\"], attach: true, rm: true });",
];

#[test]
fn a_time_limit_ends_a_script_whose_output_nobody_takes() {
    needs_root!();
    let engine = TestEngine::new();
    let spawn = |text: &&'static str| {
        let command = engine.command(&["--timeout", "1s", "-e", text]);
        (*text, into_full_pipe(command))
    };
    let running: Vec<_> = PRINTS.iter().map(spawn).collect();
    for (text, (process, _reader)) in running {
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 124, "{text}: {}", ran.err);
        assert!(ran.err.contains("time limit reached"), "{text}: {}", ran.err);
    }
}

#[test]
fn ctrl_c_ends_a_script_whose_output_nobody_takes() {
    needs_root!();
    let engine = TestEngine::new();
    for text in PRINTS {
        let (process, _reader) = into_full_pipe(engine.command(&["-e", text]));
        assert!(wait_until(TIMEOUT, || waits(&process)), "{text}");
        signal(process.id(), Signal::INT);
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 130, "{text}: {}", ran.err);
    }
}

#[test]
fn a_time_limit_ends_a_script_whose_errors_nobody_takes_either() {
    let engine = TestEngine::empty();
    let mut command = engine.command(&["--timeout", "300ms", "-e", "print(1)"]);
    let (reader, writer) = std::io::pipe().unwrap();
    command.stderr(writer.try_clone().unwrap());
    // Both go to one pipe, as in `lifebox FILE 2>&1 | less`.
    let flags = rustix::fs::fcntl_getfl(&writer).unwrap();
    rustix::fs::fcntl_setfl(&writer, flags | rustix::fs::OFlags::NONBLOCK).unwrap();
    while rustix::io::write(&writer, &[b'x'; 4096]).is_ok() {}
    while rustix::io::write(&writer, b"x").is_ok() {}
    rustix::fs::fcntl_setfl(&writer, flags).unwrap();
    let process = command.stdout(writer).spawn().unwrap();
    assert_eq!(ran_to_its_end(process).code, 124);
    drop(reader);
}

#[test]
fn cleanups_follow_output_that_nobody_takes() {
    needs_root!();
    let engine = TestEngine::new();
    let text = "let c = create(\"host\", #{ cmd: \"true\" }); defer(|| rm(c)); print(1);";
    let (process, _reader) = into_full_pipe(engine.command(&["--timeout", "2s", "-e", text]));
    assert_eq!(ran_to_its_end(process).code, 124);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn ctrl_c_ends_a_verb_whose_output_nobody_takes() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sh", "-c", "echo ready; exec sleep 1000"]);
    engine.wrote("web", "ready");
    for words in [
        &["logs", "-f", "web"][..],
        &["events", "--since", "1h"],
        &["stats"],
        &["exec", "web", "echo", "x"],
        &["--trace", "events", "--since", "1h"],
    ] {
        let (process, _reader) = into_full_pipe(engine.command(words));
        assert!(wait_until(TIMEOUT, || waits(&process)), "{words:?}");
        signal(process.id(), Signal::INT);
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 130, "{words:?}: {}", ran.err);
    }
}

/// Sends a signal, and waits until the process has taken it.
fn deliver(process: &Child) {
    signal(process.id(), Signal::INT);
    let taken = wait_until(TIMEOUT, || {
        let status = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
        status.is_ok_and(|status| status.contains("ShdPnd:\t0000000000000000"))
    });
    assert!(taken);
}

#[test]
fn signals_reach_a_container_whose_output_nobody_takes() {
    needs_root!();
    let engine = TestEngine::new();
    // The container ends by the signal, and its client leaves what nobody takes.
    let ends = "trap 'exit 3' INT; echo x; while :; do sleep 0.1; done";
    let words = ["run", "--name", "ends", "host", "sh", "-c", ends];
    let (process, _reader) = into_full_pipe(engine.command(&words));
    assert!(wait_until(TIMEOUT, || engine.run(&["logs", "ends"]).out == "x\n"));
    deliver(&process);
    assert_eq!(ran_to_its_end(process).code, 130);
    assert_eq!(engine.ok(&["wait", "ends"]), "3");
    // The container ignores the signal, and the user insists.
    let stays = "trap '' INT; echo x; exec sleep 1000";
    let words = ["run", "--name", "stays", "host", "sh", "-c", stays];
    let (process, _reader) = into_full_pipe(engine.command(&words));
    assert!(wait_until(TIMEOUT, || engine.run(&["logs", "stays"]).out == "x\n"));
    (0..3).for_each(|_| deliver(&process));
    assert_eq!(ran_to_its_end(process).code, 130);
    assert_eq!(engine.status("stays"), "running");
}
