//! What a killed or stopped process of the engine leaves, and who cleans it up.

use std::fs;
use std::os::unix::fs::symlink;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::faults::monitor;
use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, signal, wait_until, waits_for_monitor};
use crate::needs_root;

/// Kills the monitor of a container, and waits until the kernel has ended it.
#[track_caller]
fn kill_monitor(engine: &TestEngine, container: &str) {
    let pid = monitor(engine, container);
    signal(pid, Signal::KILL);
    let line = format!("/proc/{pid}/cmdline");
    assert!(wait_until(TIMEOUT, || fs::read(&line).unwrap_or_default().is_empty()));
}

/// The monitors of a container, by its whole id.
fn monitors_of(id: &str) -> impl Iterator<Item = i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.filter(move |pid: &i32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.starts_with(b"lifebox-monitor\0") && String::from_utf8_lossy(&line).contains(id)
    })
}

/// Kills a process of ours that may have exited meanwhile.
fn kill_if_there(pid: i32) {
    let pid = rustix::process::Pid::from_raw(pid).unwrap();
    let _ = rustix::process::kill_process(pid, Signal::KILL);
}

fn entries(engine: &TestEngine, place: &str) -> usize {
    let found = fs::read_dir(engine.root().join(place)).into_iter().flatten().flatten();
    found.filter(|entry| !entry.file_name().to_string_lossy().starts_with('.')).count()
}

#[test]
fn whichever_verb_meets_a_lost_container_first_removes_it_with_its_volumes() {
    needs_root!();
    let engine = TestEngine::new();
    let verbs: [&[&str]; 10] = [
        &["ps", "-a"],
        &["inspect", "box"],
        &["start", "box"],
        &["stop", "box"],
        &["wait", "box"],
        &["pause", "box"],
        &["restart", "box"],
        &["kill", "box"],
        &["rm", "-f", "box"],
        &["rename", "box", "other"],
    ];
    for verb in verbs {
        engine.ok(&["run", "-d", "--rm", "-v", "/anon", "--name", "box", "host", "sleep", "300"]);
        kill_monitor(&engine, "box");
        let ran = engine.run(verb);
        assert!(!ran.err.contains("panicked"), "{verb:?}: {}", ran.err);
        for place in ["containers", "names", "volumes"] {
            assert_eq!(entries(&engine, place), 0, "{verb:?} leaves {place}");
        }
    }
}

#[test]
fn a_wait_for_a_lost_container_ends_whoever_removes_it() {
    needs_root!();
    let engine = TestEngine::new();
    for others in [&["ps", "-a"][..], &["rm", "-f", "box"], &[]] {
        engine.ok(&["run", "-d", "--rm", "--name", "box", "host", "sleep", "300"]);
        let waits = [
            engine.spawn(&["wait", "box"]),
            engine.spawn(&["-e", "print(wait(\"box\"))"]),
            engine.spawn(&["attach", "--no-stdin", "box"]),
        ];
        assert!(wait_until(TIMEOUT, || waits.iter().all(waits_for_monitor)));
        kill_monitor(&engine, "box");
        if !others.is_empty() {
            engine.run(others);
        }
        let [wait, script, attach] = waits.map(ran_to_its_end);
        assert_eq!((wait.code, wait.out.as_str()), (0, "137\n"), "{others:?}: {}", wait.err);
        assert_eq!((script.code, script.out.as_str()), (0, "137\n"), "{}", script.err);
        assert_eq!(attach.code, 137, "{others:?}: {}", attach.err);
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
}

#[test]
fn what_a_killed_commit_paused_runs_again() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "dd if=/dev/urandom of=/big bs=1M count=60 2>/dev/null; echo ready; exec sleep 300";
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
    engine.wrote("box", "ready");
    let mut commit = engine.spawn(&["commit", "box", "killed:1"]);
    assert!(wait_until(TIMEOUT, || engine.status("box") == "paused"));
    commit.kill().unwrap();
    commit.wait().unwrap();
    assert!(wait_until(TIMEOUT, || engine.status("box") == "running"));
    // One that ends in order leaves it running too.
    engine.ok(&["commit", "box", "whole:1"]);
    assert_eq!(engine.status("box"), "running");
    engine.ok(&["rmi", "whole:1"]);
}

