//! Runs the tests of a script, each in a scope of its own, and tells how they ended.

use crate::model::script::test_result::{TestOutcome, TestResult};
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::{Ending, RhaiResultOf, innermost};
use crate::script::errors::render;
use crate::script::errors::words::in_a_line;
use crate::script::flow::cleanup;
use crate::ui;
use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};
use std::time::{Duration, Instant};

/// Runs a test in a scope of its own and tells how it ended. What it threw is told, not thrown;
/// only what ends the script goes on.
pub fn run(ctx: &NativeCallContext, name: &str, function: &FnPtr) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let names = stage.tests().names(name);
    if !stage.host().test_reporter.as_ref().is_none_or(|cases| cases.selects(&names.join(" "))) {
        return Ok(());
    }
    let begun = Instant::now();
    let scope = Scope::inside(thread::scope());
    let ended = thread::in_scope(scope.clone(), || run_with_hooks(ctx, &stage, function));
    let ended = cleanup::end(&scope, ctx.engine(), &stage, ended);
    // Also where a `catch` kept it from this call: the script ends at its next operation.
    if let Some(Ending::Exit(code)) = stage.end_reason() {
        let verdict = exited(ctx, &stage, code, ended.as_ref().err().map(Box::as_ref));
        report(&stage, TestResult { path: names, time: begun.elapsed(), outcome: verdict });
        stage.tests().end_script();
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
    let (failed, passed) = stage.tests().counts();
    let alone = stage.host().test_reporter.is_none() && failed > 0;
    alone.then(|| format!("{failed} of {} tests failed", failed + passed))
}
