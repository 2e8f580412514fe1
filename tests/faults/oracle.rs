//! The one oracle: looks after each case at all that a fault may have spoiled.

use std::time::{Duration, Instant};

use crate::command::{HANGS, Ran, first_line};
use crate::harness::wait_until;
use crate::stage::{LIMIT, Stage, World};
use crate::verbs::{Verb, world};

/// What a verb does without a fault.
#[derive(Debug)]
pub struct Golden {
    pub code: i32,
    pub before: World,
    pub after: World,
    pub detail: String,
}

/// What may be asked of a command that met a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Another client had its way with the same things: any world is right.
    Anything,
    /// The client was killed: its end says nothing.
    Nothing,
    /// An error is allowed, but no untruth: success means that the verb is done.
    Truth,
    /// As `Truth`; the container was killed as well.
    TruthOfLost,
    /// The command has to succeed as if nothing had happened.
    Success,
}

/// What came of a case.
#[derive(Clone, Debug, Default)]
pub struct Verdict {
    /// What was lost; nothing if the case held.
    pub lost: Vec<String>,
    /// Whether `system check --repair` had something to remove.
    pub repaired: bool,
}

impl Verdict {
    fn note(&mut self, found: Result<(), String>) {
        self.lost.extend(found.err());
    }
}

/// Leads to the state that a verb begins in.
pub fn setup(stage: &Stage, verb: &Verb) -> Result<(), String> {
    verb.setup.iter().try_for_each(|line| stage.prepare(line))
}

fn detail(stage: &Stage, verb: &Verb) -> String {
    verb.detail.map(|line| stage.run(line).out).unwrap_or_default()
}

/// Runs a verb without a fault, by `run`.
pub fn learn<T>(
    stage: &mut Stage,
    verb: &Verb,
    run: impl FnOnce(&Stage) -> (Ran, T),
) -> Result<(Golden, T), String> {
    setup(stage, verb)?;
    let before = stage.look()?;
    let (ran, more) = run(stage);
    let mut after = stage.look()?;
    // A container that was told to run, or one that ends by itself, goes on after the client.
    let settled = wait_until(Duration::from_secs(5), || {
        let again = stage.look().unwrap_or_default();
        let same = again == after;
        after = again;
        same
    });
    let detail = detail(stage, verb);
    if ran.err.contains("panicked") || !settled || ran.code == HANGS || ran.code < 0 {
        return Err(format!("`{}` fails without a fault: {ran:?}", verb.line));
    }
    let golden = Golden { code: ran.code, before, after, detail };
    let verdict = aftermath(stage);
    match verdict.lost.first() {
        None => Ok((golden, more)),
        Some(lost) => Err(format!("`{}` without a fault: {lost}", verb.line)),
    }
}

/// Judges what a verb that met a fault left, mends it as a user would, and leads back to the state
/// in which only the bystander is there.
pub fn judge(
    stage: &mut Stage,
    verb: &Verb,
    golden: &Golden,
    ran: &Ran,
    demand: Demand,
    check_first: bool,
) -> Verdict {
    let mut verdict = Verdict::default();
    verdict.note(truth(stage, verb, golden, ran, demand));
    if check_first {
        check(stage, &mut verdict);
    }
    verdict.note(again(stage, verb, golden, demand));
    if !check_first {
        check(stage, &mut verdict);
    }
    let end = aftermath(stage);
    verdict.repaired |= end.repaired;
    verdict.lost.extend(end.lost);
    verdict
}

/// Whether the world is one that the verb may leave, and the command's end tells the truth.
fn truth(
    stage: &Stage,
    verb: &Verb,
    golden: &Golden,
    ran: &Ran,
    demand: Demand,
) -> Result<(), String> {
    let says_nothing = [Demand::Nothing, Demand::Anything].contains(&demand);
    if ran.code == HANGS || ran.code == -9 && !says_nothing {
        return Err("the command never ends".to_owned());
    }
    if ran.err.contains("panicked") {
        return Err(format!("panics: {}", first_line(ran)));
    }
    let mut world = stage.look()?;
    // What a killed client leaves, its reaper removes in a moment.
    let is_settled = wait_until(Duration::from_secs(5), || {
        let allowed = demand == Demand::Anything || is_allowed(&world, verb, golden, demand);
        allowed || {
            world = stage.look().unwrap_or_default();
            false
        }
    });
    if !is_settled {
        return Err(format!("leaves {world:?} (code {}: {})", ran.code, first_line(ran)));
    }
    let is_success = ran.code == golden.code;
    match demand {
        Demand::Nothing | Demand::Anything => Ok(()),
        // What became of a container whose monitor was killed shows later.
        Demand::TruthOfLost if is_success => Ok(()),
        _ if is_success => {
            let mut now = stage.look()?;
            let done = wait_until(Duration::from_secs(5), || {
                let is_done = now == golden.after && detail(stage, verb) == golden.detail;
                is_done || {
                    now = stage.look().unwrap_or_default();
                    false
                }
            });
            if done { Ok(()) } else { Err(format!("says success and leaves {now:?}")) }
        }
        Demand::Success => Err(format!("fails with {}: {}", ran.code, first_line(ran))),
        // Killed by a signal that was not ours: no words are asked of it.
        _ if ran.code > 0 && ran.err.trim().is_empty() && ran.code < 128 => {
            Err(format!("fails with {} and says nothing", ran.code))
        }
        _ => Ok(()),
    }
}

