//! Writes RELIABILITY.md from the cases of the whole form.

use std::fmt::Write as _;
use std::time::Duration;

use crate::cases::{Cases, Tally, every};
use crate::promises::{FAULTS, Promise, SCRIPTS};

/// The kinds of fault, and what is done.
const KINDS: [(&str, &str); 8] = [
    ("kill", "SIGKILL of client, monitor, init or helper before each call that changes something"),
    ("error", "a call of client, monitor, init or helper fails with an error that it may have"),
    ("scarce", "no room, no inodes, few descriptors, a read-only store"),
    ("damage", "a file below the root is emptied, cut, overwritten or replaced"),
    ("stop", "SIGSTOP of a client in the middle of a verb, while another client works"),
    ("caller", "signals ignored and blocked, umasks and limits that a caller hands down"),
    ("race", "two verbs at the same time, compared with both orders"),
    ("schedule", "four clients with random verbs, compared with the table of states"),
];

const HEAD: &str = "\
# Reliability

Faults are put to the engine, and one oracle looks at what is left.
`LIFEBOX_FAULTS=whole cargo test --test faults` as root runs all cases and writes this file.
`LIFEBOX_FAULTS_EVERY=10` beside it runs one case of ten.
`cargo test --test faults` runs a sample in some minutes, and `.ci/run` runs that.
`cargo test --test faults -- 'kill/create/client/3'` repeats one case.

After each case the oracle looks at:

- records: every container, image and volume is listed, in a state that the verb may leave;
- the end of the command: success only for what is done, and an error with a text;
- `system check`: clean after at most one `--repair`;
- the same command again: it works;
- files, processes, mounts and cgroups: none is left when all is removed;
- a running container beside it, which counts on.

A call that changes nothing which another process sees is no place for a kill of its own.
Each verb, process and error has at most twelve calls that fail; each verb has twelve callers, and four stops for each other client.
The other kinds are complete.

";

/// Prints the tally of a kind.
pub fn summary(kind: &str, cases: &Cases<'_>, took: Duration) {
    let tally = cases.tally(kind);
    let (all, lost) = (tally.names.len(), tally.lost.len());
    println!(
        "{kind}: {all} cases, {} held, {lost} lost, {} needed a repair, {} s",
        all - lost,
        tally.repaired,
        took.as_secs()
    );
}

pub fn write(cases: &Cases<'_>) {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/RELIABILITY.md");
    std::fs::write(path, text(cases)).unwrap();
}

fn text(cases: &Cases<'_>) -> String {
    let mut text = HEAD.to_owned();
    if every() > 1 {
        let _ = writeln!(
            text,
            "This file is of a run with `LIFEBOX_FAULTS_EVERY={0}`: of each kind one case of {0}.\n",
            every()
        );
    }
    text.push_str(
        "## Cases\n\n| kind | what is done | cases | held | lost | needed `--repair` |\n",
    );
    text.push_str("|---|---|---|---|---|---|\n");
    for (kind, what) in KINDS {
        let Tally { names, repaired, lost } = cases.tally(kind);
        let (all, lost) = (names.len(), lost.len());
        let _ =
            writeln!(text, "| {kind} | {what} | {all} | {} | {lost} | {repaired} |", all - lost);
    }
    lost(&mut text, cases);
    text.push_str(
        "\n## Promises\n\nA row counts the cases of the harness and the tests that hold the promise.\n\n",
    );
    table(&mut text, cases, FAULTS);
    text.push_str("\n## Scripts\n\n");
    table(&mut text, cases, SCRIPTS);
    text
}

/// Names what is lost: the cases of each verb or file with the same outcome on one line.
fn lost(text: &mut String, cases: &Cases<'_>) {
    let mut lines: Vec<(String, usize)> = Vec::new();
    for (kind, _) in KINDS {
        for lost in cases.tally(kind).lost {
            let what = lost.what.first().cloned().unwrap_or_default();
            let place = lost.case.rsplit_once('/').map_or(lost.case.as_str(), |(place, _)| place);
            let line = format!("- `{place}`: {}", plain(&what));
            match lines.iter_mut().find(|(known, _)| *known == line) {
                Some((_, count)) => *count += 1,
                None => lines.push((line, 1)),
            }
        }
    }
    if lines.is_empty() {
        return;
    }
    text.push_str("\n### Lost\n\n");
    for (line, count) in lines {
        let times = if count > 1 { format!(" ({count} cases)") } else { String::new() };
        let _ = writeln!(text, "{line}{times}");
    }
}

/// Cuts a text, and replaces what differs from run to run: ids and paths of this machine.
fn plain(text: &str) -> String {
    let is_id = |word: &str| word.len() >= 12 && word.chars().all(|c| c.is_ascii_hexdigit());
    let mut plain = String::new();
    for part in text.split_inclusive(|c: char| !c.is_alphanumeric()) {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        if is_id(word) {
            plain.push_str("ID");
            plain.push_str(&part[word.len()..]);
        } else {
            plain.push_str(part);
        }
    }
    let root = format!("{}/lifebox-test-", std::env::temp_dir().display());
    let mut parts = plain.split(root.as_str());
    let first = parts.next().unwrap_or_default().to_owned();
    // What follows is a path below a root whose name differs from run to run.
    let below =
        |part: &str| part.split_once('/').map_or(String::new(), |(_, path)| path.to_owned());
    let plain = parts.fold(first, |text, part| text + &below(part));
    plain.replace('|', "\\|").chars().take(160).collect()
}

fn table(text: &mut String, cases: &Cases<'_>, rows: &[Promise]) {
    text.push_str(
        "| | fault | promise | held by | cases | held | lost |\n|---|---|---|---|---|---|---|\n",
    );
    for row in rows {
        let matching = |name: &str| row.cases.iter().any(|pattern| matches(pattern, name));
        let all = cases.tallies.values().flat_map(|tally| &tally.names);
        let count = all.filter(|name| matching(name)).count() + row.tests.len();
        let losses = cases.tallies.values().flat_map(|tally| &tally.lost);
        let lost = losses.filter(|lost| matching(&lost.case)).count();
        let mut by: Vec<String> =
            row.cases.iter().map(|pattern| format!("cases {pattern}")).collect();
        by.extend(row.tests.iter().map(|test| format!("`{test}`")));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {count} | {} | {lost} |",
            row.number,
            row.fault,
            row.promise,
            by.join(", ").replace('*', "\\*"),
            count - lost
        );
    }
}

/// Whether a case's name begins with the parts of a pattern; `*` stands for any part.
fn matches(pattern: &str, name: &str) -> bool {
    let mut parts = name.split('/');
    pattern
        .split('/')
        .all(|wanted| parts.next().is_some_and(|part| wanted == "*" || wanted == part))
}
