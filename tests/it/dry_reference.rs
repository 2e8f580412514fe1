//! A dry run of the whole reference: each example of each function, beside a watched store.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use crate::harness::{TestEngine, ran_to_its_end};
use crate::needs_root;

/// The examples of REFERENCE.md, with their headings.
fn examples() -> Vec<(String, String)> {
    let reference = concat!(env!("CARGO_MANIFEST_DIR"), "/REFERENCE.md");
    let text = std::fs::read_to_string(reference).unwrap();
    let (mut found, mut heading, mut example) = (Vec::new(), String::new(), None::<String>);
    for line in text.lines() {
        match (&mut example, line) {
            (None, "```rhai") => example = Some(String::new()),
            (Some(_), "```") => found.extend(example.take().map(|code| (heading.clone(), code))),
            (Some(code), line) => code.push_str(&format!("{line}\n")),
            (None, line) => {
                if let Some(name) = line.strip_prefix("### ") {
                    name.clone_into(&mut heading);
                }
            }
        }
    }
    found
}

/// Everything below a directory: size, mode, owner, and the times of content and attributes.
fn watched(root: &Path) -> BTreeMap<PathBuf, (u64, u32, u32, [i64; 4])> {
    let mut all = BTreeMap::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let status = path.symlink_metadata().unwrap();
        if status.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
        let times = [status.mtime(), status.mtime_nsec(), status.ctime(), status.ctime_nsec()];
        all.insert(path, (status.size(), status.mode(), status.uid(), times));
    }
    all
}

/// Runs an example in a dry run, to its end.
fn spawn(engine: &TestEngine, folder: &Path, code: &str) -> Child {
    let mut command = engine.command(&["--dry-run", "--timeout", "10s", "-e", code]);
    command.current_dir(folder).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn no_function_of_the_reference_touches_the_host_in_a_dry_run() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = engine.root().join("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join("life.svg"), "mine").unwrap();
    // What many examples name: one runs, one rests.
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "1000"]);
    engine.ok(&["create", "--name", "db", "-v", "data:/data", "host", "true"]);
    let examples = examples();
    assert!(examples.len() > 150, "{}", examples.len());
    let before = watched(engine.root());
    for group in examples.chunks(8) {
        let running: Vec<_> =
            group.iter().map(|(name, code)| (name, spawn(&engine, &folder, code))).collect();
        for (name, process) in running {
            let ran = ran_to_its_end(process);
            assert!((0..=124).contains(&ran.code) && ran.code != 101, "{name}: {ran:?}");
        }
        let after = watched(engine.root());
        let known = before.keys().chain(after.keys());
        let changed: BTreeSet<_> =
            known.filter(|path| before.get(*path) != after.get(*path)).collect();
        let names: Vec<_> = group.iter().map(|(name, _)| name).collect();
        assert!(changed.is_empty(), "one of {names:?} changes {changed:#?}");
    }
}
