//! What a process finds where it runs: rights, mounts, files, limits, namespaces, system calls.
//!
//! The tests copy this program into a container under the name [`NAME`], and compare what it
//! finds with the tables of the specification. It runs nothing and changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use serde_json::{Map, Value, json};

use crate::sys::try_in_child::{Outcome, try_in_child};

/// The file name that makes this program a probe.
pub const NAME: &str = "lifebox-runtimetest";

/// The numbers that `calls` tries: more than there are, and the first of x32.
const LAST: u64 = 520;
const X32: u64 = 0x4000_0000;

/// Returns whether this process runs under the name of the probe.
pub fn is_runtimetest() -> bool {
    let name = std::env::args_os().next().unwrap_or_default();
    Path::new(&name).file_name().is_some_and(|name| name == NAME)
}

/// Writes what it finds as JSON. `calls` tries every system call with impossible arguments, and
/// `call NUMBER ARGUMENT...` one with these.
pub fn run() -> u8 {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |word: &String| word.parse::<u64>().unwrap_or(u64::MAX);
    let found = match words.first().map(String::as_str) {
        Some("calls") => calls(),
        Some("call") => {
            let mut arguments = [0; 6];
            for (argument, word) in arguments.iter_mut().zip(words.iter().skip(2)) {
                *argument = number(word);
            }
            outcome(words.get(1).map_or(u64::MAX, number), arguments)
        }
        _ => surroundings(),
    };
    let written = writeln!(std::io::stdout(), "{found}");
    u8::from(written.is_err())
}

fn calls() -> Value {
    let tried = (0..=LAST).chain([X32, X32 + 1]);
    let found = tried.map(|number| (number.to_string(), outcome(number, [u64::MAX; 6])));
    Value::Object(found.collect())
}

/// Returns 0 for success, an error number, or a word.
fn outcome(number: u64, arguments: [u64; 6]) -> Value {
    match try_in_child(number, arguments) {
        Ok(Outcome::Returned) => 0.into(),
        Ok(Outcome::Failed(errno)) => errno.into(),
        Ok(Outcome::Exited) => "ended".into(),
        Ok(Outcome::StillBlocked) => "waits".into(),
        Err(errno) => format!("no process: {errno}").into(),
    }
}

fn surroundings() -> Value {
    let text = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let status: Map<String, Value> = text("/proc/self/status")
        .lines()
        .filter_map(|line| line.split_once(':'))
        .map(|(key, value)| (key.to_owned(), value.trim().into()))
        .collect();
    let limits: BTreeMap<String, Vec<String>> = text("/proc/self/limits")
        .lines()
        .skip(1)
        .filter_map(|line| line.split_at_checked(26))
        .map(|(name, rest)| (name, rest.split_whitespace().take(2).map(str::to_owned).collect()))
        .map(|(name, values)| (name.trim().to_owned(), values))
        .collect();
    json!({
        "status": status,
        "mounts": text("/proc/self/mountinfo").lines().map(mount).collect::<Vec<_>>(),
        "fds": links("/proc/self/fd"),
        "namespaces": links("/proc/self/ns"),
        "limits": limits,
        "oom_score_adj": text("/proc/self/oom_score_adj").trim(),
        "keys": text("/proc/keys").lines().count(),
        "cwd": std::env::current_dir().unwrap_or_default(),
        "env": std::env::vars().collect::<BTreeMap<_, _>>(),
        "exe": fs::read_link("/proc/self/exe").unwrap_or_default(),
    })
}

/// Returns the targets of the links in a directory.
fn links(directory: &str) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    let link = |path: &Path| fs::read_link(path).map(|to| to.to_string_lossy().into_owned());
    entries
        .filter_map(|entry| {
            Some((entry.file_name().to_string_lossy().into_owned(), link(&entry.path()).ok()?))
        })
        .collect()
}

/// Parses a line of proc_pid_mountinfo(5).
fn mount(line: &str) -> Value {
    let (own, of_type) = line.split_once(" - ").unwrap_or((line, ""));
    let own: Vec<&str> = own.split(' ').collect();
    let of_type: Vec<&str> = of_type.split(' ').collect();
    let at = |fields: &[&str], place: usize| (*fields.get(place).unwrap_or(&"")).to_owned();
    json!({
        "point": at(&own, 4),
        "root": at(&own, 3),
        "options": at(&own, 5),
        "propagation": own.get(6..).unwrap_or_default(),
        "type": at(&of_type, 0),
        "super": at(&of_type, 2),
    })
}
