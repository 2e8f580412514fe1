//! All kinds of fault, one after the other in two workers.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use crate::cases::{Cases, Form};
use crate::{damage, errors, exhaustion, kills, races, report, schedules, stops};

type Kind = (&'static str, fn(&mut Cases<'_>, Form));

const KINDS: &[Kind] = &[
    ("kill", kills::run),
    ("error", errors::run),
    ("scarce", exhaustion::run),
    ("damage", damage::run),
    ("stop", stops::run),
    ("caller", exhaustion::callers),
    ("race", races::run),
    ("schedule", schedules::run),
];

/// Runs the cases whose names begin with `filter`.
pub fn run(filter: &str) -> ExitCode {
    let whole = std::env::var_os("LIFEBOX_FAULTS").is_some_and(|form| form == "whole");
    let form = if whole { Form::Whole } else { Form::Short };
    let seed = std::env::var("LIFEBOX_FAULTS_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or(0x5eed);
    println!("faults: the {form:?} form, LIFEBOX_FAULTS_SEED={seed}");
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(2);
    let workers = std::env::var("LIFEBOX_FAULTS_JOBS")
        .ok()
        .and_then(|count| count.parse().ok())
        .unwrap_or(workers);
    let next = AtomicUsize::new(0);
    let tallies = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some((kind, run)) = KINDS.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if !filter.is_empty() && filter.split('/').next() != Some(kind) {
                        continue;
                    }
                    let mut cases = Cases::new(filter, seed);
                    let began = Instant::now();
                    run(&mut cases, form);
                    report::summary(kind, &cases, began.elapsed());
                    tallies.lock().unwrap().append(&mut cases.tallies);
                }
            });
        }
    });
    let mut cases = Cases::new(filter, seed);
    cases.tallies = tallies.into_inner().unwrap();
    if whole && filter.is_empty() {
        report::write(&cases);
    }
    let lost = cases.tallies.values().flat_map(|tally| &tally.lost).count();
    if lost == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
