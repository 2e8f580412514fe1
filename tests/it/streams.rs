//! Fifos and pipes whose other end is silent: a time limit and Ctrl-C end each wait.

use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use rustix::fs::{CWD, FileType, Mode};
use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, signal, wait_until};
use crate::needs_root;

fn fifo(path: PathBuf) -> PathBuf {
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    path
}

/// A folder with a script and fifos in the places of files.
fn folder(engine: &TestEngine, name: &str, script: &str) -> PathBuf {
    let folder = engine.root().join(name);
    std::fs::create_dir_all(folder.join("b")).unwrap();
    fifo(folder.join("fifo"));
    fifo(folder.join("fifo.rhai"));
    std::fs::write(folder.join("script.rhai"), script).unwrap();
    folder
}

#[test]
fn a_time_limit_ends_each_function_that_waits_for_a_fifo() {
    needs_root!();
    let engine = TestEngine::new();
    let calls = [
        "read_text(\"fifo\");",
        "load(\"fifo\");",
        "import_tar(\"fifo\");",
        "save(image(\"host\"), \"fifo\");",
        "export_tar(create(\"host\", #{ cmd: \"true\", rm: true }), \"fifo\");",
        "diagram(#{ svg: \"fifo\" });",
        "build(\"b\", #{ file: \"fifo\" });",
        "import \"stack\" as stack; stack::from_compose(\"fifo\");",
    ];
    let spawn = |(number, call): (usize, &&'static str)| {
        let folder = folder(&engine, &format!("folder-{number}"), call);
        let words = ["script", "--untrusted", "--timeout", "1s", "script.rhai"];
        let mut command = engine.command(&words);
        command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
        (*call, command.spawn().unwrap())
    };
    let running: Vec<(&str, Child)> = calls.iter().enumerate().map(spawn).collect();
    for (call, process) in running {
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 124, "{call}: {}", ran.err);
        assert!(ran.err.contains("time limit reached"), "{call}: {}", ran.err);
    }
}

#[test]
fn the_time_limit_covers_reading_the_script() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = folder(&engine, "folder", "");
    let mut from_file = engine.command(&["script", "--timeout", "200ms", "fifo"]);
    from_file.current_dir(&folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut from_stdin = engine.command(&["script", "--timeout", "200ms", "-"]);
    // The pipe stays open as long as the child: no end comes.
    from_stdin.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    for mut command in [from_file, from_stdin] {
        let mut process = command.spawn().unwrap();
        let _open = process.stdin.take();
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 124, "{command:?}: {}", ran.err);
    }
}

#[test]
fn an_import_is_a_regular_file() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = folder(&engine, "folder", "import \"fifo\" as f;");
    let mut command = engine.command(&["script", "script.rhai"]);
    command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = ran_to_its_end(command.spawn().unwrap());
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("is not a regular file but a fifo"), "{}", ran.err);
}

/// Whether a process reads a file: the file is open in it.
fn has_open(process: &Child, path: &Path) -> bool {
    let open = std::fs::read_dir(format!("/proc/{}/fd", process.id()));
    let targets = open.into_iter().flatten().flatten();
    targets.filter_map(|entry| std::fs::read_link(entry.path()).ok()).any(|open| open == path)
}

#[test]
fn ctrl_c_ends_a_verb_that_reads_a_fifo() {
    needs_root!();
    let engine = TestEngine::new();
    let fifo = fifo(engine.root().join("fifo"));
    let path = fifo.to_str().unwrap();
    // What is named inside the context is a regular file, so the fifo is outside it.
    let context = engine.root().join("context");
    std::fs::create_dir(&context).unwrap();
    let context = context.to_str().unwrap();
    for words in [
        &["load", "-i", path][..],
        &["import", path],
        &["script", path],
        &["build", "-f", path, context],
    ] {
        let process = engine.spawn(words);
        assert!(wait_until(TIMEOUT, || has_open(&process, &fifo)), "{words:?}");
        signal(process.id(), Signal::INT);
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 130, "{words:?}: {}", ran.err);
    }
}

#[test]
fn a_report_is_a_regular_file() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = folder(&engine, "folder", "print(1);");
    let mut command = engine.command(&["script", "--report", "fifo", "script.rhai"]);
    command.current_dir(folder).stdout(Stdio::piped()).stderr(Stdio::piped());
    let ran = ran_to_its_end(command.spawn().unwrap());
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    assert!(ran.err.contains("is not a regular file"), "{}", ran.err);
}

/// Whether a process waits in poll(2), and catches SIGINT.
fn waits(process: &Child) -> bool {
    let stack = std::fs::read_to_string(format!("/proc/{}/wchan", process.id()));
    let caught = std::fs::read_to_string(format!("/proc/{}/status", process.id()));
    let caught = caught.unwrap_or_default();
    let caught = caught.lines().find_map(|line| line.strip_prefix("SigCgt:\t"));
    let caught = caught.and_then(|mask| u64::from_str_radix(mask, 16).ok()).unwrap_or(0);
    stack.is_ok_and(|stack| stack.contains("poll")) && caught & 2 != 0
}

#[test]
fn ctrl_c_ends_a_prompt_that_reads_a_pipe() {
    needs_root!();
    let engine = TestEngine::new();
    for words in [&[][..], &["learn"]] {
        let mut command = engine.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let _stdin = process.stdin.take();
        assert!(wait_until(TIMEOUT, || waits(&process)), "{words:?}");
        signal(process.id(), Signal::INT);
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 130, "{words:?}: {}", ran.err);
    }
}

#[test]
fn ctrl_c_ends_a_verb_whose_pipes_are_stalled() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "rests", "host", "true"]);
    for words in [
        &["load"][..],
        &["import", "-"],
        &["cp", "-", "rests:/tmp"],
        &["save", "host"],
        &["export", "rests"],
        &["cp", "rests:/", "-"],
    ] {
        let mut command = engine.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().unwrap();
        // Both stay open, and neither sends or takes a byte.
        let (_stdin, _stdout) = (process.stdin.take(), process.stdout.take());
        assert!(wait_until(TIMEOUT, || waits(&process)), "{words:?}");
        signal(process.id(), Signal::INT);
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 130, "{words:?}: {}", ran.err);
    }
}
