//! What a check of the store found, and what became of it.

use std::fmt;

/// How to check.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CheckOptions {
    /// Repair what can be repaired and remove what can't.
    pub repair: bool,
}

/// What is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// Something is not what it must be.
    Damage,
    /// Something is there that nobody needs.
    Leftover,
}

impl Problem {
    /// `damage` or `leftover`.
    pub fn as_str(self) -> &'static str {
        match self {
            Problem::Damage => "damage",
            Problem::Leftover => "leftover",
        }
    }
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Only looked at: no repair was asked for.
    Found,
    /// As it must be again.
    Repaired,
    /// Taken away.
    Removed,
    /// Can't be mended now; why.
    Unrepaired(String),
}

/// `found`, `mended`, `removed`, or `left: ` and why.
impl fmt::Display for Resolution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Resolution::Found => f.write_str("found"),
            Resolution::Repaired => f.write_str("mended"),
            Resolution::Removed => f.write_str("removed"),
            Resolution::Unrepaired(why) => write!(f, "left: {why}"),
        }
    }
}

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What is wrong.
    pub problem: Problem,
    /// What it is and where.
    pub what: String,
    /// The image it belongs to, as users name it.
    pub image: Option<String>,
    /// The containers that use it.
    pub containers: Vec<String>,
    /// What became of it.
    pub resolution: Resolution,
}

/// What a check looked at, and what it found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many images were looked at.
    pub images: u64,
    /// How many layers, each once.
    pub layers: u64,
    /// What is wrong, in the order in which it was found.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether no damage is left. What nobody needs is no damage.
    pub fn is_healthy(&self) -> bool {
        let left = |finding: &Finding| {
            let done = matches!(finding.resolution, Resolution::Repaired | Resolution::Removed);
            finding.problem == Problem::Damage && !done
        };
        !self.findings.iter().any(left)
    }
}
