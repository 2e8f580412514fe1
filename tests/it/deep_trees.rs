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
