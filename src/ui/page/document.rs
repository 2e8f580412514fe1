//! Assembles the page: its head, the failure, the timeline, the output, the events, the script.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::text::escaped;
use super::words::{PageMessages, more};
use super::{code, timeline};
use crate::model::observe::log::Stream;
use crate::model::script::recording::Recording;
use crate::model::value::language::Language;
use crate::model::value::units::format_duration;
use crate::ui::teach::trace::format_duration_for;

/// The style of the page.
const STYLE: &str = include_str!("page.css");
/// The maximum number of events shown.
const EVENTS: usize = 1000;

/// Formats the page; `version` is that of lifebox.
pub fn page(language: Language, version: &str, recording: &Recording) -> String {
    let words = PageMessages(language);
    let style = format!("{STYLE}{}", linked(recording.timelines.len()));
    // The policy allows this style and nothing else, in case a hostile text is not escaped.
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'"
    );
    let name = recording.name.rsplit('/').next().unwrap_or(&recording.name);
    let title = words.html("report-title", &[("script", name)]);
    let mut page = format!(
        "<!DOCTYPE html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{policy}\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"referrer\" content=\"no-referrer\">\n\
         <title>{title}</title>\n<style>{style}</style>\n</head>\n<body>\n",
        words.name("report-lang"),
    );
    page.push_str(&head(words, &title, recording));
    page.push_str("<main>\n<div class=\"did\">\n");
    page.push_str(&failure(words, recording));
    page.push_str(&timeline(words, recording));
    page.push_str(&output(words, recording));
    page.push_str(&events(words, recording));
    page.push_str("</div>\n");
    page.push_str(&code::script(words, recording));
    let created = words.html("report-created", &[("version", version)]);
    let _ = write!(page, "</main>\n<footer>{created}</footer>\n</body>\n</html>\n");
    page
}

/// Returns the style that highlights the lines of a container under the pointer.
fn linked(lives: usize) -> String {
    let rule = |n: usize| {
        format!(
            "body:has(#c{n}:hover) .u{n},body:has(#c{n}:focus-within) .u{n}\
             {{background:var(--lit)}}"
        )
    };
    (1..=lives).map(rule).collect::<Vec<_>>().join("\n")
}

fn head(words: PageMessages, title: &str, recording: &Recording) -> String {
    let code = recording.exit_code.to_string();
    let good = if code == "0" { "good" } else { "bad" };
    let begun = recording.started_at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    let count = recording.timelines.len() as u64 + recording.timelines_omitted;
    let args = [
        words.html("report-duration", &[("time", &format_duration_for(recording.duration))]),
        words.html("report-count", &[("count", &count.to_string())]),
        words.html("report-started", &[("time", &begun)]),
    ];
    let args: String = args.iter().map(|fact| format!("<li>{fact}</li>")).collect();
    format!(
        "<header class=\"top\">\n<h1>{title}</h1>\n<ul class=\"facts\">\
         <li class=\"{good}\">{}</li>{args}</ul>\n</header>\n",
        words.html("report-exit", &[("code", &code)])
    )
}

fn failure(words: PageMessages, recording: &Recording) -> String {
    let Some(report) = &recording.report else { return String::new() };
    format!(
        "<section class=\"failure\">\n<h2>{}</h2>\n<pre>\n{}</pre>\n</section>\n",
        words.name("report-failed"),
        escaped(report.trim_end())
    )
}

fn timeline(words: PageMessages, recording: &Recording) -> String {
    let mut text =
        format!("<section class=\"timeline\">\n<h2>{}</h2>\n", words.name("report-timeline"));
    if recording.timelines.is_empty() {
        let none = words.name("report-none");
        let _ = write!(text, "<p class=\"quiet\">{none}</p>\n</section>\n");
        return text;
    }
    let _ = writeln!(text, "<p class=\"hint\">{}</p>", words.name("report-hint"));
    text.push_str(&timeline::legend(words));
    text.push_str(&timeline::axis(recording.duration));
    for (number, life) in (1..).zip(&recording.timelines) {
        text.push_str(&timeline::timeline(words, number, life, recording));
    }
    text.push_str(&more(words, recording.timelines_omitted));
    text.push_str("</section>\n");
    text
}

fn output(words: PageMessages, recording: &Recording) -> String {
    let mut text =
        format!("<section class=\"output\">\n<h2>{}</h2>\n", words.name("report-output"));
    if recording.output.is_empty() {
        let _ = writeln!(text, "<p class=\"quiet\">{}</p>", words.name("report-quiet"));
    } else {
        text.push_str("<pre>\n");
        for piece in &recording.output {
            let shown = escaped(&piece.text);
            match piece.stream {
                Stream::Stdout => text.push_str(&shown),
                Stream::Stderr => {
                    let _ = write!(text, "<span class=\"err\">{shown}</span>");
                }
            }
        }
        text.push_str("</pre>\n");
    }
    if recording.output_omitted > 0 {
        let count = recording.output_omitted.to_string();
        let left_out = words.html("report-left-out", &[("count", &count)]);
        let _ = writeln!(text, "<p class=\"quiet\">{left_out}</p>");
    }
    text.push_str("</section>\n");
    text
}

fn events(words: PageMessages, recording: &Recording) -> String {
    let mut all = Vec::new();
    for (number, life) in (1..).zip(&recording.timelines) {
        all.extend(life.events.iter().map(|one| (one.at, number, one)));
    }
    if all.is_empty() {
        return String::new();
    }
    all.sort_by_key(|(at, ..)| *at);
    let head = ["report-time", "report-container", "report-event", "report-line"];
    let head: String = head.iter().map(|id| format!("<th>{}</th>", words.name(id))).collect();
    let mut text = format!(
        "<section class=\"events\">\n<h2>{}</h2>\n<details>\n<summary>{} ({})</summary>\n\
         <table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n",
        words.name("report-events"),
        words.name("report-show"),
        all.len()
    );
    for (at, number, event) in all.iter().take(EVENTS) {
        let life = &recording.timelines[number - 1];
        let line = life.cause(event).map(code::link).unwrap_or_default();
        let _ = writeln!(
            text,
            "<tr><td>{}</td><td><a href=\"#c{number}\">{}</a></td><td>{} <i>{}</i></td>\
             <td>{line}</td></tr>",
            format_duration(timeline::rounded(*at)),
            escaped(&life.name),
            escaped(&event.action),
            escaped(&event.detail)
        );
    }
    text.push_str("</tbody>\n</table>\n");
    let left_out: u64 = recording.timelines.iter().map(|life| life.events_omitted).sum();
    text.push_str(&more(words, all.len().saturating_sub(EVENTS) as u64 + left_out));
    text.push_str("</details>\n</section>\n");
    text
}
