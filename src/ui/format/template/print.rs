//! Go's formatting (package fmt): `%v` of `print`, and the verbs of `printf`.

use std::time::Duration;

use serde_json::Value as Json;

use super::value::{Absent, Shape, Value};
use crate::model::value::units::format_duration;

/// Makes a text of the data's harmless to a terminal.
pub type Visible = fn(&str) -> String;

/// The flags of a verb.
#[derive(Clone, Copy, Debug, Default)]
struct Flags {
    minus: bool,
    plus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Formats a value as `print` does.
pub fn show(value: &Value<'_>, visible: Visible) -> String {
    Formatter { visible, flags: Flags::default(), verb: 'v' }.value(value, false)
}

/// Formats values as `print`, which puts a space between two that are not strings, or as `println`.
pub fn print(values: &[Value<'_>], line: bool, visible: Visible) -> String {
    let mut text = String::new();
    for (at, value) in values.iter().enumerate() {
        let is_text = |value: &Value<'_>| matches!(value, Value::Text(_) | Value::Foreign(_));
        let before = at.checked_sub(1).and_then(|at| values.get(at));
        if before.is_some_and(|before| line || !(is_text(before) || is_text(value))) {
            text.push(' ');
        }
        text.push_str(&match value {
            Value::Absent(Absent::Value) => "<nil>".to_owned(),
            value => show(value, visible),
        });
    }
    text + if line { "\n" } else { "" }
}

/// The largest width and precision: Go's own bound.
const MAX_WIDTH: usize = 1_000_000;

/// Formats values as `printf`.
pub fn printf(format: &str, values: &[Value<'_>], visible: Visible) -> String {
    let mut out = String::new();
    let mut arguments = Arguments { values, next: 0, reordered: false };
    let mut rest = format;
    while let Some((before, directive)) = rest.split_once('%') {
        out.push_str(before);
        rest = directive;
        let flags = read_flags(&mut rest, &mut arguments);
        arguments.index(&mut rest);
        let Some(verb) = rest.chars().next() else {
            out.push_str("%!(NOVERB)");
            break;
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            out.push('%');
            continue;
        }
        match arguments.take() {
            Some(value) => out.push_str(&Formatter { visible, flags, verb }.padded(value)),
            None if arguments.reordered => out.push_str(&format!("%!{verb}(BADINDEX)")),
            None => out.push_str(&format!("%!{verb}(MISSING)")),
        }
    }
    out.push_str(rest);
    if !arguments.reordered && arguments.next < values.len() {
        let extra = values[arguments.next..].iter();
        let extra = extra.map(|value| match value {
            Value::Absent(Absent::Value | Absent::Pointer) => "<nil>".to_owned(),
            value => format!("{}={}", value.type_name(), show(value, visible)),
        });
        out.push_str(&format!("%!(EXTRA {})", extra.collect::<Vec<_>>().join(", ")));
    }
    out
}

struct Arguments<'v, 'a> {
    values: &'v [Value<'a>],
    next: usize,
    /// Whether an argument was chosen by its number.
    reordered: bool,
}

impl<'v, 'a> Arguments<'v, 'a> {
    fn take(&mut self) -> Option<&'v Value<'a>> {
        self.next += 1;
        self.values.get(self.next - 1)
    }

    /// Reads `[3]`, the number of the next argument.
    fn index(&mut self, rest: &mut &str) {
        let Some((number, after)) =
            rest.strip_prefix('[').and_then(|inside| inside.split_once(']'))
        else {
            return;
        };
        if let Ok(number) = number.parse::<usize>() {
            *rest = after;
            self.reordered = true;
            self.next = number.checked_sub(1).unwrap_or(usize::MAX - 1);
        }
    }

    /// Reads a number, or `*` and the number from the arguments.
    fn number(&mut self, rest: &mut &str) -> Option<i64> {
        self.index(rest);
        if let Some(after) = rest.strip_prefix('*') {
            *rest = after;
            return match self.take() {
                Some(Value::Int(number)) => Some(*number),
                _ => None,
            };
        }
        let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest[..end].parse().ok();
        *rest = &rest[end..];
        number
    }
}

fn read_flags(rest: &mut &str, arguments: &mut Arguments<'_, '_>) -> Flags {
    let mut flags = Flags::default();
    while let Some(c) = rest.chars().next() {
        match c {
            '-' => flags.minus = true,
            '+' => flags.plus = true,
            '#' => flags.sharp = true,
            ' ' => flags.space = true,
            '0' => flags.zero = true,
            _ => break,
        }
        *rest = &rest[1..];
    }
    let bounded =
        |number: i64| usize::try_from(number.unsigned_abs()).ok().filter(|n| *n <= MAX_WIDTH);
    if let Some(width) = arguments.number(rest) {
        flags.minus |= width < 0;
        flags.width = bounded(width);
    }
    if let Some(after) = rest.strip_prefix('.') {
        *rest = after;
        flags.precision = bounded(arguments.number(rest).unwrap_or(0));
    }
    flags
}

/// Returns Docker's text of a limit; it is the one type in its data that has a text of its own.
fn ulimit(value: &Value<'_>) -> Option<String> {
    let Value::Json(Json::Object(map), Shape::Struct) = value else { return None };
    let (name, hard, soft) = (map.get("Name")?, map.get("Hard")?, map.get("Soft")?);
    Some(format!("{}={soft}:{hard}", name.as_str()?))
}

struct Formatter {
    visible: Visible,
    flags: Flags,
    verb: char,
}

impl Formatter {
    /// Formats an argument of `printf`.
    fn padded(&self, value: &Value<'_>) -> String {
        match (value, self.verb) {
            (_, 'T') => self.pad(value.type_name().to_owned(), false),
            (Value::Absent(Absent::Value | Absent::Pointer), 'v') => {
                self.pad("<nil>".to_owned(), false)
            }
            (Value::Absent(Absent::Value | Absent::Pointer), verb) => format!("%!{verb}(<nil>)"),
            _ => self.value(value, true),
        }
    }

    fn value(&self, value: &Value<'_>, inside: bool) -> String {
        if let Some(list) = value.elements() {
            let items: Vec<_> = list.iter().map(|value| self.value(value, true)).collect();
            return format!("[{}]", items.join(" "));
        }
        if let Some(limit) = ulimit(value) {
            return self.text(&(self.visible)(&limit)).unwrap_or(limit);
        }
        if let Some(entries) = value.entries() {
            let fields = matches!(value, Value::Json(_, Shape::Struct));
            let item = |(key, value): &(&str, Value<'_>)| match fields && !self.flags.plus {
                true => self.value(value, true),
                false => format!("{}:{}", (self.visible)(key), self.value(value, true)),
            };
            let items = entries.iter().map(item).collect::<Vec<_>>().join(" ");
            return if fields { format!("{{{items}}}") } else { format!("map[{items}]") };
        }
        match value {
            Value::Absent(Absent::Value) if !inside => "<no value>".to_owned(),
            Value::Bool(value) if matches!(self.verb, 'v' | 't') => {
                self.pad(value.to_string(), false)
            }
            Value::Duration(number) if matches!(self.verb, 'v' | 's') => {
                let negative = if *number < 0 { "-" } else { "" };
                let size = Duration::from_nanos(number.unsigned_abs());
                self.pad(format!("{negative}{}", format_duration(size)), false)
            }
            Value::Int(number) | Value::Duration(number) => {
                self.integer(*number).unwrap_or_else(|| self.bad(value))
            }
            Value::Float(number) => self.float(*number).unwrap_or_else(|| self.bad(value)),
            Value::Text(text) => self.text(text).unwrap_or_else(|| self.bad(value)),
            Value::Foreign(text) if self.verb == 'q' => {
                let quoted = self.text(text).unwrap_or_default();
                (self.visible)(&quoted)
            }
            Value::Foreign(text) => {
                self.text(&(self.visible)(text)).unwrap_or_else(|| self.bad(value))
            }
            Value::Absent(_) if self.verb == 'v' => "<nil>".to_owned(),
            Value::Absent(_) => format!("%!{}(<nil>)", self.verb),
            value => self.bad(value),
        }
    }

    fn bad(&self, value: &Value<'_>) -> String {
        format!("%!{}({}={})", self.verb, value.type_name(), show(value, self.visible))
    }

    fn pad(&self, text: String, numeric: bool) -> String {
        let missing = self.flags.width.unwrap_or(0).saturating_sub(text.chars().count());
        if missing == 0 {
            return text;
        }
        if self.flags.minus {
            return text + &" ".repeat(missing);
        }
        if self.flags.zero && numeric {
            let signed = text.starts_with(['+', '-', ' ']);
            let (sign, digits) = text.split_at(usize::from(signed));
            return format!("{sign}{}{digits}", "0".repeat(missing));
        }
        " ".repeat(missing) + &text
    }

    fn sign(&self, negative: bool) -> &'static str {
        match (negative, self.flags.plus, self.flags.space) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        }
    }

