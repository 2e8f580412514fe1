//! Capabilities, privileges, a read-only root, devices and groups, asked from the inside.

use crate::harness::{CommandOutput, TestEngine};
use crate::needs_root;

const STATUS: [&str; 3] = ["host", "cat", "/proc/self/status"];

/// The bits of a capability set of a container that is run with these words.
fn set(engine: &TestEngine, name: &str, words: &[&str]) -> u64 {
    let status = engine.ok(&[&["run", "--rm"], words, &STATUS].concat());
    let line = status.lines().find(|line| line.starts_with(&format!("{name}:"))).unwrap();
    u64::from_str_radix(line.split_once(':').unwrap().1.trim(), 16).unwrap()
}

/// What a shell inside prints, in a container that is run with these words.
#[track_caller]
fn inside(engine: &TestEngine, words: &[&str], program: &str) -> String {
    engine.ok(&[&["run", "--rm"], words, &["host", "sh", "-c", program]].concat())
}

#[track_caller]
fn refused(engine: &TestEngine, words: &[&str], reason: &str) {
    let CommandOutput { code, err, .. } =
        engine.run(&[&["run", "--rm"], words, &["host", "true"]].concat());
    assert!(code == 125 || code == 126, "{words:?}: {code} {err}");
    assert!(err.contains(reason), "{words:?}: {err}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "nothing half-made remains");
}

#[test]
fn capabilities_are_added_and_dropped() {
    needs_root!();
    let engine = TestEngine::new();
    let default = set(&engine, "CapBnd", &[]);
    assert_eq!(set(&engine, "CapEff", &["--cap-drop", "chown"]), default & !1);
    assert_eq!(set(&engine, "CapBnd", &["--cap-add", "cap_net_admin"]), default | 1 << 12);
    for name in ["CapEff", "CapPrm", "CapBnd"] {
        assert_eq!(set(&engine, name, &["--cap-drop=ALL"]), 0, "{name}");
        let few = ["--cap-drop=all", "--cap-add=KILL", "--cap-add", "SYS_TIME"];
        assert_eq!(set(&engine, name, &few), 1 << 5 | 1 << 25, "{name}");
    }
    for name in ["CapInh", "CapAmb"] {
        assert_eq!(set(&engine, name, &["--cap-add", "NET_ADMIN"]), 0, "{name} of root");
    }
}

/// Where AppArmor is enabled, as in tests/vm, profiles are tried there.
#[test]
fn profiles_and_labels_are_refused_where_no_module_knows_them() {
    needs_root!();
    let engine = TestEngine::new();
    let there = |path: &str| std::path::Path::new(path).exists();
    let apparmor = there("/sys/kernel/security/apparmor");
    let why = if apparmor { "is not loaded" } else { "AppArmor is not enabled on the host" };
    refused(&engine, &["--security-opt", "apparmor=lifebox-test-none"], why);
    inside(&engine, &["--security-opt", "apparmor=unconfined"], "true");
    inside(&engine, &["--security-opt", "label=disable"], "true");
    refused(&engine, &["--security-opt", "label=colour:red"], "invalid label option");
    let selinux = there("/sys/fs/selinux/enforce");
    if !selinux {
        let why = "SELinux is not enabled on the host";
        refused(&engine, &["--security-opt", "label=type:web_t"], why);
    }
    let shown = engine.ok(&["info"]);
    assert_eq!(shown.contains(" apparmor: not available"), !apparmor, "{shown}");
    assert_eq!(shown.contains(" selinux: not available"), !selinux, "{shown}");
    let fields = engine.ok(&["info", "--format", "{{json .SecurityOptions}}"]);
    assert!(fields.contains("name=seccomp,profile=builtin"), "{fields}");
    assert!(fields.contains("name=cgroupns"), "{fields}");
}

#[test]
fn a_user_who_is_not_root_has_what_was_added_and_no_more() {
    needs_root!();
    let engine = TestEngine::new();
    for name in ["CapEff", "CapPrm", "CapInh", "CapAmb"] {
        assert_eq!(set(&engine, name, &["-u", "1000", "--cap-add", "NET_RAW"]), 1 << 13, "{name}");
        assert_eq!(set(&engine, name, &["-u", "1000", "--privileged"]), 0, "{name}");
    }
}

#[test]
fn a_privileged_container_has_all_that_lifebox_has() {
    needs_root!();
    let engine = TestEngine::new();
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    let ours = ours.lines().find_map(|line| line.strip_prefix("CapBnd:")).unwrap().trim();
    let all = set(&engine, "CapEff", &["--privileged"]);
    assert_eq!(all, u64::from_str_radix(ours, 16).unwrap());
    let program = "grep Seccomp: /proc/self/status; mount -t tmpfs none /dev/shm && echo mounted;
        grep ' /sys sysfs rw' /proc/self/mounts | wc -l; grep ' /proc/' /proc/self/mounts | wc -l;
        [ -c /dev/loop-control ] && : < /dev/loop-control && echo opened";
    let seen = inside(&engine, &["--privileged"], program);
    assert_eq!(seen, "Seccomp:\t0\nmounted\n1\n0\nopened");
}

#[test]
fn the_root_can_be_read_only() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "for f in /x /tmp/x /etc/hosts; do (echo > $f) 2>/dev/null && echo wrote $f; done
        echo > /dev/null; echo x > /dev/shm/x && cat /dev/shm/x; pwd";
    let seen = inside(&engine, &["--read-only", "-w", "/made/here"], program);
    assert_eq!(seen, "x\n/made/here");
    let ran = engine.run(&["run", "--rm", "--read-only", "host", "touch", "/x"]);
    assert!(ran.err.contains("Read-only file system"), "{}", ran.err);
}

