//! Trees deeper than a path is long, than a process has descriptors, and than a stack has room.

use std::fs;
use std::path::Path;

use crate::harness::TestEngine;
use crate::needs_root;

/// A shell program that nests directories below `at`: in steps, because a path has 4096 bytes.
fn nest(at: &str, times: usize) -> String {
    let step = "d/".repeat(500);
    format!(
        "mkdir -p {at} && cd {at} && for i in $(seq {times}); do mkdir -p {step} && cd -P {step}; done"
    )
}

/// Runs lifebox with few descriptors.
#[track_caller]
fn ok_with_few_descriptors(engine: &TestEngine, arguments: &str) {
    let program = format!("ulimit -n 128; exec {} {arguments}", crate::harness::LIFEBOX);
    let ran = engine.shell("sh").args(["-c", &program]).output().unwrap();
    assert!(ran.status.success(), "{arguments}: {}", String::from_utf8_lossy(&ran.stderr));
}

fn entries(directory: &Path) -> usize {
    fs::read_dir(directory).map_or(0, |entries| {
        entries
            .flatten()
            .filter(|entry| !entry.file_name().as_encoded_bytes().starts_with(b"."))
            .count()
    })
}

#[test]
fn a_container_and_a_volume_are_removed_however_deep_their_trees_are() {
    needs_root!();
    let engine = TestEngine::new();
    // 5,000 levels in each: ten thousand bytes of path.
    let program = format!("({}) && ({})", nest("/deep", 10), nest("/v/deep", 10));
    engine.ok(&["run", "--name", "cc", "-v", "vol:/v", "host", "sh", "-c", &program]);
    ok_with_few_descriptors(&engine, "rm cc");
    ok_with_few_descriptors(&engine, "volume rm vol");
    for place in ["containers", "removing", "staging", "volumes"] {
        assert_eq!(entries(&engine.root().join(place)), 0, "{place}");
    }
    assert!(engine.ok(&["system", "check"]).contains("no damage"));
}

#[test]
fn a_path_that_the_kernel_takes_can_be_shown_copied_and_committed() {
    needs_root!();
    let engine = TestEngine::new();
    let program = format!("mkdir -p /deep/{}", "d/".repeat(1990));
    engine.ok(&["run", "--name", "cc", "host", "sh", "-c", &program]);
    for arguments in [
        "diff cc >/dev/null",
        "export cc >/dev/null",
        "cp cc:/deep - >/dev/null",
        "commit cc deep:1 >/dev/null",
        "run --rm -v new:/deep deep:1 true",
        "rm cc",
        "rmi deep:1 >/dev/null",
        "volume rm new",
    ] {
        ok_with_few_descriptors(&engine, arguments);
    }
}

#[test]
fn a_deeper_tree_is_refused_with_a_short_path() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "cc", "host", "sh", "-c", &nest("/deep", 5)]);
    for verb in ["diff", "export", "commit"] {
        let error = engine.fails(&[verb, "cc"], 1);
        assert!(error.contains("is nested too deeply") && error.len() < 1000, "{error}");
        assert!(error.contains("hint: remove it in the running container"), "{error}");
    }
}

/// Nests directories of the host below `at`, and returns the first.
fn nest_here(at: &Path, name: &str, levels: usize) -> std::path::PathBuf {
    let program = nest(name, levels / 500);
    let done = std::process::Command::new("sh").args(["-c", &program]).current_dir(at).status();
    assert!(done.unwrap().success());
    at.join(name)
}

#[track_caller]
fn too_deep(error: &str) {
    assert!(error.contains("is nested too deeply") && error.len() < 1500, "{error}");
    assert!(error.contains("hint: "), "{error}");
}

#[test]
fn a_tree_too_deep_spoils_no_verb_that_does_not_read_it() {
    needs_root!();
    for driver in ["overlay", "vfs"] {
        let engine = TestEngine::new();
        let nested = nest("/deep", 5);
        let program = format!("echo hi > /file; ({nested}); echo ready; exec sleep 1000");
        let run = ["--storage-driver", driver, "run", "-d", "--name", "cc", "host", "sh", "-c"];
        engine.ok(&[&run[..], &[&program]].concat());
        engine.wrote("cc", "ready");
        for state in ["running", "stopped"] {
            if state == "stopped" {
                engine.ok(&["stop", "-t", "0", "cc"]);
            }
            let there = tempfile::tempdir().unwrap();
            let target = there.path().to_str().unwrap();
            too_deep(&engine.fails(&["cp", "cc:/deep", target], 1));
            engine.ok(&["cp", "cc:/file", target]);
            engine.ok(&["cp", &format!("{target}/file"), "cc:/other"]);
            for verb in ["diff", "export", "commit"] {
                too_deep(&engine.fails(&[verb, "cc"], 1));
            }
            ok_with_few_descriptors(&engine, "system df > /dev/null");
            let explained = engine.ok(&["explain", "cc"]);
            assert!(explained.contains("cannot be listed"), "{driver}, {state}: {explained}");
            assert!(engine.ok(&["ps", "-a"]).contains("cc"));
        }
        ok_with_few_descriptors(&engine, "rm cc");
    }
}

