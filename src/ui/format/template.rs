//! The subset of Go's templates that `--format` takes: fields, `json`, `index`, `join`, `len`,
//! `upper`, `lower` and pipes between them.

use serde_json::Value;

use super::columns::align;
use crate::model::value::suggest::suggest;
use crate::model::value::visible::{escape_control, escape_json, escape_line};
use crate::model::{Error, Kind, Result};

/// Maps with keys of the user's: a missing key is not a mistake of the template.
const FREE_KEYS: [&str; 7] =
    ["Attributes", "Labels", "Label", "Volumes", "ExposedPorts", "Ports", "Networks"];

/// Returns the empty value of a field that Docker's JSON omits when empty.
fn left_out(name: &str) -> Option<Value> {
    match name {
        "ExposedPorts" => Some(Value::Object(serde_json::Map::new())),
        "Shell" => Some(Value::Array(Vec::new())),
        "Variant" | "StopSignal" | "OsVersion" => Some("".into()),
        "Healthcheck" | "Health" | "StopTimeout" => Some(Value::Null),
        _ => None,
    }
}

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Whether the template begins with `table`.
    table: bool,
    parts: Vec<Part>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Text(String),
    /// Commands from left to right; the value of each is the last argument of the next.
    Pipe(Vec<Vec<Word>>),
}

#[derive(Clone, Debug, PartialEq)]
enum Word {
    /// `.`, or `.Config.Labels`.
    Field(Vec<String>),
    Name(String),
    Literal(Value),
}

impl Template {
    /// Parses the value of `--format`: a template, `table TEMPLATE` or `json`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for syntax outside of the supported subset.
    pub fn parse(text: &str) -> Result<Template> {
        if text == "json" {
            return Template::parse("{{json .}}");
        }
        let (table, text) = match text.strip_prefix("table") {
            Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim_start()),
            _ => (false, text),
        };
        let text = text.replace("\\t", "\t").replace("\\n", "\n");
        let mut parts = Vec::new();
        let mut rest = text.as_str();
        while let Some((before, opened)) = rest.split_once("{{") {
            let (inside, after) =
                opened.split_once("}}").ok_or_else(|| invalid("`{{` without `}}`"))?;
            parts.push(Part::Text(before.to_owned()));
            parts.push(Part::Pipe(parse_pipe(inside)?));
            rest = after;
        }
        parts.push(Part::Text(rest.to_owned()));
        Ok(Template { table, parts })
    }

    /// Formats each row as a line; with `table`, aligned under `headings`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a field that the rows do not have.
    pub fn lines(&self, headings: &Value, rows: &[Value]) -> Result<String> {
        let mut text = String::new();
        // Rendered without rows too, so that a wrong field is an error.
        let heading = self.line(headings)?;
        for line in self
            .table
            .then_some(Ok(heading))
            .into_iter()
            .chain(rows.iter().map(|row| self.line(row)))
        {
            text.push_str(&line?);
            text.push('\n');
        }
        Ok(if self.table { align(&text) } else { text })
    }

    /// Formats one value.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a field that the value does not have.
    pub fn render(&self, value: &Value) -> Result<String> {
        self.fill(value, escape_control)
    }

    /// Formats one value as a line of a list: what the value says begins no other line and no other
    /// column.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn line(&self, value: &Value) -> Result<String> {
        self.fill(value, escape_line)
    }

    fn fill(&self, value: &Value, visible: fn(&str) -> String) -> Result<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(verbatim) => text.push_str(verbatim),
                Part::Pipe(commands) => {
                    let mut last = None;
                    for command in commands {
                        last = Some(evaluate(command, value, last)?);
                    }
                    text.push_str(&visible(&show(&last.unwrap_or_default())));
                }
            }
        }
        Ok(text)
    }
}

fn invalid(why: impl std::fmt::Display) -> Error {
    Error::new(Kind::Invalid, format!("template: {why}"))
}

fn parse_pipe(text: &str) -> Result<Vec<Vec<Word>>> {
    let mut commands = vec![Vec::new()];
    let mut rest = text.trim().trim_start_matches("- ").trim_end_matches(" -").trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix('|') {
            commands.push(Vec::new());
            rest = after.trim_start();
            continue;
        }
        let (word, after) = parse_word(rest)?;
        commands.last_mut().into_iter().for_each(|command| command.push(word.clone()));
        rest = after.trim_start();
    }
    match commands.iter().any(Vec::is_empty) {
        true => Err(invalid(format!("empty expression in `{{{{{text}}}}}`"))),
        false => Ok(commands),
    }
}

