//! How much a container may use, seen from inside and from its cgroup; and what it uses.

use std::path::Path;

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// A container's file of a limit: its name in v1, or the one in v2.
#[track_caller]
fn limit(engine: &TestEngine, v1: &str, v2: &str) -> String {
    let found = engine
        .cgroups()
        .into_iter()
        .flat_map(|directory| [directory.join(v1), directory.join(v2)])
        .filter(|path| path.exists())
        .collect::<std::collections::BTreeSet<_>>();
    let found: Vec<_> = found.into_iter().collect();
    let [path] = found.as_slice() else { panic!("{v1}, {v2}: {found:?}") };
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

fn is_v2() -> bool {
    Path::new("/sys/fs/cgroup/cgroup.controllers").exists()
}

#[test]
fn limits_are_set_before_the_program_runs_and_change_while_it_runs() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "web",
        "-m",
        "64m",
        "--memory-reservation",
        "32m",
        "--cpus",
        "0.5",
        "-c",
        "512",
        "--pids-limit",
        "20",
        "--cpuset-cpus",
        "0",
        "host",
        "sleep",
        "100",
    ]);
    let cpu = || match is_v2() {
        true => limit(&engine, "cpu.cfs_quota_us", "cpu.max"),
        false => limit(&engine, "cpu.cfs_quota_us", "cpu.max") + " 100000",
    };
    assert_eq!(limit(&engine, "memory.limit_in_bytes", "memory.max"), "67108864");
    assert_eq!(limit(&engine, "memory.soft_limit_in_bytes", "memory.low"), "33554432");
    assert_eq!(limit(&engine, "pids.max", "pids.max"), "20");
    assert_eq!(limit(&engine, "cpuset.cpus", "cpuset.cpus"), "0");
    assert_eq!(limit(&engine, "cpu.shares", "cpu.weight"), if is_v2() { "59" } else { "512" });
    assert_eq!(cpu(), "50000 100000");
    let shown = "{{.HostConfig.Memory}} {{.HostConfig.MemorySwap}} {{.HostConfig.NanoCpus}} \
                 {{.HostConfig.PidsLimit}} {{.HostConfig.CpusetCpus}}";
    assert_eq!(engine.get("web", shown), "67108864 134217728 500000000 20 0");

    engine.ok(&["pause", "web"]);
    assert_eq!(engine.ok(&["update", "-m", "128m", "--cpus", "1.5", "web"]), "web");
    assert_eq!(engine.status("web"), "paused");
    engine.script(r#"update("web", #{ pids: 30 })"#);
    let after = "134217728 268435456 1500000000 30 0";
    let kernel = || {
        assert_eq!(limit(&engine, "memory.limit_in_bytes", "memory.max"), "134217728");
        assert_eq!(cpu(), "150000 100000");
        assert_eq!(limit(&engine, "pids.max", "pids.max"), "30");
    };
    kernel();
    engine.ok(&["kill", "web"]);
    engine.ok(&["update", "-m", "32m", "web"]);
    engine.ok(&["update", "-m", "128m", "web"]);
    assert_eq!(engine.get("web", shown), after, "also of one that has ended");
    engine.ok(&["start", "web"]);
    kernel();
    assert_eq!(engine.get("web", shown), after);
}

#[test]
fn a_limit_can_come_to_a_container_that_had_none_and_go_again() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "100"]);
    engine.ok(&["update", "--cpus", "0.5", "--cpuset-cpus", "0", "web"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid("web"))).unwrap();
    assert!(status.contains("Cpus_allowed_list:\t0\n"), "{status}");
    engine.ok(&["update", "--cpus", "0", "web"]);
    let quota = limit(&engine, "cpu.cfs_quota_us", "cpu.max");
    assert!(["-1", "max 100000"].contains(&quota.as_str()), "{quota}");
}

/// A block device of this machine: its node, and its number.
fn block_device() -> Option<(String, String)> {
    let names = std::fs::read_dir("/sys/block").ok()?.flatten();
    names.map(|entry| entry.file_name().to_string_lossy().into_owned()).find_map(|name| {
        let node = format!("/dev/{name}");
        let number = std::fs::read_to_string(format!("/sys/block/{name}/dev")).ok()?;
        Path::new(&node).exists().then(|| (node, number.trim().to_owned()))
    })
}

