//! What the probe finds inside of a container, compared with the tables of the specification.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::harness::{LIFEBOX, TestEngine};
use crate::user::User;
use crate::{needs_root, needs_users};

/// What the probe says in a container that is made with `words`.
#[track_caller]
pub fn probe(engine: &TestEngine, words: &[&str], arguments: &[&str]) -> Value {
    let tail = [&["--entrypoint", "/lifebox-runtimetest", "hundredcounter"], arguments].concat();
    let id = engine.ok(&[&["create"], words, &tail].concat());
    let upper = engine.root().join("containers").join(&id).join("upper/lifebox-runtimetest");
    std::fs::copy(LIFEBOX, upper).unwrap();
    let found = engine.ok(&["start", "-a", &id]);
    engine.ok(&["rm", &id]);
    serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"))
}

fn text<'a>(found: &'a Value, pointer: &str) -> &'a str {
    found.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

#[test]
fn ids_rights_limits_and_the_rest_are_as_the_tables_say() {
    needs_root!();
    let engine = TestEngine::new();
    let found = probe(&engine, &["--name", "probed", "-h", "inner", "-w", "/"], &[]);
    check_process(&found, &["user", "time", "time_for_children"]);
}

/// Compares a process of a container called `inner` with the tables; `shared` are the namespaces
/// that it has of the host.
#[track_caller]
pub fn check_process(found: &Value, shared: &[&str]) {
    for (field, value) in [
        ("Uid", "0\t0\t0\t0"),
        ("Gid", "0\t0\t0\t0"),
        ("Groups", "0"),
        ("Pid", "1"),
        ("NSsid", "1"),
        ("Umask", "0022"),
        ("CapInh", "0000000000000000"),
        ("CapPrm", "00000000800405fb"),
        ("CapEff", "00000000800405fb"),
        ("CapBnd", "00000000800405fb"),
        ("CapAmb", "0000000000000000"),
        ("NoNewPrivs", "0"),
        ("Seccomp", "2"),
        ("Seccomp_filters", "1"),
        ("SigBlk", "0000000000000000"),
        // Bit 12, SIGPIPE, is the probe's own doing.
        ("SigIgn", "0000000000001000"),
        ("TracerPid", "0"),
    ] {
        assert_eq!(text(found, &format!("/status/{field}")), value, "{field}");
    }
    assert_eq!(text(found, "/oom_score_adj"), "0");
    assert_eq!(text(found, "/cwd"), "/");
    assert_eq!(found["keys"], 0, "/proc/keys is masked");
    assert_eq!(found["limits"]["Max core file size"][0], "0");
    assert_eq!(found["limits"]["Max open files"][0], "1024");
    let fds: Vec<&str> = found["fds"].as_object().unwrap().keys().map(String::as_str).collect();
    // The probe itself has number 3 open on the directory.
    assert_eq!(fds, ["0", "1", "2", "3"], "{}", found["fds"]);
    for (kind, link) in found["namespaces"].as_object().unwrap() {
        let ours = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        let shared = shared.contains(&kind.as_str());
        assert_eq!(link.as_str().unwrap() == ours.to_string_lossy(), shared, "{kind}");
    }
    let env = found["env"].as_object().unwrap();
    assert_eq!(env["HOSTNAME"], "inner");
    assert!(!env.keys().any(|key| key.contains("LIFEBOX")), "{env:?}");
}

#[test]
fn mounts_are_those_of_the_table_and_no_others() {
    needs_root!();
    let engine = TestEngine::new();
    let found = probe(&engine, &[], &[]);
    check_mounts(&found, &[]);
}

