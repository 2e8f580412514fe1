//! What is killed or damaged: it costs one container at most, and that one can be removed.

use std::fs;
use std::process::Stdio;

use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, signal, wait_until};
use crate::needs_root;

/// The process id of a container's monitor.
pub fn monitor(engine: &TestEngine, container: &str) -> u32 {
    let id = engine.get(container, "{{.Id}}");
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_string_lossy().parse().ok());
    ids.find(|pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"lifebox-monitor\0") && String::from_utf8_lossy(&line).contains(&id)
    })
    .unwrap()
}

#[test]
fn a_monitor_leads_a_session_of_its_own() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "100"]);
    let monitor = monitor(&engine, "web");
    let status = fs::read_to_string(format!("/proc/{monitor}/stat")).unwrap();
    // Behind the name: state, parent, group, session (proc_pid_stat(5)).
    let fields: Vec<&str> = status.rsplit(") ").next().unwrap().split(' ').collect();
    let own = monitor.to_string();
    assert_eq!((fields[2], fields[3]), (own.as_str(), own.as_str()), "{status}");
}

#[test]
fn a_container_dies_with_its_monitor_and_keeps_its_log() {
    needs_root!();
    let engine = TestEngine::new();
    for paused in [false, true] {
        let name = if paused { "cold" } else { "warm" };
        let program = "echo kept; sleep 300 & wait";
        engine.ok(&["run", "-d", "--name", name, "host", "sh", "-c", program]);
        engine.wrote(name, "kept");
        let (pid, monitor) = (engine.pid(name), monitor(&engine, name));
        if paused {
            engine.ok(&["pause", name]);
        }
        let waiting = engine.spawn(&["wait", name]);
        assert!(wait_until(TIMEOUT, || crate::harness::waits_for_monitor(&waiting)));
        signal(monitor, Signal::KILL);
        let ran = crate::harness::CommandOutput::from(waiting.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (0, "137\n"), "{name}: {}", ran.err);
        let state = engine.get(name, "{{.State.Status}} {{.State.ExitCode}} {{.State.Error}}");
        assert!(state.starts_with("exited 137 ") && state.contains("monitor"), "{state}");
        assert!(wait_until(TIMEOUT, || !fs::exists(format!("/proc/{pid}/root/bin")).unwrap()));
        assert_eq!(engine.leftovers(), Vec::<String>::new());
        assert_eq!(engine.ok(&["logs", name]), "kept");
        engine.ok(&["start", name]);
        engine.wrote(name, "kept\nkept");
        assert_eq!(engine.get(name, "{{.State.Status}}{{.State.Error}}"), "running");
        engine.ok(&["rm", "-f", name]);
    }
}

#[test]
fn a_damaged_record_spoils_its_own_container_only() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "good", "host", "sleep", "300"]);
    let damages: [(&str, &[u8]); 8] = [
        ("state.json", b""),
        ("state.json", b"{\"version\":1,\"name\":"),
        ("state.json", b"\0\0\0\0\0\0\0\0"),
        ("state.json", b"[]"),
        ("state.json", b"{\"version\":99}"),
        ("spec.json", b""),
        ("spec.json", b"\xff\xfe not json"),
        ("spec.json", b"null"),
    ];
    for (file, bytes) in damages {
        let id = engine.ok(&["create", "--name", "bad", "host"]);
        let directory = engine.container_directory("bad");
        fs::write(directory.join(file), bytes).unwrap();
        let listed = engine.run(&["ps", "-a", "--format", "{{.ID}} {{.Names}} {{.Status}}"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        assert!(
            listed.out.contains(&format!("{} bad Dead\n", &id[..12])),
            "{file}: {}",
            listed.out
        );
        assert!(listed.out.contains(" good Up "), "{file}: {}", listed.out);
        assert!(!listed.err.contains("panicked"), "{}", listed.err);
        let err = engine.fails(&["start", "bad"], 1);
        assert!(err.contains(file), "{file}: {err}");
        let inspected = engine.run(&["inspect", "bad"]);
        let printed = [&inspected.out, &inspected.err].into_iter().any(|text| text.contains(file));
        assert!(printed, "inspect {file}: {inspected:?}");
        assert_eq!(engine.status("good"), "running");
        assert_eq!(engine.ok(&["rm", "-f", "bad"]), "bad");
        assert!(!directory.exists(), "{file}");
        assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "good");
    }
}