#[test]
fn no_program_gains_rights_where_that_is_forbidden() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "grep NoNewPrivs /proc/self/status";
    for (option, value) in
        [("no-new-privileges", 1), ("no-new-privileges:true", 1), ("no-new-privileges=false", 0)]
    {
        let seen = inside(&engine, &["--security-opt", option], program);
        assert_eq!(seen, format!("NoNewPrivs:\t{value}"), "{option}");
    }
}

#[test]
fn groups_are_added_by_name_and_by_number() {
    needs_root!();
    let engine = TestEngine::new();
    let words = ["-u", "1000:1000", "--group-add", "77", "--group-add", "root"];
    assert_eq!(inside(&engine, &words, "id -G"), "1000 0 77");
    let ran = engine.run(&["run", "--rm", "--group-add", "nope", "host", "true"]);
    assert_eq!(ran.code, 125, "{}", ran.err);
    assert!(ran.err.contains("unable to find group of `nope`"), "{}", ran.err);
}

#[test]
fn a_device_is_shown_with_the_access_that_was_asked_for() {
    needs_root!();
    if !std::path::Path::new("/dev/loop-control").exists() {
        eprintln!("LEFT OUT: no /dev/loop-control here");
        return;
    }
    let engine = TestEngine::new();
    let words = ["--device", "/dev/loop-control:/dev/own/control:r"];
    let program = "[ -c /dev/own/control ] && : < /dev/own/control && echo read
        (: > /dev/own/control) 2>/dev/null || echo no write; [ -e /dev/loop-control ] || echo gone";
    assert_eq!(inside(&engine, &words, program), "read\nno write\ngone");
    engine.ok(&["create", "--name", "dev", "--device", "/dev/loop-control", "host", "true"]);
    let shown = engine.ok(&["inspect", "-f", "{{json .HostConfig.Devices}}", "dev"]);
    let expected = concat!(
        r#"[{"PathOnHost":"/dev/loop-control","PathInContainer":"/dev/loop-control","#,
        r#""CgroupPermissions":"rwm"}]"#
    );
    assert_eq!(shown, expected);
}

