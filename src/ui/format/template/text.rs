//! `--format`: a template of Go's (text/template) with the functions that Docker adds.

use serde_json::Value as Json;

use super::evaluate::{Failure, evaluate};
use super::parser::parse;
use super::print::Visible;
use super::syntax::Tree;
use super::value::Value;
use crate::model::value::suggest::suggest;
use crate::model::value::visible::{escape_control, escape_line};
use crate::model::{Error, Kind, Result};
use crate::ui::format::columns::align;

/// A parsed template.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// Whether the template begins with `table`.
    table: bool,
    tree: Tree,
}

impl Template {
    /// Parses the `--format` of one value: a template or `json`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with Go's message for a mistake of syntax or an unknown function.
    pub fn parse(text: &str) -> Result<Template> {
        let text = if text == "json" { "{{json .}}" } else { text };
        let tree = parse(text).map_err(|mistake| {
            let (line, _) = super::syntax::place(text, mistake.at);
            Error::new(Kind::Invalid, format!("template: :{line}: {}", mistake.what)).hint(SYNTAX)
        })?;
        Ok(Template { table: false, tree })
    }

    /// Parses the `--format` of a list: a template, `table TEMPLATE` or `json`. Between actions,
    /// `\t` and `\n` stand for a tab and a newline.
    ///
    /// # Errors
    /// As [`Template::parse`].
    pub fn parse_row(text: &str) -> Result<Template> {
        let (table, text) = match text.strip_prefix("table") {
            Some(rest) if rest.starts_with([' ', '\t']) => (true, rest.trim_start()),
            _ => (false, text),
        };
        let mut template = Template::parse(text)?;
        template.tree.change_text(|text| text.replace("\\t", "\t").replace("\\n", "\n"));
        Ok(Template { table, ..template })
    }

    /// Formats each row as a line; with `table`, aligned under `headings`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a field that the rows do not have.
    pub fn lines(&self, headings: &Json, rows: &[Json]) -> Result<String> {
        let heading = evaluate(&self.tree, Value::of(headings, ""), true, escape_line);
        let mut lines = match (self.table, heading) {
            (true, heading) => vec![heading.map_err(explain)?],
            // Without rows too, a wrong field is an error.
            (false, Err(failure)) if failure.unknown.is_some() => return Err(explain(failure)),
            (false, _) => Vec::new(),
        };
        for row in rows {
            lines.push(self.line(row)?);
        }
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        Ok(if self.table { align(&text) } else { text })
    }

    /// Formats one value.
    ///
    /// # Errors
    /// [`Kind::Invalid`] with Go's message for a field that the value does not have, or an argument
    /// that a function does not take.
    pub fn render(&self, value: &Json) -> Result<String> {
        self.fill(value, escape_control)
    }

    /// Formats one value as a line of a list: what the value says begins no other line and no other
    /// column.
    ///
    /// # Errors
    /// As [`Template::render`].
    pub fn line(&self, value: &Json) -> Result<String> {
        self.fill(value, escape_line)
    }

    fn fill(&self, value: &Json, visible: Visible) -> Result<String> {
        evaluate(&self.tree, Value::of(value, ""), false, visible).map_err(explain)
    }
}

const SYNTAX: &str = "write fields such as {{.State.Status}}, {{json .}}, \
     {{range .Mounts}}{{.Destination}} {{end}}, {{if .State.Running}}up{{end}}";

fn explain(failure: Failure) -> Error {
    let error = Error::new(Kind::Invalid, failure.message);
    let Some((name, known)) = failure.unknown else { return error };
    match suggest(&name, known.iter().map(String::as_str)) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error.hint(format!("use one of {}", known.join(", "))),
    }
}
