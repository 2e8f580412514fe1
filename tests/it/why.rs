//! `why`: the end of a container in words, in each language.

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// The monitor of a container that runs: the parent of its first process.
fn monitor_of(engine: &TestEngine, name: &str) -> rustix::process::Pid {
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid(name))).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    rustix::process::Pid::from_raw(parent.trim().parse().unwrap()).unwrap()
}

/// Holds what is told of each container against parts of it in English and in Korean.
fn check(engine: &TestEngine, stories: &[(&str, &str, &str)]) {
    for (name, english, korean) in stories {
        let why = engine.ok(&["why", name]);
        assert!(why.contains(english) && why.contains("\n→ "), "{name}: {why}");
        assert_eq!(engine.script(&format!("print(why(\"{name}\"))")), why, "{name}");
        let ours = engine.ok(&["--lang", "ko", "why", name]);
        assert!(ours.contains(korean) && ours != why, "{name}: {ours}");
    }
}

#[test]
fn what_runs_rests_or_never_ran_is_told() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "made", "host", "true"]);
    let sick = ["--health-cmd", "false", "--health-interval", "50ms", "--health-retries", "1"];
    engine.ok(&[&["run", "-d", "--name", "sick"], &sick[..], &["host", "sleep", "100"]].concat());
    let health = || engine.get("sick", "{{.State.Health.Status}}");
    assert!(wait_until(TIMEOUT, || health() == "unhealthy"));
    engine.ok(&["run", "-d", "--name", "runs", "host", "sleep", "100"]);
    engine.ok(&["run", "-d", "--name", "rests", "host", "sleep", "100"]);
    engine.ok(&["pause", "rests"]);
    let stories = [
        ("made", "never started", "시작"),
        ("sick", "its health check fails", "헬스 체크"),
        ("runs", "`runs` runs.", "실행 중"),
        ("rests", "is paused", "일시정지"),
    ];
    check(&engine, &stories);
}

#[test]
fn an_end_that_came_by_itself_is_told() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "fine", "host", "true"]);
    engine.run(&["run", "--name", "failed", "host", "sh", "-c", "echo oh no >&2; exit 3"]);
    engine.run(&["run", "--name", "missing", "host", "nosuch"]);
    engine.run(&["run", "--name", "nofile", "host", "/no/such"]);
    engine.run(&["run", "--name", "refused", "host", "/etc/hostname"]);
    engine.run(&["run", "--init", "--name", "segv", "host", "sh", "-c", "kill -SEGV $$"]);
    let grow = "x=$(head -c 200m /dev/zero | tr '\\0' a); echo $x | wc -c";
    engine.run(&["run", "--name", "oom", "--memory", "24m", "host", "sh", "-c", grow]);
    engine.run(&["run", "--name", "says", "host", "sh", "-c", "exit 137"]);
    engine.run(&["run", "--name", "command", "host", "sh", "-c", "nosuchcommand"]);
    engine.run(&["run", "--name", "again", "--restart", "on-failure:2", "host", "false"]);
    assert!(wait_until(TIMEOUT, || engine.status("again") == "exited"));
    let stories = [
        ("fine", "exited successfully", "종료 코드 0"),
        ("failed", "exited with code 3", "종료 코드 3"),
        ("missing", "was not found in /usr/local/sbin, ", "/usr/local/sbin, "),
        ("nofile", "is not in the image", "이미지"),
        ("refused", "cannot be executed (exit code 126)", "126"),
        ("segv", "when SIGSEGV ended a program that it ran", "SIGSEGV"),
        ("oom", "more memory than its limit of 24MiB", "24MiB"),
        ("says", "Its program exited with code 137", "종료 코드 137"),
        ("command", "a command that it called was not found", "찾을 수 없었다"),
        ("again", "restarted it 2 times", "2번"),
    ];
    check(&engine, &stories);
    assert!(engine.ok(&["why", "failed"]).ends_with("its last lines:\n  oh no"));
}

#[test]
fn an_end_that_somebody_wanted_is_told() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "deaf", "host", "sleep", "100"]);
    engine.ok(&["stop", "-t", "1", "deaf"]);
    let waits = "trap '' TERM; echo ready; while :; do sleep 0.1; done";
    let hears = "trap 'exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    let late = "trap 'sleep 100' TERM; echo ready; while :; do sleep 0.1; done";
    for (name, program) in [("ignores", waits), ("hears", hears), ("late", late)] {
        engine.ok(&["run", "-d", "--name", name, "host", "sh", "-c", program]);
        engine.wrote(name, "ready");
        engine.ok(&["stop", "-t", "1", name]);
    }
    engine.ok(&["run", "-d", "--name", "killed", "host", "sleep", "100"]);
    engine.ok(&["kill", "killed"]);
    engine.ok(&["run", "-d", "--init", "--name", "deafinit", "host", "sh", "-c", waits]);
    engine.wrote("deafinit", "ready");
    engine.ok(&["stop", "-t", "1", "deafinit"]);
    engine.ok(&["run", "-d", "--name", "lost", "host", "sleep", "100"]);
    let monitor = monitor_of(&engine, "lost");
    rustix::process::kill_process(monitor, rustix::process::Signal::KILL).unwrap();
    let stories = [
        ("deaf", "has no handler for SIGTERM", "SIGTERM"),
        ("ignores", "its program ignores SIGTERM", "무시"),
        ("deafinit", "its program ignores SIGTERM", "무시"),
        ("lost", "Its monitor was killed", "모니터"),
        ("late", "did not exit within 1 s", "SIGTERM"),
        ("hears", "sent it SIGTERM to stop it, and it exited in time (exit code 0)", "SIGTERM"),
        ("killed", "`kill` or `rm -f` ended it with SIGKILL (exit code 137)", "SIGKILL"),
    ];
    check(&engine, &stories);
}
