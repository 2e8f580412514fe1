//! What containers see in their table of mounts.

use crate::harness::TestEngine;
use crate::needs_root;

#[test]
fn mounts_have_the_sources_that_docker_names() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "while read source target rest; do echo $target $source; done < /proc/mounts";
    let words = ["run", "--rm", "--tmpfs", "/t", "host", "sh", "-c", program];
    let said = engine.ok(&words);
    for line in [
        "/proc proc",
        "/dev tmpfs",
        "/dev/pts devpts",
        "/dev/shm shm",
        "/dev/mqueue mqueue",
        "/sys sysfs",
        "/t tmpfs",
        "/proc/acpi tmpfs",
    ] {
        let target = line.split_once(' ').unwrap().0;
        let there = said.lines().any(|known| known.split_once(' ').unwrap().0 == target);
        assert!(!there || said.lines().any(|known| known == line), "{line}\n{said}");
    }
    assert!(!said.contains(" none"), "{said}");
    if engine.ok(&["info", "-f", "{{.Driver}}"]).starts_with("overlay") {
        assert!(said.lines().any(|line| line == "/ overlay"), "{said}");
    }
}

#[test]
fn volumes_have_no_devices_and_no_set_id_programs_unless_asked_for() {
    needs_root!();
    let engine = TestEngine::new();
    let options = |volume: &str| {
        let program = "grep ' /v ' /proc/self/mountinfo | cut -d' ' -f6";
        engine.ok(&["run", "--rm", "-v", volume, "host", "sh", "-c", program])
    };
    let plain = options("vv:/v");
    assert!(plain.contains("nosuid") && plain.contains("nodev"), "{plain}");
    let lifted = options("vv:/v:suid,dev");
    assert!(!lifted.contains("nosuid") && !lifted.contains("nodev"), "{lifted}");
    // The device cgroup still has its say.
    let program = "mknod /v/d b 7 77 2>/dev/null; cat /v/d";
    let words = ["run", "--rm", "--cap-add", "MKNOD", "-v", "vv:/v:dev", "host", "sh", "-c"];
    assert_ne!(engine.run(&[&words[..], &[program]].concat()).code, 0);
    let error = engine.fails(&["create", "-v", "vv:/v:dev,nodev", "host", "true"], 1);
    assert!(error.contains("contradictory"), "{error}");
}