#[test]
fn a_killed_start_leaves_no_cgroup() {
    needs_root!();
    let engine = TestEngine::new();
    for round in 0..20_u64 {
        let id = engine.ok(&["create", "--name", "box", "host", "true"]);
        let mut start = engine.spawn(&["start", "box"]);
        let begun = wait_until(TIMEOUT, || {
            engine.leftovers().iter().any(|left| left.starts_with("process"))
                || start.try_wait().unwrap().is_some()
        });
        assert!(begun);
        // In another step each time.
        let moment = Instant::now() + Duration::from_micros(round * 300);
        wait_until(TIMEOUT, || Instant::now() >= moment);
        monitors_of(&id).for_each(kill_if_there);
        start.wait().unwrap();
        engine.ok(&["rm", "-f", "box"]);
        assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
    }
}

#[test]
fn a_rename_that_was_killed_is_finished_by_the_same_command() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["create", "--name", "old", "host"]);
    let names = engine.root().join("names");
    let link = |name: &str| symlink(format!("../containers/{id}"), names.join(name)).unwrap();
    // Killed before the record was written.
    link("new");
    engine.ok(&["rename", "old", "new"]);
    assert_eq!(engine.get("new", "{{.Name}}"), "/new");
    assert_eq!(entries(&engine, "names"), 1);
    // Killed after it.
    link("old");
    engine.ok(&["rename", "old", "new"]);
    assert_eq!(entries(&engine, "names"), 1);
    // Another container may take a name that was claimed and never recorded.
    link("free");
    let other = engine.ok(&["create", "--name", "free", "host"]);
    assert_eq!(engine.get("free", "{{.Id}}"), other);
    // A name that is recorded is taken.
    assert!(engine.fails(&["rename", "free", "new"], 1).contains("new"));
    fs::remove_file(names.join("new")).unwrap();
    engine.ok(&["rename", &id, "new"]);
    assert_eq!(engine.get("new", "{{.Id}}"), id);
}

#[test]
fn a_check_finds_all_that_the_engine_may_leave_in_one_pass() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["create", "--name", "box", "host"]);
    let root = engine.root();
    let names = root.join("names");
    symlink(format!("../containers/{id}"), names.join("second")).unwrap();
    fs::remove_file(names.join("box")).unwrap();
    symlink(format!("../containers/{}", "0".repeat(64)), names.join("lost")).unwrap();
    for half in [".new-0123", ".gone-0123"] {
        fs::create_dir_all(root.join("volumes").join(half)).unwrap();
    }
    engine.ok(&["run", "-d", "--name", "gone", "host", "sleep", "300"]);
    fs::remove_dir_all(engine.container_directory("gone")).unwrap();
    let said = engine.run(&["system", "check", "--repair"]).out;
    for part in ["`box`", "`second`", "`lost`", ".new-0123", ".gone-0123", "the monitor of"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let again = engine.run(&["system", "check"]);
    assert!(again.code == 0 && !again.out.contains("leftover"), "{again:?}");
    assert_eq!(entries(&engine, "names"), 1);
    assert_eq!(engine.get("box", "{{.Id}}"), id);
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn a_stopped_monitor_is_named_and_ended_by_what_ends_its_container() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    let pid = monitor(&engine, "box");
    signal(pid, Signal::STOP);
    let said = engine.fails(&["pause", "box"], 1);
    let named = format!("process {pid} (`lifebox-monitor`), stopped");
    for part in [named, format!("kill -CONT {pid}")] {
        assert!(said.contains(&part), "{part}: {said}");
    }
    // Who only looks does not wait.
    assert_eq!(engine.status("box"), "running");
    engine.ok(&["rm", "-f", "box"]);
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn a_container_whose_socket_was_removed_can_be_removed() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    fs::remove_file(engine.container_directory("box").join("monitor.sock")).unwrap();
    engine.ok(&["rm", "-f", "box"]);
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn a_stop_without_the_socket_lets_the_program_end_by_itself() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'echo bye; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    let policies: [&[&str]; 3] = [&[], &["--restart", "always"], &["--rm"]];
    let stops = policies.map(|policy| {
        let name = format!("box{}", policy.len() + policy.first().map_or(0, |word| word.len()));
        let words = [&["run", "-d", "--name", &name], policy, &["host", "sh", "-c", program]];
        engine.ok(&words.concat());
        engine.wrote(&name, "up");
        fs::remove_file(engine.container_directory(&name).join("monitor.sock")).unwrap();
        (engine.spawn(&["stop", &name]), name, policy)
    });
    // A container that does not end by the signal is killed when the time is over.
    let stays = "trap '' TERM; echo up; while :; do sleep 0.05; done";
    engine.ok(&["run", "-d", "--name", "stays", "host", "sh", "-c", stays]);
    engine.wrote("stays", "up");
    engine.ok(&["pause", "stays"]);
    fs::remove_file(engine.container_directory("stays").join("monitor.sock")).unwrap();
    let stop = engine.spawn(&["stop", "-t", "1", "stays"]);
    for (stop, name, policy) in stops {
        let ran = ran_to_its_end(stop);
        assert_eq!((ran.code, ran.out), (0, format!("{name}\n")), "{policy:?}: {}", ran.err);
        if policy == ["--rm"] {
            assert_eq!(engine.status(&name), "gone");
            continue;
        }
        assert_eq!(engine.status(&name), "exited", "{policy:?}");
        let logs = engine.run(&["logs", &name]).out;
        assert_eq!(logs, "up\nbye\n", "{policy:?}");
        if policy.is_empty() {
            assert_eq!(engine.get(&name, "{{.State.ExitCode}}"), "5");
        }
    }
    assert_eq!(ran_to_its_end(stop).code, 0);
    assert_eq!(engine.get("stays", "{{.State.Status}} {{.State.ExitCode}}"), "exited 137");
}

