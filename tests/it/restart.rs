//! What the monitor does by itself: restarts, log files, and removing at the end.

use crate::harness::{TIMEOUT, TestEngine, signal, wait_until};
use crate::needs_root;

#[test]
fn a_failing_container_is_restarted_as_often_as_its_policy_says() {
    needs_root!();
    let engine = TestEngine::new();
    let program = ["host", "sh", "-c", "echo run; exit 3"];
    let flags = ["run", "-d", "--name", "web", "--restart", "on-failure:2"];
    engine.ok(&[&flags[..], &program].concat());
    assert_eq!(engine.ok(&["logs", "-f", "web"]), "run\nrun\nrun", "followed over restarts");
    let shown = "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}} \
                 {{.HostConfig.RestartPolicy.Name}} {{.HostConfig.RestartPolicy.MaximumRetryCount}}";
    assert_eq!(engine.get("web", shown), "exited 2 3 on-failure 2");
    engine.ok(&["run", "--name", "fine", "--restart", "on-failure", "host", "true"]);
    assert_eq!(engine.status("fine"), "exited", "an exit code of 0 is no failure");
}

#[test]
fn what_is_restarting_can_be_stopped_and_says_what_it_is() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "--restart", "always", "host", "sh", "-c", "exit 4"]);
    // Pauses double: soon it is nearly always between two runs.
    let often = || engine.get("web", "{{.RestartCount}}").parse::<u32>().unwrap() >= 3;
    assert!(wait_until(TIMEOUT, often), "it is not restarted");
    assert!(
        wait_until(TIMEOUT, || engine.status("web") == "restarting"),
        "{}",
        engine.status("web")
    );
    assert!(engine.ps_status("web").starts_with("Restarting (4)"), "{}", engine.ps_status("web"));
    assert_eq!(engine.get("web", "{{.State.Running}} {{.State.Restarting}}"), "true true");
    assert_eq!(engine.ok(&["ps", "--format", "{{.Names}}"]), "web");
    let refused = engine.fails(&["pause", "web"], 1);
    assert!(refused.contains("it is restarting"), "{refused}");
    let refused = engine.fails(&["rm", "web"], 1);
    assert!(refused.contains("it is restarting"), "{refused}");
    assert_eq!(engine.ok(&["start", "web"]), "web", "nothing to do");
    engine.ok(&["stop", "web"]);
    assert_eq!(engine.status("web"), "exited");
    assert_eq!(engine.get("web", "{{.State.ExitCode}}"), "4");
}

#[test]
fn a_stopped_container_stays_stopped_and_a_killed_program_comes_back() {
    needs_root!();
    let engine = TestEngine::new();
    for name in ["stopped", "killed", "removed", "died"] {
        engine.ok(&["run", "-d", "--name", name, "--restart", "always", "host", "sleep", "100"]);
    }
    engine.ok(&["stop", "-t", "0", "stopped"]);
    engine.ok(&["kill", "killed"]);
    assert_eq!(
        (engine.status("stopped"), engine.status("killed")),
        ("exited".into(), "exited".into())
    );
    engine.ok(&["rm", "-f", "removed"]);
    assert_eq!(engine.status("removed"), "gone");
    let pid = engine.pid("died");
    crate::harness::signal(pid, rustix::process::Signal::KILL);
    let back =
        || !["0".to_owned(), pid.to_string()].contains(&engine.get("died", "{{.State.Pid}}"));
    assert!(wait_until(TIMEOUT, back), "nobody asked it to end");
    engine.ok(&["update", "--restart", "no", "died"]);
    crate::harness::signal(engine.pid("died"), rustix::process::Signal::KILL);
    assert!(wait_until(TIMEOUT, || engine.status("died") == "exited"), "the policy has changed");
    assert_eq!(engine.get("died", "{{.HostConfig.RestartPolicy.Name}}"), "no");
    engine.ok(&["start", "stopped"]);
    assert_eq!(engine.get("stopped", "{{.RestartCount}}"), "0");
}

