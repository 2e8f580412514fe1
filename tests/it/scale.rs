//! Thousands of tags, images, volumes and variables: four times as many take about four times the
//! processor time, and not sixteen times. Processor time, because the machine may be loaded.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::archives::{append, digest};
use crate::harness::TestEngine;
use crate::needs_root;

/// Between a growth by four and its square, on the side that forgives.
const MOST: f64 = 9.0;

/// The processor time of a command with what it starts, in seconds. The command must succeed.
#[track_caller]
fn seconds(engine: &TestEngine, arguments: &[&str]) -> f64 {
    // `times` is of the shell: its second line is the time of its children.
    let program = "\"$@\" > /dev/null || exit 1; times";
    let words = [&["-c", program, "sh", crate::harness::LIFEBOX], arguments].concat();
    let ran = engine.shell("sh").args(&words).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    assert!(ran.status.success(), "{:?}: {said}", arguments.first());
    let text = String::from_utf8_lossy(&ran.stdout).into_owned();
    let times = text.lines().last().unwrap().split_whitespace().map(|time| {
        let (minutes, rest) = time.split_once('m').unwrap();
        minutes.parse::<f64>().unwrap() * 60.0 + rest.trim_end_matches('s').parse::<f64>().unwrap()
    });
    times.sum()
}

/// Checks that `many`, the time for four times as much, is in proportion to `few`. What is done in
/// a moment says nothing.
#[track_caller]
fn in_proportion(what: &str, few: f64, many: f64) {
    assert!(many < MOST * few.max(0.05), "{what}: {few} s, and {many} s for four times as much");
}

/// An archive of images of one layer each, which all share: each with its tags, and the rest of its
/// configuration.
fn archive(images: &[(Vec<String>, Value)]) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut put = |name: &str, bytes: &[u8]| {
        append(&mut archive, name, tar::EntryType::Regular, bytes, 0o644);
    };
    let mut layer = tar::Builder::new(Vec::new());
    append(&mut layer, "file", tar::EntryType::Regular, b"x", 0o644);
    let layer = layer.into_inner().unwrap();
    put("layer.tar", &layer);
    let mut listed = Vec::new();
    for (number, (tags, config)) in images.iter().enumerate() {
        let config = json!({
            "os": "linux",
            "author": number.to_string(),
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": [digest(&layer)]},
        });
        let name = format!("{number}.json");
        put(&name, config.to_string().as_bytes());
        listed.push(json!({"Config": name, "RepoTags": tags, "Layers": ["layer.tar"]}));
    }
    put("manifest.json", Value::from(listed).to_string().as_bytes());
    archive.into_inner().unwrap()
}

#[track_caller]
fn load(engine: &TestEngine, images: &[(Vec<String>, Value)]) {
    let loaded = engine.run_with_input(&["load", "-q"], &archive(images));
    assert!(loaded.status.success(), "{loaded:?}");
}

fn tags(repository: &str, count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{repository}:{number}")).collect()
}

#[test]
fn thousands_of_tags_are_listed_and_removed_in_time_that_is_in_proportion() {
    needs_root!();
    let engine = TestEngine::empty();
    let config = json!({"Cmd": ["/x"]});
    let mut times = Vec::new();
    for count in [1500, 6000] {
        let (one, other) = (tags("one", count), tags("other", 1));
        load(&engine, &[(one.clone(), config.clone()), (other, config.clone())]);
        let list = seconds(&engine, &["images"]);
        seconds(&engine, &["history", "one:7"]);
        let words: Vec<&str> = one.iter().map(String::as_str).collect();
        times.push((list, seconds(&engine, &[&["rmi"][..], &words].concat())));
        assert_eq!(engine.ok(&["images", "--format", "{{.Repository}}"]), "other");
    }
    in_proportion("images", times[0].0, times[1].0);
    in_proportion("rmi", times[0].1, times[1].1);
}

