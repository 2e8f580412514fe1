//! The tests of a script as data: open groups and results.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::FnPtr;

use crate::model::script::test_result::{TestOutcome, TestResult};

/// The open groups, outermost first, and the results so far.
#[derive(Debug, Default)]
pub struct TestState {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    groups: Vec<Group>,
    passed: usize,
    failed: usize,
    /// Whether a test has ended the script, which counts as a failure.
    exited: bool,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    before: Vec<FnPtr>,
    after: Vec<FnPtr>,
}

/// When a group calls a function.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// Before each test.
    Before,
    /// After each test, whether it passed or failed.
    After,
}

impl TestState {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a group.
    pub fn open(&self, name: &str) {
        let group = Group { name: name.to_owned(), before: Vec::new(), after: Vec::new() };
        self.lock().groups.push(group);
    }

    /// Closes the innermost group.
    pub fn close(&self) {
        self.lock().groups.pop();
    }

    /// Adds a hook to the innermost group. Returns false if no group is open.
    pub fn add(&self, hook: Hook, function: FnPtr) -> bool {
        let mut state = self.lock();
        let Some(group) = state.groups.last_mut() else { return false };
        match hook {
            Hook::Before => group.before.push(function),
            Hook::After => group.after.push(function),
        }
        true
    }

    /// Returns the names of the open groups and of this test.
    pub fn names(&self, name: &str) -> Vec<String> {
        let state = self.lock();
        state.groups.iter().map(|group| group.name.clone()).chain([name.to_owned()]).collect()
    }

    /// Returns the hooks before a test, outermost first, and after it, innermost first.
    pub fn hooks(&self) -> (Vec<FnPtr>, Vec<FnPtr>) {
        let state = self.lock();
        let before = state.groups.iter().flat_map(|group| group.before.clone()).collect();
        let after = state.groups.iter().rev().flat_map(|group| group.after.clone()).collect();
        (before, after)
    }

    /// Notes that a test has called `exit`.
    pub fn end_script(&self) {
        self.lock().exited = true;
    }

    /// Returns how many tests have failed and how many have passed.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.failed, state.passed)
    }

    /// Returns whether a test has called `exit`, which counts as a failure.
    pub fn has_exited(&self) -> bool {
        self.lock().exited
    }

    /// Counts a finished test.
    pub fn count(&self, case: &TestResult) {
        let mut state = self.lock();
        match case.outcome {
            TestOutcome::Failed { .. } => state.failed += 1,
            TestOutcome::Passed => state.passed += 1,
            TestOutcome::Skipped => {}
        }
    }
}
