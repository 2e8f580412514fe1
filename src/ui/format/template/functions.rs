//! The functions of templates: Go's own (text/template) and Docker's.

use super::print::{Visible, print, printf, show};
use super::value::{Absent, Shape, Value};

/// The names of all functions.
pub const NAMES: [&str; 27] = [
    "and", "call", "eq", "ge", "gt", "html", "index", "join", "js", "json", "le", "len", "lower",
    "lt", "ne", "not", "or", "pad", "print", "printf", "println", "slice", "split", "title",
    "truncate", "upper", "urlquery",
];

/// What a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Any,
    Text,
    Integer,
    Texts,
}

impl Parameter {
    /// Returns the type that a parameter wants, if a value has another.
    pub fn mismatch(self, value: &Value<'_>) -> Option<&'static str> {
        let fits = match self {
            Parameter::Any => true,
            Parameter::Text => matches!(value, Value::Text(_) | Value::Foreign(_)),
            Parameter::Integer => matches!(value, Value::Int(_)),
            Parameter::Texts => value.elements().is_some(),
        };
        let wanted = match self {
            Parameter::Texts => "[]string",
            Parameter::Integer => "int",
            Parameter::Any | Parameter::Text => "string",
        };
        (!fits).then_some(wanted)
    }
}

/// Returns the parameters of a function, and that of each further argument.
pub fn parameters(name: &str) -> (&'static [Parameter], Option<Parameter>) {
    use Parameter::{Any, Integer, Text, Texts};
    match name {
        "and" | "or" | "call" | "eq" | "index" | "slice" => (&[Any], Some(Any)),
        "ne" | "lt" | "le" | "gt" | "ge" => (&[Any, Any], None),
        "html" | "js" | "urlquery" | "print" | "println" => (&[], Some(Any)),
        "printf" => (&[Text], Some(Any)),
        "split" => (&[Text, Text], None),
        "join" => (&[Texts, Text], None),
        "title" | "lower" | "upper" => (&[Text], None),
        "pad" => (&[Text, Integer, Integer], None),
        "truncate" => (&[Text, Integer], None),
        _ => (&[Any], None),
    }
}

/// Calls a function whose arguments fit its parameters; `and` and `or` choose before.
///
/// # Errors
/// Says why the arguments do not serve, in Go's words.
pub fn call<'a>(name: &str, values: &[Value<'a>], visible: Visible) -> Result<Value<'a>, String> {
    let text = |text: String| Ok(Value::Text(text.into()));
    match (name, values) {
        ("json", [value]) => text(value.json()),
        ("len", [value]) => match value.len() {
            Some(length) => Ok(Value::Int(i64::try_from(length).unwrap_or(i64::MAX))),
            None => Err(format!("len of type {}", value.type_name())),
        },
        ("not", [value]) => Ok(Value::Bool(!value.is_true())),
        ("index", [value, keys @ ..]) => {
            keys.iter().try_fold(value.clone(), |value, key| index(&value, key))
        }
        ("slice", [value, bounds @ ..]) => slice(value, bounds),
        ("print", values) => text(print(values, false, visible)),
        ("println", values) => text(print(values, true, visible)),
        ("printf", [format, rest @ ..]) => text(printf(&show(format, visible), rest, visible)),
        ("html", values) => text(print(values, false, visible).chars().map(html).collect()),
        ("js", values) => text(print(values, false, visible).chars().map(javascript).collect()),
        ("urlquery", values) => text(query(&print(values, false, visible))),
        ("call", [value, ..]) => {
            Err(format!("value of type {} is not a function", value.type_name()))
        }
        ("eq" | "ne" | "lt" | "le" | "gt" | "ge", values) => compare(name, values),
        (name, values) => change(name, values, visible),
    }
}

fn compare<'a>(name: &str, values: &[Value<'a>]) -> Result<Value<'a>, String> {
    let result = match (name, values) {
        ("eq", [_]) => return Err("missing argument for comparison".to_owned()),
        ("eq", [first, others @ ..]) => {
            let mut found = false;
            for other in others {
                found |= equal(first, other)?;
            }
            found
        }
        ("ne", [first, second]) => !equal(first, second)?,
        ("lt", [first, second]) => less(first, second)?,
        ("le", [first, second]) => less(first, second)? || equal(first, second)?,
        ("gt", [first, second]) => !(less(first, second)? || equal(first, second)?),
        ("ge", [first, second]) => !less(first, second)?,
        _ => return Err("wrong arguments".to_owned()),
    };
    Ok(Value::Bool(result))
}

