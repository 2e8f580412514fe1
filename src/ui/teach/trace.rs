//! Deeds as a reader takes them in: what will be done and why, and what was done and how long it
//! took.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr as _;

use crate::model::script::trace::{Deed, Who};
use crate::model::value::language::Reader;
use crate::ui::format::columns::{padded, wrapped};
use crate::ui::messages::{tell, what, why};

/// The plan of a verb, a paragraph for each deed; the reason of those that come several times is
/// told once.
pub fn plan(reader: Reader, verb: &str, name: &str, deeds: &[Deed]) -> String {
    let Reader { language, width, .. } = reader;
    let count = deeds.len().to_string();
    let facts = [("verb", verb), ("name", name), ("count", count.as_str())];
    let mut text = format!("{}\n", tell(language, "explain-plan", &facts));
    let mut told = HashSet::new();
    let mut who: Option<Who> = None;
    for (number, deed) in (1..).zip(deeds) {
        if who != Some(deed.who) {
            who = Some(deed.who);
            text.push_str(&format!(
                "\n{}\n",
                tell(language, &format!("who-{}", deed.who.as_str()), &[])
            ));
        }
        let calls = deed.calls.join(", ");
        let words = what(language, deed);
        let line = format!("{number:>4}  {words}");
        // The calls stand at the right, where there is room.
        let room = width.saturating_sub(calls.width());
        match line.width() + 2 {
            _ if calls.is_empty() => text.push_str(&format!("{line}\n")),
            taken if taken <= room => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            _ => text.push_str(&format!("{line}\n{}{calls}\n", " ".repeat(room))),
        }
        if told.insert(deed.key.as_str()) {
            for line in wrapped(&why(language, deed), width.saturating_sub(8)) {
                text.push_str(&format!("        {line}\n"));
            }
        }
    }
    text
}

/// A part of what was traced: what caused it, and what was done for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    /// Such as a line of the script; empty for a verb.
    pub words: String,
    /// What was done.
    pub deeds: Vec<Deed>,
}

/// What was done, with times in milliseconds since the first deed, each beside what caused it.
pub fn trace(reader: Reader, causes: &[Cause]) -> String {
    let Reader { language, width, .. } = reader;
    let spans = causes.iter().flat_map(|cause| &cause.deeds).filter_map(|deed| deed.span);
    let Some(first) = spans.clone().map(|span| span.begun).min() else {
        return format!("{}\n", tell(language, "trace-nothing", &[]));
    };
    let last = spans.map(|span| span.begun.saturating_add(span.took)).max().unwrap_or(first);
    let mut text = String::new();
    let mut count = 0;
    for cause in causes {
        if !cause.words.is_empty() {
            text.push_str(&format!("{}\n", cause.words));
        }
        let mut deeds: Vec<_> = cause.deeds.iter().collect();
        deeds.sort_by_key(|deed| deed.span.map(|span| span.begun));
        count += deeds.len();
        for deed in deeds {
            let span =
                deed.span.unwrap_or(crate::model::script::trace::Span { begun: first, took: 0 });
            let at = milliseconds(span.begun.saturating_sub(first));
            let line = format!(
                "{at:>9}  {:>8}  {:<8}{}",
                took(span.took),
                deed.who.as_str(),
                what(language, deed)
            );
            let calls = deed.calls.join(", ");
            let room = width.saturating_sub(calls.width());
            match calls.is_empty() || line.width() + 2 > room {
                true => text.push_str(&format!("{line}\n")),
                false => text.push_str(&format!("{}{calls}\n", padded(&line, room))),
            }
            if let Some(reason) = &deed.failure {
                let failed = tell(language, "trace-failed", &[("reason", reason)]);
                text.push_str(&format!("{:>29}{failed}\n", ""));
            }
        }
    }
    let (count, time) = (count.to_string(), took(last.saturating_sub(first)));
    let total = tell(language, "trace-total", &[("count", &count), ("time", &time)]);
    text.push_str(&format!("{total}\n"));
    text
}

/// A deed that is about to be done, for somebody who goes step by step.
pub fn next(reader: Reader, deed: &Deed) -> String {
    let Reader { language, width, .. } = reader;
    let calls = deed.calls.join(", ");
    let mut text = format!("{:<8}{}  {calls}\n", deed.who.as_str(), what(language, deed));
    for line in wrapped(&why(language, deed), width.saturating_sub(8)) {
        text.push_str(&format!("        {line}\n"));
    }
    text.push_str(&tell(language, "trace-next", &[]));
    text
}

fn milliseconds(nanoseconds: u64) -> String {
    format!("{:.3}", std::time::Duration::from_nanos(nanoseconds).as_secs_f64() * 1000.0)
}

/// As [`took`].
pub fn took_for(time: std::time::Duration) -> String {
    took(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// A time in a unit that fits: `12 µs`, `3.4 ms`, `10 s`.
pub fn took(nanoseconds: u64) -> String {
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

    fn deed(who: Who, key: &str, words: &str, span: Option<Span>) -> Deed {
        let calls = vec!["pivot_root".to_owned()];
        let facts = BTreeMap::new();
        Deed { who, key: key.into(), what: words.into(), facts, calls, failure: None, span }
    }

    #[test]
    fn a_plan_says_what_and_why() {
        let deeds = [
            deed(Who::Front, "take-lock", "lock the container", None),
            deed(Who::Init, "pivot-root", "pivot to the new root", None),
            deed(Who::Init, "pivot-root", "pivot to the new root", None),
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
        .assert_eq(&plan(Reader { width: 60, ..Reader::default() }, "start", "web", &deeds));
    }

    #[test]
    fn a_trace_tells_times_since_the_first_deed() {
        let span = |begun, took| Some(Span { begun, took });
        let deeds = vec![
            deed(Who::Init, "pivot-root", "pivot to the new root", span(5_500_000, 12_000)),
            deed(Who::Front, "take-lock", "lock the container", span(5_000_000, 1_200_000)),
        ];
        let causes = [Cause { words: "line 1: start(c)".into(), deeds }];
        expect![[r#"
            line 1: start(c)
                0.000    1.2 ms  front   lock the container     pivot_root
                0.500     12 µs  init    pivot to the new root  pivot_root
            2 steps in 1.2 ms
        "#]]
        .assert_eq(&trace(Reader { width: 62, ..Reader::default() }, &causes));
        assert_eq!(
            trace(Reader::default(), &[]),
            "nothing was done that the kernel or a monitor would know of\n"
        );
    }
}
