//! The timelines of containers along one time axis.

use std::fmt::Write as _;
use std::time::Duration;

use unicode_width::UnicodeWidthStr as _;

use super::text::escaped;
use super::words::PageMessages;
use super::{code, plot};
use crate::model::container::status::Status;
use crate::model::observe::event::EventAction;
use crate::model::observe::log::Stream;
use crate::model::script::recording::{
    ContainerTimeline, Recording, StatusSpan, Text, TimelineEvent,
};
use crate::model::value::units::{format_duration, human_memory};

/// The maximum number of lines listed for a container.
const LINES: usize = 30;
/// The maximum number of parts of the axis.
const TICKS: u32 = 5;
/// The statuses that are drawn, in the order of a life; `None` is removed.
const DRAWN: [Option<Status>; 6] = [
    Some(Status::Created),
    Some(Status::Running),
    Some(Status::Paused),
    Some(Status::Restarting),
    Some(Status::Exited),
    None,
];

/// Formats the legend of the colours.
pub fn legend(words: PageMessages) -> String {
    let entry = |status: &Option<Status>| {
        format!(
            "<li><svg width=\"14\" height=\"14\" aria-hidden=\"true\">\
             <rect class=\"{}\" width=\"14\" height=\"14\" rx=\"3\"/></svg>{}</li>",
            class(*status),
            name(words, *status)
        )
    };
    let entries: String = DRAWN.iter().map(entry).collect();
    format!("<ul class=\"legend\">{entries}</ul>\n")
}

fn class(status: Option<Status>) -> &'static str {
    status.map_or("removed", Status::as_str)
}

fn name(words: PageMessages, status: Option<Status>) -> String {
    match status {
        Some(status) => words.name(&format!("status-{status}")),
        None => words.name("report-removed"),
    }
}

/// Rounds a time to about three digits.
pub fn rounded(time: Duration) -> Duration {
    let unit = match time.as_millis() {
        0..100 => 10_000,
        100..10_000 => 1_000_000,
        _ => 10_000_000,
    };
    let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
    Duration::from_nanos(nanos.saturating_add(unit / 2) / unit * unit)
}

/// Returns the position of a time, in per cent of the whole.
fn percent(at: Duration, whole: Duration) -> f64 {
    (at.as_secs_f64() / whole.as_secs_f64().max(1e-9) * 100.0).clamp(0.0, 100.0)
}

/// The width of one per cent of the bar on a phone, and of a letter.
const NARROW: f64 = 3.2;
const LETTER: f64 = 7.0;

/// Returns the times of the axis labels.
fn ticks(whole: Duration) -> Vec<Duration> {
    let least = (whole / TICKS).max(Duration::from_micros(1));
    let decades = (0..).map(|power: u32| Duration::from_micros(10_u64.saturating_pow(power)));
    let steps = decades.flat_map(|decade| [1, 2, 5].map(|times| decade * times));
    // From a minute on, ticks are at multiples of 60 seconds.
    let minutes = [15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400];
    let step = match least {
        least if least > Duration::from_secs(10) => {
            let mut sixties = minutes.into_iter().map(Duration::from_secs);
            sixties.find(|step| *step >= least).unwrap_or(least)
        }
        least => steps.take(60).find(|step| *step >= least).unwrap_or(least),
    };
    (0..=TICKS).map(|n| step * n).take_while(|at| *at <= whole).collect()
}

/// Formats the time axis.
pub fn axis(whole: Duration) -> String {
    let mut marks = String::new();
    for at in ticks(whole) {
        let x = percent(at, whole);
        let anchor = match x {
            x if x < 3.0 => "start",
            x if x > 94.0 => "end",
            _ => "middle",
        };
        let _ = write!(
            marks,
            "<line x1=\"{x:.2}%\" x2=\"{x:.2}%\" y1=\"15\" y2=\"20\"/>\
             <text x=\"{x:.2}%\" y=\"11\" text-anchor=\"{anchor}\">{}</text>",
            format_duration(at)
        );
    }
    format!(
        "<div class=\"axis track\"><span></span><svg width=\"100%\" height=\"20\">\
         <line class=\"base\" x1=\"0\" x2=\"100%\" y1=\"19.5\" y2=\"19.5\"/>{marks}</svg></div>\n"
    )
}