fn parse_word(text: &str) -> Result<(Word, &str)> {
    if let Some(quoted) = text.strip_prefix('`') {
        let (inside, after) =
            quoted.split_once('`').ok_or_else(|| invalid("a quote is not closed"))?;
        return Ok((Word::Literal(inside.into()), after));
    }
    if text.starts_with('"') {
        let mut values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
        let value = values.next().and_then(std::result::Result::ok);
        let value = value.ok_or_else(|| invalid(format!("invalid string {text}")))?;
        return Ok((Word::Literal(value), &text[values.byte_offset()..]));
    }
    let end = text.find([' ', '\t', '\n', '|']).unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    if let Ok(number) = word.parse::<i64>() {
        return Ok((Word::Literal(number.into()), after));
    }
    let plain = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if let Some(path) = word.strip_prefix('.') {
        let path: Vec<String> =
            path.split('.').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        if path.iter().all(|name| plain(name)) {
            return Ok((Word::Field(path), after));
        }
    }
    if plain(word) {
        return Ok((Word::Name(word.to_owned()), after));
    }
    Err(invalid(format!("cannot read `{word}`")).hint(SUPPORTED))
}

const SUPPORTED: &str = "write fields such as {{.State.Status}}, {{json .}}, \
     {{index .Config.Labels \"key\"}}, {{join .Args \" \"}}, {{len .Args}}, {{upper .Name}}, {{lower .Name}}";

fn evaluate(command: &[Word], root: &Value, piped: Option<Value>) -> Result<Value> {
    let value_of = |word: &Word| match word {
        Word::Field(path) => field(root, path),
        Word::Literal(value) => Ok(value.clone()),
        Word::Name(name) => Err(invalid(format!("`{name}` is not a value")).hint(SUPPORTED)),
    };
    let Some((first, arguments)) = command.split_first() else { return Ok(Value::Null) };
    let mut values = arguments.iter().map(value_of).collect::<Result<Vec<_>>>()?;
    values.extend(piped);
    match (first, values.as_slice()) {
        (Word::Name(name), values) => call(name, values),
        // Docker's rows have one method: `{{.Label "key"}}`.
        (Word::Field(path), [Value::String(key)]) if path == &["Label"] => Ok(label(root, key)),
        (first, []) => value_of(first),
        _ => Err(invalid("a field takes no arguments").hint(SUPPORTED)),
    }
}

fn call(function: &str, values: &[Value]) -> Result<Value> {
    match (function, values) {
        ("json", [value]) => Ok(escape_json(&value.to_string()).into()),
        ("index", [value, keys @ ..]) => {
            Ok(keys.iter().fold(value.clone(), |value, key| match key {
                // A missing key is the empty string, as in Go's string maps.
                Value::String(key) => value.get(key).cloned().unwrap_or_else(|| "".into()),
                key => {
                    let index = key.as_u64().and_then(|index| usize::try_from(index).ok());
                    index.and_then(|index| value.get(index)).cloned().unwrap_or_default()
                }
            }))
        }
        ("join", [Value::Array(list), Value::String(between)]) => {
            Ok(list.iter().map(show).collect::<Vec<_>>().join(between).into())
        }
        ("len", [Value::Array(list)]) => Ok(list.len().into()),
        ("len", [Value::Object(map)]) => Ok(map.len().into()),
        ("len", [Value::String(text)]) => Ok(text.len().into()),
        ("upper", [Value::String(text)]) => Ok(text.to_uppercase().into()),
        ("lower", [Value::String(text)]) => Ok(text.to_lowercase().into()),
        ("json" | "index" | "join" | "len" | "upper" | "lower", _) => {
            Err(invalid(format!("`{function}` does not take these arguments")).hint(SUPPORTED))
        }
        _ => Err(invalid(format!("`{function}` is not supported")).hint(SUPPORTED)),
    }
}

fn field(root: &Value, path: &[String]) -> Result<Value> {
    let mut value = root;
    let mut free = false;
    for name in path {
        let next = value.get(name).or_else(|| {
            // Programs write `.Id` and `.ID`: Docker's own two spellings.
            value
                .as_object()?
                .iter()
                .find(|(key, _)| key.eq_ignore_ascii_case(name))
                .map(|(_, v)| v)
        });
        match (next, free) {
            (Some(next), _) => value = next,
            (None, true) => return Ok("<no value>".into()),
            (None, false) if left_out(name).is_some() => {
                return Ok(left_out(name).unwrap_or_default());
            }
            (None, false) => return Err(unknown_field(value, &path.join("."), name)),
        }
        free = FREE_KEYS.contains(&name.as_str());
    }
    Ok(value.clone())
}

