//! What a program sees and may do inside a container, asked from the inside.

use crate::harness::{CommandOutput, TestEngine};
use crate::needs_root;

/// Podman's eleven: CHOWN 0, DAC_OVERRIDE 1, FOWNER 3, FSETID 4, KILL 5, SETGID 6, SETUID 7,
/// SETPCAP 8, NET_BIND_SERVICE 10, SYS_CHROOT 18, SETFCAP 31.
const CAPABILITIES: u64 = 1 << 31 | 1 << 18 | 0b101_1111_1011;

/// What a shell inside prints.
#[track_caller]
fn inside(engine: &TestEngine, program: &str) -> String {
    engine.ok(&["run", "--rm", "host", "sh", "-c", program])
}

/// Whether a shell inside fails at `program`, with the reason.
#[track_caller]
fn refused(engine: &TestEngine, program: &str, reason: &str) {
    let CommandOutput { code, out, err } =
        engine.run(&["run", "--rm", "host", "sh", "-c", program]);
    assert!(code != 0 && code < 125, "{program}: {code} {out}{err}");
    assert!(err.contains(reason), "{program}: {err}");
}

fn field<'a>(status: &'a str, name: &str) -> &'a str {
    let line = status.lines().find(|line| line.starts_with(&format!("{name}:")));
    line.unwrap().split_once(':').unwrap().1.trim()
}

#[test]
fn the_process_begins_with_eleven_capabilities_and_nothing_inherited() {
    needs_root!();
    let engine = TestEngine::new();
    // Run by a process that ignores and blocks signals, holds files and has a strict umask.
    let script = r#"trap "" HUP INT TERM USR1 PIPE; umask 077; exec 7</etc/passwd 9>/dev/null
        ulimit -c unlimited; exec "$0" run --rm host sh -c 'cat /proc/self/status /proc/self/limits; umask; cat /proc/self/oom_score_adj'"#;
    let mut command = std::process::Command::new("sh");
    let model = engine.command(&[]);
    command.args(["-c", script, crate::harness::LIFEBOX]);
    command.envs(model.get_envs().filter_map(|(key, value)| Some((key, value?))));
    let ran = CommandOutput::from(command.output().unwrap());
    assert_eq!(ran.code, 0, "{}", ran.err);
    let status = &ran.out;
    let bits = |name: &str| u64::from_str_radix(field(status, name), 16).unwrap();
    for set in ["CapPrm", "CapEff", "CapBnd"] {
        assert_eq!(bits(set), CAPABILITIES, "{set}: {:x}", bits(set));
    }
    for set in ["CapInh", "CapAmb", "SigIgn", "SigBlk"] {
        assert_eq!(bits(set), 0, "{set}: {:x}", bits(set));
    }
    assert_eq!(field(status, "Umask"), "0022");
    assert!(status.ends_with("0022\n0\n"), "umask and oom_score_adj: {status}");
    let limit = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line[name.len()..].split_whitespace().next().unwrap().to_owned()
    };
    assert_eq!(limit("Max core file size"), "0");
    assert_eq!(limit("Max open files"), "1024");
}

#[test]
fn processors_and_priorities_of_the_caller_are_not_inherited() {
    needs_root!();
    let engine = TestEngine::new();
    let look = "grep Cpus_allowed_list /proc/self/status; cut -d ' ' -f 19 /proc/self/stat";
    let usual = inside(&engine, look);
    assert!(usual.ends_with("\n0"), "{usual}");
    let lowered = |words: &[&str]| {
        let mut command = engine.shell("taskset");
        command.args(["1", "nice", "-n", "5", "ionice", "-c", "3", crate::harness::LIFEBOX]);
        let ran = CommandOutput::from(command.args(words).output().unwrap());
        assert_eq!(ran.code, 0, "{words:?}: {}", ran.err);
        ran.out.trim_end().to_owned()
    };
    assert_eq!(lowered(&["run", "--rm", "host", "sh", "-c", look]), usual);
    lowered(&["run", "-d", "--name", "web", "host", "sleep", "1000"]);
    assert_eq!(lowered(&["exec", "web", "sh", "-c", look]), usual);
    let mut command = std::process::Command::new("ionice");
    let ran =
        CommandOutput::from(command.args(["-p", &engine.pid("web").to_string()]).output().unwrap());
    assert!(ran.out.starts_with("none"), "{ran:?}");
}

#[test]
fn nobody_else_gets_into_the_store() {
    needs_root!();
    use std::os::unix::fs::MetadataExt as _;
    let engine = TestEngine::new();
    let root = engine.root().join("below");
    let path = root.display().to_string();
    engine.ok(&["--root", &path, "create", "-v", "/data", "host", "true"]);
    let mode = std::fs::metadata(&root).unwrap().mode();
    assert_eq!(mode & 0o777, 0o700, "{mode:o}");
}