/// Docker's functions of texts.
fn change<'a>(name: &str, values: &[Value<'a>], visible: Visible) -> Result<Value<'a>, String> {
    let text = |text: String| Ok(Value::Text(text.into()));
    match (name, values) {
        ("split", [value, between]) => {
            let (own, between) = (string(value), string(between));
            let foreign = matches!(value, Value::Foreign(_));
            let part = |part: &str| match foreign {
                true => Value::Foreign(part.to_owned().into()),
                false => Value::Text(part.to_owned().into()),
            };
            // Go splits at each character where nothing stands between.
            Ok(Value::List(match between {
                "" => own.chars().map(|c| part(c.encode_utf8(&mut [0; 4]))).collect(),
                between => own.split(between).map(part).collect(),
            }))
        }
        ("join", [list, between]) => {
            let items = list.elements().unwrap_or_default();
            let items = items.iter().map(|item| show(item, visible));
            text(items.collect::<Vec<_>>().join(string(between)))
        }
        ("title", [value]) => Ok(mapped(value, title)),
        ("lower", [value]) => Ok(mapped(value, |text| text.to_lowercase())),
        ("upper", [value]) => Ok(mapped(value, |text| text.to_uppercase())),
        ("pad", [value, Value::Int(before), Value::Int(after)]) => {
            let spaces =
                |count: &i64| " ".repeat(usize::try_from(*count).unwrap_or_default().min(MAX_PAD));
            Ok(mapped(value, |text| match text {
                "" => String::new(),
                text => format!("{}{text}{}", spaces(before), spaces(after)),
            }))
        }
        ("truncate", [_, Value::Int(length)]) if *length < 0 => {
            Err(format!("slice bounds out of range [:{length}]"))
        }
        ("truncate", [value, Value::Int(length)]) => {
            let length = usize::try_from(*length).unwrap_or_default();
            Ok(mapped(value, |text| text.chars().take(length).collect()))
        }
        _ => Err("wrong arguments".to_owned()),
    }
}

/// The most spaces of `pad`.
const MAX_PAD: usize = 1_000_000;

/// Returns a text as it is, without escapes.
pub fn string<'v>(value: &'v Value<'_>) -> &'v str {
    match value {
        Value::Text(text) | Value::Foreign(text) => text,
        _ => "",
    }
}

/// Changes a text of the data's or of the template's, which stays that.
fn mapped<'a>(value: &Value<'a>, change: impl Fn(&str) -> String) -> Value<'a> {
    match value {
        Value::Foreign(text) => Value::Foreign(change(text).into()),
        value => Value::Text(change(string(value)).into()),
    }
}

fn index<'a>(value: &Value<'a>, key: &Value<'a>) -> Result<Value<'a>, String> {
    match value {
        Value::Absent(Absent::Value | Absent::Pointer) => Err("index of untyped nil".to_owned()),
        Value::Absent(Absent::Map) | Value::Json(_, Shape::Map) => match key {
            Value::Text(key) | Value::Foreign(key) => {
                Ok(value.get(key).unwrap_or_else(|| value.zero()))
            }
            Value::Absent(_) => Err("value is nil; should be of type string".to_owned()),
            key => Err(format!("value has type {}; should be string", key.type_name())),
        },
        // Docker finds a field of its types by `index` where it reads them from JSON.
        Value::Json(_, Shape::Struct) => match value.get(string(key)) {
            Some(value) => Ok(value),
            None => Ok(Value::Absent(Absent::Value)),
        },
        Value::Text(text) | Value::Foreign(text) => {
            let at = position(key, text.len(), false)?;
            Ok(Value::Int(i64::from(text.as_bytes()[at])))
        }
        value => match value.elements() {
            Some(list) => {
                let at = position(key, list.len(), false)?;
                Ok(list[at].clone())
            }
            None => Err(format!("can't index item of type {}", value.type_name())),
        },
    }
}