fn unknown_field(value: &Value, path: &str, name: &str) -> Error {
    let error = invalid(format!("there is no field `.{path}`"));
    let Value::Object(map) = value else {
        return error.hint(format!("leave out `.{name}`: the value before it has no fields"));
    };
    let known: Vec<&str> = map.keys().map(String::as_str).collect();
    match suggest(name, known.iter().copied()) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("use one of {}", known.join(", "))),
    }
}

/// Returns a label of a row, whose labels are one text.
fn label(row: &Value, key: &str) -> Value {
    let labels = row.get("Labels").and_then(Value::as_str).unwrap_or_default();
    if labels == "LABELS" {
        return key.to_uppercase().into(); // the row of headings
    }
    let mut pairs = labels.split(',').filter_map(|pair| pair.split_once('='));
    pairs.find(|(known, _)| *known == key).map_or("", |(_, value)| value).into()
}

/// Formats a value as Go prints it.
fn show(value: &Value) -> String {
    match value {
        Value::Null => "<no value>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            format!("[{}]", list.iter().map(show).collect::<Vec<_>>().join(" "))
        }
        Value::Object(map) => {
            let mut pairs: Vec<_> =
                map.iter().map(|(key, value)| format!("{key}:{}", show(value))).collect();
            pairs.sort();
            format!("map[{}]", pairs.join(" "))
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn container() -> Value {
        json!({
            "Id": "e854", "Args": ["-c", "echo hi"], "Name": "/web", "Mounts": [], "Node": null,
            "State": { "Status": "running", "Pid": 7, "Running": true },
            "Config": { "Labels": { "app.name": "web" } },
        })
    }

    #[test]
    fn fields_and_functions_read_as_in_go() {
        for (template, expected) in [
            ("{{.State.Status}}", "running"),
            ("{{ .State.Pid }}/{{.State.Running}}", "7/true"),
            ("{{.ID}} {{.Name}}", "e854 /web"),
            ("{{json .State}}", r#"{"Status":"running","Pid":7,"Running":true}"#),
            ("{{.Args | json}}", r#"["-c","echo hi"]"#),
            (r#"{{index .Config.Labels "app.name"}}"#, "web"),
            (r#"{{index .Config.Labels "none"}}"#, ""),
            ("{{index .Args 1}}", "echo hi"),
            (r#"{{join .Args " "}}!"#, "-c echo hi!"),
            ("{{len .Args}}{{len .Name | json}}", "24"),
            ("{{upper .Name}}", "/WEB"),
            ("{{.Args}}", "[-c echo hi]"),
            ("{{.Config.Labels}}", "map[app.name:web]"),
            ("{{.Config.Labels.none}}", "<no value>"),
            ("{{.Node}}", "<no value>"),
            ("{{.Config.ExposedPorts}}{{.Config.StopSignal}}", "map[]"),
            (r"a\tb\n", "a\tb\n"),
            ("{{- .Name -}}", "/web"),
        ] {
            let rendered = Template::parse(template).and_then(|t| t.render(&container()));
            assert_eq!(rendered.unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (template, message, hint) in [
            ("{{.State.Stauts}}", "no field `.State.Stauts`", "did you mean `Status`?"),
            ("{{.Xyzzy}}", "no field `.Xyzzy`", "use one of Id, Args"),
            ("{{.Name.x}}", "no field `.Name.x`", "has no fields"),
            ("{{.Name", "`{{` without `}}`", ""),
            ("{{range .Args}}x{{end}}", "`range` is not supported", ""),
            ("{{}}", "empty expression", ""),
            ("{{len .State.Pid}}", "`len` does not take these arguments", "write fields"),
            (r#"{{index .Args "}}"#, "invalid string", ""),
        ] {
            let rendered = Template::parse(template).and_then(|t| t.render(&container()));
            let error = rendered.unwrap_err();
            assert!(error.message().contains(message), "{template}: {error}");
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{template}: {error:?}");
        }
    }

    #[test]
    fn tables_have_headings() {
        let headings = json!({ "ID": "CONTAINER ID", "Names": "NAMES", "Labels": "LABELS" });
        let rows = [json!({ "ID": "1", "Names": "web", "Labels": "a=1,b=2" })];
        let check = |template: &str, expected: &str| {
            let template = Template::parse(template).unwrap();
            assert_eq!(template.lines(&headings, &rows).unwrap(), expected);
        };
        check(r"table {{.ID}}\t{{.Names}}", "CONTAINER ID   NAMES\n1              web\n");
        check("{{.Names}}", "web\n");
        check("json", "{\"ID\":\"1\",\"Names\":\"web\",\"Labels\":\"a=1,b=2\"}\n");
        check(r#"table {{.Label "b"}}"#, "B\n2\n");
        assert!(Template::parse("{{.Nmaes}}").unwrap().lines(&headings, &[]).is_err());
    }
}