#[test]
fn the_process_has_three_files_open() {
    needs_root!();
    let engine = TestEngine::new();
    // `ls` itself opens the directory as number 3.
    let open = inside(&engine, "exec ls -l /proc/self/fd");
    let number = |line: &str| line.split(" -> ").next()?.split(' ').next_back().map(str::to_owned);
    let numbers: Vec<String> = open.lines().skip(1).filter_map(number).collect();
    assert_eq!(numbers, ["0", "1", "2", "3"], "{open}");
    assert!(open.contains("0 -> /dev/null") && open.contains("1 -> pipe:"), "{open}");
    assert!(open.contains("/fd") && !open.contains("lifebox"), "{open}");
    assert_eq!(inside(&engine, "readlink /proc/1/exe | grep -c lifebox || true"), "0");
}

#[test]
fn it_sees_its_own_processes_host_name_and_network_only() {
    needs_root!();
    let engine = TestEngine::new();
    assert_eq!(inside(&engine, "echo $$"), "1");
    assert_eq!(inside(&engine, "set -- /proc/[0-9]*; echo $#"), "1");
    let id = engine.ok(&[
        "create",
        "--name",
        "named",
        "host",
        "sh",
        "-c",
        "hostname; cat /etc/hostname",
    ]);
    let short = &id[..12];
    assert_eq!(engine.ok(&["start", "-a", "named"]), format!("{short}\n{short}"));
    assert_eq!(engine.ok(&["run", "--rm", "-h", "inner", "host", "hostname"]), "inner");
    let devices = inside(&engine, "cat /proc/net/dev");
    let devices: Vec<&str> =
        devices.lines().skip(2).filter_map(|line| line.split(':').next()).map(str::trim).collect();
    // The kernel adds its own tunnels where their modules are loaded; none of them is up.
    assert!(devices.contains(&"lo"), "{devices:?}");
    let up = inside(
        &engine,
        "for d in /sys/class/net/*; do f=$(cat $d/flags); [ $((f & 1)) = 1 ] && echo ${d##*/}; done; true",
    );
    assert_eq!(up, "lo");
    let routes = inside(&engine, "tail -n +2 /proc/net/route");
    assert_eq!(routes, "");
    for kind in ["pid", "mnt", "uts", "ipc", "net", "cgroup"] {
        let ours = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        let theirs = inside(&engine, &format!("readlink /proc/self/ns/{kind}"));
        assert_ne!(theirs, ours.to_string_lossy(), "{kind}");
    }
}

#[test]
fn masked_files_are_empty_and_read_only_paths_refuse() {
    needs_root!();
    let engine = TestEngine::new();
    let masked =
        "acpi asound interrupts kcore keys latency_stats sched_debug scsi timer_list timer_stats";
    let program = format!(
        "for n in {masked}; do p=/proc/$n; [ -f $p ] || [ -c $p ] && cat $p; [ -d $p ] && ls -A $p; done
         for p in /sys/firmware /sys/devices/virtual/powercap; do [ -d $p ] && ls -A $p; done; true"
    );
    assert_eq!(inside(&engine, &program), "");
    for write in [
        "echo x > /proc/sys/kernel/hostname",
        "echo 1 > /proc/sys/vm/drop_caches",
        "mkdir /sys/fs/cgroup/mine",
        "echo 1 > /sys/kernel/profiling",
    ] {
        refused(&engine, write, "Read-only file system");
    }
    // What this kernel does not have cannot be covered.
    let mounts = inside(&engine, "cat /proc/self/mountinfo");
    for path in ["bus", "fs", "irq", "sys", "acpi", "asound"].map(|name| format!("/proc/{name}")) {
        if std::path::Path::new(&path).exists() {
            let line = mounts.lines().find(|line| line.split(' ').nth(4) == Some(path.as_str()));
            let options = line.and_then(|line| line.split(' ').nth(5)).unwrap_or(&path);
            assert!(options.starts_with("ro,nosuid,nodev,noexec"), "{path}: {mounts}");
        }
    }
}

#[test]
fn devices_are_the_usual_few() {
    needs_root!();
    let engine = TestEngine::new();
    let listed = inside(
        &engine,
        "cd /dev; for f in *; do [ -c $f ] && [ ! -L $f ] && stat -c '%n %a %u:%g %t:%T' $f; done; for f in *; do [ -b $f ] && echo block $f; done; true",
    );
    let expected = "full 666 0:0 1:7\nnull 666 0:0 1:3\nrandom 666 0:0 1:8\ntty 666 0:0 5:0\n\
                    urandom 666 0:0 1:9\nzero 666 0:0 1:5";
    assert_eq!(listed, expected);
    let links = inside(
        &engine,
        "cd /dev; for l in fd stdin stdout stderr ptmx; do echo $l $(readlink $l); done",
    );
    assert_eq!(
        links,
        "fd /proc/self/fd\nstdin /proc/self/fd/0\nstdout /proc/self/fd/1\nstderr /proc/self/fd/2\nptmx pts/ptmx"
    );
    assert_eq!(
        inside(
            &engine,
            "head -c 4 /dev/zero | od -An -tx1 | tr -d ' '; head -c 8 /dev/urandom | wc -c; echo x > /dev/null"
        ),
        "00000000\n8"
    );
    refused(&engine, "cat /etc/hosts > /dev/full", "No space left");
    refused(&engine, "mknod /tmp/disk b 8 0 || mknod /disk b 8 0", "Operation not permitted");
    refused(&engine, "mknod /null c 1 3", "Operation not permitted");
}

