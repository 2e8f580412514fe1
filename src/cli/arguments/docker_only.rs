//! Verbs and flags of Docker that lifebox lacks: errors name them, with what to use instead.

use crate::model::value::units::parse_bool;

/// The differences, which tests compare with Docker's help; the head of the file says how to read
/// it.
const DIFFERENCES: &str = include_str!("../../../tests/docker-differences.tsv");

/// One row of the table.
struct Difference {
    /// The verbs, separated by commas; `-` stands for what may come before all verbs.
    verbs: &'static str,
    /// The flag, long and short; `-` stands for the verb itself.
    flags: &'static str,
    /// What to do, with `{verb}` for the verb; empty if there is nothing to do.
    instead: &'static str,
}

impl Difference {
    fn is_of(&self, verb: &str) -> bool {
        self.verbs.split(", ").any(|one| one == verb)
    }

    fn has_flag(&self, flag: &str) -> bool {
        self.flags.split(", ").any(|one| one == flag)
    }
}

fn differences() -> impl Iterator<Item = Difference> {
    let rows = DIFFERENCES.lines().filter(|line| !line.starts_with('#')).skip(1);
    rows.filter_map(|row| {
        let mut cells = row.split('\t');
        let (verbs, flags) = (cells.next()?, cells.next()?);
        let instead = cells.nth(2)?;
        Some(Difference { verbs, flags, instead })
    })
}

/// Returns the hint for a verb that only Docker has, with its noun where lifebox has that noun;
/// `None` for any other word.
pub fn verb_hint(verb: &str) -> Option<&'static str> {
    let found = differences().find(|one| one.is_of(verb) && one.flags == "-")?;
    Some(if found.instead.is_empty() { "see `lifebox --help`" } else { found.instead })
}

/// Returns the hint for a flag that only Docker's verb has, or Docker before any verb; `None` for
/// any other flag. `verb` is as [`short`] returns it.
pub fn flag_hint(verb: &str, flag: &str) -> Option<String> {
    // The verb's own row counts before the one for all verbs.
    let (own, before): (Vec<_>, Vec<_>) = differences()
        .filter(|one| one.has_flag(flag) && (one.is_of(verb) || one.is_of("-")))
        .partition(|one| one.is_of(verb));
    let found = own.into_iter().chain(before).next()?;
    Some(match (found.instead, verb) {
        ("", "") => "see `lifebox --help`".to_owned(),
        ("", verb) => format!("see `lifebox {verb} --help`"),
        (instead, verb) => instead.replace("{verb}", verb),
    })
}

/// Flags with one text as value: of Docker's, an empty one is the same as none.
const TEXTS: [&str; 4] = ["--ip", "--ip6", "--link-local-ip", "--mac-address"];

/// Returns whether `value` switches off a flag that only Docker's verb has.
pub fn is_off(verb: &str, flag: &str, value: &str) -> bool {
    let off = match TEXTS.contains(&flag) {
        true => value.is_empty(),
        false => parse_bool(value) == Some(false),
    };
    off && differences().any(|one| one.is_of(verb) && one.has_flag(flag))
}

/// Returns the name of a verb without its noun where it has one: `ps` for `container ls`.
pub fn short(path: &str) -> &str {
    match path.split_once(' ') {
        Some(("container", "ls")) => "ps",
        Some(("image", "ls")) => "images",
        Some(("image", "rm")) => "rmi",
        Some((_, "prune")) | None => path,
        Some(("builder" | "container" | "image" | "system", verb)) => verb,
        Some(_) => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hints_name_the_verb_as_it_is_written() {
        let known = [
            ("run", "-p", "lifebox run --network host IMAGE"),
            ("volume create", "--scope", "lifebox volume create --help"),
            ("", "-H", "lifebox --root DIR"),
            ("ps", "--tlsverify", "lifebox --root DIR"),
        ];
        for (verb, flag, hint) in known {
            assert!(flag_hint(verb, flag).is_some_and(|found| found.contains(hint)), "{flag}");
        }
        assert_eq!(flag_hint("ps", "-p"), None);
        assert!(is_off("run", "-P", "false") && is_off("create", "--ip", ""));
        assert!(!is_off("run", "-P", "true") && !is_off("run", "--publish", ""));
        assert_eq!(short("image build"), "build");
        assert_eq!(short("image prune"), "image prune");
    }
}
