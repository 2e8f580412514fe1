//! Known ways out of containers, each tried and found shut.

use std::os::unix::fs::PermissionsExt;

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

const IMAGE: &str = "hundredcounter";

/// What a shell inside says and how it ends, in a container that is made with `words`.
fn try_inside(engine: &TestEngine, words: &[&str], program: &str) -> CommandOutput {
    let tail = ["--entrypoint", "/bin/sh", IMAGE, "-c", program];
    engine.run(&[&["run", "--rm"], words, &tail].concat())
}

/// A container whose writable layer is filled by hand before it starts, as a hostile image's
/// layers would be.
fn made(engine: &TestEngine, words: &[&str], command: &[&str]) -> (String, std::path::PathBuf) {
    let tail = [&["--entrypoint", command[0], IMAGE], &command[1..]].concat();
    let id = engine.ok(&[&["create"], words, &tail].concat());
    let upper = engine.root().join("containers").join(&id).join("upper");
    (id, upper)
}

#[test]
fn cve_2019_5736_the_program_cannot_be_overwritten_through_proc_self_exe() {
    needs_root!();
    let engine = TestEngine::new();
    // A copy, so that what is tried can do no harm, and nothing else runs it.
    let copy = engine.root().join("lifebox");
    std::fs::copy(LIFEBOX, &copy).unwrap();
    let before = std::fs::metadata(&copy).unwrap().len();
    // The image's program is a link to the one that starts it, which then runs inside.
    let (id, _) = made(&engine, &["--name", "target"], &["/proc/self/exe", "-e", "sleep(60)"]);
    let mut start = engine.shell(&copy.to_string_lossy());
    assert!(start.args(["start", &id]).output().unwrap().status.success());
    let held = format!("/proc/{}/exe", engine.pid("target"));
    // While it runs nobody can write; afterwards the descriptor still leads to the file.
    let file = std::fs::File::open(held).unwrap();
    engine.ok(&["rm", "-f", &id]);
    let again = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&file));
    let error = std::fs::OpenOptions::new().append(true).open(again).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::ReadOnlyFilesystem);
    assert_eq!(std::fs::metadata(&copy).unwrap().len(), before);
}

#[test]
fn cve_2016_9962_init_has_nothing_of_the_host_to_take() {
    needs_root!();
    let engine = TestEngine::new();
    let open = "ls -l /proc/1/fd /proc/1/root /proc/1/cwd; cat /proc/1/environ | tr '\\0' '\\n'";
    let ran = try_inside(&engine, &["--cap-add", "SYS_PTRACE"], open);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let host = engine.root().to_string_lossy().into_owned();
    assert!(!ran.out.contains(&host) && !ran.out.contains("lifebox"), "{}", ran.out);
    assert!(!ran.out.lines().any(|line| line.contains(" 4 -> ")), "{}", ran.out);
}

