//! Whatever stands in the place of a record or a lock: nothing waits for it, all else works, and
//! it can be removed or repaired.

use std::path::{Path, PathBuf};

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

/// What may stand in the place of a file.
const KINDS: [&str; 6] = ["a fifo", "a directory", "a link", "a device", "nothing in it", "NULs"];

/// Replaces a file.
fn replace(path: &Path, kind: &str) {
    use rustix::fs::{CWD, FileType, Mode, makedev, mknodat};
    let _ = std::fs::remove_file(path);
    let node = |kind, device| mknodat(CWD, path, kind, Mode::RUSR | Mode::WUSR, device).unwrap();
    match kind {
        "a fifo" => node(FileType::Fifo, 0),
        "a device" => node(FileType::CharacterDevice, makedev(1, 3)),
        "a directory" => std::fs::create_dir_all(path.join("inner")).unwrap(),
        "a link" => std::os::unix::fs::symlink("/nowhere/at/all", path).unwrap(),
        "NULs" => std::fs::write(path, [0; 100]).unwrap(),
        "nothing in it" => std::fs::write(path, "").unwrap(),
        text => std::fs::write(path, text).unwrap(),
    }
}

/// Runs a command that must not wait.
#[track_caller]
fn run(engine: &TestEngine, arguments: &str) -> CommandOutput {
    let mut command = engine.shell("timeout");
    command.args(["-s", "KILL", "60", LIFEBOX]).args(arguments.split(' '));
    let ran = CommandOutput::from(command.output().unwrap());
    assert!(ran.code < 128 && ran.code != 101, "lifebox {arguments}: {ran:?}");
    ran
}

/// As [`run`], and it succeeds.
#[track_caller]
fn ok(engine: &TestEngine, arguments: &str) -> String {
    let ran = run(engine, arguments);
    assert_eq!(ran.code, 0, "lifebox {arguments}: {ran:?}");
    ran.out
}