#[test]
fn block_devices_are_limited_one_by_one() {
    needs_root!();
    let engine = TestEngine::new();
    let Some((node, number)) = block_device() else {
        eprintln!("LEFT OUT: this machine has no block device with a node");
        return;
    };
    let (bytes, count) = (format!("{node}:1mb"), format!("{node}:50"));
    #[rustfmt::skip]
    engine.ok(&[
        "run", "-d", "--name", "web", "--device-read-bps", &bytes, "--device-write-iops", &count,
        "host", "sleep", "1000",
    ]);
    let read = limit(&engine, "blkio.throttle.read_bps_device", "io.max");
    let written = limit(&engine, "blkio.throttle.write_iops_device", "io.max");
    let all = "rbps=1048576 wbps=max riops=max wiops=50";
    let expected = if is_v2() { [all, all] } else { ["1048576", "50"] };
    assert_eq!([read, written], expected.map(|value| format!("{number} {value}")));
    let config =
        "{{json .HostConfig.BlkioDeviceReadBps}} {{json .HostConfig.BlkioDeviceWriteIOps}}";
    let path = format!(r#"{{"Path":"{node}","Rate":"#);
    assert_eq!(engine.get("web", config), format!("[{path}1048576}}] [{path}50}}]"));
    assert_eq!(engine.get("web", "{{json .HostConfig.BlkioWeightDevice}}"), "[]");
}

#[test]
fn want_of_memory_is_noticed() {
    needs_root!();
    let engine = TestEngine::new();
    // Its text doubles until there is no room.
    let greedy = ["host", "sh", "-c", "x=a; while :; do x=$x$x; done"];
    let mut arguments = vec!["run", "--name", "web", "-m", "16m", "--memory-swap", "16m"];
    arguments.extend(greedy);
    assert_eq!(engine.run(&arguments).code, 137);
    assert_eq!(engine.get("web", "{{.State.OOMKilled}} {{.State.ExitCode}}"), "true 137");
    assert_eq!(engine.script(r#"print(container("web").oom_killed)"#), "true");
}

#[test]
fn limits_of_processes_and_shm_are_seen_inside() {
    needs_root!();
    let engine = TestEngine::new();
    let look = "ulimit -n; ulimit -Hn; df -k /dev/shm | tail -1; cat /proc/self/oom_score_adj";
    let out = engine.ok(&[
        "run",
        "--rm",
        "--ulimit",
        "nofile=100:200",
        "--shm-size",
        "1m",
        "--oom-score-adj",
        "500",
        "host",
        "sh",
        "-c",
        look,
    ]);
    let words: Vec<_> = out.split_whitespace().collect();
    assert_eq!((words[0], words[1], words[3], words[8]), ("100", "200", "1024", "500"), "{out}");
    let script = r#"
        let c = run("host", "sh -c 'ulimit -n; ulimit -Hn'", #{ ulimits: #{ nofile: "50:60" },
            memory: "32m", cpus: 0.5, pids: 10, shm_size: 1048576, restart: "no" });
        c.wait();
        print(c.logs());
    "#;
    assert_eq!(engine.script(script), "50\n60");
}

#[test]
fn stats_have_dockers_columns_and_numbers() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "busy",
        "-m",
        "64m",
        "host",
        "sh",
        "-c",
        "while :; do :; done",
    ]);
    engine.ok(&["create", "--name", "idle", "host", "true"]);
    let table = engine.ok(&["stats", "--no-stream"]);
    let heading = table.lines().next().unwrap().split_whitespace().collect::<Vec<_>>().join(" ");
    let expected = "CONTAINER ID NAME CPU % MEM USAGE / LIMIT MEM % NET I/O BLOCK I/O PIDS";
    assert_eq!(heading, expected);
    assert_eq!(table.lines().count(), 2, "only what runs: {table}");
    let all = engine.ok(&["stats", "--no-stream", "-a", "--format", "{{.Name}} {{.PIDs}}"]);
    assert_eq!(all, "idle 0\nbusy 1");
    let line = engine.ok(&["stats", "--no-stream", "--format", "{{json .}}", "busy"]);
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line["MemUsage"].as_str().unwrap().ends_with(" / 64MiB"), "{line}");
    let busy = || {
        let percent = engine.script(r#"let s = stats("busy"); print(s.cpu); "#);
        percent.parse::<f64>().unwrap() > 5.0
    };
    assert!(wait_until(TIMEOUT, busy), "it computes all the time");
    let script = r#"let s = stats("busy"); print(s.memory > 0 && s.memory_limit == 67108864)"#;
    assert_eq!(engine.script(script), "true");
    assert!(engine.fails(&["stats", "--no-stream", "none"], 1).contains("no such container"));
}