    fn integer(&self, number: i64) -> Option<String> {
        let size = number.unsigned_abs();
        let sharp = |prefix: &'static str| if self.flags.sharp { prefix } else { "" };
        let (prefix, digits) = match self.verb {
            'v' | 'd' => ("", size.to_string()),
            'b' => (sharp("0b"), format!("{size:b}")),
            'o' => (sharp("0"), format!("{size:o}")),
            'O' => ("0o", format!("{size:o}")),
            'x' => (sharp("0x"), format!("{size:x}")),
            'X' => (sharp("0X"), format!("{size:X}")),
            'c' | 'q' => {
                let c = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
                let text = if self.verb == 'c' { c.to_string() } else { format!("{c:?}") };
                return Some(self.pad((self.visible)(&text), false));
            }
            'U' => return Some(self.pad(format!("U+{size:04X}"), false)),
            _ => return None,
        };
        let digits = match self.flags.precision {
            Some(precision) => "0".repeat(precision.saturating_sub(digits.len())) + &digits,
            None => digits,
        };
        Some(self.pad(format!("{}{prefix}{digits}", self.sign(number < 0)), true))
    }

    fn float(&self, number: f64) -> Option<String> {
        let size = number.abs();
        let digits = match self.verb {
            'v' | 'g' | 'G' => general(size, self.flags.precision),
            'e' | 'E' => scientific(&format!("{size:.*e}", self.flags.precision.unwrap_or(6))),
            'f' | 'F' => format!("{size:.*}", self.flags.precision.unwrap_or(6)),
            _ => return None,
        };
        let digits = if self.verb.is_uppercase() { digits.to_uppercase() } else { digits };
        Some(self.pad(format!("{}{digits}", self.sign(number.is_sign_negative())), true))
    }

