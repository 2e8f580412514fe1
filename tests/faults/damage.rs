//! Damage: each file of a container, an image, a volume and the root is spoiled in each way.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cases::{Cases, Form};
use crate::command::{HANGS, first_line};
use crate::oracle::{Verdict, aftermath, check};
use crate::stage::Stage;

/// Ways to damage a file.
const WAYS: [&str; 13] = [
    "missing",
    "empty",
    "cut at one quarter",
    "cut at two quarters",
    "cut at three quarters",
    "NULs",
    "a bit flipped",
    "an empty list",
    "a number",
    "a directory",
    "a dangling link",
    "a link to a directory",
    "a fifo",
];

/// What there is to damage.
const SETUP: [&str; 6] = [
    "volume create data",
    "load -q -i new.tar",
    "run --name box -v data:/data new:1 true",
    "run -d --name live small:1",
    "build -q -t built:1 context",
    "exec live touch /made",
];

/// What a user asks of what is damaged: each ends soon, and without a panic.
const QUESTIONS: [&str; 12] = [
    "inspect box",
    "inspect live",
    "image inspect new:1",
    "volume inspect data",
    "logs box",
    "diff box",
    "history new:1",
    "system df",
    "start box",
    "stop -t 0 live",
    "exec live true",
    "create --name other new:1",
];

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::new();
    let files = match targets(&stage) {
        Ok(files) => files,
        Err(why) => return cases.add("damage/none/0".to_owned(), vec![why], false),
    };
    let mut all = Vec::new();
    for file in &files {
        for (number, way) in WAYS.iter().enumerate() {
            let name = format!("damage/{}/{way}", shown(&file.0));
            if cases.wants(&name) {
                all.push((file.clone(), number, name));
            }
        }
    }
    while form == Form::Short && all.len() > 16 {
        let at = cases.random(all.len());
        all.remove(at);
    }
    all.retain(|_| cases.turn());
    let end = aftermath(&mut stage);
    if !end.lost.is_empty() {
        cases.add("damage/none/0".to_owned(), end.lost, false);
        stage = Stage::new();
    }
    for ((kind, at), way, name) in all {
        let verdict = damage(&mut stage, &kind, at, way);
        if !verdict.lost.is_empty() {
            stage = Stage::new();
        }
        cases.add(name, verdict.lost, verdict.repaired);
    }
}

/// A path below the root, without the bystander's id.
fn kind(stage: &Stage, path: &Path) -> String {
    let root = stage.root();
    let inside = path.strip_prefix(&root).unwrap_or(path).to_string_lossy().into_owned();
    inside.replace(stage.bystander(), "BYSTANDER")
}

fn shown(kind: &str) -> String {
    let is_id = |part: &str| part.len() >= 32;
    kind.split('/').map(|part| if is_id(part) { "ID" } else { part }).collect::<Vec<_>>().join("/")
}

/// The files to damage: a pattern of the path, and which of those that match.
fn targets(stage: &Stage) -> Result<Vec<(String, usize)>, String> {
    SETUP.iter().try_for_each(|line| stage.prepare(line))?;
    let mut files = Vec::new();
    walk(&stage.root(), &mut files);
    let mut seen: Vec<(String, usize)> = Vec::new();
    for file in victims(stage, files) {
        let name = file.0;
        let count = seen.iter().filter(|(known, _)| shown(known) == shown(&name)).count();
        // Three of each kind: a configuration, a manifest and a layer are all blobs.
        if count < 3 {
            seen.push((shown(&name), count));
        }
    }
    Ok(seen)
}

/// The files that are no bystander's and no image's content, with their kinds, in order.
fn victims(stage: &Stage, files: Vec<PathBuf>) -> Vec<(String, PathBuf)> {
    let strays = stage.strays();
    let ids: BTreeSet<&str> = strays.iter().filter_map(|entry| entry.rsplit('/').next()).collect();
    let mut found = Vec::new();
    for path in files {
        let name = kind(stage, &path);
        let depth = name.split('/').count();
        let is_new =
            name.split('/').any(|part| ids.contains(part.split('.').next().unwrap_or(part)));
        let is_of_root =
            depth == 1 || depth == 2 && (name.starts_with("images/") || name.ends_with("lock"));
        if (is_new || is_of_root) && !name.contains("BYSTANDER") && name != "names/bystander" {
            found.push((shown(&name), path));
        }
    }
    found.sort();
    found
}

fn walk(directory: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_content = ["upper", "rootfs", "work", "_data"].contains(&name.as_str())
            || path.parent().is_some_and(|parent| parent.ends_with("images/layers"));
        if path.is_dir() && !path.is_symlink() {
            if !is_content {
                walk(&path, files);
            }
        } else {
            files.push(path);
        }
    }
}

fn damage(stage: &mut Stage, pattern: &str, at: usize, way: usize) -> Verdict {
    let mut verdict = Verdict::default();
    if let Err(why) = SETUP.iter().try_for_each(|line| stage.prepare(line)) {
        verdict.lost.push(why);
        return verdict;
    }
    let mut files = Vec::new();
    walk(&stage.root(), &mut files);
    let files = victims(stage, files);
    let Some((_, path)) = files.iter().filter(|(name, _)| name == pattern).nth(at) else {
        verdict.lost.extend(aftermath(stage).lost);
        return verdict;
    };
    spoil(path, way);
    // The list of all images has a copy, and its error names the command that takes it.
    let looked = stage.look().err().filter(|why| !why.contains("--repair"));
    verdict.lost.extend(looked);
    for line in QUESTIONS {
        let ran = stage.run(line);
        if ran.code == HANGS || ran.code < 0 || ran.err.contains("panicked") {
            verdict.lost.push(format!("`{line}` ends with {}: {}", ran.code, first_line(&ran)));
        }
    }
    check(stage, &mut verdict);
    let end = aftermath(stage);
    verdict.repaired |= end.repaired;
    verdict.lost.extend(end.lost);
    let works = ["load -q -i new.tar", "run --rm -v data:/data new:1 true"];
    if verdict.lost.is_empty() {
        verdict.lost.extend(works.iter().try_for_each(|line| stage.prepare(line)).err());
        verdict.lost.extend(aftermath(stage).lost);
    }
    verdict
}

/// Damages a file; what has no content is replaced as a whole.
fn spoil(path: &Path, way: usize) {
    let is_file = path.is_file();
    let bytes = if is_file { fs::read(path).unwrap_or_default() } else { Vec::new() };
    let quarter = |count: usize| bytes[..bytes.len() * count / 4].to_vec();
    let flipped = || {
        let mut bytes = bytes.clone();
        let middle = bytes.len() / 2;
        bytes.iter_mut().skip(middle).take(1).for_each(|byte| *byte ^= 4);
        bytes
    };
    let content = match way {
        1 => Some(Vec::new()),
        2..=4 => Some(quarter(way - 1)),
        5 => Some(vec![0; bytes.len().max(8)]),
        6 => Some(flipped()),
        7 => Some(b"[]".to_vec()),
        8 => Some(b"7".to_vec()),
        _ => None,
    };
    let _ = fs::remove_file(path);
    match (content, way) {
        (Some(content), _) => fs::write(path, content).unwrap(),
        (None, 9) => fs::create_dir(path).unwrap(),
        (None, 10) => std::os::unix::fs::symlink("/nonexistent/file", path).unwrap(),
        (None, 11) => std::os::unix::fs::symlink("/tmp", path).unwrap(),
        (None, 12) => nix::unistd::mkfifo(path, nix::sys::stat::Mode::S_IRWXU).unwrap(),
        (None, _) => {}
    }
}
