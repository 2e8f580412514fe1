//! The tests of a script: what they are about, what goes before and after each, how they ended.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use crate::model::script::test_result::{TestOutcome, TestResult};
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::{Ending, RhaiResultOf, innermost};
use crate::script::errors::render;
use crate::script::errors::words::in_a_line;
use crate::ui;

/// Who is told of each test when it has ended.
pub trait TestReporter: Send + Sync + fmt::Debug {
    /// Whether a test of this title is to be run.
    fn selects(&self, title: &str) -> bool;
    /// A test has ended.
    fn finished(&self, case: &TestResult);
}

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
    fn names(&self, name: &str) -> Vec<String> {
        let state = self.lock();
        state.groups.iter().map(|group| group.name.clone()).chain([name.to_owned()]).collect()
    }

    /// What goes before a test, outermost first, and after it, innermost first.
    fn hooks(&self) -> (Vec<FnPtr>, Vec<FnPtr>) {
        let state = self.lock();
        let before = state.groups.iter().flat_map(|group| group.before.clone()).collect();
        let after = state.groups.iter().rev().flat_map(|group| group.after.clone()).collect();
        (before, after)
    }

    /// Whether a test has called `exit`, and was told as failed for it.
    pub fn has_exited(&self) -> bool {
        self.lock().exited
    }

    fn count(&self, case: &TestResult) {
        let mut state = self.lock();
        match case.outcome {
            TestOutcome::Failed { .. } => state.failed += 1,
            TestOutcome::Passed => state.passed += 1,
            TestOutcome::Skipped => {}
        }
    }
}

/// Runs a test in a scope of its own and tells how it ended. What it threw is told, not thrown;
/// only what ends the script goes on.
pub fn run(ctx: &NativeCallContext, name: &str, function: &FnPtr) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let names = stage.tests().names(name);
    if !stage.host().test_reporter.as_ref().is_none_or(|cases| cases.selects(&names.join(" "))) {
        return Ok(());
    }
    let begun = Instant::now();
    let scope = Scope::child();
    let ended = thread::in_scope(scope.clone(), || run_with_hooks(ctx, &stage, function));
    let ended = scope.end(ctx.engine(), &stage, ended);
    // Also where a `catch` kept it from this call: the script ends at its next operation.
    if let Some(Ending::Exit(code)) = stage.end_reason() {
        let verdict = exited(ctx, &stage, code, ended.as_ref().err().map(Box::as_ref));
        report(&stage, TestResult { path: names, time: begun.elapsed(), outcome: verdict });
        stage.tests().lock().exited = true;
        return ended.map(drop);
    }
    let verdict = match ended {
        Ok(_) => TestOutcome::Passed,
        Err(error) if !innermost(&error).is_catchable() => return Err(error),
        Err(error) => failed(ctx, &stage, &error),
    };
    report(&stage, TestResult { path: names, time: begun.elapsed(), outcome: verdict });
    Ok(())
}

/// Tells of a test that is not run.
pub fn skip(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let names = stage.tests().names(name);
    if stage.host().test_reporter.as_ref().is_none_or(|cases| cases.selects(&names.join(" "))) {
        report(
            &stage,
            TestResult { path: names, time: Duration::ZERO, outcome: TestOutcome::Skipped },
        );
    }
    Ok(())
}

/// A test between what goes before and after it.
fn run_with_hooks(
    ctx: &NativeCallContext,
    stage: &ScriptContext,
    function: &FnPtr,
) -> RhaiResultOf<Dynamic> {
    let (before, after) = stage.tests().hooks();
    let call = |function: &FnPtr| function.call_within_context::<Dynamic>(ctx, ());
    let mut ended = before.iter().try_for_each(|hook| call(hook).map(drop));
    if ended.is_ok() {
        ended = call(function).map(drop);
    }
    for hook in &after {
        // The test's own error goes before one of what follows it.
        ended = ended.and(call(hook).map(drop));
    }
    ended.map(|()| Dynamic::UNIT)
}

fn failed(ctx: &NativeCallContext, stage: &ScriptContext, error: &EvalAltResult) -> TestOutcome {
    let name = ctx.call_source().unwrap_or_default();
    let report = render::report(ctx.engine(), stage, &rhai::Scope::new(), name, error);
    let message = ui::error::escape_control(&in_a_line(innermost(error)));
    TestOutcome::Failed { message, report }
}

/// A test that ended the script: those after it would go, and nobody would miss them.
fn exited(
    ctx: &NativeCallContext,
    stage: &ScriptContext,
    code: u8,
    error: Option<&EvalAltResult>,
) -> TestOutcome {
    let message = format!("it called exit({code}), so what comes after it has not run");
    let name = ctx.call_source().unwrap_or_default();
    let place = error.and_then(|error| render::place(stage, name, error));
    let place = place.map_or_else(String::new, |place| format!("\n --> {place}"));
    TestOutcome::Failed { report: format!("error: {message}{place}"), message }
}

fn report(stage: &ScriptContext, case: TestResult) {
    stage.tests().count(&case);
    match &stage.host().test_reporter {
        Some(cases) => cases.finished(&case),
        None => stage.print(ui::report::test_results::plain(&case).trim_end()),
    }
}

/// The tests of a script that is run by itself, where nobody else is told: fails if one did.
pub fn summary(stage: &ScriptContext) -> Option<String> {
    let state = stage.tests().lock();
    let alone = stage.host().test_reporter.is_none() && state.failed > 0;
    alone.then(|| format!("{} of {} tests failed", state.failed, state.failed + state.passed))
}