#[test]
fn cve_2024_21626_no_directory_of_the_host_is_reached_through_a_descriptor() {
    needs_root!();
    let engine = TestEngine::new();
    for number in 0..12 {
        let workdir = format!("/proc/self/fd/{number}");
        let ran = try_inside(&engine, &["-w", &workdir], "pwd; ls ../../../../../../etc/hostname");
        // Refused, or a directory of the container.
        let shut = ran.code == 125 || ran.code == 126 || ran.code == 127 || ran.code == 1;
        assert!(shut || ran.out.starts_with('/'), "{number}: {ran:?}");
        assert!(!ran.out.contains("unreachable"), "{number}: {ran:?}");
        assert!(!ran.out.contains("lifebox"), "{number}: {ran:?}");
    }
    for number in 3..12 {
        let program = format!("/proc/self/fd/{number}");
        let ran = engine.run(&["run", "--rm", "--entrypoint", &program, IMAGE]);
        assert!(ran.code == 126 || ran.code == 127, "{number}: {ran:?}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn cve_2022_0492_no_release_agent_can_be_set() {
    needs_root!();
    let engine = TestEngine::new();
    let program =
        "mkdir /tmp/c 2>/dev/null; mount -t cgroup -o memory cgroup /tmp/c && echo mounted
        unshare -UrmC true && echo namespace
        for f in $(find /sys/fs/cgroup -name release_agent); do echo /x > $f && echo set $f; done
        for d in /sys/fs/cgroup /sys/fs/cgroup/*; do mkdir $d/x && echo made $d; done; true";
    let ran = try_inside(&engine, &[], program);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
}

#[test]
fn cve_2025_31133_a_mask_is_the_containers_own_dev_null() {
    needs_root!();
    let engine = TestEngine::new();
    // `/dev/null` of the image leads elsewhere; the container's `/dev` is another file system.
    let (id, upper) =
        made(&engine, &[], &["/bin/sh", "-c", "cat /proc/keys; stat -c %t:%T /dev/null"]);
    std::fs::create_dir(upper.join("dev")).unwrap();
    std::os::unix::fs::symlink("/proc/sys/kernel/core_pattern", upper.join("dev/null")).unwrap();
    assert_eq!(engine.ok(&["start", "-a", &id]), "1:3");
    let before = std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap();
    let write = "for f in /proc/sys/kernel/core_pattern /proc/sys/vm/drop_caches; do echo x > $f; done; true";
    let ran = try_inside(&engine, &[], write);
    assert_eq!(ran.err.matches("Read-only file system").count(), 2, "{}", ran.err);
    assert_eq!(std::fs::read_to_string("/proc/sys/kernel/core_pattern").unwrap(), before);
}

#[test]
fn cve_2025_52565_and_52881_links_at_mount_points_lead_nowhere() {
    needs_root!();
    let engine = TestEngine::new();
    // A mount point that is a link is refused (CVE-2019-16884, CVE-2019-19921, CVE-2023-27561).
    for point in ["proc", "sys", "dev"] {
        let (id, upper) = made(&engine, &[], &["/bin/true"]);
        std::os::unix::fs::symlink("/tmp", upper.join(point)).unwrap();
        let ran = engine.run(&["start", &id]);
        assert_eq!(ran.code, 1, "{point}: {ran:?}");
        assert!(ran.err.contains(&format!("mount {} on /{point}", kind_of(point))), "{}", ran.err);
        engine.ok(&["rm", &id]);
    }
    // So that a kernel parameter is never written to a place that the image chose.
    let parameter = "cat /proc/sys/net/ipv4/ping_group_range";
    let ran = try_inside(&engine, &[], parameter);
    assert_eq!(ran.out.split_whitespace().collect::<Vec<_>>(), ["0", "2147483647"]);
}

fn kind_of(point: &str) -> &'static str {
    match point {
        "proc" => "proc",
        "sys" => "sysfs",
        _ => "tmpfs",
    }
}

#[test]
fn cve_2021_30465_a_link_in_the_root_is_followed_inside_only() {
    needs_root!();
    let engine = TestEngine::new();
    let (id, upper) = made(&engine, &[], &["/bin/sh", "-c", "cat /etc/hosts"]);
    let victim = engine.root().join("victim");
    std::fs::write(&victim, "mine").unwrap();
    std::fs::create_dir(upper.join("etc")).unwrap();
    std::os::unix::fs::symlink(&victim, upper.join("etc/hosts")).unwrap();
    assert!(engine.ok(&["start", "-a", &id]).contains("localhost"));
    assert_eq!(std::fs::read_to_string(&victim).unwrap(), "mine");
}

#[test]
fn a_device_node_in_an_image_is_dead() {
    needs_root!();
    let engine = TestEngine::new();
    let (id, upper) = made(&engine, &[], &["/bin/sh", "-c", "cat /zero; cat /disk"]);
    let node = |name: &str, kind, number| {
        let mode = rustix::fs::Mode::from_raw_mode(0o666);
        let path = upper.join(name);
        rustix::fs::mknodat(rustix::fs::CWD, &path, kind, mode, number).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).unwrap();
    };
    // The cgroup allows the first; that the root is `nodev` is what stops it.
    node("zero", rustix::fs::FileType::CharacterDevice, rustix::fs::makedev(1, 5));
    node("disk", rustix::fs::FileType::BlockDevice, rustix::fs::makedev(7, 0));
    let ran = engine.run(&["start", "-a", &id]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{}", ran.err);
    assert_eq!(ran.err.matches("Permission denied").count(), 2, "{}", ran.err);
}

#[test]
fn cve_2015_3627_and_others_the_host_is_not_reached_through_proc() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "chroot /proc/1/root/../../.. cat /etc/hostname > /tmp/a
        cat /etc/hostname > /tmp/b; cmp /tmp/a /tmp/b && echo same
        for f in /proc/kcore /proc/keys /proc/timer_list; do [ -e $f ] && head -c 1 $f; done; true";
    let ran = try_inside(&engine, &[], program);
    assert_eq!(ran.out.trim(), "same", "{ran:?}");
}

#[test]
fn cve_2014_9357_open_by_handle_at_is_denied() {
    needs_root!();
    let engine = TestEngine::new();
    // "Shocker": 304 on x86_64, 265 on aarch64.
    let number = if cfg!(target_arch = "aarch64") { "265" } else { "304" };
    let answer = crate::runtimetest::probe(&engine, &[], &["call", number, "0", "0", "0"]);
    assert_eq!(answer, 1);
}

#[test]
fn cve_2017_5226_and_the_keyring_no_terminal_and_no_keys_are_inherited() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = try_inside(&engine, &[], "echo > /dev/tty; cut -d' ' -f7 /proc/self/stat");
    // No controlling terminal: there is none to push characters into (TIOCSTI).
    assert!(ran.err.contains("No such device or address"), "{ran:?}");
    assert_eq!(ran.out.trim(), "0");
    // keyctl: 250 on x86_64, 219 on aarch64.
    let number = if cfg!(target_arch = "aarch64") { "219" } else { "250" };
    assert_eq!(crate::runtimetest::probe(&engine, &[], &["call", number, "0", "0"]), 1);
}

/// Docker's `cp` loaded a library of the container, with the rights of the host.
#[test]
fn cve_2019_14271_nothing_of_the_container_is_loaded_by_what_looks_into_it() {
    needs_root!();
    let engine = TestEngine::new();
    let (library, loaded) = (engine.root().join("evil.so"), engine.root().join("loaded"));
    let source = format!(
        "#include <fcntl.h>\n__attribute__((constructor)) static void load(void) \
         {{ creat(\"{}\", 0600); creat(\"/loaded\", 0600); }}\n",
        loaded.display()
    );
    let file = engine.root().join("evil.c");
    std::fs::write(&file, source).unwrap();
    let mut compiler = std::process::Command::new("cc");
    let built =
        compiler.args(["-shared", "-fPIC", "-o"]).arg(&library).arg(&file).status().unwrap();
    assert!(built.success());
    let (id, upper) = made(&engine, &["--name", "web"], &["/bin/sleep", "1000"]);
    for place in ["lib", "lib64", "usr/lib", "lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"] {
        std::fs::create_dir_all(upper.join(place)).unwrap();
        for name in ["libnss_files.so.2", "libnss_compat.so.2", "libnss_evil.so.2"] {
            std::fs::copy(&library, upper.join(place).join(name)).unwrap();
        }
    }
    std::fs::create_dir_all(upper.join("etc")).unwrap();
    std::fs::write(upper.join("etc/nsswitch.conf"), "passwd: evil files\ngroup: evil\n").unwrap();
    std::fs::write(upper.join("etc/ld.so.preload"), "/lib/libnss_evil.so.2\n").unwrap();
    let (from, to) = (file.to_string_lossy(), engine.root().join("out"));
    engine.ok(&["cp", "-q", &from, "web:/tmp/in"]);
    engine.ok(&["start", &id]);
    engine.ok(&["cp", "-q", &from, "web:/tmp/in"]);
    engine.ok(&["cp", "-q", "-a", "web:/etc", &to.to_string_lossy()]);
    engine.ok(&["top", "web"]);
    engine.run(&["exec", "-u", "nobodyx", "web", "true"]);
    let tar = engine.root().join("tar");
    engine.ok(&["export", "-o", &tar.to_string_lossy(), "web"]);
    engine.ok(&["diff", "web"]);
    assert!(!loaded.exists() && !upper.join("loaded").exists());
}
