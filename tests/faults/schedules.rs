//! Random schedules: several clients do as they like with two containers, and one order of all
//! their verbs explains what each was told, by Docker's measured table of states.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use crate::cases::{Cases, Form};
use crate::command::{HANGS, first_line};
use crate::oracle::aftermath;
use crate::stage::{Stage, World};

const NAMES: [&str; 2] = ["box", "other"];
const CLIENTS: usize = 4;
const VERBS: [&str; 10] =
    ["create", "start", "start", "stop", "kill", "pause", "unpause", "restart", "rm", "rm -f"];

/// (state, verb) -> (whether the verb succeeds, the state after).
type Table = BTreeMap<(String, String), (bool, String)>;

/// What one client was told.
#[derive(Debug)]
struct Told {
    name: usize,
    verb: &'static str,
    began: Instant,
    ended: Instant,
    succeeded: bool,
}

/// Reads `tests/transitions.tsv`. Here the program sleeps, so that a start ends in `running`.
fn table() -> Table {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/transitions.tsv");
    let text = std::fs::read_to_string(path).unwrap();
    let mut table = Table::new();
    for line in text.lines().skip(2) {
        let cells: Vec<&str> = line.split('\t').collect();
        let [state, command, exit, after, ..] = cells.as_slice() else { continue };
        let verb = command.replace(" -t 1", "").replace(" box1", "");
        let starts = ["start", "restart"].contains(&verb.as_str()) && *exit == "0";
        let after = if starts { "running" } else { after };
        table.insert(((*state).to_owned(), verb), (*exit == "0", after.replace("gone", "missing")));
    }
    for state in ["missing", "created", "running", "paused", "exited"] {
        let after = if state == "missing" { "created" } else { state };
        let key = (state.to_owned(), "create".to_owned());
        table.insert(key, (state == "missing", after.to_owned()));
    }
    table
}

fn line(verb: &str, name: &str) -> String {
    match verb {
        "create" => format!("create --name {name} small:1"),
        "stop" | "restart" => format!("{verb} -t 0 {name}"),
        verb => format!("{verb} {name}"),
    }
}

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let table = table();
    let mut stage = Stage::new();
    for number in cases.sample("schedule/", form.of(10, 250), usize::MAX) {
        // A schedule depends on its number only, so that it can be repeated.
        let mut choice = Cases::new("", 0x9e37_79b9 + u64::try_from(number).unwrap() * 7919);
        let mut plans = vec![Vec::new(); CLIENTS];
        for plan in &mut plans {
            for _ in 0..4 {
                plan.push((choice.random(NAMES.len()), VERBS[choice.random(VERBS.len())]));
            }
        }
        let lost: Vec<String> = one(&mut stage, &table, &plans).err().into_iter().collect();
        if !lost.is_empty() {
            stage = Stage::new();
        }
        cases.add(format!("schedule/{number}"), lost, false);
    }
}

fn one(
    stage: &mut Stage,
    table: &Table,
    plans: &[Vec<(usize, &'static str)>],
) -> Result<(), String> {
    let shared = &*stage;
    let told: Vec<Result<Vec<Told>, String>> = std::thread::scope(|scope| {
        let clients: Vec<_> =
            plans.iter().map(|plan| scope.spawn(move || client(shared, plan))).collect();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let told = told.into_iter().collect::<Result<Vec<_>, _>>()?;
    let world = stage.look()?;
    let end = aftermath(stage);
    if let Some(lost) = end.lost.first() {
        return Err(lost.clone());
    }
    let begin = vec!["missing".to_owned(); NAMES.len()];
    let mut seen = BTreeSet::new();
    if explains(table, &told, &mut vec![0; told.len()], &begin, &world, &mut seen) {
        return Ok(());
    }
    let first = told.iter().flatten().map(|told| told.began).min().unwrap();
    let mut all: Vec<&Told> = told.iter().flatten().collect();
    all.sort_by_key(|told| told.began);
    let shown = all.iter().map(|told| {
        let [began, ended] = [told.began, told.ended].map(|at| (at - first).as_millis());
        let word = if told.succeeded { "done" } else { "refused" };
        format!("{began}-{ended} {} {word}", line(told.verb, NAMES[told.name]))
    });
    Err(format!("no order explains {world:?} after {:?}", shown.collect::<Vec<_>>()))
}

fn client(stage: &Stage, plan: &[(usize, &'static str)]) -> Result<Vec<Told>, String> {
    let mut told = Vec::new();
    for (name, verb) in plan {
        let began = Instant::now();
        let ran = stage.run(&line(verb, NAMES[*name]));
        let ended = Instant::now();
        if ran.code == HANGS || ran.code < 0 || ran.err.contains("panicked") {
            return Err(format!("{verb} ends with {}: {}", ran.code, first_line(&ran)));
        }
        told.push(Told { name: *name, verb, began, ended, succeeded: ran.code == 0 });
    }
    Ok(told)
}

/// Whether the rest of what the clients were told has an order that leads to this world.
fn explains(
    table: &Table,
    told: &[Vec<Told>],
    next: &mut Vec<usize>,
    states: &[String],
    world: &World,
    seen: &mut BTreeSet<(Vec<usize>, Vec<String>)>,
) -> bool {
    if !seen.insert((next.clone(), states.to_vec())) {
        return false;
    }
    let waiting: Vec<(usize, &Told)> = told
        .iter()
        .enumerate()
        .filter_map(|(client, all)| all.get(next[client]).map(|told| (client, told)))
        .collect();
    if waiting.is_empty() {
        let there = NAMES.iter().zip(states).filter(|(_, state)| *state != "missing");
        let there: World = there.map(|(name, state)| format!("container {name}={state}")).collect();
        return there == *world;
    }
    // A verb that had ended before another began comes before it.
    let first_end = waiting.iter().map(|(_, told)| told.ended).min().unwrap();
    for (client, told_now) in waiting.iter().filter(|(_, told)| told.began <= first_end) {
        let key = (states[told_now.name].clone(), told_now.verb.to_owned());
        let Some((succeeds, after)) = table.get(&key) else { continue };
        if *succeeds != told_now.succeeded {
            continue;
        }
        let mut states = states.to_vec();
        if !after.starts_with("same") {
            states[told_now.name].clone_from(after);
        }
        next[*client] += 1;
        let explained = explains(table, told, next, &states, world, seen);
        next[*client] -= 1;
        if explained {
            return true;
        }
    }
    false
}