/// The program, traced for these system calls, and where they are written; without strace the
/// program alone.
fn traced(engine: &TestEngine, calls: &str) -> (Command, Option<PathBuf>) {
    if engine.shell("strace").arg("-V").output().is_err() {
        eprintln!("LEFT OUT: the count of the reads and writes needs strace");
        return (engine.command(&[]), None);
    }
    let trace = engine.root().join("trace");
    let mut command = engine.shell("strace");
    command.args(["-f", "-e", &format!("trace={calls}"), "-o"]).arg(&trace);
    command.arg(crate::harness::LIFEBOX);
    (command, Some(trace))
}

/// How many of the traced calls name the list of images.
#[track_caller]
fn uses_of_list(trace: &Path) -> usize {
    let trace = std::fs::read_to_string(trace).unwrap();
    let is_use = |line: &&str| line.contains("/index.json\"") || line.contains("\"index.json\"");
    trace.lines().filter(is_use).count()
}

#[test]
fn many_images_are_loaded_with_one_change_of_the_list_and_checked_with_few_reads() {
    needs_root!();
    let engine = TestEngine::empty();
    // A store begins with a list.
    load(&engine, &[(tags("other", 1), json!({"Cmd": ["/x"]}))]);
    let images: Vec<_> = tags("one", 30).into_iter().map(|tag| (vec![tag], json!({}))).collect();
    let file = engine.root().join("in.tar");
    std::fs::write(&file, archive(&images)).unwrap();
    let (mut command, trace) = traced(&engine, "rename,renameat,renameat2");
    let ran = command.args(["load", "-i"]).arg(&file).output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert_eq!(said.matches("Loaded image: one:").count(), 30, "{said}");
    assert_eq!(trace.map_or(1, |trace| uses_of_list(&trace)), 1);
    // The layer, which all images share, is there once.
    let layers = std::fs::read_dir(engine.root().join("images/layers")).unwrap();
    assert_eq!(layers.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 1);
    let (mut command, trace) = traced(&engine, "open,openat");
    let ran = command.args(["system", "check"]).output().unwrap();
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(said.contains("31 images") && said.contains("no damage"), "{said}");
    let reads = trace.map_or(1, |trace| uses_of_list(&trace));
    assert!(reads <= 4, "{reads} reads of the list for 31 images");
}

#[test]
fn removing_many_tags_says_each_and_writes_the_list_once() {
    needs_root!();
    let engine = TestEngine::empty();
    load(&engine, &[(tags("one", 40), json!({}))]);
    let id = engine.ok(&["images", "--no-trunc", "-q", "one:0"]);
    let mut words = tags("one", 40);
    words.insert(20, "missing".to_owned());
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let (mut command, trace) = traced(&engine, "rename,renameat,renameat2");
    let ran = command.arg("rmi").args(&words).output().unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(1), "{out}{err}");
    assert!(err.contains("no such image: `missing`"), "{err}");
    let mut expected: String = tags("one", 40).iter().fold(String::new(), |mut text, tag| {
        writeln!(text, "Untagged: {tag}").unwrap();
        text
    });
    writeln!(expected, "Deleted: {id}").unwrap();
    assert!(out.starts_with(&expected), "{out}");
    if let Some(trace) = trace {
        assert_eq!(uses_of_list(&trace), 1);
    }
    let since = ["events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}"];
    let events = engine.ok(&since);
    assert_eq!(events.matches("untag").count(), 40, "{events}");
    assert_eq!(events.matches("delete").count(), 1, "{events}");
}

#[test]
fn hundreds_of_images_are_listed_and_removed_in_time_that_is_in_proportion() {
    needs_root!();
    let mut times = Vec::new();
    for count in [60, 240] {
        let engine = TestEngine::empty();
        let images: Vec<_> = tags("one", count)
            .into_iter()
            .map(|tag| (vec![tag], json!({"Labels": {"of": "scale"}})))
            .collect();
        load(&engine, &images);
        let list = ["images", "system df -v", "image prune -f"].map(|verb| {
            let words: Vec<&str> = verb.split(' ').collect();
            seconds(&engine, &words)
        });
        let all = tags("one", count);
        let archive = engine.root().join("all.tar");
        let words: Vec<&str> = all.iter().map(String::as_str).collect();
        let save = [&["save", "-o", archive.to_str().unwrap()][..], &words].concat();
        let saved = seconds(&engine, &save);
        let first: Vec<String> = tags("one", count / 2);
        let words: Vec<&str> = first.iter().map(String::as_str).collect();
        let removal = seconds(&engine, &[&["rmi"][..], &words].concat());
        let rest = seconds(&engine, &["image", "prune", "-af"]);
        assert_eq!(engine.ok(&["images", "-q"]), "");
        times.push((list, saved, removal, rest));
    }
    for number in 0..3 {
        in_proportion("a list", times[0].0[number], times[1].0[number]);
    }
    in_proportion("save", times[0].1, times[1].1);
    in_proportion("rmi", times[0].2, times[1].2);
    in_proportion("image prune -a", times[0].3, times[1].3);
}

