//! The result of a script's test.

use std::time::Duration;

/// The outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TestOutcome {
    /// The test passed.
    Passed,
    /// The test threw an error.
    Failed {
        /// The error in one line.
        message: String,
        /// The drawn report, with the place in the source.
        report: String,
    },
    /// The test was skipped.
    Skipped,
}

/// One test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestResult {
    /// The names of the groups, outermost first, then the test's name. Never empty.
    pub path: Vec<String>,
    /// The duration, cleanup included.
    pub time: Duration,
    /// The outcome.
    pub outcome: TestOutcome,
}

impl TestResult {
    /// Returns all names as one sentence.
    pub fn title(&self) -> String {
        self.path.join(" ")
    }

    /// Returns the test's name.
    pub fn name(&self) -> &str {
        self.path.last().map_or("", String::as_str)
    }

    /// Returns the names of the groups.
    pub fn group(&self) -> &[String] {
        self.path.split_last().map_or(&[], |(_, group)| group)
    }

    /// Returns whether the test failed.
    pub fn failed(&self) -> bool {
        matches!(self.outcome, TestOutcome::Failed { .. })
    }
}

/// The tests of one script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suite {
    /// The script, as the user named it.
    pub name: String,
    /// Its tests, in the order in which they ended.
    pub results: Vec<TestResult>,
}

impl Suite {
    /// Returns the number of failed tests.
    pub fn failures(&self) -> usize {
        self.results.iter().filter(|case| case.failed()).count()
    }

    /// Returns the number of skipped tests.
    pub fn skipped(&self) -> usize {
        self.results.iter().filter(|case| case.outcome == TestOutcome::Skipped).count()
    }

    /// Returns the total duration of the tests.
    pub fn time(&self) -> Duration {
        self.results.iter().map(|case| case.time).sum()
    }
}
