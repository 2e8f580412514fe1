//! Traces of a script: the calls of native functions with their lines, beside the steps of the
//! engine.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::{Dynamic, FnPtr, NativeCallContext};

use crate::engine::trace::{self, Watcher};
use crate::model::script::trace::TraceStep;
use crate::model::{Error, Kind};
use crate::script::context::calls::Call;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::host::Tracing;
use crate::ui::messages;
use crate::ui::teach::{self, trace::TracedCall};

/// Calls `function`, prints the steps of the engine, and returns the function's result.
pub fn trace(ctx: &NativeCallContext, function: &FnPtr, step: bool) -> RhaiResultOf<Dynamic> {
    let context = ScriptContext::of(ctx)?;
    if trace::is_on() {
        let error = Error::new(Kind::Refused, "trace(): a trace is already running")
            .hint("put all calls into one trace()");
        return Err(error).or_raise(ctx);
    }
    begin(&context, if step { Tracing::Stepwise } else { Tracing::AtTheEnd });
    let value = function.call_within_context(ctx, ());
    // Also after an error: the steps until then show its cause.
    let report = end(&context);
    context.print(report.trim_end());
    value
}

/// Begins a trace.
pub fn begin(context: &ScriptContext, tracing: Tracing) {
    context.calls().begin();
    trace::begin(match tracing {
        Tracing::Stepwise => Some(stepper(context)),
        Tracing::Off | Tracing::AtTheEnd => None,
    });
}

/// Shows each step and waits for the user, until they no longer want to wait.
fn stepper(context: &ScriptContext) -> Watcher {
    let (output, reader) = (context.host().output.clone(), context.host().reader);
    let waits = AtomicBool::new(true);
    Arc::new(move |step: &TraceStep| {
        if waits.load(Ordering::Relaxed) {
            let again = output.step(&teach::trace::next(reader, step)).unwrap_or(false);
            waits.store(again, Ordering::Relaxed);
        }
    })
}

/// Ends a trace and returns its text: each step beside the line that caused it.
pub fn end(context: &ScriptContext) -> String {
    let (mut steps, calls) = (trace::end(), context.calls().end());
    steps.sort_by_key(|step| step.span.map(|span| span.start));
    let reader = context.host().reader;
    let mut causes: Vec<TracedCall> = Vec::new();
    let start_of = |step: &TraceStep| step.span.map_or(0, |span| span.start);
    let mut steps = steps.into_iter().peekable();
    let mut take = |words: String, until: u64| {
        let mut taken = Vec::new();
        while steps.peek().is_some_and(|step| start_of(step) < until) {
            taken.extend(steps.next());
        }
        match causes.last_mut() {
            _ if taken.is_empty() => {}
            Some(last) if last.words == words => last.steps.extend(taken),
            _ => causes.push(TracedCall { words, steps: taken }),
        }
    };
    take(String::new(), calls.first().map_or(u64::MAX, |call| call.start));
    for (at, call) in calls.iter().enumerate() {
        let until = calls.get(at + 1).map_or(u64::MAX, |next| next.start);
        take(call_line(context, call), until);
    }
    teach::trace::trace(reader, &causes)
}

/// Formats the line of a call, beside its steps.
fn call_line(context: &ScriptContext, call: &Call) -> String {
    let Some(number) = call.line else { return format!("{}()", call.name) };
    let shown = number.to_string();
    let place =
        messages::format_message(context.host().reader.language, "trace-line", &[("line", &shown)]);
    let text = call.source.as_ref().and_then(|source| context.sources().text(source));
    let line = text.as_ref().and_then(|text| text.lines().nth(number - 1)).map(str::trim);
    match line {
        Some(line) => format!("{place}: {line}"),
        None => format!("{place}: {}()", call.name),
    }
}