#[test]
fn a_device_of_the_machine_cannot_be_opened() {
    needs_root!();
    let engine = TestEngine::new();
    // The node is put there from outside, as an image layer might.
    let mode = rustix::fs::Mode::from_raw_mode(0o666);
    // A disk where tests are on one, else a loop device: the cgroup refuses before the driver
    // is asked whether it is there.
    let disk = rustix::fs::stat(engine.root()).unwrap().st_dev;
    let device = if rustix::fs::major(disk) == 0 { rustix::fs::makedev(7, 0) } else { disk };
    let program = "until [ -b /dev/disk ]; do sleep 0.05; done; head -c 1 /dev/disk";
    engine.ok(&["create", "--name", "reader", "host", "sh", "-c", program]);
    engine.ok(&["start", "reader"]);
    let inside = format!("/proc/{}/root/dev/disk", engine.pid("reader"));
    rustix::fs::mknodat(rustix::fs::CWD, &inside, rustix::fs::FileType::BlockDevice, mode, device)
        .unwrap();
    assert_eq!(engine.ok(&["wait", "reader"]), "1");
    let ran = engine.run(&["logs", "reader"]);
    assert!(ran.err.contains("Operation not permitted"), "{}", ran.err);
}

#[test]
fn mounts_of_the_machine_are_not_seen_and_none_can_be_made() {
    needs_root!();
    let engine = TestEngine::new();
    let seen = inside(&engine, "cat /proc/self/mountinfo");
    // Three files of the container's own directory are all that comes from outside.
    let foreign = |line: &&str| {
        let kind = line.split(" - ").nth(1).unwrap().split(' ').next().unwrap();
        !["overlay", "proc", "tmpfs", "devpts", "mqueue", "sysfs", "cgroup", "cgroup2"]
            .contains(&kind)
            || line.contains("/etc/")
    };
    let points: Vec<&str> =
        seen.lines().filter(foreign).map(|line| line.split(' ').nth(4).unwrap()).collect();
    assert_eq!(points, ["/etc/hosts", "/etc/hostname", "/etc/resolv.conf"], "{seen}");
    assert!(
        !seen.lines().any(|line| line.contains("shared:") || line.contains("master:")),
        "{seen}"
    );
    refused(&engine, "mount -t tmpfs none /etc", "permission denied");
    refused(&engine, "unshare -m true", "Operation not permitted");
    refused(&engine, "umount /proc/acpi || umount /etc/hosts", "");
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    let root = engine.root().to_string_lossy().into_owned();
    let host = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!host.contains(&root), "the machine's mount table has something of ours");
    assert!(!engine.cgroups().is_empty(), "it has a cgroup while it runs");
}

#[test]
fn user_directory_and_environment_are_as_asked() {
    needs_root!();
    let engine = TestEngine::new();
    let run = |words: &[&str]| engine.ok(&[&["run", "--rm"], words].concat());
    assert_eq!(run(&["host", "id", "-u"]), "0");
    assert_eq!(
        run(&["-u", "1000:1001", "host", "sh", "-c", "echo $(id -u) $(id -g)"]),
        "1000 1001"
    );
    let ran = run(&["-u", "1000", "host", "cat", "/proc/self/status"]);
    assert_eq!(field(&ran, "CapEff"), "0000000000000000");
    assert_eq!(field(&ran, "CapPrm"), "0000000000000000");
    assert_eq!(run(&["-w", "/made/here", "host", "pwd"]), "/made/here");
    assert_eq!(
        run(&["host", "sh", "-c", "echo $HOME $PATH"]),
        "/root /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
    );
    assert_eq!(
        run(&["-e", "A=b c", "--env", "D=", "host", "sh", "-c", "echo \"$A,${D-unset}\""]),
        "b c,"
    );
    let mut command = engine.command(&["run", "--rm", "-e", "TAKEN", "host", "env"]);
    let ran =
        CommandOutput::from(command.env("TAKEN", "here").env("SECRET", "there").output().unwrap());
    assert!(ran.out.contains("TAKEN=here\n") && !ran.out.contains("SECRET"), "{}", ran.out);
    assert!(!ran.out.contains("LIFEBOX"), "{}", ran.out);
}
