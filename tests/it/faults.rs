//! What goes wrong around a container: killed monitors, damaged records, races, no rights.

use std::os::unix::process::CommandExt as _;
use std::path::Path;

use rustix::process::Signal;

use crate::harness::{Engine, signal};
use crate::needs_root;

/// The monitor of the only running container below `root`.
fn monitor(root: &Path) -> u32 {
    let root = root.to_string_lossy();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let is_ours = |pid: &u32| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        line.starts_with("lifebox-monitor") && line.contains(&*root)
    };
    ids.find(is_ours).unwrap()
}

#[test]
fn a_container_whose_monitor_is_killed_has_exited_and_can_start_again() {
    needs_root!("a_container_whose_monitor_is_killed_has_exited_and_can_start_again");
    let engine = Engine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sh", "-c", "echo kept; exec sleep 300"]);
    engine.wrote("web", "kept");
    signal(monitor(engine.root()), Signal::KILL);
    assert!(crate::harness::until(crate::harness::PATIENCE, || engine.status("web") == "exited"));
    assert_eq!(engine.get("web", "{{.State.ExitCode}}"), "137");
    let error = engine.get("web", "{{.State.Error}}");
    assert!(error.contains("its monitor was killed"), "{error}");
    assert_eq!(engine.ok(&["logs", "web"]), "kept");
    engine.ok(&["start", "web"]);
    assert_eq!(engine.status("web"), "running");
    engine.ok(&["rm", "-f", "web"]);
    assert_eq!(engine.status("web"), "gone");
}

#[test]
fn a_damaged_record_spoils_only_its_own_container() {
    needs_root!("a_damaged_record_spoils_only_its_own_container");
    let engine = Engine::new();
    for name in ["bad", "good"] {
        engine.ok(&["create", "--name", name, "host", "true"]);
    }
    std::fs::write(engine.container_directory("bad").join("state.json"), "{\"ver").unwrap();
    let list = engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]);
    assert!(list.lines().any(|line| line == "bad Dead"), "{list}");
    assert!(list.lines().any(|line| line == "good Created"), "{list}");
    engine.ok(&["start", "good"]);
    assert_eq!(engine.ok(&["wait", "good"]), "0");
    engine.ok(&["rm", "-f", "bad"]);
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "good");
}

#[test]
fn one_of_two_concurrent_creates_gets_the_name() {
    needs_root!("one_of_two_concurrent_creates_gets_the_name");
    let engine = Engine::new();
    let both = [0, 1].map(|_| engine.begin(&["create", "--name", "web", "host", "true"]));
    let outputs = both.map(|child| child.wait_with_output().unwrap());
    let won = outputs.iter().filter(|output| output.status.success()).count();
    assert_eq!(won, 1, "{outputs:?}");
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "web");
}

#[test]
fn ten_parallel_runs_all_end_well_and_leave_nothing() {
    needs_root!("ten_parallel_runs_all_end_well_and_leave_nothing");
    let engine = Engine::new();
    let all: Vec<_> =
        (0..10).map(|_| engine.begin(&["run", "--rm", "host", "echo", "hi"])).collect();
    for child in all {
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stdout == b"hi\n", "{output:?}");
    }
    assert_eq!(engine.ok(&["ps", "-a", "-q"]), "");
}

#[test]
fn without_root_there_is_one_clear_message() {
    needs_root!("without_root_there_is_one_clear_message");
    let engine = Engine::empty();
    let own = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(own.path(), Some(65534), Some(65534)).unwrap();
    // The binary may be where this user cannot go.
    let program = own.path().join("lifebox");
    std::fs::copy(crate::harness::LIFEBOX, &program).unwrap();
    let output = engine
        .shell(program.to_str().unwrap())
        .args(["run", "host", "true"])
        .env("LIFEBOX_ROOT", own.path().join("root"))
        .uid(65534)
        .gid(65534)
        .output()
        .unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(125), "{err}");
    assert_eq!(err.matches("error:").count(), 1, "{err}");
    assert!(err.contains("root") && !err.contains("panicked"), "{err}");
}
