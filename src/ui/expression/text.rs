//! Formats expressions.

use crate::model::value::expression::Expression;

/// Formats statements, a line each.
pub fn lines(statements: &[Expression]) -> String {
    statements.iter().map(text).collect::<Vec<_>>().join(";\n")
}

/// Formats expressions.
pub fn text(expression: &Expression) -> String {
    let list = |items: &[Expression]| items.iter().map(text).collect::<Vec<_>>().join(", ");
    match expression {
        Expression::Text(text) => quoted(text),
        // The least number has no literal: its absolute value is out of range.
        Expression::Number(i64::MIN) => format!("({} - 1)", i64::MIN + 1),
        Expression::Number(number) => number.to_string(),
        Expression::Decimal(number) => number.clone(),
        Expression::Flag(flag) => flag.to_string(),
        Expression::List(items) => format!("[{}]", list(items)),
        Expression::Options(entries) => {
            map(entries.iter().map(|(key, value)| format!("{key}: {}", text(value))))
        }
        Expression::Map(entries) => {
            map(entries.iter().map(|(key, value)| format!("{}: {}", quoted(key), text(value))))
        }
        // Only values of scripts are such, and these are not written.
        Expression::Other(_) => "()".to_owned(),
        Expression::Call(function, values) => format!("{function}({})", list(values)),
        Expression::Field(value, path) => {
            let part = |part: &String| match is_name(part) {
                true => format!(".{part}"),
                false => format!("[{}]", quoted(part)),
            };
            format!("{}{}", text(value), path.iter().map(part).collect::<String>())
        }
        Expression::Each(value, property) => format!("{}.map(|one| one.{property})", text(value)),
        Expression::Printer(None) => "|one| print(one)".to_owned(),
        Expression::Printer(Some(property)) => format!("|one| print(one.{property})"),
    }
}

fn map(entries: impl Iterator<Item = String>) -> String {
    let entries = entries.collect::<Vec<_>>().join(", ");
    if entries.is_empty() { "#{}".to_owned() } else { format!("#{{ {entries} }}") }
}

/// Returns whether a name may follow a `.` unquoted. Keywords may not; they begin in lower case.
fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Quotes a string.
pub fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if is_seen(c) => quoted.push(c),
            c if u32::from(c) < 0x100 => quoted.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if u32::from(c) < 0x1_0000 => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns whether a character is visible and does not move its neighbours: false for control
/// characters, direction marks and zero-width characters.
fn is_seen(c: char) -> bool {
    let hidden = ['\u{61c}', '\u{feff}', '\u{2028}', '\u{2029}'].contains(&c)
        || ('\u{200b}'..='\u{200f}').contains(&c)
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2060}'..='\u{206f}').contains(&c);
    !c.is_control() && !hidden
}