fn is_allowed(found: &World, verb: &Verb, golden: &Golden, demand: Demand) -> bool {
    let known = [&golden.before, &golden.after];
    let mut all: Vec<World> = known.into_iter().cloned().collect();
    all.extend(verb.between.iter().map(|text| world(text)));
    if demand == Demand::TruthOfLost {
        // The container whose monitor or init was killed has exited; with --rm it is gone.
        let exited = |found: &World| -> World {
            let end = |line: &String| match line.split_once('=') {
                Some((name, _)) => format!("{name}=exited"),
                None => line.clone(),
            };
            found.iter().map(end).collect()
        };
        all.extend(all.iter().map(exited).collect::<Vec<_>>());
    }
    all.contains(found)
}

/// Whether the same command works now, from where the fault left it or from the state before.
fn again(stage: &Stage, verb: &Verb, golden: &Golden, demand: Demand) -> Result<(), String> {
    let world = stage.look()?;
    if world != golden.before && world != golden.after {
        stage.reset(&world)?;
        setup(stage, verb).map_err(|why| format!("not to be made again: {why}"))?;
    }
    let ran = stage.run(verb.line);
    let mut end = stage.look()?;
    // `--rm` removes a moment after the end.
    let done = wait_until(Duration::from_secs(10), || {
        is_after(&end, golden) || {
            end = stage.look().unwrap_or_default();
            is_after(&end, golden)
        }
    });
    let says = format!("code {}: {}", ran.code, first_line(&ran));
    let says_nothing = [Demand::Nothing, Demand::Anything].contains(&demand);
    if !done {
        return Err(format!("the same command again leaves {end:?} ({says})"));
    }
    // Another end is right where the killed one had come to it already.
    if ran.code != golden.code && world != golden.after && !says_nothing {
        return Err(format!("the same command again fails ({says})"));
    }
    if ran.code == golden.code && detail(stage, verb) != golden.detail {
        return Err("the same command again says success and has not done it".to_owned());
    }
    Ok(())
}

/// Whether a verb that was run once more has done what it does. Where it had done so before, the
/// image of then has lost its name.
fn is_after(found: &World, golden: &Golden) -> bool {
    let mut found = found.clone();
    if !golden.after.contains(UNNAMED) {
        found.remove(UNNAMED);
    }
    found == golden.after
}

const UNNAMED: &str = "image <none>:<none>";

/// Asks `system check` what is left, has it repaired once, and types what the repair says of what
/// it cannot repair.
pub fn check(stage: &Stage, verdict: &mut Verdict) {
    let found = findings(&stage.run("system check"));
    if found.is_empty() {
        return;
    }
    verdict.repaired = true;
    let repair = stage.run("system check --repair");
    for line in repair.out.lines() {
        if let Some((_, way)) = line.split_once(": not repaired: remove it: lifebox ") {
            verdict.lost.extend(stage.prepare(way).err());
        }
    }
    let left = findings(&stage.run("system check"));
    verdict.lost.extend(left.into_iter().map(|line| format!("after a repair: {line}")));
}

fn findings(ran: &Ran) -> Vec<String> {
    let is_finding = |line: &&str| line.starts_with("damage") || line.starts_with("leftover");
    let mut found: Vec<String> = ran.out.lines().filter(is_finding).map(str::to_owned).collect();
    if found.is_empty() && ran.code != 0 {
        found.push(format!("system check ends with {}: {}", ran.code, first_line(ran)));
    }
    found
}

/// Removes what the verb was about, and looks at what remains: records, files, processes, mounts,
/// cgroups, the bystander.
pub fn aftermath(stage: &mut Stage) -> Verdict {
    let mut verdict = Verdict::default();
    match stage.look() {
        Ok(world) => verdict.note(stage.reset(&world)),
        Err(why) => verdict.lost.push(why),
    }
    match stage.look() {
        Ok(world) if world.is_empty() => {}
        Ok(world) => verdict.lost.push(format!("not to be removed: {world:?}")),
        Err(why) => verdict.lost.push(why),
    }
    if !stage.strays().is_empty() {
        check(stage, &mut verdict);
        let strays = stage.strays();
        if !strays.is_empty() {
            // What only a later `create` collects is no loss.
            let collected = stage.prepare("create --name box small:1");
            verdict.note(collected.and_then(|()| stage.prepare("rm box")));
            let strays = stage.strays();
            if !strays.is_empty() {
                verdict.lost.push(format!("left below the root: {strays:?}"));
            }
        }
    }
    // A monitor goes a moment after it has answered; an empty cgroup may be a start's for ten
    // seconds, so that a check looks at it later.
    let began = Instant::now();
    let mut has_checked = false;
    let gone = wait_until(LIMIT, || {
        let left = stage.leftovers();
        if began.elapsed() > Duration::from_secs(11) && !has_checked && !left.is_empty() {
            check(stage, &mut verdict);
            has_checked = true;
        }
        left.is_empty() || has_checked && began.elapsed() > Duration::from_secs(15)
    });
    let left = stage.leftovers();
    if !gone || !left.is_empty() {
        verdict.lost.push(format!("still there: {left:?}"));
    }
    verdict.note(stage.bystander_is_well());
    verdict
}