/// What a check with a repair says, after which a second one finds nothing.
#[track_caller]
fn repaired(engine: &TestEngine) -> String {
    let said = engine.run(&["system", "check", "--repair"]);
    let again = engine.run(&["system", "check"]);
    assert!(again.code == 0 && !again.out.contains("leftover"), "{said:?}\n{again:?}");
    said.out
}

#[test]
fn a_check_finds_at_once_what_a_killed_start_left() {
    needs_root!();
    let engine = TestEngine::new();
    for gone in [false, true] {
        engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
        let (id, directory) = (engine.get("box", "{{.Id}}"), engine.container_directory("box"));
        let cgroups = engine.cgroups();
        engine.ok(&["stop", "-t", "0", "box"]);
        // As a monitor leaves it that was killed before it recorded the start.
        fs::write(directory.join("monitor.sock"), "").unwrap();
        for cgroup in &cgroups {
            fs::create_dir_all(cgroup.join("nested")).unwrap();
        }
        if gone {
            fs::remove_dir_all(&directory).unwrap();
        }
        let found = engine.run(&["system", "check"]).out;
        assert!(found.contains(&id[..12]), "{gone}: {found}");
        repaired(&engine);
        assert_eq!(engine.leftovers(), Vec::<String>::new(), "{gone}");
        engine.run(&["rm", "-f", "box"]);
    }
}

#[test]
fn containers_of_a_script_that_was_killed_with_its_reaper_are_found() {
    needs_root!();
    let engine = TestEngine::new();
    let script = r#"
        let other = run("host", "sleep 300", #{ name: "kept" });
        scope(|| { let c = run("host", "sleep 300", #{ name: "owned" });
            keep(run("host", "sleep 300", #{ name: "held" }));
            sleep(300); });
    "#;
    let mut front = engine.spawn(&["-e", script]);
    assert!(wait_until(TIMEOUT, || engine.status("held") == "running"
        && engine.container_directory("held").join("kept").exists()));
    // Of a script that runs nothing is reported.
    assert_eq!(engine.run(&["system", "check"]).code, 0);
    let root = engine.root().to_string_lossy().into_owned();
    let reapers: Vec<i32> = fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter(|pid: &i32| {
            let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            line.starts_with(b"lifebox-reaper\0") && String::from_utf8_lossy(&line).contains(&root)
        })
        .collect();
    assert_eq!(reapers.len(), 1);
    kill_if_there(reapers[0]);
    front.kill().unwrap();
    front.wait().unwrap();
    assert!(wait_until(TIMEOUT, || fs::read(format!("/proc/{}/cmdline", reapers[0]))
        .unwrap_or_default()
        .is_empty()));
    let found = engine.run(&["system", "check"]).out;
    assert!(found.contains("killed script: owned"), "{found}");
    assert!(!found.contains("held"), "{found}");
    repaired(&engine);
    assert_eq!(engine.status("owned"), "gone");
    assert_eq!(engine.status("held"), "running");
}

#[test]
fn a_repair_beside_creates_takes_nothing_away_from_them() {
    needs_root!();
    // Other tests kill what writes into the store that they share.
    let engine = TestEngine::empty();
    engine.script("image(\"host\")");
    for round in 0..15 {
        let name = format!("box{round}");
        let mut create = engine.spawn(&["create", "--name", &name, "-v", "/data", "host"]);
        while create.try_wait().unwrap().is_none() {
            let ran = engine.run(&["system", "check", "--repair"]);
            assert!(ran.code == 0 && !ran.out.contains("leftover"), "{ran:?}");
        }
        assert!(create.wait().unwrap().success(), "{name}");
        engine.ok(&["start", &name]);
        engine.ok(&["rm", "-f", "-v", &name]);
    }
}
