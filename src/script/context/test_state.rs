//! The tests of a script as data: the groups that are open, and how the tests ended.

use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::FnPtr;

use crate::model::script::test_result::{TestOutcome, TestResult};

/// The groups that are open, outermost first, and what the tests have come to.
#[derive(Debug, Default)]
pub struct TestState {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    groups: Vec<Group>,
    passed: usize,
    failed: usize,
    /// Whether a test has ended the script, and has failed for it.
    exited: bool,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    before: Vec<FnPtr>,
    after: Vec<FnPtr>,
}

/// What a group does around each of its tests.
#[derive(Clone, Copy, Debug)]
pub enum Hook {
    /// Before it.
    Before,
    /// After it, however it ended.
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

    /// Adds to what the innermost group does around its tests. False where none is open.
    pub fn add(&self, hook: Hook, function: FnPtr) -> bool {
        let mut state = self.lock();
        let Some(group) = state.groups.last_mut() else { return false };
        match hook {
            Hook::Before => group.before.push(function),
            Hook::After => group.after.push(function),
        }
        true
    }

    /// A test of this name here: all its names.
    pub fn names(&self, name: &str) -> Vec<String> {
        let state = self.lock();
        state.groups.iter().map(|group| group.name.clone()).chain([name.to_owned()]).collect()
    }

    /// What goes before a test, outermost first, and after it, innermost first.
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

    /// How many tests have failed, and how many have passed.
    pub fn counts(&self) -> (usize, usize) {
        let state = self.lock();
        (state.failed, state.passed)
    }

    /// Whether a test has called `exit`, and was told as failed for it.
    pub fn has_exited(&self) -> bool {
        self.lock().exited
    }

    /// Counts a test that has ended.
    pub fn count(&self, case: &TestResult) {
        let mut state = self.lock();
        match case.outcome {
            TestOutcome::Failed { .. } => state.failed += 1,
            TestOutcome::Passed => state.passed += 1,
            TestOutcome::Skipped => {}
        }
    }
}