#[test]
fn a_container_with_rm_goes_when_nobody_waits() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--rm", "--name", "web", "host", "true"]);
    assert!(wait_until(TIMEOUT, || engine.status("web") == "gone"), "it is still there");
    engine.ok(&["run", "-d", "--rm", "--name", "web", "host", "sleep", "100"]);
    engine.ok(&["rm", "-f", "web"]);
    assert_eq!(engine.status("web"), "gone");
    // Nor is one left whose monitor is killed: the next command does what it would have done.
    engine.ok(&["run", "-d", "--rm", "--name", "web", "-v", "/data", "host", "sleep", "100"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid("web"))).unwrap();
    let monitor = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap().trim();
    signal(monitor.parse().unwrap(), rustix::process::Signal::KILL);
    assert!(wait_until(TIMEOUT, || engine.status("web") == "gone"), "it is still there");
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "");
    let left = std::fs::read_dir(engine.root().join("containers")).unwrap().count();
    assert_eq!(left, 0);
}

#[test]
fn a_log_keeps_to_its_limits_and_its_end_is_whole() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "run",
        "--name",
        "web",
        "--log-opt",
        "max-size=64k",
        "--log-opt",
        "max-file=3",
        "host",
        "sh",
        "-c",
        "i=0; while [ $i -lt 5000 ]; do echo line $i; i=$((i+1)); done",
    ]);
    let directory = std::fs::read_dir(engine.container_directory("web")).unwrap();
    let logs = directory.map(|entry| entry.unwrap());
    let logs: Vec<_> =
        logs.filter(|entry| entry.file_name().to_string_lossy().starts_with("log.")).collect();
    assert_eq!(logs.len(), 3);
    assert!(logs.iter().all(|log| log.metadata().unwrap().len() <= 64 << 10), "{logs:?}");
    let out = engine.ok(&["logs", "web"]);
    let first: u32 = out.lines().next().unwrap()["line ".len()..].parse().unwrap();
    let expected: Vec<_> = (first..5000).map(|n| format!("line {n}")).collect();
    assert_eq!(out.lines().collect::<Vec<_>>(), expected);
    let tail = engine.ok(&["logs", "--tail", "800", "web"]);
    assert_eq!(tail.lines().next(), Some("line 4200"), "over two files");
    assert_eq!(
        engine.get("web", "{{json .HostConfig.LogConfig.Config}}"),
        r#"{"max-file":"3","max-size":"64k"}"#
    );
}

#[test]
fn a_long_line_is_one_line() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "head -c 100000 /dev/zero | tr '\\0' x; echo; echo last";
    engine.ok(&["run", "--name", "web", "host", "sh", "-c", program]);
    let tail = engine.ok(&["logs", "--tail", "2", "web"]);
    assert_eq!(tail.lines().map(str::len).collect::<Vec<_>>(), [100_000, 4]);
    let script = r#"for line in logs("web") { print(line.text.len()); }"#;
    let ran = engine.run(&["-e", script]);
    assert_eq!(ran.out.trim(), "100000\n4", "{}", ran.err);
}

#[test]
fn a_follower_sees_every_line_while_files_change() {
    needs_root!();
    let engine = TestEngine::new();
    // It waits for its input, so that the follower is there before the first line.
    let program = "read go; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i+1)); done";
    engine.ok(&[
        "create",
        "-i",
        "--name",
        "web",
        "--log-opt",
        "max-size=64k",
        "--log-opt",
        "max-file=100",
        "host",
        "sh",
        "-c",
        program,
    ]);
    engine.ok(&["start", "web"]);
    let follower = engine.spawn(&["logs", "-f", "web"]);
    assert!(wait_until(TIMEOUT, || crate::harness::waits_for_monitor(&follower)));
    let fifo = engine.container_directory("web").join("stdin");
    std::fs::write(fifo, "go\n").unwrap();
    let out = follower.wait_with_output().unwrap().stdout;
    let expected: String = (0..3000).map(|n| format!("line {n}\n")).collect();
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}
