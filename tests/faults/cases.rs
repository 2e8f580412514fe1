//! Which cases are run, and what came of them.

use std::collections::BTreeMap;
use std::io::Write as _;

/// How many cases are run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A sample of each kind, for each change of the code.
    Short,
    /// All.
    Whole,
}

impl Form {
    pub fn of<T>(self, short: T, whole: T) -> T {
        match self {
            Form::Short => short,
            Form::Whole => whole,
        }
    }
}

/// Of all cases of the whole form, one of so many is run (`LIFEBOX_FAULTS_EVERY`).
pub fn every() -> usize {
    let every = std::env::var("LIFEBOX_FAULTS_EVERY").ok();
    every.and_then(|every| every.parse().ok()).filter(|every| *every > 0).unwrap_or(1)
}

/// A case that did not hold.
#[derive(Clone, Debug)]
pub struct Lost {
    pub case: String,
    pub what: Vec<String>,
}

/// The tally of one kind of fault.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    pub names: Vec<String>,
    pub repaired: usize,
    pub lost: Vec<Lost>,
}

/// The cases of all kinds.
pub struct Cases<'a> {
    /// Only cases whose name begins so.
    filter: &'a str,
    seed: u64,
    /// Of all cases, one of so many is run.
    every: usize,
    passed: usize,
    pub tallies: BTreeMap<String, Tally>,
}

impl<'a> Cases<'a> {
    pub fn new(filter: &'a str, seed: u64) -> Self {
        Cases { filter, seed, every: every(), passed: 0, tallies: BTreeMap::new() }
    }

    /// Whether it is the turn of the next case, where only some of the whole form are run.
    pub fn turn(&mut self) -> bool {
        self.passed += 1;
        self.passed.is_multiple_of(self.every)
    }

    /// Whether a case of this name is asked for.
    pub fn wants(&self, name: &str) -> bool {
        name.starts_with(self.filter)
    }

    /// Whether one of the cases whose names begin so may be asked for.
    pub fn wants_any(&self, prefix: &str) -> bool {
        prefix.starts_with(self.filter) || self.filter.starts_with(prefix)
    }

    /// Numbers from 1 to `count`, at most `most` of them; or the one that the filter names.
    pub fn sample(&mut self, prefix: &str, count: usize, most: usize) -> Vec<usize> {
        if let Some(number) = self.filter.strip_prefix(prefix).and_then(|rest| rest.parse().ok()) {
            return vec![number];
        }
        let all = (1..=count).filter(|at| self.wants(&format!("{prefix}{at}")));
        let mut all: Vec<usize> = all.collect();
        while all.len() > most {
            let at = self.random(all.len());
            all.remove(at);
        }
        all.retain(|_| self.turn());
        all
    }

    /// A number below `limit`: the same in each run with the same seed.
    pub fn random(&mut self, limit: usize) -> usize {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        usize::try_from(self.seed % u64::try_from(limit.max(1)).unwrap()).unwrap()
    }

    /// The tally of a kind.
    pub fn tally(&self, kind: &str) -> Tally {
        self.tallies.get(kind).cloned().unwrap_or_default()
    }

    /// Counts a case of the kind that its name begins with.
    pub fn add(&mut self, name: String, lost: Vec<String>, repaired: bool) {
        let kind = name.split('/').next().unwrap().to_owned();
        let tally = self.tallies.entry(kind).or_default();
        tally.names.push(name.clone());
        tally.repaired += usize::from(repaired);
        if !lost.is_empty() {
            println!("LOST {name}: {}", lost.join("; "));
            let _ = std::io::stdout().flush();
            tally.lost.push(Lost { case: name, what: lost });
        }
    }
}
