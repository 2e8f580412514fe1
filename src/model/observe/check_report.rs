//! The report of a check of the store.

use std::fmt;

use crate::model::Result;

/// How to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// Repair what can be repaired and remove what can't.
    pub repair: bool,
}

/// The kind of a problem.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Content is missing or not what its digest says.
    Damage,
    /// Content that nothing refers to.
    Leftover,
}

impl Problem {
    /// Returns `damage` or `leftover`.
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::Damage => "damage",
            Problem::Leftover => "leftover",
        }
    }
}

/// What the check did about a problem.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Reported only: the check did not repair.
    Found,
    /// Repaired.
    Repaired,
    /// Removed.
    Removed,
    /// Not repaired, for this reason.
    Unrepaired(String),
}

impl Resolution {
    /// Returns what became of a leftover: `None` was not removed, only found.
    pub fn of_removal(removed: Option<Result<()>>) -> Self {
        match removed {
            None => Resolution::Found,
            Some(Ok(())) => Resolution::Removed,
            Some(Err(error)) => Resolution::Unrepaired(error.to_string()),
        }
    }
}

/// Writes the words that scripts see: `found`, `repaired`, `removed`, or `not repaired: ` and the
/// reason.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolution::Found => f.write_str("found"),
            Resolution::Repaired => f.write_str("repaired"),
            Resolution::Removed => f.write_str("removed"),
            Resolution::Unrepaired(why) => write!(f, "not repaired: {why}"),
        }
    }
}

/// One problem that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The kind of a problem.
    pub problem: Problem,
    /// What is damaged, and where.
    pub what: String,
    /// The image of the content, as users name it.
    pub image: Option<String>,
    /// The containers that use the image.
    pub containers: Vec<String>,
    /// What the check did about a problem.
    pub resolution: Resolution,
}

/// What a check has checked, and the problems found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many images were checked.
    pub images: u64,
    /// How many layers were checked, each once.
    pub layers: u64,
    /// The problems, in the order in which they were found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Returns whether no damage is left. Leftovers are not damage.
    pub fn is_healthy(&self) -> bool {
        let left = |finding: &Finding| {
            let done = matches!(finding.resolution, Resolution::Repaired | Resolution::Removed);
            finding.problem == Problem::Damage && !done
        };
        !self.findings.iter().any(left)
    }
}
