//! What `docker --help` lists, `lifebox --help` lists too, or `tests/docker-differences.tsv` has it
//! with a reason. The client is Debian's `docker.io` or `docker-cli`; it needs no daemon.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use regex::Regex;

use crate::harness::LIFEBOX;

const DIFFERENCES: &str = include_str!("../docker-differences.tsv");

/// One line of the table.
struct Row {
    verbs: Vec<&'static str>,
    flags: Vec<&'static str>,
    docker: &'static str,
    because: &'static str,
    instead: &'static str,
}

fn rows() -> Vec<Row> {
    let rows = DIFFERENCES.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.split('\t').collect();
        let [verbs, flags, docker, because, instead] = cells[..] else {
            panic!("five cells: {row}")
        };
        let list = |cell: &'static str| cell.split(", ").collect();
        Row { verbs: list(verbs), flags: list(flags), docker, because, instead }
    })
    .collect()
}

impl Row {
    fn is_of(&self, path: &str) -> bool {
        self.verbs.iter().any(|verb| path == *verb || short(path) == *verb)
    }

    /// Whether this version of Docker must have what the row names.
    fn is_in(&self, version: u32) -> bool {
        match (self.docker.strip_suffix('+'), self.docker.strip_prefix("..")) {
            (Some(since), _) => version >= since.parse().unwrap(),
            (_, Some(until)) => version <= until.parse().unwrap(),
            _ => self.docker == "all",
        }
    }
}

/// The name that a verb has without its noun.
fn short(path: &str) -> &str {
    match path {
        "container ls" => "ps",
        "image ls" => "images",
        "image rm" => "rmi",
        _ => ["container ", "image ", "system ", "builder "]
            .iter()
            .find_map(|noun| path.strip_prefix(noun).filter(|verb| *verb != "prune"))
            .unwrap_or(path),
    }
}

/// What a help says of a verb: its verbs, its flags, its other names.
#[derive(Debug, Default)]
struct Help {
    verbs: Vec<String>,
    /// By the long name: the short name, and whether a value must follow.
    flags: BTreeMap<String, (Option<String>, bool)>,
    /// Other long names of flags of lifebox.
    other_names: Vec<String>,
    /// Other names of a verb of Docker.
    aliases: Vec<String>,
}

impl Help {
    /// Asks a program; `None` if it does not know the verb.
    fn of(program: &str, path: &str) -> Option<Self> {
        let words: Vec<&str> = path.split_whitespace().chain(["--help"]).collect();
        let asked = Command::new(program)
            .args(words)
            .env_clear()
            .env("HOME", "/nonexistent")
            .env("DOCKER_HOST", "unix:///nonexistent/docker.sock")
            .output()
            .unwrap();
        asked.status.success().then(|| Self::read(&String::from_utf8(asked.stdout).unwrap()))
    }

    fn read(text: &str) -> Self {
        let flag = Regex::new(
            r"^ {2,8}(?:(-\w), +)?(--[a-z0-9-]+)(\[=<\w+>\])?(?: ([A-Za-z<]\S*))?(?: {2}|$)",
        );
        let flag = flag.unwrap();
        let mut help = Help::default();
        let mut paragraph = "";
        for line in text.lines() {
            if !line.starts_with(' ') && !line.is_empty() {
                paragraph = line.trim_end_matches(':');
            } else if paragraph.ends_with("ommands") {
                let verb = line.split_whitespace().next().filter(|_| line.starts_with("  "));
                let verb = verb.filter(|_| !line.starts_with("    "));
                help.verbs.extend(verb.map(|verb| verb.trim_end_matches('*').to_owned()));
            } else if paragraph == "Aliases" {
                help.aliases.extend(line.split(',').map(|name| name.trim().to_owned()));
            } else if let Some(found) = flag.captures(line) {
                let text = |at| found.get(at).map(|group| group.as_str().to_owned());
                help.flags.insert(text(2).unwrap(), (text(1), text(4).is_some()));
            }
        }
        let aliases = Regex::new(r"\[alias(?:es)?: ([^\]]*)\]").unwrap();
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        for found in aliases.captures_iter(&one_line) {
            help.other_names.extend(found[1].split(", ").map(str::to_owned));
        }
        help
    }
}

/// Docker's client as one walks through its help.
struct Walk {
    docker: String,
    version: u32,
    /// What differs without a row.
    unexplained: Vec<String>,
    /// The rows that were needed, by their number.
    needed: BTreeSet<usize>,
}

impl Walk {
    fn explained(&mut self, path: &str, flag: &str) -> bool {
        let mut found = false;
        for (at, row) in rows().iter().enumerate() {
            if row.is_of(path) && row.flags.contains(&flag) {
                self.needed.insert(at);
                found = true;
            }
        }
        found
    }

    fn verb(&mut self, path: &str) {
        let dockers = Help::of(&self.docker, path).unwrap();
        let Some(own) = Help::of(LIFEBOX, path) else {
            if !self.explained(path, "-") {
                self.unexplained.push(format!("docker {path}"));
            }
            return;
        };
        let of = if path.is_empty() { "-" } else { path };
        for (long, (letter, valued)) in &dockers.flags {
            let known = own.flags.get(long).is_some_and(|(own_letter, own_valued)| {
                (letter.is_none() || letter == own_letter) && valued == own_valued
            });
            let known = known || own.other_names.contains(long);
            if !known && !self.explained(of, long) {
                self.unexplained
                    .push(format!("docker {path} {long} ({letter:?}, value: {valued})"));
            }
        }
        for alias in &dockers.aliases {
            // Docker 20 lists the last words, Docker 28 all of them.
            let alias = match (alias.strip_prefix("docker "), path.rsplit_once(' ')) {
                (Some(alias), _) => alias.to_owned(),
                (None, Some((noun, _))) => format!("{noun} {alias}"),
                (None, None) => alias.clone(),
            };
            if Help::of(LIFEBOX, &alias).is_none() {
                self.unexplained.push(format!("docker {alias}, for `docker {path}`"));
            }
        }
        for verb in dockers.verbs {
            self.verb(format!("{path} {verb}").trim_start());
        }
    }
}