/// Formats one container.
pub fn timeline(
    words: PageMessages,
    number: usize,
    life: &ContainerTimeline,
    recording: &Recording,
) -> String {
    let whole = recording.duration;
    let name = escaped(&life.name);
    let mut text = format!(
        "<article class=\"life\" id=\"c{number}\" tabindex=\"0\" aria-label=\"{name}\">\n\
         <header><h3>{name}</h3><span class=\"meta\">{} · {}</span>{}</header>\n",
        escaped(&life.image),
        escaped(&life.id),
        last_exit_code(words, life)
    );
    let _ = writeln!(
        text,
        "<div class=\"track\"><span class=\"what\">{}</span>{}</div>",
        words.name("report-state"),
        bar(words, life, whole)
    );
    let (cpu, memory) = (plot::cpu(life), plot::memory(life));
    if plot::lasts(&cpu) > whole / 200 {
        let peak = plot::peak(&cpu);
        let most = format!("{peak:.0}%");
        // A nearly idle container must not look busy.
        let drawn = plot::drawn(&cpu, "cpu", peak.max(10.0), whole);
        text.push_str(&track(words, "report-cpu", &most, &drawn));
    }
    let peak = plot::peak(&memory);
    if peak > 0.0 && plot::lasts(&memory) > whole / 200 {
        let bytes = format!("{peak:.0}").parse().unwrap_or(0);
        let drawn = plot::drawn(&memory, "memory", peak, whole);
        text.push_str(&track(words, "report-memory", &human_memory(bytes), &drawn));
    }
    text.push_str(&uses(words, life, &recording.sources));
    text.push_str(&log(words, &name, life));
    text.push_str("</article>\n");
    text
}

fn track(words: PageMessages, id: &str, most: &str, drawn: &str) -> String {
    let most = words.html("report-peak", &[("value", most)]);
    format!(
        "<div class=\"track\"><span class=\"what\">{}<small>{most}</small></span>{drawn}</div>\n",
        words.name(id)
    )
}

/// Formats the exit code of the last run.
fn last_exit_code(words: PageMessages, life: &ContainerTimeline) -> String {
    let died = life.events.iter().rfind(|one| one.action == EventAction::Die.as_str());
    let Some(code) = died.map(|died| died.detail.as_str()) else { return String::new() };
    let good = if code == "0" { "good" } else { "odd" };
    let code = words.html("report-exit", &[("code", code)]);
    format!("<span class=\"end {good}\">{code}</span>")
}

/// Draws the statuses as spans, and the events below them as marks.
fn bar(words: PageMessages, life: &ContainerTimeline, whole: Duration) -> String {
    let mut shapes = String::new();
    let mut tips = Vec::new();
    for span in life.spans(whole) {
        let (from, to) = (percent(span.from, whole), percent(span.to, whole));
        let wide = (to - from).max(0.15);
        let name = name(words, span.status);
        let tip = tip(&name, &span);
        let _ = write!(
            shapes,
            "<svg x=\"{from:.3}%\" width=\"{wide:.3}%\" height=\"22\"><title>{tip}</title>\
             <rect class=\"{}\" width=\"100%\" height=\"22\"/>",
            class(span.status)
        );
        // The span clips a label that does not fit.
        if wide * NARROW > LETTER * (name.width() + 3) as f64 {
            let _ = write!(shapes, "<text x=\"7\" y=\"15\">{name}</text>");
        }
        shapes.push_str("</svg>");
        tips.push(tip);
    }
    for event in &life.events {
        shapes.push_str(&mark(words, life, event, whole));
    }
    let tips = tips.join(", ");
    format!(
        "<svg class=\"bar\" width=\"100%\" height=\"34\" role=\"img\" \
         aria-label=\"{tips}\">{shapes}</svg>"
    )
}