#[test]
fn what_was_asked_for_is_shown_by_inspect() {
    needs_root!();
    let engine = TestEngine::new();
    let script = r#"
        let c = create("host", #{ cmd: "true", cap_add: ["net_admin"], cap_drop: "all",
            read_only: true, security: ["no-new-privileges"], group_add: [44, "video"] });
        let host = c.inspect().HostConfig;
        print(`${host.CapAdd} ${host.CapDrop} ${host.ReadonlyRootfs} ${host.SecurityOpt} ${host.GroupAdd} ${host.Privileged}`);
        let p = create("host", #{ cmd: "true", privileged: true });
        print(`${p.inspect().HostConfig.Privileged} ${p.inspect().HostConfig.MaskedPaths}`);
    "#;
    let expected = "[\"CAP_NET_ADMIN\"] [\"ALL\"] true [\"no-new-privileges\"] [\"44\", \"video\"] false\ntrue ";
    assert_eq!(engine.ok(&["-e", script]), expected.trim_end());
}

#[test]
fn what_cannot_be_had_is_refused_with_a_way_out() {
    needs_root!();
    let engine = TestEngine::new();
    for (words, reason) in [
        (&["--cap-add", "SYS_ADMN"][..], "did you mean `SYS_ADMIN`?"),
        (&["--cap-drop", "everything"], "unknown capability `everything`"),
        (&["--cap-add", "KILL", "--cap-drop", "kill"], "both added and dropped"),
        (&["--device", "/dev/nope"], "`/dev/nope`: no such file or directory"),
        (&["--device", "/etc/passwd:/dev/p"], "`/etc/passwd` is not a device"),
        (&["--device", "/dev/null:/etc/null"], "must be below /dev"),
        (&["--device", "null"], "must be absolute"),
        (&["--security-opt", "seccomp="], "flag: unknown security option"),
        (&["--security-opt", "nope"], "flag: unknown security option"),
        (&["--security-opt", "apparmor="], "flag: unknown security option"),
    ] {
        refused(&engine, words, reason);
    }
}

#[test]
fn a_profile_of_the_users_replaces_the_default_one() {
    needs_root!();
    let engine = TestEngine::new();
    let path = engine.root().join("profile.json");
    let option = format!("seccomp={}", path.display());
    let write = |text: &str| std::fs::write(&path, text).unwrap();
    let rule = r#"{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":30}"#;
    write(&format!(r#"{{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{rule}]}}"#));
    let ran =
        engine.run(&["run", "--name", "own", "--security-opt", &option, "host", "mkdir", "/x"]);
    assert!(ran.code == 1 && ran.err.contains("Read-only file system"), "{ran:?}");
    // The container keeps what it was made with.
    std::fs::remove_file(&path).unwrap();
    assert_eq!(engine.run(&["start", "-a", "own"]).code, 1);
    let shown = engine.ok(&["inspect", "-f", "{{json .HostConfig.SecurityOpt}}", "own"]);
    assert!(shown.starts_with(r#"["seccomp={\"defaultAction\""#), "{shown}");
    engine.ok(&["rm", "own"]);
    for (text, reason) in [
        ("nothing", "decoding seccomp profile failed"),
        (r#"{"defaultAction":"SCMP_ACT_NOPE"}"#, "invalid seccomp profile"),
        (r#"{"defaultAction":"SCMP_ACT_NOTIFY"}"#, "SCMP_ACT_NOTIFY is not supported"),
        (
            r#"{"defaultAction":"SCMP_ACT_ALLOW","architectures":[],"archMap":[]}"#,
            "both `architectures` and `archMap`",
        ),
    ] {
        write(text);
        refused(&engine, &["--security-opt", &option], reason);
    }
    refused(&engine, &["--security-opt", "seccomp=/no/such/file"], "no such file or directory");
    let unconfined = ["--security-opt", "seccomp=unconfined"];
    assert_eq!(inside(&engine, &unconfined, "grep Seccomp: /proc/self/status"), "Seccomp:\t0");
}
