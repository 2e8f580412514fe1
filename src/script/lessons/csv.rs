//! The results of a class as CSV (RFC 4180).

use super::progress::LearnerProgress;
use crate::model::value::visible::escape_control;

/// Returns a line for each learner and lesson.
pub fn csv(class: &[LearnerProgress]) -> String {
    let mut text = String::from("learner,lesson,done,seconds,guess,hints,skipped\r\n");
    for progress in class {
        for (lesson, record) in &progress.lessons {
            let done = record.done.map(|time| time.to_string()).unwrap_or_default();
            let guess = match record.guess {
                Some(true) => "right",
                Some(false) => "wrong",
                None => "",
            };
            let cells = [
                cell(&progress.learner),
                cell(lesson),
                done,
                record.seconds.to_string(),
                guess.to_owned(),
                record.hints.to_string(),
                record.skipped.to_string(),
            ];
            text.push_str(&format!("{}\r\n", cells.join(",")));
        }
    }
    text
}

/// Formats a text as a cell. A cell that a spreadsheet would take for a formula gets an apostrophe.
fn cell(text: &str) -> String {
    let text = escape_control(&text.replace(['\r', '\n'], " "));
    let guard = if text.starts_with(['=', '+', '-', '@', '\t']) { "'" } else { "" };
    match text.contains([',', '"']) {
        true => format!("\"{guard}{}\"", text.replace('"', "\"\"")),
        false => format!("{guard}{text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_is_a_table_and_no_name_is_a_formula() {
        let mut progress = LearnerProgress::new("=Kim, \"A\"");
        let record = progress.record("start");
        (record.guess, record.hints, record.seconds) = (Some(true), 2, 61);
        assert_eq!(
            csv(&[progress]),
            "learner,lesson,done,seconds,guess,hints,skipped\r\n\
             \"'=Kim, \"\"A\"\"\",start,,61,right,2,0\r\n"
        );
    }
}