fn tip(name: &str, span: &StatusSpan) -> String {
    let (from, to) = (rounded(span.from), rounded(span.to));
    format!("{name} {} – {}", format_duration(from), format_duration(to))
}

fn mark(
    words: PageMessages,
    life: &ContainerTimeline,
    event: &TimelineEvent,
    whole: Duration,
) -> String {
    let died = event.action == EventAction::Die.as_str();
    let class = if died && event.detail != "0" { "mark odd" } else { "mark" };
    let action = format!("{} {}", event.action, event.detail);
    let at = format_duration(rounded(event.at));
    let line = life.cause(event).filter(|call| call.text == Some(0));
    let line = line.map(|call| {
        let number = call.line.to_string();
        format!(" · {}", words.html("trace-line", &[("line", &number)]))
    });
    format!(
        "<circle class=\"{class}\" cx=\"{:.3}%\" cy=\"29\" r=\"3\"><title>{} · {at}{}</title>\
         </circle>",
        percent(event.at, whole),
        escaped(action.trim()),
        line.unwrap_or_default()
    )
}

/// Lists the lines of the script and of its modules that are about a container.
fn uses(words: PageMessages, life: &ContainerTimeline, texts: &[Text]) -> String {
    let mut shown = String::new();
    for (at, text) in texts.iter().enumerate() {
        let mut lines: Vec<_> = life.calls.iter().filter(|call| call.text == Some(at)).collect();
        lines.sort_by_key(|call| call.line);
        lines.dedup_by_key(|call| call.line);
        if lines.is_empty() {
            continue;
        }
        let file = if at == 0 { String::new() } else { format!("{} ", escaped(&text.name)) };
        let links: Vec<_> = lines.iter().take(LINES).map(|call| code::link(call)).collect();
        let rest = if lines.len() > LINES { " ..." } else { "" };
        let word = words.name("report-lines");
        let _ = write!(shown, "<span>{file}{word} {}{rest}</span> ", links.join(" "));
    }
    match shown.is_empty() {
        true => shown,
        false => format!("<p class=\"uses\">{}</p>\n", shown.trim_end()),
    }
}

/// Formats the last lines of the log, shown under the pointer.
fn log(words: PageMessages, name: &str, life: &ContainerTimeline) -> String {
    let mut text =
        format!("<div class=\"log\"><h4>{name} <small>{}</small></h4>", words.name("report-log"));
    if life.log.is_empty() {
        let _ = writeln!(text, "<p class=\"quiet\">{}</p></div>", words.name("report-silent"));
        return text;
    }
    text.push_str("<pre>\n");
    for line in &life.log {
        let class = if line.stream == Stream::Stderr { " class=\"err\"" } else { "" };
        let _ = writeln!(
            text,
            "<i>{}</i> <span{class}>{}</span>",
            format_duration(rounded(line.at)),
            escaped(&line.text)
        );
    }
    text.push_str("</pre></div>\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_has_round_numbers() {
        let shown = |millis| {
            let ticks = ticks(Duration::from_millis(millis));
            ticks.into_iter().map(format_duration).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(3), "0s 1ms 2ms 3ms");
        assert_eq!(shown(730), "0s 200ms 400ms 600ms");
        assert_eq!(shown(10_000), "0s 2s 4s 6s 8s 10s");
        assert_eq!(shown(100_000), "0s 30s 1m0s 1m30s");
        assert_eq!(shown(4_000_000), "0s 15m0s 30m0s 45m0s 1h0m0s");
    }

    #[test]
    fn times_are_told_with_as_many_digits_as_they_are_worth() {
        let shown = |nanos| format_duration(rounded(Duration::from_nanos(nanos)));
        assert_eq!(shown(0), "0s");
        assert_eq!(shown(1_234_567), "1.23ms");
        assert_eq!(shown(512_345_678), "512ms");
        assert_eq!(shown(2_512_345_678), "2.512s");
        assert_eq!(shown(62_512_345_678), "1m2.51s");
    }
}