/// Reads an index below a length, or with `end` not beyond it.
fn position(key: &Value<'_>, length: usize, end: bool) -> Result<usize, String> {
    let number = match key {
        Value::Int(number) | Value::Duration(number) => *number,
        Value::Absent(_) => return Err("cannot index slice/array with nil".to_owned()),
        key => return Err(format!("cannot index slice/array with type {}", key.type_name())),
    };
    let found = usize::try_from(number).ok();
    found
        .filter(|at| *at < length || (end && *at == length))
        .ok_or_else(|| format!("index out of range: {number}"))
}

fn slice<'a>(value: &Value<'a>, bounds: &[Value<'a>]) -> Result<Value<'a>, String> {
    if bounds.len() > 3 {
        return Err(format!("too many slice indexes: {}", bounds.len()));
    }
    let is_text = matches!(value, Value::Text(_) | Value::Foreign(_));
    let length = match value.len() {
        Some(length) if is_text || value.elements().is_some() => length,
        _ => return Err(format!("can't slice item of type {}", value.type_name())),
    };
    if is_text && bounds.len() == 3 {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let from = bounds.first().map_or(Ok(0), |bound| position(bound, length, true))?;
    let to = bounds.get(1).map_or(Ok(length), |bound| position(bound, length, true))?;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    Ok(match value.elements() {
        Some(list) => Value::List(list[from..to].to_vec()),
        None => {
            mapped(value, |text| String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned())
        }
    })
}

fn equal(first: &Value<'_>, second: &Value<'_>) -> Result<bool, String> {
    use Value::{Absent as None_, Bool, Float, Foreign, Int, Text};
    match (first, second) {
        (Bool(a), Bool(b)) => Ok(a == b),
        (Int(a), Int(b)) => Ok(a == b),
        (Float(a), Float(b)) => Ok(a == b),
        (Text(a) | Foreign(a), Text(b) | Foreign(b)) => Ok(a == b),
        (None_(_), None_(_)) => Ok(true),
        (None_(_), _) | (_, None_(_)) => Ok(false),
        (value, _) | (_, value) if !basic(value) => {
            Err(format!("non-comparable type {}", value.type_name()))
        }
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn basic(value: &Value<'_>) -> bool {
    !matches!(value, Value::List(_) | Value::Json(..))
}

fn less(first: &Value<'_>, second: &Value<'_>) -> Result<bool, String> {
    use Value::{Bool, Float, Foreign, Int, Text};
    match (first, second) {
        (Int(a), Int(b)) => Ok(a < b),
        (Float(a), Float(b)) => Ok(a < b),
        (Text(a) | Foreign(a), Text(b) | Foreign(b)) => Ok(a < b),
        (Bool(_), Bool(_)) => Err("invalid type for comparison".to_owned()),
        (value, _) | (_, value) if !basic(value) => Err("invalid type for comparison".to_owned()),
        _ => Err("incompatible types for comparison".to_owned()),
    }
}

fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::new();
    for c in text.chars() {
        match before.is_alphanumeric() || matches!(before, '_' | '\'') {
            true => out.push(c),
            false => out.extend(c.to_uppercase()),
        }
        before = c;
    }
    out
}

fn html(c: char) -> String {
    match c {
        '"' => "&#34;".to_owned(),
        '\'' => "&#39;".to_owned(),
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '\0' => "\u{fffd}".to_owned(),
        c => c.to_string(),
    }
}

fn javascript(c: char) -> String {
    match c {
        '\\' | '\'' | '"' => format!("\\{c}"),
        '<' | '>' | '&' | '=' => format!("\\u{:04X}", u32::from(c)),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    }
}

fn query(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                out.push(char::from(byte))
            }
            b' ' => out.push('+'),
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// Returns a label of a row, whose labels are one text.
pub fn label<'a>(row: &Value<'a>, key: &str) -> Value<'a> {
    let labels = row.get("Labels");
    let labels = labels.as_ref().map_or("", string);
    if labels == "LABELS" {
        let last = key.rsplit('.').next().unwrap_or_default();
        return Value::Text(last.replace(['-', '_'], " ").into()); // the row of headings
    }
    let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    let found = pairs.find(|(known, _)| *known == key).map_or("", |(_, value)| value);
    Value::Foreign(found.to_owned().into())
}
