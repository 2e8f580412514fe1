//! The life of a container: what each state is made of, and how it is left.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, signal, wait_until};
use crate::needs_root;

/// A program that does not listen to SIGTERM, as most that are the first process of a container.
const DEAF: &str = "trap '' TERM; echo deaf; while :; do sleep 0.1; done";

/// Time on a CPU of a process, in ticks: `utime` and `stime` of proc(5).
fn ticks(pid: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

fn resident(pid: u32) -> String {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    status.lines().find(|line| line.starts_with("VmRSS")).unwrap().to_owned()
}

#[test]
fn a_created_container_is_files_and_nothing_else() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "web", "host", "sleep", "100"]);
    assert_eq!(engine.leftovers(), Vec::<String>::new());
    assert_eq!(engine.ps_status("web"), "Created");
    let state = engine.get("web", "{{.State.Pid}} {{.State.StartedAt}} {{.State.ExitCode}}");
    assert_eq!(state, "0 0001-01-01T00:00:00Z 0");
    assert_eq!(engine.ok(&["logs", "web"]), "");
    assert_eq!(engine.ok(&["wait", "web"]), "0", "there is nothing to wait for");
}

#[test]
fn a_paused_container_uses_no_cpu_and_keeps_its_memory() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "busy", "host", "sh", "-c", "echo up; while :; do :; done"]);
    engine.wrote("busy", "up");
    let pid = engine.pid("busy");
    let begun = ticks(pid);
    assert!(wait_until(TIMEOUT, || ticks(pid) > begun + 2), "it does not compute");
    engine.ok(&["pause", "busy"]);
    let (used, memory) = (ticks(pid), resident(pid));
    // What does not happen can only be looked for during a while: some thirty ticks.
    let changed = wait_until(Duration::from_millis(300), || ticks(pid) != used);
    assert!(!changed, "it used the CPU while paused");
    assert_eq!(resident(pid), memory);
    assert_eq!(engine.get("busy", "{{.State.Running}} {{.State.Paused}}"), "true true");
    assert!(engine.ps_status("busy").ends_with("(Paused)"), "{}", engine.ps_status("busy"));
    assert_eq!(engine.ok(&["ps", "--format", "{{.Names}}"]), "busy", "paused is not gone");
    engine.ok(&["unpause", "busy"]);
    assert_eq!(engine.pid("busy"), pid, "the same process goes on");
    assert!(wait_until(TIMEOUT, || ticks(pid) > used + 2), "it does not go on");
}

#[test]
fn stop_kills_what_ignores_it_after_ten_seconds() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "deaf", "host", "sh", "-c", DEAF]);
    engine.wrote("deaf", "deaf");
    let begun = Instant::now();
    engine.ok(&["stop", "deaf"]);
    let took = begun.elapsed().as_secs_f64();
    assert!((10.0..14.0).contains(&took), "it took {took} s");
    let status = engine.ps_status("deaf");
    assert!(status.starts_with("Exited (137) "), "{status}");
    assert!(status.ends_with(" ago"), "{status}");
}

#[test]
fn each_way_to_end_has_its_exit_code() {
    needs_root!();
    let engine = TestEngine::new();
    let check = |words: &[&str], program: &str, code: &str| {
        engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
        engine.wrote("box", "\n");
        engine.ok(&[words, &["box"]].concat());
        assert_eq!(engine.ok(&["wait", "box"]), code, "{words:?} of {program}");
        assert_eq!(engine.get("box", "{{.State.ExitCode}}{{.State.Error}}"), code);
        let status = engine.ps_status("box");
        assert!(status.starts_with(&format!("Exited ({code}) ")), "{status}");
        engine.ok(&["rm", "box"]);
    };
    let polite = "trap 'exit 7' TERM; echo up; while :; do sleep 0.02; done";
    check(&["stop"], polite, "7");
    check(&["stop", "-t", "1"], DEAF, "137");
    check(&["stop", "-t", "0"], DEAF, "137");
    check(&["stop", "--time=1"], DEAF, "137");
    check(&["kill"], DEAF, "137");
    check(&["kill", "-s", "TERM"], polite, "7");
    check(&["kill", "--signal", "sigterm"], polite, "7");
    check(&["kill", "-s", "15"], polite, "7");
    check(&["stop", "-s", "KILL"], DEAF, "137");
    // A program that does not handle it dies of it, and a shell says 128 + n.
    check(&["wait"], "echo x; sh -c 'kill -TERM $$'", "143");
    check(&["wait"], "echo x; sh -c 'kill -INT $$'", "130");
}

#[test]
fn the_image_or_the_user_chooses_the_stop_signal() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'exit 3' HUP; trap 'exit 4' TERM; echo up; while :; do sleep 0.02; done";
    let create = ["run", "-d", "--stop-signal", "HUP", "--stop-timeout", "20"];
    engine.ok(&[&create[..], &["--name", "hup", "host", "sh", "-c", program]].concat());
    engine.wrote("hup", "up");
    engine.ok(&["stop", "hup"]);
    assert_eq!(engine.get("hup", "{{.State.ExitCode}}"), "3");
}

