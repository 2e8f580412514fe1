//! Exhaustion: no room, no inodes, few descriptors, a read-only store.

use crate::cases::{Cases, Form};
use crate::command::{Ran, first_line, run as run_command};
use crate::kills::learned;
use crate::oracle::{Demand, Golden, Verdict, aftermath, judge, setup};
use crate::stage::{LIMIT, Stage};
use crate::verbs::{VERBS, Verb};

/// What there is little of.
#[derive(Clone, Copy)]
enum Scarce {
    /// This many pages are left.
    Room(usize),
    /// This many inodes are left.
    Inodes(usize),
    /// A process may have this many descriptors.
    Descriptors(usize),
    /// Nothing may be written below the root.
    ReadOnly,
}

impl Scarce {
    fn all() -> Vec<Scarce> {
        let few = [0, 1, 2, 3, 4, 6, 8, 12, 16, 24];
        let descriptors = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 16, 20, 24, 32, 64];
        let rooms = few.into_iter().map(Scarce::Room);
        let inodes = few.into_iter().map(Scarce::Inodes);
        let descriptors = descriptors.into_iter().map(Scarce::Descriptors);
        rooms.chain(inodes).chain(descriptors).chain([Scarce::ReadOnly]).collect()
    }

    fn name(self) -> String {
        match self {
            Scarce::Room(left) => format!("pages left/{left}"),
            Scarce::Inodes(left) => format!("inodes left/{left}"),
            Scarce::Descriptors(most) => format!("descriptors/{most}"),
            Scarce::ReadOnly => "read-only/1".to_owned(),
        }
    }

    fn begin(self, stage: &Stage) {
        match self {
            Scarce::Room(left) => {
                stage.shell(&format!(
                    "set -- $(stat -f -c '%b %f %S' $root); \
                     mount -o remount,size=$((($1 - $2 + {left}) * $3)) $root"
                ));
            }
            Scarce::Inodes(left) => {
                stage.shell(&format!(
                    "set -- $(stat -f -c '%c %d' $root); \
                     mount -o remount,nr_inodes=$(($1 - $2 + {left})) $root"
                ));
            }
            Scarce::Descriptors(_) => {}
            Scarce::ReadOnly => {
                stage.shell("mount -o remount,ro $root");
            }
        }
    }

    fn end(self, stage: &Stage) {
        stage.shell(&format!("mount -o remount,rw,{DISK} $root"));
    }

    fn run(self, stage: &Stage, line: &str) -> Ran {
        let limit = match self {
            Scarce::Descriptors(most) => format!("--nofile={most}:{most}"),
            _ => String::new(),
        };
        let wrapper = if limit.is_empty() { vec![] } else { vec!["prlimit", limit.as_str()] };
        run_command(stage.command_below(&wrapper, line), LIMIT)
    }
}

/// As much as an image asks for, and more.
const DISK: &str = "size=400m,nr_inodes=10000";

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::on_disk(DISK);
    readers(cases, &stage);
    for verb in VERBS {
        let named = |scarce: &Scarce| format!("scarce/{}/{}", verb.name, scarce.name());
        let mut all: Vec<Scarce> = Scarce::all();
        all.retain(|scarce| cases.wants(&named(scarce)));
        let most = if form == Form::Short { cases.random(2) } else { all.len() };
        while all.len() > most {
            let at = cases.random(all.len());
            all.remove(at);
        }
        all.retain(|_| cases.turn());
        if all.is_empty() {
            continue;
        }
        let learned = match learned(&mut stage, verb) {
            Ok(learned) => learned,
            Err(why) => {
                cases.add(format!("scarce/{}/none/0", verb.name), vec![why], false);
                stage = Stage::on_disk(DISK);
                continue;
            }
        };
        for scarce in all {
            let verdict = one(&mut stage, verb, &learned.golden, scarce);
            if !verdict.lost.is_empty() {
                stage = Stage::on_disk(DISK);
            }
            cases.add(named(&scarce), verdict.lost, verdict.repaired);
        }
    }
}

fn one(stage: &mut Stage, verb: &Verb, golden: &Golden, scarce: Scarce) -> Verdict {
    if let Err(why) = setup(stage, verb) {
        return Verdict { lost: vec![why], repaired: false };
    }
    scarce.begin(stage);
    let ran = scarce.run(stage, verb.line);
    // While it is scarce, who only looks can look.
    let looked = stage.look();
    scarce.end(stage);
    let mut verdict = judge(stage, verb, golden, &ran, Demand::Truth, false);
    verdict.lost.extend(looked.err().map(|why| format!("while it is scarce: {why}")));
    verdict
}

