//! Errors: a call of the client, the monitor, init or a helper returns an error that it may return.

use nix::errno::Errno;

use crate::calls::Call;
use crate::cases::{Cases, Form};
use crate::kills::{learned, step};
use crate::oracle::{Demand, Golden, judge, setup};
use crate::stage::Stage;
use crate::stepper::{Act, Fault, Role};
use crate::verbs::{VERBS, Verb};

const ERRORS: [(Errno, &str); 7] = [
    (Errno::ENOSPC, "ENOSPC"),
    (Errno::EIO, "EIO"),
    (Errno::EROFS, "EROFS"),
    (Errno::EMFILE, "EMFILE"),
    (Errno::ENOMEM, "ENOMEM"),
    (Errno::EAGAIN, "EAGAIN"),
    (Errno::EINTR, "EINTR"),
];

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut stage = Stage::new();
    for verb in VERBS {
        if !cases.wants_any(&format!("error/{}/", verb.name)) {
            continue;
        }
        let learned = match learned(&mut stage, verb) {
            Ok(learned) => learned,
            Err(why) => {
                cases.add(format!("error/{}/none/none/0", verb.name), vec![why], false);
                stage = Stage::new();
                continue;
            }
        };
        let mut all = Vec::new();
        for role in Role::ALL {
            for (errno, name) in ERRORS {
                let calls = learned.stepped.calls.iter();
                let count = calls.filter(|(of, call)| *of == role && call.may_fail(errno)).count();
                let prefix = format!("error/{}/{}/{name}/", verb.name, role.name());
                let most = form.of(1, 12);
                all.extend(
                    cases
                        .sample(&prefix, count, most)
                        .into_iter()
                        .map(|at| (role, errno, name, at)),
                );
            }
        }
        while form == Form::Short && all.len() > 2 {
            let at = cases.random(all.len());
            all.remove(at);
        }
        for (role, errno, name, at) in all {
            let case = format!("error/{}/{}/{name}/{at}", verb.name, role.name());
            fail(cases, &mut stage, verb, &learned.golden, (role, errno, at), case);
        }
    }
}

fn fail(
    cases: &mut Cases<'_>,
    stage: &mut Stage,
    verb: &Verb,
    golden: &Golden,
    (role, errno, at): (Role, Errno, usize),
    case: String,
) {
    if let Err(why) = setup(stage, verb) {
        cases.add(case, vec![why], false);
        *stage = Stage::new();
        return;
    }
    let counts = |call: &Call| call.may_fail(errno);
    let fault = Fault { role, at, counts: &counts, act: Act::Fail(errno) };
    let stepped = step(stage, verb, Some(fault));
    let is_openat2 = stepped.met.as_deref() == Some("openat2");
    let demand = match (role, errno) {
        // The call is made again.
        (_, Errno::EINTR) => Demand::Success,
        (_, Errno::EAGAIN) if is_openat2 => Demand::Success,
        (Role::Client, _) => Demand::Truth,
        _ => Demand::TruthOfLost,
    };
    let verdict = judge(stage, verb, golden, &stepped.ran, demand, at.is_multiple_of(2));
    if !verdict.lost.is_empty() {
        *stage = Stage::new();
    }
    // A call that came in the first run only is no case.
    let Some(met) = stepped.met else { return };
    let lost = verdict.lost.iter().map(|lost| format!("{met}: {lost}")).collect();
    cases.add(case, lost, verdict.repaired);
}