/// Compares the mounts of a container with the table; `devices` are shown and not made.
#[track_caller]
pub fn check_mounts(found: &Value, devices: &[&str]) {
    let mut mounts = BTreeMap::new();
    for mount in found["mounts"].as_array().unwrap() {
        assert_eq!(mount["propagation"], serde_json::json!([]), "{mount}");
        mounts.insert(text(mount, "/point").to_owned(), mount.clone());
    }
    for (point, kind, options) in [
        ("/", "overlay", "rw,nodev,relatime"),
        ("/proc", "proc", "rw,nosuid,nodev,noexec,relatime"),
        ("/dev", "tmpfs", "rw,nosuid"),
        ("/dev/pts", "devpts", "rw,nosuid,noexec,relatime"),
        ("/dev/shm", "tmpfs", "rw,nosuid,nodev,noexec,relatime"),
        ("/dev/mqueue", "mqueue", "rw,nosuid,nodev,noexec,relatime"),
        ("/sys", "sysfs", "ro,nosuid,nodev,noexec,relatime"),
    ] {
        let mount = mounts.remove(point).unwrap_or_else(|| panic!("{point} is not mounted"));
        // A copied root is a directory of the host's file system.
        let copied = point == "/" && text(&mount, "/root").ends_with("/rootfs");
        assert!(copied || text(&mount, "/type") == kind, "{point}: {mount}");
        assert_eq!(text(&mount, "/options"), options, "{point}");
    }
    for device in devices {
        let mount = mounts.remove(&format!("/dev/{device}")).unwrap();
        assert_eq!(text(&mount, "/root"), format!("/{device}"), "{mount}");
        assert!(text(&mount, "/options").starts_with("rw,nosuid,noexec"), "{mount}");
    }
    for (point, mount) in mounts {
        let options = text(&mount, "/options");
        let readonly = options.starts_with("ro,nosuid,nodev,noexec");
        let device = options.contains("nosuid") && text(&mount, "/root") == "/null";
        let expected = match point.as_str() {
            "/etc/hosts" | "/etc/hostname" | "/etc/resolv.conf" => {
                options.starts_with("rw,nosuid,nodev,noexec")
            }
            _ if point.starts_with("/sys/fs/cgroup") => readonly,
            _ if point.starts_with("/proc/") || point.starts_with("/sys/") => readonly || device,
            _ => false,
        };
        assert!(expected, "{point}: {mount}");
    }
}

/// The numbers of this machine's architecture, by name.
fn numbers() -> BTreeMap<String, String> {
    let table = include_str!("../../src/runtime/seccomp/numbers.tsv");
    let column = if cfg!(target_arch = "aarch64") { 3 } else { 1 };
    let row = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        (fields[0].to_owned(), fields[column].to_owned())
    };
    table.lines().map(row).filter(|(_, number)| number != "-").collect()
}

/// The names that the profile allows whatever their arguments, with these capabilities.
fn allowed(capabilities: &[&str]) -> Vec<String> {
    let text = include_str!("../../src/runtime/seccomp/default.json");
    let profile: Value = serde_json::from_str(text).unwrap();
    let arch = if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" };
    let holds = |rule: &&Value| {
        let caps = rule["includes"]["caps"].as_array();
        let arches = rule["includes"]["arches"].as_array();
        rule["action"] == "SCMP_ACT_ALLOW"
            && rule.get("args").is_none()
            && caps.is_none_or(|caps| {
                caps.iter().all(|cap| capabilities.contains(&cap.as_str().unwrap()))
            })
            && arches.is_none_or(|arches| arches.iter().any(|known| known == arch))
    };
    let rules = profile["syscalls"].as_array().unwrap().iter().filter(holds);
    let names = rules.flat_map(|rule| rule["names"].as_array().unwrap().clone());
    names.map(|name| name.as_str().unwrap().to_owned()).collect()
}