/// Verbs that only read; each works on a read-only store as it does on another.
const READERS: [&str; 17] = [
    "ps -a",
    "images",
    "volume ls",
    "inspect box",
    "inspect bystander",
    "image inspect small:1",
    "volume inspect data",
    "logs box",
    "diff box",
    "history small:1",
    "system df",
    "system check",
    "info",
    "save -o saved.tar small:1",
    "export -o exported.tar box",
    "cp box:/bin copied",
    "top bystander",
];

fn readers(cases: &mut Cases<'_>, stage: &Stage) {
    let names = READERS.map(|line| format!("scarce/reading/{line}"));
    if !names.iter().any(|name| cases.wants(name)) {
        return;
    }
    let made = ["volume create data", "run --name box -v data:/data small:1 true"];
    if let Err(why) = made.iter().try_for_each(|line| stage.prepare(line)) {
        return cases.add("scarce/reading/none".to_owned(), vec![why], false);
    }
    let before: Vec<Ran> = READERS.iter().map(|line| stage.run(line)).collect();
    Scarce::ReadOnly.begin(stage);
    for ((line, before), name) in READERS.iter().zip(before).zip(names) {
        let ran = stage.run(line);
        let same = ran.code == before.code && !ran.err.contains("panicked");
        let lost =
            format!("fails with {} where nothing may be written: {}", ran.code, first_line(&ran));
        cases.add(name, if same { Vec::new() } else { vec![lost] }, false);
    }
    Scarce::ReadOnly.end(stage);
    let removed = stage.look().and_then(|world| stage.reset(&world));
    cases.add("scarce/reading/end".to_owned(), removed.err().into_iter().collect(), false);
}

/// What a caller hands down over execve(2): each verb works below it as below another.
pub fn callers(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::new();
    let wrappers = wrappers();
    for verb in VERBS {
        let mut all: Vec<&(String, Vec<String>)> = wrappers.iter().collect();
        let named = |name: &str| format!("caller/{}/{name}", verb.name);
        all.retain(|(name, _)| cases.wants(&named(name)));
        let most = if form == Form::Short { cases.random(2) } else { 12 };
        while all.len() > most {
            let at = cases.random(all.len());
            all.remove(at);
        }
        all.retain(|_| cases.turn());
        if all.is_empty() {
            continue;
        }
        let learned = match learned(&mut stage, verb) {
            Ok(learned) => learned,
            Err(why) => {
                cases.add(format!("caller/{}/none", verb.name), vec![why], false);
                stage = Stage::new();
                continue;
            }
        };
        for (name, wrapper) in all {
            let mut verdict = Verdict::default();
            match setup(&stage, verb) {
                Err(why) => verdict.lost.push(why),
                Ok(()) => {
                    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
                    let ran = run_command(stage.command_below(&wrapper, verb.line), LIMIT);
                    verdict =
                        judge(&mut stage, verb, &learned.golden, &ran, Demand::Success, false);
                }
            }
            if !verdict.lost.is_empty() {
                verdict.lost.extend(aftermath(&mut stage).lost);
                stage = Stage::new();
            }
            cases.add(named(name), verdict.lost, verdict.repaired);
        }
    }
}

/// A name and a program with its words, for each attribute that a caller may have.
fn wrappers() -> Vec<(String, Vec<String>)> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    for signal in (1..=31).filter(|number| ![9, 19].contains(number)) {
        for what in ["ignore", "block"] {
            let option = format!("--{what}-signal={signal}");
            all.push((format!("{what} {signal}"), owned(&["env", &option])));
        }
    }
    for mask in ["000", "027", "077", "777"] {
        let script = format!("umask {mask}; exec \"$0\" \"$@\"");
        all.push((format!("umask {mask}"), owned(&["sh", "-c", &script])));
    }
    for closed in ["<&-", ">&-", "2>&-"] {
        // Without a place to print to, an error is allowed where there is something to print.
        if closed == "<&-" {
            let script = format!("exec \"$0\" \"$@\" {closed}");
            all.push((format!("closed {closed}"), owned(&["sh", "-c", &script])));
        }
    }
    let limits =
        ["core=4096", "fsize=4096", "memlock=4096", "nofile=64", "nproc=5", "sigpending=10"];
    for limit in limits {
        all.push((format!("limit {limit}"), owned(&["prlimit", &format!("--{limit}:")])));
    }
    all
}