#[test]
fn a_signal_from_outside_ends_it_as_one_from_inside() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    signal(engine.pid("box"), Signal::KILL);
    assert_eq!(engine.ok(&["wait", "box"]), "137");
    assert!(engine.ps_status("box").starts_with("Exited (137)"));
    assert_eq!(engine.leftovers(), Vec::<String>::new());
    engine.ok(&["start", "box"]);
    assert_eq!(engine.status("box"), "running");
}

#[test]
fn a_container_that_removes_itself_is_gone_with_all_it_had() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = engine.run(&["run", "--rm", "--name", "once", "host", "sh", "-c", "echo x; exit 5"]);
    assert_eq!((ran.code, ran.out.as_str()), (5, "x\n"), "{}", ran.err);
    assert_eq!(engine.status("once"), "gone");
    let left = |kind: &str| {
        let left = std::fs::read_dir(engine.root().join(kind)).unwrap().flatten();
        left.map(|entry| entry.file_name()).filter(|name| name != ".lock").collect::<Vec<_>>()
    };
    for kind in ["containers", "names", "staging"] {
        assert!(left(kind).is_empty(), "{kind}: {:?}", left(kind));
    }
    // The files go after the answer.
    assert!(wait_until(TIMEOUT, || left("removing").is_empty()));
    // And keep no name from being taken.
    for _ in 0..5 {
        assert_eq!(engine.run(&["run", "--rm", "--name", "once", "host", "true"]).code, 0);
    }
    // One that was restarted by hand stays until it ends by itself.
    engine.ok(&["run", "-d", "--rm", "--name", "twice", "host", "sh", "-c", DEAF]);
    engine.wrote("twice", "deaf");
    engine.ok(&["restart", "-t", "0", "twice"]);
    assert_eq!(engine.status("twice"), "running");
    engine.ok(&["rm", "-f", "twice"]);
}

#[test]
fn a_restarted_container_keeps_its_files_and_gets_a_new_process() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "echo $$ >> /runs; cat /runs | wc -l; trap 'exit 0' TERM; while :; do sleep 0.02; done";
    engine.ok(&["run", "-d", "--name", "web", "host", "sh", "-c", program]);
    engine.wrote("web", "1\n");
    let first = engine.pid("web");
    assert_eq!(engine.ok(&["restart", "web"]), "web");
    engine.wrote("web", "1\n2\n");
    assert_ne!(engine.pid("web"), first);
    assert_eq!(engine.ok(&["start", "web"]), "web", "starting what runs is no error");
}

#[test]
fn a_name_can_change_while_it_runs() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["run", "-d", "--name", "old", "host", "sleep", "300"]);
    engine.ok(&["rename", "old", "new"]);
    assert_eq!(engine.get("new", "{{.Name}} {{.Id}}"), format!("/new {id}"));
    assert_eq!(engine.status("old"), "gone");
    engine.ok(&["create", "--name", "old", "host"]);
    let taken = engine.fails(&["rename", "old", "new"], 1);
    assert!(taken.contains("already in use") && taken.contains(&id), "{taken}");
    engine.fails(&["rename", "new", "new"], 1);
    engine.ok(&["kill", "new"]);
    assert_eq!(engine.get("new", "{{.Name}} {{.State.Status}}"), "/new exited");
}

#[test]
fn containers_are_found_by_name_id_and_the_beginning_of_an_id() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["create", "host"]);
    assert_eq!(id.len(), 64);
    let name = engine.get(&id, "{{.Name}}");
    let (adjective, surname) = name.trim_start_matches('/').split_once('_').unwrap();
    assert!(!adjective.is_empty() && !surname.is_empty(), "{name}");
    for query in [&id[..1], &id[..12], &id, &name[1..]] {
        assert_eq!(engine.get(query, "{{.Id}}"), id, "{query}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), id[..12]);
    assert_eq!(engine.ok(&["ps", "-aq", "--no-trunc"]), id);
    // A name wins over the beginning of another's id.
    let other = engine.ok(&["create", "--name", &id[..12], "host"]);
    assert_eq!(engine.get(&id[..12], "{{.Id}}"), other);
    let taken = engine.fails(&["create", "--name", &id[..12], "host"], 1);
    assert!(taken.contains(&format!("already in use by container `{other}`")), "{taken}");
    assert!(taken.contains("hint: "), "{taken}");
}

#[test]
fn a_container_outlives_the_script_that_started_it() {
    needs_root!();
    let engine = TestEngine::new();
    let last = engine.script(
        r#"run("host", ["sh", "-c", "for i in 1 2 3 4 5; do echo $i; sleep 0.1; done; printf end; exit 9"],
               #{ name: "long" });
           run("host", ["sh", "-c", "printf 'no newline'; exit 4"], #{ name: "short" });
           print(container("long").status)"#,
    );
    assert_eq!(last, "running");
    assert_eq!(engine.ok(&["wait", "long", "short"]), "9\n4");
    assert_eq!(engine.run(&["logs", "long"]).out, "1\n2\n3\n4\n5\nend");
    assert_eq!(engine.run(&["logs", "short"]).out, "no newline");
}
