//! The examples of README.md do what it says.

use std::io::Write;
use std::process::Stdio;

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

const README: &str = include_str!("../../README.md");

/// The blocks of README.md in this language.
fn blocks(language: &str) -> Vec<&'static str> {
    let opening = format!("```{language}\n");
    README.split(opening.as_str()).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// Runs a program that reads `text` on its standard input.
fn feed(mut command: std::process::Command, text: &str) -> CommandOutput {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    CommandOutput::from(child.wait_with_output().unwrap())
}

#[test]
fn shell_examples_run() {
    needs_root!();
    let engine = TestEngine::new();
    let programs = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(LIFEBOX, programs.path().join("lifebox")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let blocks = blocks("sh");
    assert!(blocks.len() >= 2);
    for block in blocks {
        let mut command = engine.shell("sh");
        command.arg("-eu").env("PATH", &path);
        let ran = feed(command, block);
        assert_eq!(ran.code, 0, "{block}\n{}{}", ran.out, ran.err);
        assert!(ran.out.contains("hello") || ran.out.contains("hi from"), "{}", ran.out);
    }
}

#[test]
fn script_examples_run() {
    needs_root!();
    let engine = TestEngine::new();
    let blocks = blocks("rhai");
    assert!(blocks.len() >= 2);
    for block in blocks {
        let ran = feed(engine.command(&["-"]), block);
        assert_eq!(ran.code, 0, "{block}\n{}{}", ran.out, ran.err);
        let expected = [
            "web is paused",
            "refused: cannot pause",
            "RUN /bin/sh -c /app/count.sh",
            "[0, 1]\ntidied up",
            "job ended with 0",
            "web is running, db is running",
            "line 4: seen.pause();",
            "ok    a container ends with the code of its program",
        ];
        assert!(expected.iter().any(|text| ran.out.contains(text)), "{}", ran.out);
    }
    assert_eq!(engine.ok(&["ps", "-a", "-q"]), "");
}

/// A text in another language has what the first one has: as many headings and blocks, and the same
/// code in them but for remarks.
#[test]
fn the_korean_text_has_what_the_english_one_has() {
    let korean = include_str!("../../README.ko.md");
    let headings = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
    assert_eq!(headings(korean), headings(README));
    let code = |text: &str| -> Vec<String> {
        let blocks = text.split("```").skip(1).step_by(2);
        let bare = |line: &str| {
            let line = line.split("  #").next().unwrap_or_default();
            line.split("//").next().unwrap_or_default().trim_end().to_owned()
        };
        blocks.flat_map(|block| block.lines().map(bare).collect::<Vec<_>>()).collect()
    };
    assert_eq!(code(korean), code(README));
}