/// Tries all calls with and without the filter: what is allowed ends as it does without.
#[track_caller]
fn check_calls(
    words: &[&str],
    capabilities: &[&str],
    open: usize,
    try_all: &dyn Fn(&[&str]) -> Value,
) {
    let found = try_all(words);
    let without = [words, &["--security-opt", "seccomp=unconfined"]].concat();
    let free = try_all(&without);
    let (numbers, allowed) = (numbers(), allowed(capabilities));
    let names: BTreeMap<&String, &String> = numbers.iter().map(|(name, n)| (n, name)).collect();
    let mut passed = 0;
    for (number, outcome) in found.as_object().unwrap() {
        let name = names.get(number).map_or("unknown", |name| name.as_str());
        let is_open = allowed.iter().any(|known| known == name);
        let expected = match name {
            _ if is_open => free[number].clone(),
            // The kernel lets its own trampolines pass by every filter: uprobe and uretprobe.
            _ if ["335", "336"].contains(&number.as_str()) => free[number].clone(),
            "unknown" | "clone3" | "open_tree_attr" | "file_getattr" | "file_setattr" => 38.into(),
            _ => 1.into(),
        };
        passed += usize::from(is_open);
        // What syncs takes as long as there is unwritten data: a call that blocks was let in.
        if is_open && name == "sync" && [outcome, &free[number]].contains(&&Value::from("waits")) {
            continue;
        }
        // It repeats what a signal has interrupted before: EINTR, or the error of that. Both mean
        // that the filter let it in.
        let repeats = |outcome: &Value| [Value::from(4), 14.into()].contains(outcome);
        if name == "restart_syscall" && repeats(outcome) && repeats(&free[number]) {
            continue;
        }
        assert_eq!(*outcome, expected, "{name} ({number}), without the filter {}", free[number]);
    }
    if cfg!(target_arch = "x86_64") {
        assert_eq!(passed, open, "calls are allowed");
    }
}

#[test]
fn each_system_call_is_allowed_or_denied_as_the_profile_says() {
    needs_root!();
    // 292 that Linux 6.1 has, and 14 that came later.
    let engine = TestEngine::new();
    let try_all = |words: &[&str]| probe(&engine, words, &["calls"]);
    check_calls(&[], &["CAP_SYS_CHROOT"], 306, &try_all);
}

#[test]
fn ordinary_users_have_the_system_calls_of_the_profile() {
    needs_users!("ordinary_users_have_the_system_calls_of_the_profile");
    for (name, subordinate_ids) in [("calls", true), ("call", false)] {
        let user = User::new(name, subordinate_ids);
        let try_all = |words: &[&str]| {
            let found = user.ok(&format!(
                "lifebox create --name probed {} --entrypoint /lifebox-runtimetest host calls >&2; \
                 lifebox cp $(command -v lifebox) probed:/lifebox-runtimetest >&2; \
                 lifebox start -a probed; lifebox rm probed >&2",
                words.join(" ")
            ));
            serde_json::from_str(&found).unwrap_or_else(|error| panic!("{error}: {found}"))
        };
        check_calls(&[], &["CAP_SYS_CHROOT"], 306, &try_all);
    }
}

#[test]
fn a_capability_opens_the_system_calls_that_need_it() {
    needs_root!();
    let words = ["--cap-drop", "SYS_CHROOT", "--cap-add", "SYS_ADMIN", "--cap-add", "SYS_TIME"];
    let engine = TestEngine::new();
    let try_all = |words: &[&str]| probe(&engine, words, &["calls"]);
    check_calls(&words, &["CAP_SYS_ADMIN", "CAP_SYS_TIME"], 332, &try_all);
}

#[test]
fn arguments_decide_where_the_profile_says_so() {
    needs_root!();
    let engine = TestEngine::new();
    let numbers = numbers();
    for (name, arguments, expected) in [
        ("socket", &["2", "1", "0"][..], 0),
        ("socket", &["1", "1", "0"], 0),
        // AF_ALG and AF_VSOCK, and the same in the low half of a larger number.
        ("socket", &["38", "5", "0"], 1),
        ("socket", &["40", "1", "0"], 1),
        ("socket", &["4294967334", "5", "0"], 1),
        ("personality", &["0"], 0),
        ("personality", &["4294967295"], 0),
        // ADDR_NO_RANDOMIZE
        ("personality", &["262144"], 1),
        // CLONE_NEWUSER and CLONE_NEWNS
        ("clone", &["268435456", "0"], 1),
        ("clone", &["131072", "0"], 1),
        ("clone", &["17", "0"], 0),
        ("clone3", &["0", "0"], 38),
    ] {
        let words = [&["call", numbers[name].as_str()], arguments].concat();
        assert_eq!(probe(&engine, &[], &words), expected, "{name} {arguments:?}");
    }
}
