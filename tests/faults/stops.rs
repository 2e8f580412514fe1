//! Stops: a client is stopped in the middle of a verb, and another client does something meanwhile.

use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use crate::calls::Call;
use crate::cases::{Cases, Form};
use crate::command::{HANGS, first_line};
use crate::kills::learned;
use crate::oracle::{Demand, Golden, judge, setup};
use crate::stage::Stage;
use crate::stepper::{Act, Fault, Role, Stepper};
use crate::verbs::{VERBS, Verb};

/// What another client does, and whether it meddles with the same container.
const OTHERS: [(&str, bool); 5] = [
    ("ps -a", false),
    ("run --rm --name second small:1 true", false),
    ("volume create second", false),
    ("rm -f box", true),
    ("rmi -f new:1", true),
];

/// How long a wait for a stopped process may take, with room for a loaded machine.
const BOUND: Duration = Duration::from_secs(15);

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::new();
    for verb in VERBS {
        let prefix = format!("stop/{}/", verb.name);
        let is_sampled = form == Form::Whole || cases.random(5) == 0;
        if !cases.wants_any(&prefix) || !is_sampled {
            continue;
        }
        let learned = match learned(&mut stage, verb) {
            Ok(learned) => learned,
            Err(why) => {
                cases.add(format!("{prefix}none/0"), vec![why], false);
                stage = Stage::new();
                continue;
            }
        };
        let calls = learned.stepped.calls.iter();
        let count = calls.filter(|(role, call)| *role == Role::Client && call.changes()).count();
        for (number, (other, _)) in OTHERS.iter().enumerate() {
            let prefix = format!("{prefix}{other}/");
            let most = if form == Form::Short && cases.random(2) == 0 { 0 } else { form.of(1, 4) };
            for at in cases.sample(&prefix, count, most) {
                stop(cases, &mut stage, verb, &learned.golden, number, at);
            }
        }
    }
}

fn stop(
    cases: &mut Cases<'_>,
    stage: &mut Stage,
    verb: &Verb,
    golden: &Golden,
    number: usize,
    at: usize,
) {
    let (other, meddles) = OTHERS[number];
    let name = format!("stop/{}/{other}/{at}", verb.name);
    if let Err(why) = setup(stage, verb) {
        cases.add(name, vec![why], false);
        *stage = Stage::new();
        return;
    }
    let counts = |call: &Call| call.changes();
    let fault = Fault { role: Role::Client, at, counts: &counts, act: Act::Stop };
    let monitor = stage.monitor("box");
    let mut stepper = Stepper::begin(&stage.command(verb.line), monitor, Some(fault));
    stepper.until_fault();
    let mut lost = Vec::new();
    let stopped = stepper.stopped();
    if let Some(pid) = stopped {
        let began = Instant::now();
        let ran = stage.run(other);
        let took = began.elapsed();
        if took > BOUND || ran.code == HANGS {
            lost.push(format!("waits for {} s", took.as_secs()));
        }
        let waited = ran.code != 0 && took > Duration::from_secs(8);
        if waited && !ran.err.contains(&pid.to_string()) {
            lost.push(format!("does not say who is waited for: {}", first_line(&ran)));
        }
        if ran.err.contains("panicked") || ran.code < 0 {
            lost.push(format!("ends with {}: {}", ran.code, first_line(&ran)));
        }
        let _ = kill(pid, Signal::SIGCONT);
    }
    let stepped = stepper.end();
    stage.run("rm -f second");
    stage.run("volume rm -f second");
    let demand = if meddles { Demand::Anything } else { Demand::Success };
    let verdict = judge(stage, verb, golden, &stepped.ran, demand, at.is_multiple_of(2));
    lost.extend(verdict.lost);
    if !lost.is_empty() {
        *stage = Stage::new();
    }
    if let Some(met) = stepped.met.filter(|_| stopped.is_some()) {
        let lost = lost.into_iter().map(|lost| format!("after {met}: {lost}")).collect();
        cases.add(name, lost, verdict.repaired);
    }
}