/// The clients on the `PATH`.
fn clients() -> Vec<String> {
    let path = std::env::var("PATH").unwrap();
    let programs = path.split(':').map(|directory| format!("{directory}/docker"));
    programs.filter(|program| std::fs::metadata(program).is_ok_and(|it| it.is_file())).collect()
}

#[test]
fn what_dockers_help_lists_is_here_or_in_the_table_of_differences() {
    let clients = clients();
    if clients.is_empty() {
        eprintln!("LEFT OUT: no client of Docker: apt-get install docker.io");
        return;
    }
    for docker in clients {
        let version = Command::new(&docker).arg("--version").output().unwrap().stdout;
        let version = String::from_utf8(version).unwrap();
        let number = version.split_whitespace().nth(2).and_then(|it| it.split('.').next());
        let version = number.unwrap().parse().unwrap();
        let mut walk = Walk { docker, version, unexplained: vec![], needed: BTreeSet::new() };
        walk.verb("");
        let none: Vec<String> = vec![];
        assert_eq!(walk.unexplained, none, "Docker {version}; mend, or add rows with a reason");
        let all = rows();
        let gone = all
            .iter()
            .enumerate()
            .filter(|(at, row)| row.is_in(walk.version) && !walk.needed.contains(at));
        let gone: Vec<String> =
            gone.map(|(_, row)| format!("{:?} {:?}", row.verbs, row.flags)).collect();
        assert_eq!(gone, none, "rows that Docker {version} does not need");
    }
}

/// Without Docker's client too: lifebox has nothing of the table.
#[test]
fn a_difference_that_is_gone_leaves_the_table() {
    for row in rows() {
        assert!(row.because.len() > 5, "a reason: {:?} {:?}", row.verbs, row.flags);
        for verb in &row.verbs {
            let help = Help::of(LIFEBOX, if *verb == "-" { "" } else { verb });
            if row.flags == ["-"] {
                assert!(help.is_none(), "lifebox {verb} is there");
                continue;
            }
            let flags = help.unwrap().flags;
            let has = flags.iter().find(|(long, (letter, _))| {
                let names = [Some(long.as_str()), letter.as_deref()];
                row.flags.iter().any(|flag| names.contains(&Some(flag)))
            });
            assert!(has.is_none(), "lifebox {verb} {:?} is there", row.flags);
        }
    }
}

/// README's table, one line for each reason.
fn readme_table() -> String {
    let mut lines =
        String::from("| Docker's | is not here, because | use instead |\n|---|---|---|\n");
    let table = rows();
    let mut reasons: Vec<&str> = table.iter().map(|row| row.because).collect();
    reasons.dedup();
    for because in reasons {
        let of_reason: Vec<&Row> = table.iter().filter(|row| row.because == because).collect();
        let mut names: Vec<(String, Vec<&str>)> = Vec::new();
        let mut instead: Vec<String> = Vec::new();
        for row in &of_reason {
            let verbs = row.verbs.join("`, `");
            let flags = row.flags.iter().filter(|flag| **flag != "-");
            match names.last_mut().filter(|(last, flags)| *last == verbs && !flags.is_empty()) {
                Some((_, known)) => known.extend(flags),
                None => names.push((verbs, flags.copied().collect())),
            }
            let hint = row.instead.replace("{verb}", row.verbs[0]);
            let hint = match hint.split_once(": ") {
                Some((what, command)) if !command.contains('`') => format!("{what}: `{command}`"),
                _ => hint,
            };
            if !hint.is_empty() && !instead.contains(&hint) {
                instead.push(hint);
            }
        }
        let named = |(verbs, flags): &(String, Vec<&str>)| match (verbs.as_str(), flags.join(" ")) {
            (_, flags) if flags.is_empty() => format!("`{verbs}`"),
            ("-", flags) => format!("`{flags}`"),
            (_, flags) => format!("`{verbs}` with `{flags}`"),
        };
        let names: Vec<String> = names.iter().map(named).collect();
        let instead = instead.join("; ").replace('|', "\\|");
        lines += &format!("| {} | {because} | {instead} |\n", names.join("; "));
    }
    lines
}

#[test]
fn readme_lists_the_table_of_differences() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/README.md");
    let readme = std::fs::read_to_string(path).unwrap();
    let (opening, closing) = ("<!-- tests/docker-differences.tsv -->\n", "<!-- end -->\n");
    let (before, rest) = readme.split_once(opening).unwrap();
    let (shown, after) = rest.split_once(closing).unwrap();
    let table = readme_table();
    if shown != table && std::env::var_os("UPDATE_EXPECT").is_some() {
        let text = format!("{before}{opening}{table}{closing}{after}");
        return std::fs::write(path, text).unwrap();
    }
    assert_eq!(shown, table, "UPDATE_EXPECT=1 writes it");
}
