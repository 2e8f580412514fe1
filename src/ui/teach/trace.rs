//! Formats the steps of a plan with their reasons, and the steps of a trace with their times.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr as _;

use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::language::ReaderProfile;
use crate::model::value::visible::{escape_line, one_line};
use crate::ui::format::columns::{padded, wrapped};
use crate::ui::messages::{format_message, step_reason, step_summary};

/// Formats the plan of a verb, a paragraph for each step. The reason of a repeated step is given
/// once.
pub fn plan(reader: ReaderProfile, verb: &str, name: &str, steps: &[TraceStep]) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let count = steps.len().to_string();
    let args = [("verb", verb), ("name", name), ("count", count.as_str())];
    let mut text = format!("{}\n", format_message(language, "explain-plan", &args));
    let mut explained = HashSet::new();
    let mut who: Option<ProcessRole> = None;
    for (number, step) in (1..).zip(steps) {
        if who != Some(step.role) {
            who = Some(step.role);
            text.push_str(&format!(
                "\n{}\n",
                format_message(language, &format!("who-{}", step.role.as_str()), &[])
            ));
        }
        let calls = step.syscalls.join(", ");
        let words = step_summary(language, step);
        let line = format!("{number:>4}  {words}");
        // The system calls stand at the right if they fit.
        let room = width.saturating_sub(calls.width());
        match line.width() + 2 {
            _ if calls.is_empty() => text.push_str(&format!("{line}\n")),
            taken if taken <= room => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            _ => text.push_str(&format!("{line}\n{}{calls}\n", " ".repeat(room))),
        }
        if explained.insert(step.key.as_str()) {
            for line in wrapped(&step_reason(language, step), width.saturating_sub(8)) {
                text.push_str(&format!("        {line}\n"));
            }
        }
    }
    text
}

/// The steps of one cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// The cause, such as a line of the script; empty for a verb.
    pub words: String,
    /// The steps.
    pub steps: Vec<TraceStep>,
}

/// Formats a trace: each step with its cause and its time in milliseconds since the first step.
pub fn trace(reader: ReaderProfile, causes: &[TracedCall]) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let spans = causes.iter().flat_map(|cause| &cause.steps).filter_map(|step| step.span);
    let Some(first) = spans.clone().map(|span| span.start).min() else {
        return format!("{}\n", format_message(language, "trace-nothing", &[]));
    };
    let last = spans.map(|span| span.start.saturating_add(span.duration)).max().unwrap_or(first);
    let mut text = String::new();
    let mut count = 0;
    for cause in causes {
        if !cause.words.is_empty() {
            text.push_str(&format!("{}\n", one_line(&cause.words)));
        }
        let mut steps: Vec<_> = cause.steps.iter().collect();
        steps.sort_by_key(|step| step.span.map(|span| span.start));
        count += steps.len();
        for step in steps {
            let span = step
                .span
                .unwrap_or(crate::model::script::trace::Span { start: first, duration: 0 });
            let at = milliseconds(span.start.saturating_sub(first));
            let line = format!(
                "{at:>9}  {:>8}  {:<8}{}",
                format_duration(span.duration),
                step.role.as_str(),
                step_summary(language, step)
            );
            let calls = step.syscalls.join(", ");
            let room = width.saturating_sub(calls.width());
            match calls.is_empty() || line.width() + 2 > room {
                true => text.push_str(&format!("{line}\n")),
                false => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            }
            if let Some(reason) = &step.failure {
                let failed =
                    format_message(language, "trace-failed", &[("reason", &escape_line(reason))]);
                text.push_str(&format!("{:>29}{failed}\n", ""));
            }
        }
    }
    let (count, time) = (count.to_string(), format_duration(last.saturating_sub(first)));
    let total = format_message(language, "trace-total", &[("count", &count), ("time", &time)]);
    text.push_str(&format!("{total}\n"));
    text
}

/// Formats the next step, for `--trace=step`.
pub fn next(reader: ReaderProfile, step: &TraceStep) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let calls = step.syscalls.join(", ");
    let mut text = format!("{:<8}{}  {calls}\n", step.role.as_str(), step_summary(language, step));
    for line in wrapped(&step_reason(language, step), width.saturating_sub(8)) {
        text.push_str(&format!("        {line}\n"));
    }
    text.push_str(&format_message(language, "trace-next", &[]));
    text
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3}", std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1000.0)
}

/// Formats a duration as [`format_duration`].
pub fn format_duration_for(time: std::time::Duration) -> String {
    format_duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// Formats a duration in a fitting unit: `12 µs`, `3.4 ms`, `10 s`.
pub fn format_duration(nanoseconds: u64) -> String {
    let time = std::time::Duration::from_nanos(nanoseconds);
    match nanoseconds {
        0..1_000_000 => format!("{} µs", time.as_micros()),
        1_000_000..1_000_000_000 => format!("{:.1} ms", time.as_secs_f64() * 1000.0),
        _ => format!("{:.1} s", time.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use expect_test::expect;

    use super::*;
    use crate::model::script::trace::Span;

    fn step(who: ProcessRole, key: &str, words: &str, span: Option<Span>) -> TraceStep {
        let calls = vec!["pivot_root".to_owned()];
        let args = BTreeMap::new();
        TraceStep {
            role: who,
            key: key.into(),
            summary: words.into(),
            fields: args,
            syscalls: calls,
            failure: None,
            span,
        }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let steps = [
            step(ProcessRole::Client, "take-lock", "lock the container", None),
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", None),
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", None),
        ];
        expect![[r#"
            What `start` will do with `web`: 3 steps. Nothing is done now.

            lifebox, as you called it
               1  lock the container                          pivot_root
                    Only the process that holds the lock may change the
                    container. While the container runs, its monitor
                    holds the lock.

            init, the container's first process, before it becomes your program
               2  pivot to the new root                       pivot_root
                    The new root becomes `/`, and the host's root is
                    detached: from here on no path leads to the host's
                    files.
               3  pivot to the new root                       pivot_root
        "#]]
        .assert_eq(&plan(
            ReaderProfile { width: 60, ..ReaderProfile::default() },
            "start",
            "web",
            &steps,
        ));
    }

    #[test]
    fn a_trace_tells_times_since_the_first_deed() {
        let span = |begun, took| Some(Span { start: begun, duration: took });
        let steps = vec![
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", span(5_500_000, 12_000)),
            step(
                ProcessRole::Client,
                "take-lock",
                "lock the container",
                span(5_000_000, 1_200_000),
            ),
        ];
        let causes = [TracedCall { words: "line 1: start(c)".into(), steps }];
        expect![[r#"
            line 1: start(c)
                0.000    1.2 ms  client  lock the container     pivot_root
                0.500     12 µs  init    pivot to the new root  pivot_root
            2 steps in 1.2 ms
        "#]]
        .assert_eq(&trace(ReaderProfile { width: 62, ..ReaderProfile::default() }, &causes));
        assert_eq!(
            trace(ReaderProfile::default(), &[]),
            "no steps: neither the kernel nor a monitor was needed\n"
        );
    }
}
