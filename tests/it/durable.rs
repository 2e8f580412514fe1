//! What a verb has acknowledged survives a power failure.

use crate::harness::{CommandOutput, LIFEBOX, TestEngine, fixture};
use crate::needs_root;

/// A store on a disk of its own. `cut` takes its power: what was not synced is lost.
const FUNCTIONS: &str = r#"
    set -e
    mkfs.ext4 -qF "$DISK"
    mount -o loop "$DISK" "$LIFEBOX_ROOT"
    chmod 700 "$LIFEBOX_ROOT"
    lifebox() { "$LIFEBOX" "$@"; }
    shutdown='import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587d, struct.pack("I", 2))'
    cut() { python3 -c "$shutdown" "$LIFEBOX_ROOT"
        umount "$LIFEBOX_ROOT"; mount -o loop "$DISK" "$LIFEBOX_ROOT"; }
"#;

#[test]
fn what_is_acknowledged_survives_a_power_failure() {
    needs_root!();
    for program in ["mkfs.ext4", "python3"] {
        let found = std::process::Command::new(program).arg("--help").output();
        if found.is_err() {
            eprintln!("LEFT OUT: what_is_acknowledged_survives_a_power_failure needs {program}");
            return;
        }
    }
    let engine = TestEngine::empty();
    let place = tempfile::tempdir().unwrap();
    let disk = place.path().join("disk");
    std::fs::File::create(&disk).unwrap().set_len(1 << 30).unwrap();
    // A verb, how to look for its effect, and the effect. Each has only its own syncs to rely on.
    let verbs = [
        ("load -q -i $ARCHIVE", "images --format '{{.Repository}}'", "hundredcounter"),
        ("create --name one hundredcounter true", "ps -a --format '{{.Names}}'", "one"),
        ("rename one two", "ps -a --format '{{.Names}}'", "two"),
        ("update --pids-limit 77 two", "inspect -f '{{.HostConfig.PidsLimit}}' two", "77"),
        ("volume create data", "volume ls -q", "data"),
        ("create --name three -v more:/x hundredcounter true", "volume ls -q", "data more"),
        ("tag hundredcounter other:1", "images -q other:1 | wc -l", "1"),
        ("commit two changed:1", "images -q changed:1 | wc -l", "1"),
        ("rmi other:1", "images -q other:1 | wc -l", "0"),
        ("rm three", "ps -a --format '{{.Names}}'", "two"),
        ("volume rm more", "volume ls -q", "data"),
    ];
    let mut script = FUNCTIONS.to_owned();
    let mut expected = String::new();
    for (verb, look, effect) in verbs {
        script += &format!("lifebox {verb} >/dev/null; cut; echo \"{verb}:\" $(lifebox {look})\n");
        expected += &format!("{}: {effect}\n", verb.replace("$ARCHIVE", "ARCHIVE"));
    }
    script += "lifebox system check | tail -1; umount \"$LIFEBOX_ROOT\"\n";
    let script = script.replace("echo \"load -q -i $ARCHIVE:\"", "echo \"load -q -i ARCHIVE:\"");
    let mut command = engine.shell("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c", &script]);
    command.env("LIFEBOX", LIFEBOX).env("DISK", &disk);
    command.env("ARCHIVE", fixture("hundredcounter.docker.tar"));
    let ran = CommandOutput::from(command.output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    let (effects, checked) = ran.out.trim_end().rsplit_once('\n').unwrap();
    assert_eq!(format!("{effects}\n"), expected);
    // The rest of a removal may be left.
    assert!(checked.contains("no damage"), "{checked}");
}
