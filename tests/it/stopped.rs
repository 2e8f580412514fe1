//! Processes of the engine that are stopped, frozen or short of descriptors: who waits for them is
//! told so, and the container can be ended.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, Signal, prlimit};

use crate::faults::monitor;
use crate::harness::{
    CommandOutput, TIMEOUT, TestEngine, ran_to_its_end, signal, wait_for_exit, wait_until,
};
use crate::needs_root;

/// The children of a process with this argument 0.
fn children_of(parent: u32, name: &str) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{parent}/task/{parent}/children"));
    let children = text.unwrap_or_default();
    let children = children.split_whitespace().filter_map(|pid| pid.parse().ok());
    let is_named = |pid: &u32| {
        let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).next() == Some(name.as_bytes())
    };
    children.filter(is_named).collect()
}

fn is_gone(pid: u32) -> bool {
    fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default().is_empty()
}

/// The processor time of a process, in clock ticks.
fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, rest) = text.rsplit_once(')').unwrap();
    let fields: Vec<u64> =
        rest.split_whitespace().skip(11).take(2).flat_map(str::parse::<u64>).collect();
    fields.iter().sum()
}

fn limit_files(pid: u32, files: u64) {
    let pid = Pid::from_raw(i32::try_from(pid).unwrap());
    let limit = Rlimit { current: Some(files), maximum: Some(files) };
    prlimit(pid, Resource::Nofile, limit).unwrap();
}

#[test]
fn whoever_waits_for_a_stopped_monitor_is_told_so_and_who_need_not_does_not_wait() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", "echo up; exec sleep 300"]);
    engine.wrote("box", "up");
    let pid = monitor(&engine, "box");
    signal(pid, Signal::STOP);
    let waiting: [&[&str]; 8] = [
        &["wait", "box"],
        &["attach", "--no-stdin", "box"],
        &["logs", "-f", "box"],
        &["commit", "box", "stopped:1"],
        &["update", "--pids-limit", "100", "box"],
        &["rename", "box", "other"],
        &["unpause", "box"],
        &["kill", "-s", "HUP", "box"],
    ];
    let waiting = waiting.map(|verb| (verb, engine.spawn(verb)));
    let begun = Instant::now();
    for verb in [
        &["start", "box"][..],
        &["exec", "box", "true"],
        &["top", "box"],
        &["stats", "--no-stream", "box"],
        &["cp", "box:/etc/hostname", "-"],
        &["logs", "box"],
        &["inspect", "box"],
    ] {
        engine.ok(verb);
    }
    for (verb, process) in waiting {
        let ran = ran_to_its_end(process);
        assert_eq!(ran.code, 1, "{verb:?}: {ran:?}");
        let named = format!("process {pid} (`lifebox-monitor`), stopped");
        let way_out = format!("kill -CONT {pid}");
        assert!(ran.err.contains(&named) && ran.err.contains(&way_out), "{verb:?}: {}", ran.err);
    }
    assert!(begun.elapsed() < TIMEOUT, "{:?}", begun.elapsed());
    // What was reported as failed does not happen later.
    signal(pid, Signal::CONT);
    engine.ok(&["update", "--pids-limit", "200", "box"]);
    assert_eq!(engine.get("box", "{{.State.Status}} {{.HostConfig.PidsLimit}}"), "running 200");
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "box");
}

#[test]
fn a_stop_without_a_limit_ends_a_container_whose_monitor_is_stopped() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    signal(monitor(&engine, "box"), Signal::STOP);
    let stop = engine.spawn(&["stop", "-t", "-1", "box"]);
    assert_eq!(ran_to_its_end(stop).code, 0);
    assert_eq!(engine.status("box"), "exited");
}

#[test]
fn a_stop_lets_the_program_end_by_itself_though_the_monitor_is_stopped() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'echo bye > /told; exit 5' TERM; echo up; while :; do sleep 0.05; done";
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
    engine.wrote("box", "up");
    signal(monitor(&engine, "box"), Signal::STOP);
    assert_eq!(ran_to_its_end(engine.spawn(&["stop", "-t", "3", "box"])).code, 0);
    assert_eq!(engine.status("box"), "exited");
    let told = engine.container_directory("box").join("upper/told");
    assert_eq!(fs::read_to_string(told).unwrap(), "bye\n");
}

