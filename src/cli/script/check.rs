//! `check`: finds mistakes in scripts without running them.

use std::io::IsTerminal as _;

use serde_json::json;

use super::host;
use crate::cli::arguments::{CheckArguments, CheckForm};
use crate::cli::route::Program;
use crate::cli::terminal::command_result::{CommandResult, FAILED};
use crate::cli::terminal::screen::Terminal;
use crate::model::value::visible::{escape_json, escape_line};
use crate::script::{self, Finding, Severity};

/// How many findings are drawn, each with its line: a script may be one long line.
const MOST_DRAWN: usize = 100;

/// Checks scripts. The exit code is 1 if one has an error, or with `--strict` a warning.
pub fn check(terminal: &mut Terminal, arguments: &CheckArguments) -> CommandResult {
    let color = std::io::stdout().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut found = Vec::new();
    for file in &arguments.files {
        found.extend(script::check(host::source(Program::from_word(file)))?);
    }
    match arguments.format {
        CheckForm::Plain => {
            for finding in found.iter().take(MOST_DRAWN) {
                terminal.styled(&format!("{}\n\n", finding.drawn(color)))?;
            }
            if found.len() > MOST_DRAWN {
                let more = found.len() - MOST_DRAWN;
                terminal.line(format_args!("{more} more: lifebox check --format short"))?;
            }
            if !found.is_empty() {
                terminal.line(summary(&found))?;
            }
        }
        CheckForm::Short => {
            for finding in &found {
                terminal.line(short(finding))?;
            }
        }
        CheckForm::Json => {
            let list: Vec<_> = found.iter().map(document).collect();
            terminal.line(escape_json(&format!("{:#}", json!(list))))?;
        }
    }
    let worst = found.iter().map(|finding| finding.severity).max();
    let failed = match worst {
        Some(Severity::Error) => true,
        Some(Severity::Warning) => arguments.strict,
        None => false,
    };
    Ok(if failed { FAILED } else { 0 })
}

fn summary(found: &[Finding]) -> String {
    let count = |severity: Severity| {
        let count = found.iter().filter(|finding| finding.severity == severity).count();
        let ending = if count == 1 { "" } else { "s" };
        format!("{count} {}{ending}", severity.as_str())
    };
    format!("{}, {}", count(Severity::Error), count(Severity::Warning))
}

/// Formats a finding as one line that editors can jump by.
fn short(finding: &Finding) -> String {
    let Finding { source, line, column, severity, message, hint, .. } = finding;
    let hint = hint.as_ref().map(|hint| format!(" ({hint})")).unwrap_or_default();
    let what = format!("{source}:{line}:{column}: {}: {message}{hint}", severity.as_str());
    escape_line(&what)
}

fn document(finding: &Finding) -> serde_json::Value {
    json!({
        "file": finding.source,
        "line": finding.line,
        "column": finding.column,
        "severity": finding.severity.as_str(),
        "message": finding.message,
        "hint": finding.hint,
    })
}
