//! The rules of the house, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::imports::{Arrows, Crate, circles};
use crate::prose::{self, Prose};
use lifebox::model::container::status::{Action, Status, Transition, transition};

/// Which room may import which; ARCHITECTURE.md carries the same table.
const ROOMS: [(&str, &[&str]); 9] = [
    ("model", &[]),
    ("sys", &["model"]),
    ("ui", &["model"]),
    ("image", &["model", "sys"]),
    ("runtime", &["model", "sys"]),
    ("engine", &["model", "image", "runtime"]),
    ("script", &["model", "ui", "engine"]),
    ("repl", &["model", "ui", "script"]),
    ("cli", &["model", "ui", "engine", "script", "repl"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// All files with this ending below a folder.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| match path.is_dir() {
            true => files(&path, ending),
            false => Some(path)
                .filter(|path| path.extension().is_some_and(|e| e == ending))
                .into_iter()
                .collect(),
        })
        .collect()
}

/// The imports of the source.
fn arrows() -> Arrows {
    Crate::read(&root().join("src")).arrows()
}

#[test]
fn rooms_import_only_downwards() {
    for (file, rooms) in Crate::read(&root().join("src")).rooms() {
        let room = file.split('/').next().unwrap();
        let Some((_, allowed)) = ROOMS.iter().find(|(name, _)| *name == room) else { continue };
        for import in rooms.iter().filter(|name| ROOMS.iter().any(|(room, _)| room == name)) {
            let known = import == room || allowed.contains(&import.as_str());
            assert!(known, "{file} imports {import}, which its room may not");
        }
    }
}