#[test]
fn a_volume_with_a_damaged_record_is_listed_removed_with_force_or_repaired_with_its_content() {
    let engine = TestEngine::empty();
    let record = engine.root().join("volumes/data/volume.json");
    let others = ["[]", "{\"version\":1", r#"{"version":9,"name":"data","labels":{}}"#, "missing"];
    for kind in KINDS.iter().copied().chain(others) {
        ok(&engine, "volume create data");
        ok(&engine, "volume create bystander");
        let damage = || {
            replace(&record, kind);
            if kind == "missing" {
                std::fs::remove_file(&record).unwrap();
            }
        };
        std::fs::write(record.with_file_name("_data").join("file"), "kept").unwrap();
        damage();
        let listed = ok(&engine, "volume ls");
        let row: Vec<&str> = listed.lines().last().unwrap().split_whitespace().collect();
        assert_eq!(row, ["local", "data", "damaged"], "{kind}: {listed}");
        assert_eq!(ok(&engine, "volume ls -q"), "bystander\ndata\n", "{kind}");
        let shown = ok(&engine, "volume inspect data");
        assert!(shown.contains("\"damaged\": \"the volume `data` is damaged"), "{kind}: {shown}");
        assert!(shown.contains("volumes/data/_data"), "{kind}: {shown}");
        for refused in ["volume rm data", "volume create data", "system check"] {
            assert_eq!(run(&engine, refused).code, 1, "{kind}: {refused}");
        }
        let refused = run(&engine, "volume rm data").err;
        assert!(refused.contains("lifebox volume rm -f data"), "{kind}: {refused}");
        ok(&engine, "volume prune -a -f");
        assert_eq!(ok(&engine, "volume ls -q"), "data\n", "{kind}");

        ok(&engine, "system check --repair");
        ok(&engine, "system check");
        assert!(!ok(&engine, "volume ls").contains("damaged"), "{kind}");
        let content = std::fs::read_to_string(record.with_file_name("_data").join("file"));
        assert_eq!(content.unwrap(), "kept", "{kind}");

        damage();
        ok(&engine, "volume rm -f data");
        assert_eq!(ok(&engine, "volume ls -q"), "", "{kind}");
    }
}

#[test]
fn nothing_waits_for_what_stands_in_the_place_of_a_containers_file() {
    needs_root!();
    let files = [
        "state.json",
        "spec.json",
        "config.json",
        "lock",
        "log.jsonl",
        "cgroup-parent",
        "monitor.sock",
        "hosts",
    ];
    let kinds = ["a fifo", "a directory", "a link"];
    let all = std::env::var("LIFEBOX_FAULTS").is_ok_and(|form| form == "whole");
    for (number, file) in files.into_iter().enumerate() {
        // Each file with one of them, where not all faults are asked for.
        for kind in kinds.into_iter().cycle().skip(number).take(if all { 3 } else { 1 }) {
            let engine = TestEngine::new();
            engine.ok(&["create", "--name", "well", "host", "true"]);
            engine.ok(&["run", "--name", "box", "host", "true"]);
            let place = engine.root().join("containers").join(engine.get("box", "{{.Id}}"));
            replace(&place.join(file), kind);
            for verb in [
                "inspect box",
                "logs box",
                "start box",
                "wait box",
                "stop box",
                "kill box",
                "exec box true",
                "diff box",
                "system df",
                "system check",
                "events --until 0s",
            ] {
                run(&engine, verb);
            }
            let names = ok(&engine, "ps -a --format {{.Names}}");
            let mut names: Vec<&str> = names.lines().collect();
            names.sort_unstable();
            assert_eq!(names, ["box", "well"], "{file} {kind}");
            ok(&engine, "start well");
            assert_eq!(ok(&engine, "wait well"), "0\n", "{file} {kind}");
            ok(&engine, "rm -f box");
            assert_eq!(ok(&engine, "ps -a --format {{.Names}}"), "well\n", "{file} {kind}");
            ok(&engine, "system check");
        }
    }
}

#[test]
fn a_container_whose_state_is_damaged_is_repaired_with_its_files() {
    needs_root!();
    for kind in KINDS {
        let engine = TestEngine::new();
        engine.ok(&["run", "--name", "box", "host", "sh", "-c", "echo kept >/file"]);
        let place = engine.root().join("containers").join(engine.get("box", "{{.Id}}"));
        replace(&place.join("state.json"), kind);
        assert_eq!(engine.get("box", "{{.State.Status}}"), "dead", "{kind}");
        ok(&engine, "system check --repair");
        ok(&engine, "system check");
        assert_eq!(engine.get("box", "{{.State.Status}}"), "exited", "{kind}");
        assert!(ok(&engine, "cp box:/file -").contains("kept"), "{kind}");
        ok(&engine, "start box");
        assert_eq!(ok(&engine, "wait box"), "0\n", "{kind}");
        ok(&engine, "rm box");
    }
}

#[test]
fn a_check_makes_room_for_the_files_of_the_root() {
    needs_root!();
    let files = [
        "use.lock",
        "volumes/.lock",
        "names/.lock",
        "events.jsonl",
        "storage-driver",
        "init",
        "builds/build-x",
        "names/lost",
    ];
    for kind in ["a fifo", "a directory", "a link"] {
        let engine = TestEngine::new();
        engine.ok(&["run", "--rm", "-v", "data:/x", "host", "true"]);
        std::fs::create_dir(engine.root().join("builds")).unwrap();
        let paths: Vec<PathBuf> = files.iter().map(|file| engine.root().join(file)).collect();
        paths.iter().for_each(|path| replace(path, kind));
        for verb in ["ps -a", "volume ls", "images", "events --until 0s", "info", "system df"] {
            run(&engine, verb);
        }
        let found = run(&engine, "system check").out;
        // A link is what a name is, and the driver has been found out again by `info`.
        let is_mended =
            |file: &str| file == "storage-driver" || file == "names/lost" && kind == "a link";
        for file in files.iter().filter(|file| !is_mended(file)) {
            let name = file.rsplit('/').next().unwrap();
            assert!(found.contains(name), "{kind}: {file} in {found}");
        }
        ok(&engine, "system check --repair");
        ok(&engine, "run --rm --init --name lost -v data:/x host true");
        assert!(ok(&engine, "events --since 1m --until 0s").contains("lost"), "{kind}");
        ok(&engine, "system check");
    }
}
