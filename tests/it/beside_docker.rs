//! lifebox and Docker do the same: each line of `tests/beside_docker.txt` runs with both. Needs
//! Debian's `docker.io`, whose daemon the test starts without networks of its own.

use std::os::unix::fs::symlink;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use regex::Regex;

use crate::harness::{LIFEBOX, TestEngine, signal, wait_until};
use crate::needs_root;

const STORIES: &str = include_str!("../beside_docker.txt");

/// A daemon of the test's own, gone when the test ends.
struct Daemon {
    child: Child,
    directory: tempfile::TempDir,
}

impl Daemon {
    /// `None` where this machine has no daemon or cannot run it, which is said.
    fn start() -> Option<Self> {
        let directory = tempfile::Builder::new().prefix("lifebox-docker-").tempdir().unwrap();
        let place = |name: &str| directory.path().join(name);
        let log = std::fs::File::create(place("log")).unwrap();
        let child = Command::new("dockerd")
            .args(["--iptables=false", "--bridge=none", "--data-root"])
            .arg(place("data"))
            .arg("--exec-root")
            .arg(place("exec"))
            .arg("--pidfile")
            .arg(place("pid"))
            .args(["-H", &format!("unix://{}", place("sock").display())])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        let Ok(child) = child else {
            eprintln!("LEFT OUT: beside_docker needs the Debian package docker.io");
            return None;
        };
        let mut daemon = Self { child, directory };
        let answers = wait_until(Duration::from_secs(60), || {
            let ended = daemon.child.try_wait().unwrap().is_some();
            ended || daemon.command("docker").arg("version").output().unwrap().status.success()
        });
        if answers && daemon.child.try_wait().unwrap().is_none() {
            return Some(daemon);
        }
        let log = std::fs::read_to_string(daemon.directory.path().join("log")).unwrap();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        eprintln!("LEFT OUT: beside_docker: dockerd does not run here: {last:#?}");
        None
    }

    /// A program that asks this daemon.
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let socket = self.directory.path().join("sock");
        command
            .env("DOCKER_HOST", format!("unix://{}", socket.display()))
            .env("DOCKER_BUILDKIT", "0")
            .env("HOME", self.directory.path())
            .stdin(Stdio::null());
        command
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            signal(self.child.id(), rustix::process::Signal::TERM);
            let _ = self.child.wait();
        }
    }
}

/// What a line came to: its output, without ids, and its exit code.
type Outcome = (String, Option<i32>);

/// Runs the lines of a story in a directory of its own.
fn run(lines: &[&str], shell: impl Fn() -> Command, program: &str) -> Vec<(Outcome, String)> {
    let directory = tempfile::tempdir().unwrap();
    let id = Regex::new(r"\b([0-9a-f]{64}|[0-9a-f]{12})\b").unwrap();
    let one = |line: &&str| {
        let mut shell = shell();
        shell.args(["-c", line]).current_dir(directory.path());
        let ran = shell.env("D", program).env("I", "host:latest").output().unwrap();
        let out = String::from_utf8_lossy(&ran.stdout);
        let out = id.replace_all(&out, "ID").into_owned();
        ((out, ran.status.code()), String::from_utf8_lossy(&ran.stderr).into_owned())
    };
    lines.iter().map(one).collect()
}

#[test]
fn each_line_ends_as_with_docker() {
    needs_root!();
    let Some(daemon) = Daemon::start() else { return };
    let engine = TestEngine::new();
    let archive = daemon.directory.path().join("host.tar");
    engine.ok(&["save", "-o", archive.to_str().unwrap(), "host"]);
    let loaded = daemon.command("docker").args(["load", "-q", "-i"]).arg(&archive).output();
    assert!(loaded.as_ref().unwrap().status.success(), "{loaded:?}");
    let programs = tempfile::tempdir().unwrap();
    symlink(LIFEBOX, programs.path().join("lifebox")).unwrap();
    let path = format!("{}:{}", programs.path().display(), std::env::var("PATH").unwrap());
    let lifeboxes = || {
        let mut shell = engine.shell("sh");
        shell.env("PATH", &path);
        shell
    };
    let mut differences = Vec::new();
    let whole = std::env::var("LIFEBOX_BESIDE").is_ok_and(|asked| asked == "whole");
    let (long, short): (Vec<_>, Vec<_>) =
        STORIES.split("\n\n").skip(1).partition(|story| story.starts_with("# long: "));
    let stories = if whole { [short, long].concat() } else { short };
    assert!(stories.len() > 30);
    for story in stories {
        let lines: Vec<&str> = story.lines().skip(1).collect();
        let (own, dockers) = std::thread::scope(|scope| {
            let dockers = scope.spawn(|| run(&lines, || daemon.command("sh"), "docker"));
            (run(&lines, lifeboxes, "lifebox"), dockers.join().unwrap())
        });
        for (line, (docker, own)) in lines.iter().zip(dockers.iter().zip(&own)) {
            if docker.0 != own.0 {
                differences.push(format!("{line}\n  Docker:  {docker:?}\n  lifebox: {own:?}"));
            }
        }
        clean(&daemon);
        assert_eq!(engine.ok(&["ps", "-aq"]), "", "{}", lines.join("\n"));
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// Removes the containers of failed builds, which Docker keeps.
fn clean(daemon: &Daemon) {
    let cleaned = daemon.command("docker").args(["container", "prune", "-f"]).output().unwrap();
    assert!(cleaned.status.success(), "{cleaned:?}");
}