#[test]
fn a_missing_record_can_be_removed() {
    needs_root!();
    let engine = TestEngine::new();
    for file in ["state.json", "spec.json", "lock"] {
        engine.ok(&["create", "--name", "bad", "host"]);
        let directory = engine.container_directory("bad");
        fs::remove_file(directory.join(file)).unwrap();
        let listed = engine.run(&["ps", "-a"]);
        assert_eq!(listed.code, 0, "{}", listed.err);
        engine.ok(&["rm", "-f", "bad"]);
        assert!(!directory.exists(), "{file}");
        engine.ok(&["create", "--name", "bad", "host"]);
        engine.ok(&["rm", "bad"]);
    }
    // A directory that is no container is nobody's.
    fs::create_dir(engine.root().join("containers/stranger")).unwrap();
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn a_running_container_whose_record_is_damaged_is_killed_by_rm() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "bad", "host", "sleep", "300"]);
    let pid = engine.pid("bad");
    let directory = engine.container_directory("bad");
    fs::write(directory.join("state.json"), "").unwrap();
    assert!(engine.ok(&["ps", "-a"]).contains("Dead"));
    engine.ok(&["rm", "-f", "bad"]);
    assert!(!directory.exists());
    assert!(wait_until(TIMEOUT, || !fs::exists(format!("/proc/{pid}/root/bin")).unwrap()));
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn a_killed_create_leaves_a_whole_container_or_none() {
    needs_root!();
    let engine = TestEngine::new();
    for round in 0..40_u64 {
        let mut child = engine.spawn(&["create", "--name", "box", "host", "sleep", "300"]);
        // At another moment each time: after up to some milliseconds.
        let moment = std::time::Instant::now() + std::time::Duration::from_micros(round * 250);
        wait_until(TIMEOUT, || std::time::Instant::now() >= moment);
        let _ = child.kill();
        child.wait().unwrap();
        let status = engine.status("box");
        assert!(["created", "gone"].contains(&status.as_str()), "{status}");
        let created = engine.run(&["create", "--name", "box", "host", "true"]);
        assert_eq!(created.code == 0, status == "gone", "{status}: {}", created.err);
        engine.ok(&["rm", "box"]);
    }
    let staged = fs::read_dir(engine.root().join("staging")).unwrap().count();
    assert_eq!(staged, 0, "the next `create` sweeps");
}

#[test]
fn a_killed_run_leaves_a_container_that_runs_or_does_not() {
    needs_root!();
    let engine = TestEngine::new();
    for round in 0..25_u64 {
        let mut child = engine.spawn(&["run", "--name", "box", "host", "sleep", "300"]);
        let moment = std::time::Instant::now() + std::time::Duration::from_millis(round);
        wait_until(TIMEOUT, || std::time::Instant::now() >= moment);
        let _ = child.kill();
        child.wait().unwrap();
        engine.ok(&["rm", "-f", "box"]);
        assert_eq!(engine.status("box"), "gone");
        assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
    }
}

#[test]
fn a_container_lives_on_without_the_one_who_ran_it() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "echo up; while [ ! -e /go ]; do sleep 0.02; done; echo end; echo err >&2; exit 6";
    let mut child = engine
        .command(&["run", "--name", "box", "host", "sh", "-c", program])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    engine.wrote("box", "up");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(engine.status("box"), "running");
    fs::write(format!("/proc/{}/root/go", engine.pid("box")), "").unwrap();
    assert_eq!(engine.ok(&["wait", "box"]), "6");
    let ran = engine.run(&["logs", "box"]);
    assert_eq!((ran.out.as_str(), ran.err.as_str()), ("up\nend\n", "err\n"));
}
