//! Races: two verbs at the same time end as one of the two orders does.

use std::collections::BTreeMap;

use crate::cases::{Cases, Form};
use crate::command::{HANGS, Ran, Running, first_line};
use crate::oracle::aftermath;
use crate::stage::{LIMIT, Stage, World};

/// Verbs that want the same thing, and the states to begin in.
struct Group {
    setups: &'static [&'static [&'static str]],
    lines: &'static [&'static str],
}

const RUNNING: &str = "run -d --name box small:1";

const GROUPS: [Group; 3] = [
    Group {
        setups: &[
            &[],
            &["create --name box small:1"],
            &[RUNNING],
            &[RUNNING, "pause box"],
            &["run --name box small:1 true"],
        ],
        lines: &[
            "create --name box small:1",
            "start box",
            "stop -t 0 box",
            "kill box",
            "pause box",
            "unpause box",
            "restart -t 0 box",
            "rm box",
            "rm -f box",
            "rename box other",
            "update --pids-limit 50 box",
            "commit box new:1",
        ],
    },
    Group {
        setups: &[&[], &["load -q -i new.tar"], &["tag small:1 new:1"]],
        lines: &[
            "load -q -i new.tar",
            "tag small:1 new:1",
            "rmi new:1",
            "image prune -af",
            "import tree.tar new:1",
            "create --name box new:1",
            "build -q -t new:1 context",
        ],
    },
    Group {
        setups: &[&[], &["volume create data"], &["create --name box -v data:/data small:1"]],
        lines: &[
            "volume create data",
            "volume rm data",
            "volume prune -af",
            "create --name box -v data:/data small:1",
            "rm -f -v box",
        ],
    },
];

/// What can be told apart of two commands and the world after them.
type Outcome = (i32, i32, World);

struct Race {
    setup: &'static [&'static str],
    lines: [&'static str; 2],
}

impl Race {
    fn name(&self) -> String {
        let setup = self.setup.join(", ");
        let setup = if setup.is_empty() { "nothing".to_owned() } else { setup };
        format!("race/{setup}/{} | {}/", self.lines[0], self.lines[1])
    }

    /// The two parts of a verb between which another may come, as in Docker: a restart is a stop
    /// and a start, and what ends a paused container unpauses it before.
    fn parts(&self, number: usize) -> Option<[&'static str; 2]> {
        let line = self.lines[number];
        let ends = ["stop", "kill", "rm -f"].iter().any(|verb| line.starts_with(verb));
        let is_paused = self.setup.last() == Some(&"pause box");
        match line.starts_with("restart") {
            true => Some(["stop -t 0 box", "start box"]),
            false => (ends && is_paused).then_some(["unpause box", line]),
        }
    }
}

fn all() -> Vec<Race> {
    let mut all = Vec::new();
    for group in &GROUPS {
        for setup in group.setups {
            for (number, first) in group.lines.iter().enumerate() {
                for second in &group.lines[number..] {
                    all.push(Race { setup, lines: [first, second] });
                }
            }
        }
    }
    all
}

pub fn run(cases: &mut Cases<'_>, form: Form) {
    let mut races = all();
    races.retain(|race| cases.wants_any(&race.name()));
    while form == Form::Short && races.len() > 14 {
        let at = cases.random(races.len());
        races.remove(at);
    }
    races.retain(|_| cases.turn());
    let mut stage = Stage::new();
    for race in races {
        let mut orders: BTreeMap<String, Outcome> = BTreeMap::new();
        let mut lost = Vec::new();
        for [first, second] in [[0, 1], [1, 0]] {
            match in_order(&mut stage, &race, first, second) {
                Ok(outcome) => drop(orders.insert(format!("{first}{second}"), outcome)),
                Err(why) => lost.push(why),
            }
        }
        let has = |verb: &str| race.lines.iter().any(|line| line.starts_with(verb));
        for whole in [0, 1] {
            if let (Some(parts), true) = (race.parts(whole), lost.is_empty()) {
                lost.extend(between(&mut stage, &race, whole, parts, &mut orders).err());
            }
        }
        if has("rename") && lost.is_empty() {
            lost.extend(found_before(&mut stage, &race, &mut orders).err());
        }
        // Two signals may reach the same process.
        if let (["kill box", "kill box"], Some((_, _, world))) =
            (race.lines, orders.get("01").cloned())
        {
            orders.insert("both".to_owned(), (0, 0, world));
        }
        for time in 1..=form.of(1, 3) {
            if lost.is_empty() {
                lost.extend(at_once(&mut stage, &race, &orders).err());
            }
            if !lost.is_empty() {
                stage = Stage::new();
            }
            let name = format!("{}{time}", race.name());
            cases.add(name, std::mem::take(&mut lost), false);
        }
    }
}

