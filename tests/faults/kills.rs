//! Kills: the client, the monitor, init or a helper, before each call that changes something.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::cases::{Cases, Form};
use crate::oracle::{Demand, Golden, judge, learn, setup};
use crate::stage::Stage;
use crate::stepper::{Act, Fault, Role, Stepped, Stepper};
use crate::verbs::{VERBS, Verb};

/// A verb that has been run once, and its calls.
pub struct Learned {
    pub golden: Golden,
    pub stepped: Stepped,
}

/// Runs a verb call by call, with a fault in it or without.
pub fn step(stage: &Stage, verb: &Verb, fault: Option<Fault<'_>>) -> Stepped {
    let monitor = stage.monitor("box");
    Stepper::begin(&stage.command(verb.line), monitor, fault).finish(verb.ends && fault.is_none())
}

/// Runs a verb once without a fault. All kinds of fault share what is learned.
pub fn learned(stage: &mut Stage, verb: &Verb) -> Result<Arc<Learned>, String> {
    static KNOWN: Mutex<BTreeMap<&str, Arc<Learned>>> = Mutex::new(BTreeMap::new());
    if let Some(known) = KNOWN.lock().unwrap().get(verb.name) {
        return Ok(Arc::clone(known));
    }
    let learned = Arc::new(learn_calls(stage, verb)?);
    KNOWN.lock().unwrap().insert(verb.name, Arc::clone(&learned));
    Ok(learned)
}

fn learn_calls(stage: &mut Stage, verb: &Verb) -> Result<Learned, String> {
    let (golden, stepped) = learn(stage, verb, |stage| {
        let stepped = step(stage, verb, None);
        (stepped.ran.clone(), stepped)
    })?;
    Ok(Learned { golden, stepped })
}

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::new();
    for verb in VERBS {
        if !cases.wants_any(&format!("kill/{}/", verb.name)) {
            continue;
        }
        let learned = match learned(&mut stage, verb) {
            Ok(learned) => learned,
            Err(why) => {
                cases.add(format!("kill/{}/none/0", verb.name), vec![why], false);
                stage = Stage::new();
                continue;
            }
        };
        let mut counts: BTreeMap<Role, usize> = BTreeMap::new();
        for (role, _) in learned.stepped.calls.iter().filter(|(_, call)| call.changes()) {
            *counts.entry(*role).or_default() += 1;
        }
        for (role, count) in counts {
            let prefix = format!("kill/{}/{}/", verb.name, role.name());
            for at in cases.sample(&prefix, count, form.of(1, usize::MAX)) {
                kill(cases, &mut stage, verb, &learned.golden, role, at);
            }
        }
    }
}

fn kill(
    cases: &mut Cases<'_>,
    stage: &mut Stage,
    verb: &Verb,
    golden: &Golden,
    role: Role,
    at: usize,
) {
    let name = format!("kill/{}/{}/{at}", verb.name, role.name());
    if let Err(why) = setup(stage, verb) {
        cases.add(name, vec![why], false);
        *stage = Stage::new();
        return;
    }
    let counts = |call: &crate::calls::Call| call.changes();
    let stepped = step(stage, verb, Some(Fault { role, at, counts: &counts, act: Act::Kill }));
    let demand = match role {
        Role::Client => Demand::Nothing,
        Role::Helper | Role::Monitor | Role::Init => Demand::TruthOfLost,
    };
    let verdict = judge(stage, verb, golden, &stepped.ran, demand, at.is_multiple_of(2));
    match stepped.met {
        None if verdict.lost.is_empty() => {}
        met => {
            let at = met.unwrap_or_else(|| "no call".to_owned());
            let lost = verdict.lost.iter().map(|lost| format!("before {at}: {lost}")).collect();
            cases.add(name, lost, verdict.repaired);
        }
    }
    if !verdict.lost.is_empty() {
        *stage = Stage::new();
    }
}
