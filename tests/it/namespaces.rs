//! What containers share with the host and with each other.

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

fn own(kind: &str) -> String {
    std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap().display().to_string()
}

#[track_caller]
fn inside(engine: &TestEngine, options: &[&str], program: &str) -> String {
    engine.ok(&[&["run", "--rm"], options, &["host", "sh", "-c", program]].concat())
}

#[test]
fn host_modes_share_one_namespace_and_no_other() {
    needs_root!();
    let engine = TestEngine::new();
    let kinds = ["net", "ipc", "pid", "uts", "mnt", "cgroup"];
    for (option, shared) in
        [("--network", "net"), ("--ipc", "ipc"), ("--pid", "pid"), ("--uts", "uts")]
    {
        let said = inside(
            &engine,
            &[option, "host"],
            "for k in net ipc pid uts mnt cgroup; do readlink /proc/self/ns/$k; done",
        );
        for (kind, theirs) in kinds.into_iter().zip(said.lines()) {
            assert_eq!(theirs == own(kind), kind == shared, "{option}: {kind} {theirs}");
        }
    }
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    assert_eq!(
        inside(&engine, &["--uts", "host"], "hostname; cat /etc/hostname"),
        format!("{name}\n{name}")
    );
    assert_eq!(inside(&engine, &["--network", "host"], "hostname"), name);
    let hosts = std::fs::read_to_string("/etc/hosts").unwrap();
    assert_eq!(inside(&engine, &["--net=host"], "cat /etc/hosts"), hosts.trim_end());
}

#[test]
fn in_the_hosts_cgroup_namespace_paths_are_the_hosts() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "--cgroupns", "host", "host", "sleep", "1000"]);
    let id = engine.get("web", "{{.Id}}");
    let own = |words: &[&str]| engine.ok(&[&["exec"], words].concat());
    assert!(own(&["web", "cat", "/proc/self/cgroup"]).contains(&id));
    assert_eq!(own(&["web", "readlink", "/proc/self/ns/cgroup"]), self::own("cgroup"));
    let look = "cd /sys/fs/cgroup; find . -name cgroup.procs | xargs grep -l -w 1 | wc -l; \
                touch cgroup.procs pids/tasks";
    let ran = engine.run(&["exec", "web", "sh", "-c", look]);
    assert!(ran.code != 0 && ran.err.contains("Read-only file system"), "{ran:?}");
    assert!(ran.out.trim().parse::<u32>().unwrap() > 0, "{ran:?}");
    engine.ok(&["run", "-d", "--name", "own", "host", "sleep", "1000"]);
    assert!(!own(&["own", "cat", "/proc/self/cgroup"]).contains(&engine.get("own", "{{.Id}}")));
}

#[test]
fn containers_share_a_network_with_its_names() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "run",
        "-d",
        "--name",
        "pod",
        "-h",
        "podhost",
        "--add-host",
        "db:10.0.0.7",
        "--dns",
        "10.9.8.7",
        "--dns-search",
        "example.org",
        "host",
        "sleep",
        "1000",
    ]);
    let ns = "readlink /proc/self/ns/net; hostname; cat /etc/hosts /etc/resolv.conf";
    let said = inside(&engine, &["--network", "container:pod"], ns);
    let theirs = std::fs::read_link(format!("/proc/{}/ns/net", engine.pid("pod"))).unwrap();
    assert!(said.starts_with(&format!("{}\npodhost\n127.0.0.1", theirs.display())), "{said}");
    for part in ["10.0.0.7\tdb", "nameserver 10.9.8.7", "search example.org"] {
        assert!(said.contains(part), "{said}");
    }
    let conflict = engine.fails(&["create", "--network", "container:pod", "-h", "x", "host"], 1);
    assert!(conflict.contains("conflicting options: hostname and the network mode"), "{conflict}");
    engine.ok(&["create", "--name", "late", "--network", "container:pod", "host", "true"]);
    let id = engine.get("pod", "{{.Id}}");
    assert_eq!(engine.get("late", "{{.HostConfig.NetworkMode}}"), format!("container:{id}"));
    engine.ok(&["kill", "pod"]);
    let refused = engine.fails(&["start", "late"], 1);
    assert!(refused.contains("cannot join network of a non running container"), "{refused}");
    assert_eq!(engine.status("late"), "created");
    engine.ok(&["start", "pod"]);
    engine.ok(&["start", "-a", "late"]);
    engine.ok(&["rm", "-f", "pod"]);
    assert!(engine.fails(&["start", "late"], 1).contains("is joined was removed"));
    assert!(
        engine
            .fails(&["create", "--network", "container:none", "host"], 1)
            .contains("no such container")
    );
}

