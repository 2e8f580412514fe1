//! Output that cannot be written: an error and a code of failure, after the cleanups. A reader that
//! is gone is not an error.

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::harness::{CommandOutput, TestEngine};
use crate::needs_root;

/// Runs a command whose standard output is a full disk.
fn onto_full_disk(mut command: Command) -> CommandOutput {
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    CommandOutput::from(command.stdout(full).output().unwrap())
}

#[track_caller]
fn is_reported(engine: &TestEngine, arguments: &[&str]) {
    let ran = onto_full_disk(engine.command(arguments));
    assert_ne!(ran.code, 0, "lifebox {arguments:?}");
    assert!(ran.err.contains("no space left on device"), "lifebox {arguments:?}: {}", ran.err);
}

#[test]
fn a_script_whose_output_is_lost_fails() {
    let engine = TestEngine::empty();
    for text in [
        "print(1)",
        "print(table([[1]]));",
        "help();",
        "diagram();",
        "defer(|| print(1));",
        "print(1); exit(0);",
    ] {
        is_reported(&engine, &["-e", text]);
    }
    is_reported(&engine, &["--help"]);
    is_reported(&engine, &["system", "df"]);
}

#[test]
fn a_message_to_a_full_standard_error_is_a_failure_too() {
    let engine = TestEngine::empty();
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut debugs = engine.command(&["-e", "debug(1)"]);
    assert_eq!(debugs.stderr(full).output().unwrap().status.code(), Some(1));
}

#[test]
fn a_prompt_whose_output_is_lost_fails() {
    let engine = TestEngine::empty();
    let mut repl = engine.command(&[]);
    repl.stdin(Stdio::piped()).stdout(OpenOptions::new().write(true).open("/dev/full").unwrap());
    let mut repl = repl.stderr(Stdio::null()).spawn().unwrap();
    std::io::Write::write_all(&mut repl.stdin.take().unwrap(), b"1 + 1\n").unwrap();
    assert_eq!(repl.wait().unwrap().code(), Some(1));
}

#[test]
fn cleanups_are_done_before_lost_output_ends_a_script() {
    needs_root!();
    let engine = TestEngine::new();
    let text = "let c = create(\"host\", #{ cmd: \"true\" }); defer(|| rm(c)); print(1); print(2);";
    is_reported(&engine, &["-e", text]);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn the_output_of_an_attached_container_is_not_lost_silently() {
    needs_root!();
    let engine = TestEngine::new();
    let attached = "run(\"host\", #{ cmd: [\"echo\", \"x\"], attach: true });";
    is_reported(&engine, &["-e", attached]);
    is_reported(&engine, &["run", "--rm", "host", "echo", "x"]);
    is_reported(&engine, &["export", &engine.ok(&["create", "host", "true"])]);
}

#[test]
fn a_reader_that_is_gone_is_no_error() {
    let engine = TestEngine::empty();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let ran =
        CommandOutput::from(engine.command(&["-e", "print(1)"]).stdout(writer).output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}