/// The mount of cgroup v2.
fn unified() -> Option<PathBuf> {
    let mounts = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"].map(Path::new);
    let has_v2 = |mount: &&Path| mount.join("cgroup.controllers").exists();
    mounts.into_iter().find(has_v2).map(Path::to_owned)
}

#[test]
fn a_start_that_is_frozen_says_so_and_its_container_can_be_removed() {
    needs_root!();
    let Some(unified) = unified() else {
        eprintln!("LEFT OUT: freezing a start needs cgroup v2");
        return;
    };
    let engine = TestEngine::new();
    let parent = unified.join(engine.cgroup_parent());
    fs::create_dir_all(&parent).unwrap();
    fs::write(parent.join("cgroup.freeze"), "1").unwrap();
    engine.ok(&["create", "--name", "box", "host", "sleep", "300"]);
    let said = engine.fails(&["start", "box"], 1);
    assert!(said.contains("frozen with its cgroup") && said.contains("rm -f"), "{said}");
    engine.ok(&["rm", "-f", "box"]);
    fs::write(parent.join("cgroup.freeze"), "0").unwrap();
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn an_exec_whose_helper_is_stopped_says_so() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    let exec = engine.spawn(&["exec", "box", "sleep", "300"]);
    assert!(wait_until(TIMEOUT, || engine.ok(&["top", "box"]).matches("sleep 300").count() == 2));
    let helper = children_of(exec.id(), "lifebox-exec")[0];
    signal(helper, Signal::STOP);
    let ran = ran_to_its_end(exec);
    let named = format!("process {helper} (`lifebox-exec`), stopped");
    assert!(ran.err.contains(&named), "{}", ran.err);
    signal(helper, Signal::CONT);
    engine.ok(&["rm", "-f", "box"]);
}

#[test]
fn a_monitor_without_descriptors_rests_answers_and_stops_its_container() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'exit 5' TERM; echo up; while :; do sleep 0.05; done";
    engine.ok(&["run", "-d", "--name", "box", "host", "sh", "-c", program]);
    engine.wrote("box", "up");
    let pid = monitor(&engine, "box");
    let open: Vec<u64> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok())
        .collect();
    limit_files(pid, (0..).find(|number| !open.contains(number)).unwrap());
    let said = engine.fails(&["pause", "box"], 1);
    assert!(said.contains("too many open files") && said.contains("prlimit"), "{said}");
    let (used, until) = (ticks(pid), Instant::now() + Duration::from_secs(1));
    wait_until(TIMEOUT, || Instant::now() >= until);
    assert!(ticks(pid) - used < 20, "it used {} ticks of 100", ticks(pid) - used);
    engine.ok(&["stop", "box"]);
    assert_eq!(engine.get("box", "{{.State.Status}} {{.State.ExitCode}}"), "exited 5");
}

#[test]
fn a_monitor_ends_though_its_attached_client_is_stopped() {
    needs_root!();
    let engine = TestEngine::new();
    let mut client = engine.spawn(&["run", "--name", "box", "host", "yes"]);
    assert!(wait_until(TIMEOUT, || engine.status("box") == "running"));
    let pid = monitor(&engine, "box");
    signal(client.id(), Signal::STOP);
    engine.ok(&["rm", "-f", "box"]);
    assert!(wait_until(TIMEOUT, || is_gone(pid)), "the monitor {pid} is left");
    client.kill().unwrap();
    assert!(wait_for_exit(&mut client, TIMEOUT).is_some());
}

