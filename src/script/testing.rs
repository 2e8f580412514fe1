//! Runs the tests of a script, each in its own scope, and reports their results.

use crate::model::script::test_result::{TestOutcome, TestResult};
use crate::model::value::visible::escape_control;
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

/// Runs a test in its own scope and reports its result. Errors of the test are reported, not
/// thrown; only the end of the script propagates.
pub fn run(ctx: &NativeCallContext, name: &str, function: &FnPtr) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let names = context.tests().names(name);
    if !context.host().test_reporter.as_ref().is_none_or(|cases| cases.selects(&names.join(" "))) {
        return Ok(());
    }
    let start = Instant::now();
    let scope = Scope::inside(thread::scope());
    let ended = thread::in_scope(scope.clone(), || run_with_hooks(ctx, &context, function));
    let ended = cleanup::end(&scope, ctx.engine(), &context, ended);
    // Also if a `catch` in the test swallowed the ending: the script ends at its next operation.
    if let Some(Ending::Exit(code)) = context.end_reason() {
        let verdict = exited(ctx, &context, code, ended.as_ref().err().map(Box::as_ref));
        report(&context, TestResult { path: names, time: start.elapsed(), outcome: verdict });
        context.tests().end_script();
        return ended.map(drop);
    }
    let verdict = match ended {
        Ok(_) => TestOutcome::Passed,
        Err(error) if !innermost(&error).is_catchable() => return Err(error),
        Err(error) => failed(ctx, &context, &error),
    };
    report(&context, TestResult { path: names, time: start.elapsed(), outcome: verdict });
    Ok(())
}

/// Reports a test as skipped.
pub fn skip(ctx: &NativeCallContext, name: &str) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let names = context.tests().names(name);
    if context.host().test_reporter.as_ref().is_none_or(|cases| cases.selects(&names.join(" "))) {
        report(
            &context,
            TestResult { path: names, time: Duration::ZERO, outcome: TestOutcome::Skipped },
        );
    }
    Ok(())
}

/// Runs a test between its hooks.
fn run_with_hooks(
    ctx: &NativeCallContext,
    context: &ScriptContext,
    function: &FnPtr,
) -> RhaiResultOf<Dynamic> {
    let (before, after) = context.tests().hooks();
    let call = |function: &FnPtr| function.call_within_context::<Dynamic>(ctx, ());
    let mut ended = before.iter().try_for_each(|hook| call(hook).map(drop));
    if ended.is_ok() {
        ended = call(function).map(drop);
    }
    for hook in &after {
        // The test's own error takes precedence over errors of its hooks and cleanup.
        ended = ended.and(call(hook).map(drop));
    }
    ended.map(|()| Dynamic::UNIT)
}

fn failed(ctx: &NativeCallContext, context: &ScriptContext, error: &EvalAltResult) -> TestOutcome {
    let name = ctx.call_source().unwrap_or_default();
    let report = render::report(ctx.engine(), context, &rhai::Scope::new(), name, error);
    let message = escape_control(&in_a_line(innermost(error)));
    TestOutcome::Failed { message, report }
}

/// Returns the error of a test that called `exit`: the tests after it would be lost without notice.
fn exited(
    ctx: &NativeCallContext,
    context: &ScriptContext,
    code: u8,
    error: Option<&EvalAltResult>,
) -> TestOutcome {
    let message = format!("it called exit({code}): the rest of the script did not run");
    let name = ctx.call_source().unwrap_or_default();
    let place = error.and_then(|error| render::place(context, name, error));
    let place = place.map_or_else(String::new, |place| format!("\n --> {place}"));
    TestOutcome::Failed { report: format!("error: {message}{place}"), message }
}

fn report(context: &ScriptContext, case: TestResult) {
    context.tests().count(&case);
    match &context.host().test_reporter {
        Some(cases) => cases.finished(&case),
        None => context.print(ui::report::test_results::plain(&case).trim_end()),
    }
}

/// Returns the summary of failed tests for a script that runs without a reporter; `None` if all
/// passed.
pub fn summary(context: &ScriptContext) -> Option<String> {
    let (failed, passed) = context.tests().counts();
    let alone = context.host().test_reporter.is_none() && failed > 0;
    alone.then(|| format!("{failed} of {} tests failed", failed + passed))
}