fn prepare(stage: &Stage, race: &Race) -> Result<(), String> {
    race.setup.iter().try_for_each(|line| stage.prepare(line))
}

fn outcome(stage: &mut Stage, first: &Ran, second: &Ran) -> Result<Outcome, String> {
    for ran in [first, second] {
        if ran.code == HANGS || ran.code < 0 || ran.err.contains("panicked") {
            return Err(format!("ends with {}: {}", ran.code, first_line(ran)));
        }
    }
    let world = stage.look()?;
    let end = aftermath(stage);
    if let Some(lost) = end.lost.first() {
        return Err(format!("leaves {world:?}: {lost}"));
    }
    Ok((first.code, second.code, world))
}

fn in_order(
    stage: &mut Stage,
    race: &Race,
    first: usize,
    second: usize,
) -> Result<Outcome, String> {
    prepare(stage, race)?;
    let mut ran = [first, second].map(|number| (number, stage.run(race.lines[number])));
    ran.sort_by_key(|(number, _)| *number);
    outcome(stage, &ran[0].1, &ran[1].1)
}

/// The other verb comes between the two parts of one.
fn between(
    stage: &mut Stage,
    race: &Race,
    whole: usize,
    parts: [&str; 2],
    orders: &mut BTreeMap<String, Outcome>,
) -> Result<(), String> {
    prepare(stage, race)?;
    let first = stage.run(parts[0]);
    let other = stage.run(race.lines[1 - whole]);
    let second = stage.run(parts[1]);
    let failed = if first.code == 0 { &second } else { &first };
    let ran = if whole == 0 { [failed, &other] } else { [&other, failed] };
    let outcome = outcome(stage, ran[0], ran[1])?;
    orders.insert(format!("between {whole}"), outcome);
    Ok(())
}

/// A verb finds its container by the name that it has then, and goes on with the id: another may
/// rename it meanwhile.
fn found_before(
    stage: &mut Stage,
    race: &Race,
    orders: &mut BTreeMap<String, Outcome>,
) -> Result<(), String> {
    let rename = usize::from(!race.lines[0].starts_with("rename"));
    let other = race.lines[1 - rename];
    prepare(stage, race)?;
    let id = stage.run("inspect --format {{.Id}} box").out;
    let first = stage.run(race.lines[rename]);
    let second = match id.trim() {
        "" => stage.run(other),
        id => stage.run(&other.replacen("box", id, 1)),
    };
    let ran = if rename == 0 { [&first, &second] } else { [&second, &first] };
    let outcome = outcome(stage, ran[0], ran[1])?;
    orders.insert("found before".to_owned(), outcome);
    Ok(())
}

fn at_once(
    stage: &mut Stage,
    race: &Race,
    orders: &BTreeMap<String, Outcome>,
) -> Result<(), String> {
    prepare(stage, race)?;
    let began = race.lines.map(|line| Running::begin(stage.command(line)));
    let ran = began.map(|running| running.end(LIMIT));
    let found = outcome(stage, &ran[0], &ran[1])?;
    if orders.values().any(|outcome| *outcome == found) {
        return Ok(());
    }
    let says = ran.each_ref().map(first_line);
    Err(format!("ends as {found:?} {says:?}, which no order explains: {:?}", orders.values()))
}