#[test]
fn a_program_cannot_pass_for_the_monitor_of_its_container() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    let (pid, root) = (monitor(&engine, "box"), engine.root().to_string_lossy().into_owned());
    let missing = "0".repeat(64);
    for of in [id.as_str(), &missing] {
        let program = format!("exec -a lifebox-monitor sleep {root} {of} /");
        engine.run(&["exec", "-d", "box", "bash", "-c", &program]);
    }
    signal(pid, Signal::STOP);
    let said = engine.fails(&["pause", "box"], 1);
    assert!(said.contains(&format!("process {pid} ")), "{said}");
    signal(pid, Signal::CONT);
    let checked = engine.run(&["system", "check", "--repair"]);
    assert!(!checked.out.contains("removed container"), "{checked:?}");
    assert_eq!(engine.status("box"), "running");
}

#[test]
fn a_monitor_keeps_little_memory() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    let path = format!("/proc/{}/smaps_rollup", monitor(&engine, "box"));
    let dirty = || {
        let text = fs::read_to_string(&path).unwrap();
        let line = text.lines().find_map(|line| line.strip_prefix("Private_Dirty:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap()
    };
    // It gives back what the start used after it has answered the client.
    assert!(wait_until(TIMEOUT, || dirty() <= 300), "{} KiB", dirty());
}

/// Runs a command where the root is read-only.
fn on_read_only(engine: &TestEngine, words: &str) -> CommandOutput {
    let root = engine.root().display().to_string();
    let script = format!(
        "mount --bind {root} {root} && mount -o remount,bind,ro {root} && exec {} {words}",
        crate::harness::LIFEBOX
    );
    let mut command = engine.shell("unshare");
    CommandOutput::from(command.args(["-m", "sh", "-c", &script]).output().unwrap())
}

#[test]
fn all_that_only_reads_works_on_a_read_only_store() {
    needs_root!();
    let engine = TestEngine::empty();
    engine.ok(&["run", "--name", "box", "host", "sh", "-c", "echo hello; echo text > /file"]);
    engine.ok(&["volume", "create", "data"]);
    let place = tempfile::tempdir().unwrap();
    let to = |name: &str| place.path().join(name).display().to_string();
    for words in [
        "ps -a".to_owned(),
        "images".to_owned(),
        "inspect box".to_owned(),
        "logs box".to_owned(),
        "diff box".to_owned(),
        "history host".to_owned(),
        "why box".to_owned(),
        "explain box".to_owned(),
        "volume ls".to_owned(),
        "system df".to_owned(),
        "system check".to_owned(),
        "events --until 1s".to_owned(),
        format!("cp box:/file {}", to("file")),
        format!("export -o {} box", to("export.tar")),
        format!("save -o {} host", to("save.tar")),
        "--dry-run -e 'run(\"host\", \"true\")'".to_owned(),
    ] {
        let ran = on_read_only(&engine, &words);
        assert_eq!(ran.code, 0, "{words}: {}{}", ran.out, ran.err);
    }
    assert_eq!(fs::read_to_string(to("file")).unwrap(), "text\n");
    for words in ["rm box", "volume rm data", "rename box other", "commit box x:1", "tag host x:1"]
    {
        let ran = on_read_only(&engine, words);
        assert_eq!(ran.code, 1, "{words}: {}{}", ran.out, ran.err);
        assert!(ran.err.contains("read-only"), "{words}: {}", ran.err);
    }
}

#[test]
fn a_build_goes_on_beside_prunes() {
    needs_root!();
    let engine = TestEngine::empty();
    engine.script("image(\"host\")");
    let context = tempfile::tempdir().unwrap();
    let steps: String = (0..6).map(|n| format!("RUN echo {n} > /{n}\nENV N{n}=1\n")).collect();
    fs::write(context.path().join("Dockerfile"), format!("FROM host\n{steps}")).unwrap();
    let path = context.path().to_string_lossy().into_owned();
    for round in 0..3 {
        let tag = format!("pruned:{round}");
        let mut build = engine.spawn(&["build", "--no-cache", "-q", "-t", &tag, &path]);
        while build.try_wait().unwrap().is_none() {
            engine.ok(&["image", "prune", "-f"]);
        }
        let built = CommandOutput::from(build.wait_with_output().unwrap());
        assert_eq!(built.code, 0, "{}", built.err);
        engine.ok(&["run", "--rm", &tag, "test", "-e", "/5"]);
    }
}
