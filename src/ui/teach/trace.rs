//! Deeds as a reader takes them in: what will be done and why, and what was done and how long it
//! took.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr as _;

use crate::model::script::trace::{ProcessRole, TraceStep};
use crate::model::value::language::ReaderProfile;
use crate::ui::format::columns::{padded, wrapped};
use crate::ui::messages::{format_message, step_reason, step_summary};

/// The plan of a verb, a paragraph for each deed; the reason of those that come several times is
/// told once.
pub fn plan(reader: ReaderProfile, verb: &str, name: &str, deeds: &[TraceStep]) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let count = deeds.len().to_string();
    let facts = [("verb", verb), ("name", name), ("count", count.as_str())];
    let mut text = format!("{}\n", format_message(language, "explain-plan", &facts));
    let mut told = HashSet::new();
    let mut who: Option<ProcessRole> = None;
    for (number, deed) in (1..).zip(deeds) {
        if who != Some(deed.role) {
            who = Some(deed.role);
            text.push_str(&format!(
                "\n{}\n",
                format_message(language, &format!("who-{}", deed.role.as_str()), &[])
            ));
        }
        let calls = deed.syscalls.join(", ");
        let words = step_summary(language, deed);
        let line = format!("{number:>4}  {words}");
        // The calls stand at the right, where there is room.
        let room = width.saturating_sub(calls.width());
        match line.width() + 2 {
            _ if calls.is_empty() => text.push_str(&format!("{line}\n")),
            taken if taken <= room => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            _ => text.push_str(&format!("{line}\n{}{calls}\n", " ".repeat(room))),
        }
        if told.insert(deed.key.as_str()) {
            for line in wrapped(&step_reason(language, deed), width.saturating_sub(8)) {
                text.push_str(&format!("        {line}\n"));
            }
        }
    }
    text
}

/// A part of what was traced: what caused it, and what was done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracedCall {
    /// Such as a line of the script; empty for a verb.
    pub words: String,
    /// What was done.
    pub steps: Vec<TraceStep>,
}

/// What was done, with times in milliseconds since the first deed, each beside what caused it.
pub fn trace(reader: ReaderProfile, causes: &[TracedCall]) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let spans = causes.iter().flat_map(|cause| &cause.steps).filter_map(|deed| deed.span);
    let Some(first) = spans.clone().map(|span| span.start).min() else {
        return format!("{}\n", format_message(language, "trace-nothing", &[]));
    };
    let last = spans.map(|span| span.start.saturating_add(span.duration)).max().unwrap_or(first);
    let mut text = String::new();
    let mut count = 0;
    for cause in causes {
        if !cause.words.is_empty() {
            text.push_str(&format!("{}\n", cause.words));
        }
        let mut deeds: Vec<_> = cause.steps.iter().collect();
        deeds.sort_by_key(|deed| deed.span.map(|span| span.start));
        count += deeds.len();
        for deed in deeds {
            let span = deed
                .span
                .unwrap_or(crate::model::script::trace::Span { start: first, duration: 0 });
            let at = milliseconds(span.start.saturating_sub(first));
            let line = format!(
                "{at:>9}  {:>8}  {:<8}{}",
                format_duration(span.duration),
                deed.role.as_str(),
                step_summary(language, deed)
            );
            let calls = deed.syscalls.join(", ");
            let room = width.saturating_sub(calls.width());
            match calls.is_empty() || line.width() + 2 > room {
                true => text.push_str(&format!("{line}\n")),
                false => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            }
            if let Some(reason) = &deed.failure {
                let failed = format_message(language, "trace-failed", &[("reason", reason)]);
                text.push_str(&format!("{:>29}{failed}\n", ""));
            }
        }
    }
    let (count, time) = (count.to_string(), format_duration(last.saturating_sub(first)));
    let total = format_message(language, "trace-total", &[("count", &count), ("time", &time)]);
    text.push_str(&format!("{total}\n"));
    text
}

/// A deed that is about to be done, for somebody who goes step by step.
pub fn next(reader: ReaderProfile, deed: &TraceStep) -> String {
    let ReaderProfile { language, width, .. } = reader;
    let calls = deed.syscalls.join(", ");
    let mut text = format!("{:<8}{}  {calls}\n", deed.role.as_str(), step_summary(language, deed));
    for line in wrapped(&step_reason(language, deed), width.saturating_sub(8)) {
        text.push_str(&format!("        {line}\n"));
    }
    text.push_str(&format_message(language, "trace-next", &[]));
    text
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3}", std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1000.0)
}

/// As [`took`].
pub fn format_duration_for(time: std::time::Duration) -> String {
    format_duration(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// A time in a unit that fits: `12 µs`, `3.4 ms`, `10 s`.
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
        let facts = BTreeMap::new();
        TraceStep {
            role: who,
            key: key.into(),
            summary: words.into(),
            fields: facts,
            syscalls: calls,
            failure: None,
            span,
        }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let deeds = [
            step(ProcessRole::Client, "take-lock", "lock the container", None),
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", None),
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", None),
        ];
        expect![[r#"
            What `start` will do with `web`: 3 steps. Nothing is done now.

            lifebox, as you called it
               1  lock the container                          pivot_root
                    Who holds the lock may change the container. While
                    it runs, its monitor holds it.

            init, the container's first process, before it becomes your program
               2  pivot to the new root                       pivot_root
                    The new root becomes `/`, and the host's is let go:
                    from here on no path leads to the host's files.
               3  pivot to the new root                       pivot_root
        "#]]
        .assert_eq(&plan(
            ReaderProfile { width: 60, ..ReaderProfile::default() },
            "start",
            "web",
            &deeds,
        ));
    }

    #[test]
    fn a_trace_tells_times_since_the_first_deed() {
        let span = |begun, took| Some(Span { start: begun, duration: took });
        let deeds = vec![
            step(ProcessRole::Init, "pivot-root", "pivot to the new root", span(5_500_000, 12_000)),
            step(
                ProcessRole::Client,
                "take-lock",
                "lock the container",
                span(5_000_000, 1_200_000),
            ),
        ];
        let causes = [TracedCall { words: "line 1: start(c)".into(), steps: deeds }];
        expect![[r#"
            line 1: start(c)
                0.000    1.2 ms  front   lock the container     pivot_root
                0.500     12 µs  init    pivot to the new root  pivot_root
            2 steps in 1.2 ms
        "#]]
        .assert_eq(&trace(ReaderProfile { width: 62, ..ReaderProfile::default() }, &causes));
        assert_eq!(
            trace(ReaderProfile::default(), &[]),
            "nothing was done that the kernel or a monitor would know of\n"
        );
    }
}