    fn text(&self, text: &str) -> Option<String> {
        let cut: String = match self.flags.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        };
        let upper = self.verb == 'X';
        Some(match self.verb {
            'v' if self.flags.sharp => self.pad(quote(&cut, false), false),
            'v' | 's' => self.pad(cut, false),
            'q' => self.pad(quote(&cut, self.flags.plus), false),
            'x' | 'X' => {
                let between = if self.flags.space { " " } else { "" };
                let digits = cut.bytes().map(|byte| match upper {
                    true => format!("{byte:02X}"),
                    false => format!("{byte:02x}"),
                });
                self.pad(digits.collect::<Vec<_>>().join(between), false)
            }
            _ => return None,
        })
    }
}

/// Quotes a text as a Go literal.
pub fn quote(text: &str, ascii: bool) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if c.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(c))),
            c if (ascii && !c.is_ascii()) || c.is_control() => match u32::from(c) {
                code @ 0..=0xffff => out.push_str(&format!("\\u{code:04x}")),
                code => out.push_str(&format!("\\U{code:08x}")),
            },
            c => out.push(c),
        }
    }
    out + "\""
}

/// Rust's exponent as Go writes it: a sign, and two digits at least.
fn scientific(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ('-', exponent),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{exponent:0>2}")
}

/// `%g`: the shortest digits, with an exponent below -4 and from the precision on (6 if none).
fn general(size: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{size:.*e}", precision.max(1) - 1),
        None => format!("{size:e}"),
    };
    let Some((digits, exponent)) = text.split_once('e') else { return text };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    let large = i32::try_from(precision.unwrap_or(6).max(1)).unwrap_or(i32::MAX);
    let digits = match digits.contains('.') {
        true => digits.trim_end_matches('0').trim_end_matches('.'),
        false => digits,
    };
    if exponent < -4 || exponent >= large {
        return scientific(&format!("{digits}e{exponent}"));
    }
    let decimals =
        digits.len().saturating_sub(digits.find('.').map_or(digits.len(), |dot| dot + 1));
    let decimals = i32::try_from(decimals).unwrap_or_default() - exponent;
    format!("{size:.*}", usize::try_from(decimals).unwrap_or_default())
}
