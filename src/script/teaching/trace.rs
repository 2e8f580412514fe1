//! What a script caused: the calls of native functions with their lines, beside the deeds that the
//! engine notes meanwhile.

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

/// Calls `function` and prints what was done for it; its value.
pub fn trace(ctx: &NativeCallContext, function: &FnPtr, step: bool) -> RhaiResultOf<Dynamic> {
    let stage = ScriptContext::of(ctx)?;
    if trace::is_on() {
        let error = Error::new(Kind::Refused, "trace(): a trace is under way already")
            .hint("one trace tells of all that is called in it");
        return Err(error).or_raise(ctx);
    }
    begin(&stage, if step { Tracing::Stepwise } else { Tracing::AtTheEnd });
    let value = function.call_within_context(ctx, ());
    // Also after an error: what was done until then is what one wants to see.
    let told = end(&stage);
    stage.print(told.trim_end());
    value
}

/// Begins to note.
pub fn begin(stage: &ScriptContext, tracing: Tracing) {
    stage.calls().begin();
    trace::begin(match tracing {
        Tracing::Stepwise => Some(stepper(stage)),
        Tracing::Off | Tracing::AtTheEnd => None,
    });
}

/// Shows each deed and waits for the user, until they want to wait no more.
fn stepper(stage: &ScriptContext) -> Watcher {
    let (output, reader) = (stage.host().output.clone(), stage.host().reader);
    let waits = AtomicBool::new(true);
    Arc::new(move |deed: &TraceStep| {
        if waits.load(Ordering::Relaxed) {
            let again = output.step(&teach::trace::next(reader, deed)).unwrap_or(false);
            waits.store(again, Ordering::Relaxed);
        }
    })
}

/// Ends it; what was done, each deed beside the line that caused it.
pub fn end(stage: &ScriptContext) -> String {
    let (mut deeds, calls) = (trace::end(), stage.calls().end());
    deeds.sort_by_key(|deed| deed.span.map(|span| span.start));
    let reader = stage.host().reader;
    let mut causes: Vec<TracedCall> = Vec::new();
    let begun = |deed: &TraceStep| deed.span.map_or(0, |span| span.start);
    let mut deeds = deeds.into_iter().peekable();
    let mut take = |words: String, until: u64| {
        let mut taken = Vec::new();
        while deeds.peek().is_some_and(|deed| begun(deed) < until) {
            taken.extend(deeds.next());
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
        take(call_line(stage, call), until);
    }
    teach::trace::trace(reader, &causes)
}

/// The line of a call, as it is shown beside what it caused.
fn call_line(stage: &ScriptContext, call: &Call) -> String {
    let Some(number) = call.line else { return format!("{}()", call.name) };
    let shown = number.to_string();
    let place =
        messages::format_message(stage.host().reader.language, "trace-line", &[("line", &shown)]);
    let text = call.source.as_ref().and_then(|source| stage.sources().text(source));
    let line = text.as_ref().and_then(|text| text.lines().nth(number - 1)).map(str::trim);
    match line {
        Some(line) => format!("{place}: {line}"),
        None => format!("{place}: {}()", call.name),
    }
}
