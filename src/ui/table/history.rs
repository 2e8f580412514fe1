//! The table of `history`, with Docker's columns and template fields.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::ps::age;
use crate::model::image::history::History;
use crate::model::value::digest::Digest;
use crate::model::value::units::{human_duration, human_size};
use crate::model::value::visible::one_line;
use crate::ui::format::columns::{align, ellipsis};

/// The maximum width of `CREATED BY`.
const CREATED_BY_WIDTH: usize = 45;

/// The format of times, sizes and ids.
#[derive(Clone, Debug)]
pub struct HistoryFormat {
    /// The current time.
    pub now: Timestamp,
    /// The time zone.
    pub zone: TimeZone,
    /// Whether ids and commands are shown in full.
    pub no_trunc: bool,
    /// Whether times and sizes are for readers, not for programs.
    pub human: bool,
}

/// Formats the table of `history`.
pub fn history(steps: &[History], format: &HistoryFormat) -> String {
    let created = if format.human { "CREATED" } else { "CREATED AT" };
    let mut text = format!("IMAGE\t{created}\tCREATED BY\tSIZE\tCOMMENT\n");
    for step in steps {
        let created = if format.human { since(step, format) } else { at(step, format) };
        let cells = [
            id(step, format),
            created,
            created_by(step, format),
            size(step, format),
            comment(step),
        ];
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    align(&text)
}

/// Returns a step as the fields of `history --format`; all values are text, as Docker's.
pub fn fields(step: &History, format: &HistoryFormat) -> Value {
    json!({
        "Comment": comment(step),
        "CreatedAt": at(step, format),
        "CreatedBy": created_by(step, format),
        "CreatedSince": since(step, format),
        "ID": id(step, format),
        "Size": size(step, format),
    })
}

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Comment": "COMMENT", "CreatedAt": "CREATED AT", "CreatedBy": "CREATED BY",
        "CreatedSince": "CREATED", "ID": "IMAGE", "Size": "SIZE",
    })
}

/// Returns the id of the image after a step, `<missing>` if it is not in the store.
pub fn id(step: &History, format: &HistoryFormat) -> String {
    let shown = |id: &Digest| if format.no_trunc { id.as_str() } else { id.short() }.to_owned();
    step.id.as_ref().map_or_else(|| "<missing>".to_owned(), shown)
}

fn since(step: &History, format: &HistoryFormat) -> String {
    match step.created {
        Some(time) if format.human => format!("{} ago", human_duration(age(time, format.now))),
        Some(_) => at(step, format),
        None => "N/A".to_owned(),
    }
}

fn at(step: &History, format: &HistoryFormat) -> String {
    let time = step.created.unwrap_or(Timestamp::UNIX_EPOCH);
    let zoned = time.to_zoned_datetime(format.zone.clone());
    // Go's time.RFC3339.
    let text = zoned.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string();
    text.strip_suffix("+00:00").map_or(text.clone(), |utc| format!("{utc}Z"))
}

fn created_by(step: &History, format: &HistoryFormat) -> String {
    let line = one_line(&step.created_by);
    if format.no_trunc { line } else { ellipsis(&line, CREATED_BY_WIDTH) }
}

fn comment(step: &History) -> String {
    one_line(&step.comment)
}

fn size(step: &History, format: &HistoryFormat) -> String {
    if format.human { human_size(step.size) } else { step.size.to_string() }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn steps() -> Vec<History> {
        let step = |created: i64, created_by: &str, size: u64| History {
            id: None,
            created: Timestamp::from_second(created).ok(),
            created_by: created_by.to_owned(),
            size,
            comment: String::new(),
            tags: Vec::new(),
        };
        let top = Digest::from_bytes(&[0xab; 32]);
        vec![
            History {
                id: Some(top),
                comment: "by hand".into(),
                ..step(7000, "CMD [\"sh\"]\n# \u{1b}[2J", 0)
            },
            step(0, "/bin/sh -c #(nop) ADD file:a2e42740004949e4d2c5a7 in /", 198_000_000),
            History { created: None, ..step(0, "", 97) },
        ]
    }

    fn history_format(human: bool, no_trunc: bool) -> HistoryFormat {
        let now = Timestamp::from_second(7200).unwrap();
        HistoryFormat { now, zone: TimeZone::UTC, no_trunc, human }
    }

    #[test]
    fn columns_are_dockers() {
        let shown = [(true, false), (false, true)]
            .map(|(human, no_trunc)| history(&steps(), &history_format(human, no_trunc)));
        expect![[r#"
            IMAGE          CREATED         CREATED BY                                      SIZE      COMMENT
            abababababab   3 minutes ago   CMD ["sh"] # \u{1b}[2J                          0B        by hand
            <missing>      2 hours ago     /bin/sh -c #(nop) ADD file:a2e42740004949e4d…   198MB     
            <missing>      N/A                                                             97B       

            IMAGE                                                                     CREATED AT             CREATED BY                                               SIZE        COMMENT
            sha256:abababababababababababababababababababababababababababababababab   1970-01-01T01:56:40Z   CMD ["sh"] # \u{1b}[2J                                   0           by hand
            <missing>                                                                 1970-01-01T00:00:00Z   /bin/sh -c #(nop) ADD file:a2e42740004949e4d2c5a7 in /   198000000   
            <missing>                                                                 1970-01-01T00:00:00Z                                                            97          
        "#]]
        .assert_eq(&shown.join("\n"));
        let fields = fields(&steps()[0], &history_format(true, true));
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&fields), keys(&headings()));
    }
}
