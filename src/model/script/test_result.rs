//! A test that a script has run.

use std::time::Duration;

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
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
pub struct TestResult {
    /// What it is about, outermost first; its own sentence last. Never empty.
    pub path: Vec<String>,
    /// How long it took, its cleanup included.
    pub time: Duration,
    /// How it ended.
    pub outcome: TestOutcome,
}

impl TestResult {
    /// Its names as a sentence.
    pub fn title(&self) -> String {
        self.path.join(" ")
    }

    /// Its own sentence.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// What it is about.
    pub fn group(&self) -> &[String] {
        self.path.split_last().map_or(&[], |(_, group)| group)
    }

    /// Whether it failed.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, TestOutcome::Failed { .. })
    }
}

/// The tests of one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The script, as it was named.
    pub name: String,
    /// Its tests, in the order in which they ended.
    pub results: Vec<TestResult>,
}

impl Suite {
    /// How many tests failed.
    pub fn failures(&self) -> usize {
        self.results.iter().filter(|case| case.failed()).count()
    }

    /// How many tests were not run.
    pub fn skipped(&self) -> usize {
        self.results.iter().filter(|case| case.outcome == TestOutcome::Skipped).count()
    }

    /// How long all tests took.
    pub fn time(&self) -> Duration {
        self.results.iter().map(|case| case.time).sum()
    }
}