#[test]
fn what_cannot_be_limited_is_refused_and_nothing_is_left() {
    needs_root!();
    let engine = TestEngine::new();
    let table: &[(&[&str], i32, &str)] = &[
        (&["-m", "1m"], 1, "Minimum memory limit allowed is 6MB"),
        (&["-m", "-5"], 125, "invalid size"),
        (&["-m", "99999999999g"], 125, "invalid size"),
        (&["-m", "32m", "--memory-swap", "16m"], 1, "larger than memory limit"),
        (&["--cpus", "9999"], 1, "Range of CPUs is from 0.01 to"),
        (&["--cpus", "-1"], 1, "invalid number of processors"),
        (&["--cpuset-cpus", "4000"], 1, "Requested CPUs are not available"),
        (&["--cpuset-cpus", "x"], 1, "Invalid value x for cpuset cpus"),
        (&["--pids-limit", "-7"], 1, "negative"),
        (&["--blkio-weight", "5"], 1, "from 10 to 1000"),
        (&["--device-read-bps", "vda:1mb"], 125, "bad format for device path: vda:1mb"),
        (&["--device-write-bps", "/dev/x:-1"], 125, "Unit is optional and can be kb, mb, or gb"),
        (&["--device-read-iops", "/dev/x:1mb"], 125, "<device-path>:<number>. Number must be"),
        (&["--blkio-weight-device", "/dev/x:9"], 125, "invalid weight for device: /dev/x:9"),
        (&["--device-write-iops", "/dev/null:5"], 1, "`/dev/null` is not a block device"),
        (&["--device-read-bps", "/dev/nope:5"], 1, "look up device `/dev/nope`"),
        (&["--ulimit", "files=5"], 125, "invalid ulimit type: files"),
        (&["--oom-score-adj", "2000"], 1, "[-1000, 1000]"),
        (&["--restart", "sometimes"], 1, "unknown policy"),
        (&["--restart", "always", "--rm"], 1, "cannot specify both --restart and --rm"),
        (&["--log-opt", "max-size=0"], 1, "a positive number"),
        (&["--log-opt", "labelz=x"], 1, "unknown log opt 'labelz'"),
    ];
    for (flags, code, part) in table {
        let arguments = [&["create"], *flags, &["host", "true"]].concat();
        let error = engine.fails(&arguments, *code);
        assert!(error.contains(part), "{flags:?}: {error}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    engine.ok(&["create", "--name", "web", "-m", "64m", "host", "true"]);
    for flags in [["-m", "1m"], ["--cpus", "9999"], ["--memory-swap", "8m"]] {
        engine.fails(&["update", flags[0], flags[1], "web"], 1);
    }
    assert_eq!(engine.get("web", "{{.HostConfig.Memory}}"), "67108864", "all stays as it was");
    assert!(engine.fails(&["update", "web"], 1).contains("one or more flags"));
}

#[test]
fn what_a_container_uses_is_told_until_it_ends() {
    needs_root!();
    let engine = TestEngine::new();
    let said = engine.script(
        r#"
        let busy = run("host", ["sh", "-c", "while :; do :; done"], #{ name: "busy" });
        let seen = [];
        for s in stats("busy", #{ follow: true, interval: "50ms", timeout: "60s" }) {
            seen.push(s);
            if seen.len == 5 { break; }
        }
        print(seen[0].keys() == stats("busy").keys() && stats("busy", #{}).keys() == seen[0].keys());
        print(seen[4].cpu_time > seen[0].cpu_time && seen.all(|s| s.pids == 1 && s.memory > 0));
        let calls = 0;
        print(stats(busy, #{ interval: 0.02 }, |s| { calls += 1; this.id.len() == 64 && calls < 3 }) == busy);
        print(calls);
        try { for s in stats(busy, #{ follow: true, interval: 60, timeout: "300ms" }) { s; } }
        catch (e) { print(e.kind); }
        // Each way to end ends it, without waiting for the next sample.
        let began = timestamp();
        for act in [|| busy.pause().kill(), || busy.stop(0), || busy.rm(#{ force: true })] {
            if busy.status == "exited" { busy.start(); }
            let samples = 0;
            parallel([
                || stats(busy, #{ interval: 60 }, |s| samples += 1),
                || { while samples == 0 { sleep(0.01); } act.call(); },
            ]);
            print(samples);
        }
        print(began.elapsed < 30.0);
        try { stats(busy, #{ follow: true }); } catch (e) { print(e.kind); }
        for s in stats(create("host"), #{ follow: true }) { print(s); }
        try { stats(busy, #{ interval: 0 }) } catch (e) { print(e.message); }
        "#,
    );
    let expected = "true\ntrue\ntrue\n3\ntimeout\n1\n1\n1\ntrue\nnot_found\n\
                    stats(): option `interval`: expected at least 10 ms, got 0 ms";
    assert_eq!(said, expected);
}

#[test]
fn what_a_container_uses_is_told_beyond_its_restarts() {
    needs_root!();
    let engine = TestEngine::new();
    let said = engine.script(
        r#"
        let c = run("host", ["sh", "-c", "sleep 0.2; exit 1"], #{ restart: "on-failure:2" });
        let samples = 0;
        stats(c, #{ interval: "50ms", timeout: "60s" }, |s| { samples += 1; });
        print([c.restart_count, samples > 0, c.status]);
        "#,
    );
    assert_eq!(said, r#"[2, true, "exited"]"#);
}

#[test]
fn a_container_gets_its_cgroup_below_the_parent_that_was_requested() {
    needs_root!();
    let engine = TestEngine::new();
    let parent = format!("{}/batch/night", engine.cgroup_parent());
    let flag = format!("--cgroup-parent=/{parent}/");
    let id = engine.ok(&["run", "-d", "--name", "own", &flag, "-m", "64m", "host", "sleep", "99"]);
    let pid = engine.ok(&["inspect", "-f", "{{.State.Pid}}", "own"]);
    let of = |pid: &str| {
        let text = std::fs::read_to_string(format!("/proc/{}/cgroup", pid.trim())).unwrap();
        let path = |line: &str| line.splitn(3, ':').nth(2).unwrap().trim().to_owned();
        text.lines().map(path).filter(|path| path != "/").collect::<Vec<_>>()
    };
    let paths = of(&pid);
    assert!(!paths.is_empty());
    assert!(paths.iter().all(|path| *path == format!("/{parent}/{}", id.trim())), "{paths:?}");
    let shown = engine.ok(&["inspect", "-f", "{{.HostConfig.CgroupParent}}", "own"]);
    assert_eq!(shown.trim(), format!("/{parent}"));
    let verbs: [&[&str]; 6] = [
        &["exec", "own", "true"],
        &["pause", "own"],
        &["unpause", "own"],
        &["update", "-m", "80m", "own"],
        &["stats", "--no-stream", "own"],
        &["restart", "-t", "0", "own"],
    ];
    verbs.iter().for_each(|verb| drop(engine.ok(verb)));
    let text = engine.ok(&["-e", "print(docker(\"own\"))"]);
    assert!(text.contains(&format!("--cgroup-parent /{parent}")), "{text}");
    engine.ok(&["rm", "-f", "own"]);
    let hierarchies =
        std::fs::read_dir("/sys/fs/cgroup").unwrap().map(|entry| entry.unwrap().path());
    for hierarchy in hierarchies.chain([Path::new("/sys/fs/cgroup").to_owned()]) {
        let night = hierarchy.join(&parent);
        if night.exists() {
            assert!(!night.join(id.trim()).exists(), "{}", night.display());
            std::fs::remove_dir(&night).unwrap();
            std::fs::remove_dir(night.parent().unwrap()).unwrap();
        }
    }
    for bad in ["/", "..", "a/../../b", "a\nb"] {
        let said = engine.fails(&["create", &format!("--cgroup-parent={bad}"), "host"], 1);
        assert!(said.contains("for \"--cgroup-parent\" flag: invalid cgroup path"), "{said}");
    }
}
