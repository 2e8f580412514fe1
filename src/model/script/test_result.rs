//! A test that a script has run.

use std::time::Duration;

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// As it was to.
    Passed,
    /// It threw.
    Failed {
        /// What went wrong, in a line.
        message: String,
        /// The drawn report, with the place in the source.
        report: String,
    },
    /// It was not run.
    Skipped,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// What it is about, outermost first; its own sentence last. Never empty.
    pub names: Vec<String>,
    /// How long it took, its cleanup included.
    pub time: Duration,
    /// How it ended.
    pub verdict: Verdict,
}

impl Case {
    /// Its names as a sentence.
    pub fn title(&self) -> String {
        self.names.join(" ")
    }

    /// Its own sentence.
    pub fn own_name(&self) -> &str {
        self.names.last().map_or("", String::as_str)
    }

    /// What it is about.
    pub fn group(&self) -> &[String] {
        self.names.split_last().map_or(&[], |(_, group)| group)
    }

    /// Whether it failed.
    pub fn failed(&self) -> bool {
        matches!(self.verdict, Verdict::Failed { .. })
    }
}

/// The tests of one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The script, as it was named.
    pub name: String,
    /// Its tests, in the order in which they ended.
    pub cases: Vec<Case>,
}

impl Suite {
    /// How many tests failed.
    pub fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.failed()).count()
    }

    /// How many tests were not run.
    pub fn skipped(&self) -> usize {
        self.cases.iter().filter(|case| case.verdict == Verdict::Skipped).count()
    }

    /// How long all tests took.
    pub fn time(&self) -> Duration {
        self.cases.iter().map(|case| case.time).sum()
    }
}