/// Wing -> the wings that it may import, for each room, as ARCHITECTURE.md says.
fn wings() -> BTreeMap<String, BTreeMap<String, BTreeSet<String>>> {
    let mut rooms: BTreeMap<String, BTreeMap<_, _>> = BTreeMap::new();
    let mut current = None;
    for line in read("ARCHITECTURE.md").lines() {
        if line.starts_with('#') {
            current = line.strip_prefix("### ").and_then(|name| name.strip_suffix('/'));
            current.map(|room| rooms.entry(room.to_owned()).or_default());
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let (Some(room), ["", wing, imports, ""]) = (current, &cells[..])
            && *wing != "wing"
            && !wing.starts_with('-')
        {
            let imports = imports.split(", ").filter(|name| *name != "-").map(str::to_owned);
            rooms.entry(room.to_owned()).or_default().insert((*wing).to_owned(), imports.collect());
        }
    }
    rooms
}

/// The room of a file and its wing: a folder, or a single file that stands in the room itself.
fn wing(file: &str) -> Option<(&str, &str)> {
    let (room, rest) = file.split_once('/')?;
    Some((room, rest.split('/').next().unwrap_or(rest).trim_end_matches(".rs")))
}

#[test]
fn wings_import_only_what_their_row_says_and_need_each_word_of_it() {
    let wings = wings();
    assert_eq!(wings.len(), ROOMS.len(), "each room has a table of wings");
    let mut used = BTreeSet::new();
    for (file, targets) in arrows() {
        for (target, names) in targets {
            let (Some((room, from)), Some((into_room, into))) = (wing(&file), wing(&target)) else {
                continue;
            };
            if room == into_room && from != into {
                let row = wings[room].get(from);
                let row = row.unwrap_or_else(|| panic!("{room}/{from} imports and has no row"));
                assert!(row.contains(into), "{file} -> {target}: {names:?}");
                used.insert([room, from, into].map(str::to_owned));
            }
        }
    }
    for (room, rows) in &wings {
        for (from, imports) in rows {
            assert!(
                root().join(format!("src/{room}/{from}")).is_dir()
                    || root().join(format!("src/{room}/{from}.rs")).is_file(),
                "{room} has no wing {from}"
            );
            for into in imports {
                let arrow = [room.clone(), from.clone(), into.clone()];
                assert!(used.contains(&arrow), "{room}: {from} may import {into}, and does not");
            }
        }
    }
}

#[test]
fn files_import_each_other_in_no_circle() {
    let arrows = arrows();
    let found = circles(&arrows);
    let mut shown = String::new();
    for circle in &found {
        for (file, targets) in arrows.iter().filter(|(file, _)| circle.contains(file.as_str())) {
            for (target, names) in targets.iter().filter(|(to, _)| circle.contains(to.as_str())) {
                shown.push_str(&format!("{file} -> {target}: {names:?}\n"));
            }
        }
        shown.push('\n');
    }
    assert!(found.is_empty(), "{} circles:\n{shown}", found.len());
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let folders = std::fs::read_dir(root().join("src")).unwrap().map(|entry| entry.unwrap().path());
    for folder in folders.filter(|path| path.is_dir()) {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(ROOMS.iter().any(|(room, _)| *room == name), "{name} has no row in the table");
    }
}

#[test]
fn the_architecture_carries_the_table_of_rooms() {
    let text = read("ARCHITECTURE.md");
    for (room, allowed) in ROOMS {
        let list = if allowed.is_empty() { "-".to_owned() } else { allowed.join(", ") };
        let row = format!("| {room} | {list} |");
        assert!(text.contains(&row), "ARCHITECTURE.md lacks the row {row}");
    }
}

#[test]
fn the_architecture_carries_the_table_of_states() {
    let text = read("ARCHITECTURE.md");
    for status in Status::ALL {
        let cell = |action: Action| match transition(status, action) {
            Ok(Transition::Becomes(status)) => status.to_string(),
            Ok(Transition::Stays) => "-".to_owned(),
            Ok(Transition::Removed) => "removed".to_owned(),
            Err(_) => "refused".to_owned(),
        };
        let cells: Vec<_> =
            Action::ALL.into_iter().filter(|action| action.changes_status()).map(cell).collect();
        let row = format!("| {status} | {} |", cells.join(" | "));
        assert!(text.contains(&row), "ARCHITECTURE.md lacks the row\n{row}");
    }
}

#[test]
fn unsafe_code_is_in_sys_only() {
    let sys = root().join("src/sys");
    for file in files(&root().join("src"), "rs").into_iter().filter(|file| !file.starts_with(&sys))
    {
        let text = std::fs::read_to_string(&file).unwrap();
        let found = ["unsafe {", "unsafe fn", "unsafe impl", "allow(unsafe_code)"];
        assert!(!found.iter().any(|word| text.contains(word)), "{}", file.display());
    }
}

#[test]
fn every_file_says_what_it_owns_and_tells_one_story() {
    for file in files(&root().join("src"), "rs") {
        let text = std::fs::read_to_string(&file).unwrap();
        assert!(text.starts_with("//!"), "{} has no header", file.display());
        assert!(text.lines().count() <= 450, "{} has over 450 lines", file.display());
        let unfinished = [["TO", "DO"].concat(), ["FIX", "ME"].concat(), "dbg!(".to_owned()];
        assert!(!unfinished.iter().any(|mark| text.contains(mark.as_str())), "{}", file.display());
    }
}

#[test]
fn no_line_of_a_comment_is_longer_than_100_columns() {
    let mut long = Vec::new();
    for folder in ["src", "tests"] {
        for file in files(&root().join(folder), "rs") {
            let text = std::fs::read_to_string(&file).unwrap();
            // The lines of an example are code, and as long as they need to be.
            let mut is_example = false;
            for (number, line) in text.lines().enumerate() {
                let Some(comment) = line.trim_start().strip_prefix("//") else { continue };
                is_example ^= comment.trim_start_matches(['/', '!', ' ']).starts_with("```");
                if !is_example && line.chars().count() > 100 {
                    long.push(format!("{}:{}", file.display(), number + 1));
                }
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
}

/// Phrases that name no party, or for which the field has a plain word.
const UNPLAIN: &[&str] = &[
    "nobody",
    "somebody",
    "whoever",
    "whatever",
    "nowhere",
    "none of them",
    "for ever",
    "at once",
    "so many",
    "so long",
    "so often",
    "so well",
    "is no",
    "are no",
    "was no",
    "were no",
    "is wanted",
    "are wanted",
    "is to be",
    "are to be",
    "asks for",
    "asked for",
    "asked again",
    "it takes",
    "it is one of",
    "it is gone",
    "goes on",
    "go on",
    "went on",
    "says so",
    "say so",
    "time is over",
    "timeout is over",
    "not there",
    "and the like",
    "in words",
    "this machine",
    "made of",
    "made from",
    "takes away",
    "take away",
    "a container is needed",
    "known: {",
];

/// Plain phrases that contain one of these.
const PLAIN: &[&str] = &[
    "there is no",
    "there are no",
    "there was no",
    "there were no",
    "is no longer",
    "are no longer",
    // Docker's message.
    "you cannot start and attach multiple containers at once",
    // The user.
    "\"nobody\"",
    "nobody:x:65534:65534:nobody:",
];

/// Returns where a Rust file uses unplain words. Strings of tests may: they are input.
fn unplain(path: &str, text: &str) -> Vec<(usize, &'static str)> {
    let is_test = path.ends_with("/tests.rs") || path.contains("/tests/");
    let inline = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let tests = if is_test { 0 } else { text[..inline].lines().count() };
    let uses = |prose: &Prose| prose.uses(UNPLAIN, PLAIN);
    let is_input = |prose: &Prose, line| prose.is_string && line > tests;
    let all = prose::of_rust(text);
    let all = all.iter().flat_map(|prose| uses(prose).into_iter().map(move |found| (prose, found)));
    all.filter(|(prose, (line, _))| !is_input(prose, *line)).map(|(_, found)| found).collect()
}

#[test]
fn comments_and_messages_use_plain_words() {
    let mut all = Vec::new();
    for file in files(&root().join("src"), "rs") {
        let path = file.strip_prefix(root()).unwrap().display().to_string();
        let found = unplain(&path, &std::fs::read_to_string(&file).unwrap());
        all.extend(found.into_iter().map(|(line, word)| format!("{path}:{line}: {word}")));
    }
    let folders = ["stdlib", "scripts"].map(|folder| files(&root().join(folder), "rhai"));
    let texts = folders.concat().into_iter().chain([root().join("src/ui/messages/en.ftl")]);
    for file in texts {
        let path = file.strip_prefix(root()).unwrap().display();
        let text = Prose::new(&std::fs::read_to_string(&file).unwrap(), 1, false);
        let found = text.uses(UNPLAIN, PLAIN).into_iter();
        all.extend(found.map(|(line, word)| format!("{path}:{line}: {word}")));
    }
    assert!(all.is_empty(), "say it as CONTRIBUTING.md asks under \"Words\":\n{}", all.join("\n"));
}

#[test]
fn the_rule_of_plain_words_finds_them_where_they_are() {
    let text = r##"
/// There is no list, so this is
/// no list. 'Nobody' (it's) counts.
fn bar<'a>(c: char) -> &'a str {
    let nobody = c == '"' || c == '\''; // for ever
    "so \"many\", so many, \
     at once" // "at once"
}
const RAW: &str = r#"is
 "wanted""#;
const WORDS: &str = r#"goes
on"#;
#[cfg(test)]
mod tests {
    // Whoever
    const INPUT: &str = "whoever";
}
"##;
    let mut found = unplain("src/a.rs", text);
    found.sort_unstable();
    let expected = [
        (2, "is no"),
        (3, "nobody"),
        (5, "for ever"),
        (6, "so many"),
        (7, "at once"),
        (7, "at once"),
        (11, "goes on"),
        (15, "whoever"),
    ];
    assert_eq!(found, expected);
    let found = unplain("src/a/tests.rs", text);
    assert_eq!(found.len(), 5, "{found:?}");
}

#[test]
fn the_version_has_a_place_in_the_changelog() {
    let heading = format!("## [{}]", env!("CARGO_PKG_VERSION"));
    assert!(read("CHANGELOG.md").contains(&heading), "{heading}");
}

#[test]
fn the_list_of_decisions_is_sorted_and_complete() {
    let mut files: Vec<String> = files(&root().join("docs/decisions"), "md")
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| name != "README.md")
        .collect();
    files.sort();
    let list = read("docs/decisions/README.md");
    let target = |line: &str| Some(line.split_once("](")?.1.split_once(')')?.0.to_owned());
    let rows: Vec<String> = list.lines().filter_map(target).collect();
    assert_eq!(rows, files);
}

#[test]
fn every_workflow_is_run_by_a_test() {
    let tests: String = files(&root().join("tests"), "rs")
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    for script in files(&root().join("scripts"), "rhai") {
        let name = script.file_name().unwrap().to_str().unwrap();
        assert!(tests.contains(name), "{name} is run by no test");
    }
}

/// The names and lines of a section of Cargo.toml.
fn dependencies(section: &str) -> Vec<(String, String)> {
    let text = read("Cargo.toml");
    let start = text.find(section).unwrap() + section.len();
    let lines = text[start..].lines().skip(1).take_while(|line| !line.starts_with('['));
    let lines = lines.filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines.map(|line| (line.split(' ').next().unwrap().to_owned(), line.to_owned())).collect()
}

#[test]
fn every_dependency_has_a_reason_and_is_used() {
    let code: String = files(&root().join("src"), "rs")
        .iter()
        .map(|file| std::fs::read_to_string(file).unwrap())
        .collect();
    let program = code.replace("rustix::", "").replace("std::os::unix::", "");
    for (name, line) in dependencies("[dependencies]") {
        assert!(line.contains(" # "), "no reason is given for {name}");
        let path = format!("{}::", name.replace('-', "_"));
        let used = if name == "rustix" { &code } else { &program };
        assert!(used.contains(&path), "{name} is used nowhere");
    }
    for (name, line) in dependencies("[dev-dependencies]") {
        assert!(line.contains(" # "), "no reason is given for {name}");
    }
}
