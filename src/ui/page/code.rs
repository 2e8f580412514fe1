//! The script on the page, with the lines about each container marked.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::text::escaped;
use super::words::{PageMessages, more};
use crate::model::script::recording::{Call, Recording, Text};

/// The maximum number of containers named beside a line.
const NAMED: usize = 4;
/// The maximum number of lines shown of a file.
const LINES: usize = 5000;

/// The containers that each line of a file is about, by number.
type Marks = BTreeMap<usize, Vec<usize>>;

/// Formats the script, and below it the modules that used a container.
pub fn script(words: PageMessages, recording: &Recording) -> String {
    let heading = words.name("report-script");
    let mut text = format!("<section class=\"script\">\n<h2>{heading}</h2>\n");
    for (at, one) in recording.sources.iter().enumerate() {
        let marks = marks(recording, at);
        let lines = lines(words, recording, at, one, &marks);
        let name = escaped(&one.name);
        // The script is unfolded, modules are folded.
        let _ = match at {
            0 => write!(text, "<p class=\"file\">{name}</p>\n{lines}"),
            _ => write!(
                text,
                "<details class=\"module\">\n<summary>{name}</summary>\n{lines}</details>\n"
            ),
        };
    }
    text.push_str("</section>\n");
    text
}

fn marks(recording: &Recording, text: usize) -> Marks {
    let mut marks = Marks::new();
    for (number, life) in (1..).zip(&recording.timelines) {
        for call in life.calls.iter().filter(|call| call.text == Some(text)) {
            let on_line = marks.entry(call.line).or_default();
            if !on_line.contains(&number) {
                on_line.push(number);
            }
        }
    }
    marks
}

fn lines(
    words: PageMessages,
    recording: &Recording,
    at: usize,
    text: &Text,
    marks: &Marks,
) -> String {
    let mut shown = "<ol class=\"code\">\n".to_owned();
    for (number, line) in (1..).zip(text.text.lines()).take(LINES) {
        let about = marks.get(&number).map(Vec::as_slice).unwrap_or_default();
        let classes: String = about.iter().map(|n| format!(" u{n}")).collect();
        let hit = if about.is_empty() { String::new() } else { format!(" class=\"hit{classes}\"") };
        let _ = write!(
            shown,
            "<li id=\"{}\"{hit}><span class=\"n\">{number}</span><code>{}",
            place(at, number),
            escaped(line.trim_end())
        );
        for container in about.iter().take(NAMED) {
            let name = escaped(&recording.timelines[container - 1].name);
            let _ = write!(shown, " <a class=\"who\" href=\"#c{container}\">{name}</a>");
        }
        if about.len() > NAMED {
            let _ = write!(shown, " <span class=\"who\">+{}</span>", about.len() - NAMED);
        }
        shown.push_str("</code></li>\n");
    }
    shown.push_str("</ol>\n");
    let count = text.text.lines().count().saturating_sub(LINES);
    shown.push_str(&more(words, count as u64));
    shown
}

/// Returns the anchor of a line.
fn place(text: usize, line: usize) -> String {
    match text {
        0 => format!("L{line}"),
        _ => format!("M{text}L{line}"),
    }
}

/// Formats the line number of a call as a link to the line.
pub fn link(call: &Call) -> String {
    match call.text {
        Some(text) => format!("<a href=\"#{}\">{}</a>", place(text, call.line), call.line),
        None => String::new(),
    }
}