#[test]
fn a_tree_too_deep_is_refused_on_its_way_in() {
    needs_root!();
    let engine = TestEngine::new();
    let context = tempfile::tempdir().unwrap();
    let place = context.path().to_str().unwrap();
    let deep = nest_here(context.path(), "deep", 2500);
    engine.ok(&["create", "--name", "cc", "host", "true"]);
    too_deep(&engine.fails(&["cp", deep.to_str().unwrap(), "cc:/"], 1));
    fs::write(context.path().join("Dockerfile"), "FROM host\nCOPY deep /deep\n").unwrap();
    too_deep(&engine.fails(&["build", place], 1));
    let nesting = "FROM host\nRUN mkdir /deep && cd /deep && s=$(printf 'd/%.0s' $(seq 500)) && \
                   for i in 1 2 3 4 5; do mkdir -p $s && cd -P $s; done\n";
    fs::write(context.path().join("Dockerfile"), nesting).unwrap();
    too_deep(&engine.fails(&["build", place], 1));
    // The container of the build is removed, with its tree.
    assert_eq!(engine.ok(&["ps", "-aq"]).lines().count(), 1);
    assert_eq!(entries(&engine.root().join("removing")), 0);
    assert!(crate::harness::wait_until(crate::harness::TIMEOUT, || {
        std::process::Command::new("rm").arg("-rf").arg(&deep).status().unwrap().success()
    }));
}

#[test]
fn a_deep_path_of_an_image_that_a_container_changes_is_compared_in_a_moment() {
    needs_root!();
    let engine = TestEngine::new();
    let deepest = format!("/deep/{}", "d/".repeat(1900));
    engine.ok(&["run", "--name", "cc", "host", "sh", "-c", &format!("mkdir -p {deepest}")]);
    engine.ok(&["commit", "cc", "deep-path:1"]);
    for driver in ["overlay", "vfs"] {
        let change = format!("touch {deepest}/new");
        let run = ["--storage-driver", driver, "run", "--name", driver, "deep-path:1", "sh", "-c"];
        engine.ok(&[&run[..], &[&change]].concat());
        let started = std::time::Instant::now();
        let changes = engine.ok(&["diff", driver]);
        // Before, each of the directories looked for all above it: minutes.
        assert!(started.elapsed() < crate::harness::TIMEOUT, "{:?}", started.elapsed());
        assert!(changes.ends_with("/new"), "{}", &changes[changes.len().saturating_sub(99)..]);
    }
    engine.ok(&["rm", "cc", "overlay", "vfs"]);
    engine.ok(&["rmi", "deep-path:1"]);
}

#[test]
fn what_cannot_be_removed_is_reported_and_not_tried_by_each_command() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "cc", "host", "sh", "-c", "mkdir /d && touch /d/f"]);
    let file = engine.container_directory("cc").join("upper/d/f");
    let chattr = |flag: &str, file: &Path| {
        std::process::Command::new("chattr")
            .arg(flag)
            .arg(file)
            .output()
            .is_ok_and(|ran| ran.status.success())
    };
    if !chattr("+i", &file) {
        eprintln!("LEFT OUT: this file system has no immutable files");
        return;
    }
    let error = engine.fails(&["rm", "cc"], 1);
    let removing = engine.root().join("removing");
    let kept = fs::read_dir(&removing).unwrap().flatten().next().unwrap().path();
    let report = engine.run(&["system", "check", "--repair"]);
    chattr("-i", &kept.join("upper/d/f"));
    assert!(error.contains("system check --repair"), "{error}");
    assert!(report.out.contains("not repaired"), "{report:?}");
    // Everything else is gone, and a later command leaves it alone.
    assert_eq!(entries(&kept), 1);
    engine.ok(&["create", "--name", "cc", "host", "true"]);
    assert!(kept.exists());
    assert!(engine.run(&["system", "check", "--repair"]).out.contains("removed"));
    assert!(!kept.exists());
}

#[test]
fn a_volume_that_cannot_be_deleted_is_not_tried_by_each_command() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["volume", "create", "kept"]);
    engine.ok(&["volume", "create", "other"]);
    let file = engine.root().join("volumes/kept/_data/file");
    fs::write(&file, "x").unwrap();
    let chattr = |flag: &str, file: &Path| {
        let ran = std::process::Command::new("chattr").arg(flag).arg(file).output();
        ran.is_ok_and(|ran| ran.status.success())
    };
    if !chattr("+i", &file) {
        eprintln!("LEFT OUT: this file system has no immutable files");
        return;
    }
    let error = engine.fails(&["volume", "rm", "kept"], 1);
    let left = || {
        let names = fs::read_dir(engine.root().join("volumes")).unwrap().flatten();
        let mut halves =
            names.filter(|entry| entry.file_name().as_encoded_bytes().starts_with(b".gone-"));
        halves.next().map(|entry| entry.path())
    };
    let aside = left().unwrap();
    // Deleting it would succeed now, but is for the repair.
    chattr("-i", &aside.join("_data/file"));
    assert!(error.contains("system check --repair"), "{error}");
    engine.ok(&["volume", "rm", "other"]);
    engine.ok(&["volume", "create", "kept"]);
    engine.ok(&["volume", "rm", "kept"]);
    assert_eq!(left(), Some(aside));
    assert!(engine.run(&["system", "check", "--repair"]).out.contains("removed"));
    assert_eq!(left(), None);
}
