//! Formats events as Docker: a line of text, or fields for templates.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::model::observe::event::{Event, Type};
use crate::model::value::visible::one_line;

/// Formats a line: `2026-01-02T15:04:05.000000000Z container start ID (image=host, name=web)`.
pub fn event(event: &Event, zone: &TimeZone) -> String {
    let attributes: Vec<String> =
        event.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect();
    let (subject, action, id) = (event.subject.as_str(), &event.action, &event.id);
    let attributes = attributes.join(", ");
    let what = one_line(&format!("{subject} {action} {id} ({attributes})"));
    format!("{} {what}", time(event.time, zone))
}

/// Formats a time as Go's RFC 3339 with nine digits.
fn time(time: Timestamp, zone: &TimeZone) -> String {
    let local = time.to_zoned_datetime(zone.clone());
    let offset = if local.offset().is_zero() { "Z" } else { "%:z" };
    local.strftime(&format!("%Y-%m-%dT%H:%M:%S.%9f{offset}")).to_string()
}

/// Returns the fields for templates, each text on one line.
pub fn fields(event: &Event) -> Value {
    let mut plain = event.clone();
    plain.action = one_line(&event.action);
    plain.attributes.values_mut().for_each(|value| *value = one_line(value));
    let mut fields = json(&plain);
    for name in ["status", "id", "from"] {
        if fields[name].is_null() {
            fields[name] = "".into();
        }
    }
    fields
}

/// Returns Docker's JSON, without empty fields.
pub fn json(event: &Event) -> Value {
    let nanoseconds = i64::try_from(event.time.as_nanosecond()).unwrap_or(i64::MAX);
    let mut fields = json!({});
    // The fields from before events had types (API 1.22).
    if event.subject != Type::Volume {
        fields["status"] = event.action.as_str().into();
        fields["id"] = event.id.as_str().into();
    }
    if event.subject == Type::Container {
        fields["from"] = event.image().into();
    }
    fields["Type"] = event.subject.as_str().into();
    fields["Action"] = event.action.as_str().into();
    fields["Actor"] = json!({ "ID": event.id, "Attributes": event.attributes });
    fields["scope"] = "local".into();
    fields["time"] = event.time.as_second().into();
    fields["timeNano"] = nanoseconds.into();
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hostile() -> Event {
        let text = r#"{"time":"2026-01-02T15:04:05.12Z","type":"container","action":"kill",
            "id":"ab","attributes":{"image":"host","label":"x\ny\u001b[2J","name":"web"}}"#;
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn an_event_is_one_line_whatever_its_labels_say() {
        let line = event(&hostile(), &TimeZone::UTC);
        let expected = "2026-01-02T15:04:05.120000000Z container kill ab \
                        (image=host, label=x y\\u{1b}[2J, name=web)";
        assert_eq!(line, expected);
        let line = event(&hostile(), &TimeZone::fixed(jiff::tz::offset(9)));
        assert!(line.starts_with("2026-01-03T00:04:05.120000000+09:00 container"), "{line}");
        assert_eq!(fields(&hostile())["Actor"]["Attributes"]["label"], "x y\\u{1b}[2J");
    }

    #[test]
    fn the_json_is_dockers() {
        let fields = json(&hostile());
        assert_eq!(fields["status"], "kill");
        assert_eq!(fields["from"], "host");
        assert_eq!(fields["timeNano"], 1_767_366_245_120_000_000_i64);
        assert_eq!(fields["Actor"]["Attributes"]["label"], "x\ny\u{1b}[2J");
        let mut volume = hostile();
        volume.subject = Type::Volume;
        assert_eq!(json(&volume).get("id"), None);
        assert_eq!(super::fields(&volume)["id"], "");
    }
}