#[test]
fn containers_share_memory_only_where_it_is_allowed() {
    needs_root!();
    let engine = TestEngine::new();
    let donor = |name: &str, mode: &str| {
        engine.ok(&[
            "run",
            "-d",
            "--name",
            name,
            "--ipc",
            mode,
            "host",
            "sh",
            "-c",
            "echo shared >/dev/shm/x; echo ready; exec sleep 1000",
        ]);
        engine.wrote(name, "ready");
    };
    donor("open", "shareable");
    donor("closed", "private");
    let look = "readlink /proc/self/ns/ipc; cat /dev/shm/x; echo back >/dev/shm/y; ls / | grep -c tmp; pwd";
    let said = inside(&engine, &["--ipc", "container:open"], look);
    let theirs = std::fs::read_link(format!("/proc/{}/ns/ipc", engine.pid("open"))).unwrap();
    assert_eq!(said, format!("{}\nshared\n1\n/", theirs.display()));
    assert_eq!(
        std::fs::read_to_string(format!("/proc/{}/root/dev/shm/y", engine.pid("open"))).unwrap(),
        "back\n"
    );
    let refused = engine.fails(&["run", "--rm", "--ipc", "container:closed", "host", "true"], 125);
    assert!(refused.contains("non-shareable IPC"), "{refused}");
    let mark = format!("/dev/shm/lifebox-test-{}", std::process::id());
    std::fs::write(&mark, "of the host").unwrap();
    let said = inside(&engine, &["--ipc", "host"], &format!("cat {mark}"));
    std::fs::remove_file(&mark).unwrap();
    assert_eq!(said, "of the host");
}