#[test]
fn an_image_of_forty_thousand_variables_is_a_usual_image() {
    needs_root!();
    let engine = TestEngine::new();
    let mut times = Vec::new();
    for count in [10_000, 40_000] {
        let env: Vec<String> = (0..count).map(|number| format!("VARIABLE_{number}=x")).collect();
        let labels: serde_json::Map<String, Value> =
            (0..count).map(|number| (format!("label.{number}"), json!(""))).collect();
        let name = format!("variables-{count}");
        let config = json!({"Env": env, "Labels": labels, "Cmd": ["/x"]});
        let history: Vec<_> = [(vec![format!("{name}:1")], config)].into();
        load(&engine, &history);
        let image = format!("{name}:1");
        let (image, script) = (image.as_str(), format!("print(image(\"{name}:1\").env.len());"));
        let each = [
            seconds(&engine, &["create", "--name", &name, "-e", "A=b", image]),
            seconds(&engine, &["inspect", &name]),
            seconds(&engine, &["image", "inspect", image]),
            seconds(&engine, &["history", image]),
            seconds(&engine, &["-e", &script]),
            seconds(&engine, &["ps", "-a"]),
            seconds(&engine, &["rm", &name]),
            seconds(&engine, &["rmi", image]),
        ];
        times.push(each);
    }
    for (number, few) in times[0].iter().enumerate() {
        in_proportion(&format!("verb {number}"), *few, times[1][number]);
    }
}

#[test]
fn an_image_that_brings_too_much_of_one_thing_is_refused_by_the_name_of_the_limit() {
    needs_root!();
    let engine = TestEngine::empty();
    let env: Vec<String> = (0..65_537).map(|number| format!("V{number}=")).collect();
    let archive = archive(&[(vec!["much:1".to_owned()], json!({"Env": env}))]);
    let loaded = engine.run_with_input(&["load", "-q"], &archive);
    let said = String::from_utf8_lossy(&loaded.stderr).into_owned();
    assert_eq!(loaded.status.code(), Some(1), "{said}");
    assert!(said.contains("has 65537 environment variables, more than 65536"), "{said}");
    assert!(said.contains("hint: "), "{said}");
    assert_eq!(engine.ok(&["images", "-q"]), "");
}

#[test]
fn hundreds_of_volumes_are_created_listed_and_removed_in_time_that_is_in_proportion() {
    needs_root!();
    let engine = TestEngine::new();
    let mut times = Vec::new();
    for count in [150, 600] {
        let mounts: Vec<String> =
            (0..count).map(|number| format!("-v=scale-{number}:/mnt/{number}")).collect();
        let mounts: Vec<&str> = mounts.iter().map(String::as_str).collect();
        let create = [&["create", "--name", "all"][..], &mounts, &["host", "true"]].concat();
        let created = seconds(&engine, &create);
        let listed = seconds(&engine, &["volume", "ls"]);
        engine.ok(&["rm", "all"]);
        let names: Vec<String> = (0..count / 2).map(|number| format!("scale-{number}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let removed = seconds(&engine, &[&["volume", "rm"][..], &names].concat());
        let pruned = seconds(&engine, &["volume", "prune", "-af"]);
        assert_eq!(engine.ok(&["volume", "ls", "-q"]), "");
        times.push([created, listed, removed, pruned]);
    }
    for (number, verb) in ["create", "volume ls", "volume rm", "volume prune"].iter().enumerate() {
        in_proportion(verb, times[0][number], times[1][number]);
    }
}