#[test]
fn an_ipc_of_none_has_no_shared_memory() {
    needs_root!();
    let engine = TestEngine::new();
    let look = "ls -d /dev/shm 2>/dev/null || echo none; readlink /proc/self/ns/ipc";
    let said = inside(&engine, &["--ipc", "none"], look);
    assert!(said.starts_with("none\nipc:[") && !said.contains(&own("ipc")), "{said}");
    engine.ok(&["run", "-d", "--name", "bare", "--ipc", "none", "host", "sleep", "1000"]);
    assert_eq!(engine.get("bare", "{{.HostConfig.IpcMode}}"), "none");
    let refused = engine.fails(&["run", "--rm", "--ipc", "container:bare", "host", "true"], 125);
    assert!(refused.contains("non-shareable IPC"), "{refused}");
    let said =
        engine.script(r#"print(run("host", "ls -d /dev/shm", #{ ipc: "none" }).wait() != 0);"#);
    assert_eq!(said, "true");
}

/// R5: without a process namespace of its own, the kernel ends nobody with the first process.
#[test]
fn processes_of_the_host_are_seen_and_all_of_the_container_end_with_it() {
    needs_root!();
    let engine = TestEngine::new();
    let mark = format!("{}.5", 100_000 + std::process::id());
    let program = format!("setsid sleep {mark} & echo $$ started; wait");
    for (name, end) in [("killed", "kill"), ("stopped", "stop"), ("removed", "rm")] {
        engine.ok(&["run", "-d", "--name", name, "--pid", "host", "host", "sh", "-c", &program]);
        engine.wrote(name, "started");
        assert_eq!(engine.ok(&["logs", name]), format!("{} started", engine.pid(name)));
        let running = || {
            let all = std::fs::read_dir("/proc").unwrap().flatten();
            all.filter_map(|entry| std::fs::read_to_string(entry.path().join("cmdline")).ok())
                .any(|line| line.starts_with(&format!("sleep\0{mark}")))
        };
        assert!(wait_until(TIMEOUT, running), "{name}");
        match end {
            "kill" => engine.ok(&["kill", name]),
            "stop" => engine.ok(&["stop", "-t", "0", name]),
            _ => engine.ok(&["rm", "-f", name]),
        };
        assert!(!running(), "{name}");
    }
    assert_eq!(engine.get("killed", "{{.State.ExitCode}} {{.HostConfig.PidMode}}"), "137 host");
    engine.ok(&["run", "-d", "--name", "seen", "host", "sleep", "1000"]);
    let said = inside(
        &engine,
        &["--pid", "container:seen"],
        "cat /proc/1/cmdline | tr '\\0' ' '; readlink /proc/self/ns/pid",
    );
    let theirs = std::fs::read_link(format!("/proc/{}/ns/pid", engine.pid("seen"))).unwrap();
    assert_eq!(said, format!("sleep 1000 {}", theirs.display()));
}

#[test]
fn kernel_parameters_of_its_own_namespaces_are_set_and_others_refused() {
    needs_root!();
    let engine = TestEngine::new();
    let said = inside(
        &engine,
        &[
            "--sysctl",
            "net.ipv4.ip_forward=1",
            "--sysctl",
            "kernel.msgmax=4096",
            "--sysctl",
            "net.ipv4.ping_group_range=1 2",
            "--domainname",
            "example",
        ],
        "cd /proc/sys; cat net/ipv4/ip_forward kernel/msgmax kernel/domainname; cat net/ipv4/ping_group_range | tr '\\t' ' '",
    );
    assert_eq!(said, "1\n4096\nexample\n1 2");
    for (options, code, part) in [
        (&["--sysctl", "kernel.panic=1"][..], 125, "'kernel.panic' is not allowed"),
        (&["--sysctl", "net.x"], 125, "has no value"),
        (
            &["--network", "host", "--sysctl", "net.ipv4.ip_forward=1"],
            1,
            "has no private network namespace",
        ),
        (&["--uts", "host", "--hostname", "x1"], 1, "hostname and the UTS mode"),
        (&["--pid", "mine"], 125, "for \"--pid\" flag: invalid PID mode: mine"),
        (&["--add-host", "db"], 125, "bad format for add-host"),
        (&["--dns", "localhost"], 125, "invalid IP address"),
        (&["--network", "bridge"], 1, "`bridge` is not supported"),
    ] {
        let error = engine.fails(&[&["create"], options, &["host"]].concat(), code);
        assert!(error.contains(part), "{options:?}: {error}");
    }
    let error = engine.fails(&["run", "--rm", "--sysctl", "net.no.such=1", "host", "true"], 125);
    assert!(error.contains("no such file") && error.contains("/proc/sys/net/no/such"), "{error}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn scripts_share_namespaces() {
    needs_root!();
    let engine = TestEngine::new();
    let said = engine.script(
        r#"let pod = run("host", "sleep 1000", #{ ipc: "shareable", add_hosts: ["db:10.0.0.7"],
            sysctls: #{ "net.ipv4.ip_forward": 1 }, hostname: "pod" });
        let c = run("host", ["sh", "-c", "hostname; cat /proc/sys/net/ipv4/ip_forward"],
            #{ network: pod, ipc: pod, pid: `container:${pod.id}` });
        print(c.wait()); print(c.logs().text);
        print(inspect(c).HostConfig.PidMode == "container:" + pod.id);
        try { create("host", #{ network: "bridge" }); } catch (e) { print(e.kind); }
        c.rm(); pod.rm(#{ force: true });"#,
    );
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines, ["0", "pod", "1", "true", "unsupported"]);
}

#[test]
fn an_init_reaps_passes_signals_on_and_cannot_be_written() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "trap 'echo got; exit 7' TERM; (sh -c 'sleep 0.05 & echo orphan') ; echo $$ ready; while :; do sleep 0.05; done";
    engine.ok(&["run", "-d", "--name", "tended", "--init", "host", "sh", "-c", program]);
    engine.wrote("tended", "ready");
    assert!(!engine.ok(&["logs", "tended"]).contains("\n1 ready"));
    let pid = engine.pid("tended");
    let zombies = || {
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
        children.split_whitespace().count()
    };
    assert!(wait_until(TIMEOUT, || zombies() == 1));
    let exe = std::fs::metadata(format!("/proc/{pid}/exe")).unwrap();
    let own = std::fs::metadata(crate::harness::LIFEBOX).unwrap();
    use std::os::unix::fs::MetadataExt as _;
    assert_ne!((exe.dev(), exe.ino()), (own.dev(), own.ino()));
    engine.ok(&["stop", "tended"]);
    assert_eq!(
        engine.get("tended", "{{.State.ExitCode}} {{.HostConfig.Init}} {{.Path}}"),
        "7 true sh"
    );
    assert!(engine.ok(&["logs", "tended"]).ends_with("got"));
    let said = inside(
        &engine,
        &["--init"],
        "echo x >/proc/1/exe || echo no; echo x >/sbin/docker-init || echo no; tr '\\0' ' ' </proc/1/cmdline | cut -c1-20",
    );
    assert_eq!(said, "no\nno\n/sbin/docker-init --");
    assert_eq!(engine.run(&["run", "--rm", "--init", "host", "no-such"]).code, 127);
    assert_eq!(engine.run(&["run", "--rm", "--init", "host", "sh", "-c", "kill -9 $$"]).code, 137);
    assert_eq!(
        engine.script("print(run(\"host\", \"true\", #{ init: true, pid: \"host\" }).wait());"),
        "0"
    );
}
