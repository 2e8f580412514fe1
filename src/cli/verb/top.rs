//! `top`: the processes of a container, with Docker's columns or those that options of ps(1) ask
//! for.

use std::collections::HashSet;
use std::process::Command;

use super::context::CommandContext;
use crate::cli::arguments::exec::TopArguments;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::model::observe::top::Process;
use crate::model::{Error, Kind, Result};
use crate::ui::format::columns;

/// Carries out `top`. With options, the ps(1) of this host lists, and the processes of others are
/// left out.
///
/// # Errors
/// The engine's errors; [`Kind::Invalid`] for options that ps refuses or that print no PID.
pub fn top(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &TopArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let processes = backend.top(&backend.find(&arguments.container)?)?;
    let rows: Vec<Vec<String>> = match arguments.options.as_slice() {
        [] => listed(&processes),
        [option] if option == "-ef" => listed(&processes),
        options => {
            let pids: HashSet<u32> = processes.iter().map(|process| process.pid).collect();
            let listed = pids.iter().map(u32::to_string).collect::<Vec<_>>().join(",");
            // As Docker: not all options go with a list of processes.
            let text =
                ps(&[options, &[format!("-q{listed}")]].concat()).or_else(|_| ps(options))?;
            chosen(&text, &pids)?
        }
    };
    let lines: String = rows.iter().map(|row| format!("{}\n", row.join("\t"))).collect();
    terminal.text(&columns::align(&lines))?;
    Ok(0)
}

fn listed(processes: &[Process]) -> Vec<Vec<String>> {
    let titles = Process::TITLES.iter().map(|title| (*title).to_owned()).collect();
    std::iter::once(titles).chain(processes.iter().map(|one| one.row().into())).collect()
}

/// Runs ps(1) of this host with `options`, which may be one word with spaces, as Docker's.
fn ps(options: &[String]) -> Result<String> {
    let words = options.iter().flat_map(|word| word.split_ascii_whitespace());
    // Titles in English, for one of them is looked for.
    let ran = Command::new("ps").args(words).env("LC_ALL", "C").output();
    let ran = ran.map_err(|error| {
        Error::from_io("run ps of this host", &error)
            .hint("leave out the options, or install ps (procps)")
    })?;
    if ran.status.success() {
        return Ok(String::from_utf8_lossy(&ran.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&ran.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("no message");
    Err(Error::new(Kind::Invalid, format!("ps fails: {}", said.trim_start_matches("error: ")))
        .hint("write options of ps, such as -o pid,comm or aux"))
}

/// Returns the titles and the rows of these processes.
fn chosen(text: &str, pids: &HashSet<u32>) -> Result<Vec<Vec<String>>> {
    let mut lines = text.lines();
    let titles: Vec<String> =
        lines.next().unwrap_or_default().split_whitespace().map(str::to_owned).collect();
    let Some(at) = titles.iter().position(|title| title == "PID") else {
        return Err(Error::new(Kind::Invalid, "ps prints no column PID")
            .hint("add pid to the columns: -o pid,comm"));
    };
    // The last column is a command with spaces.
    let cells = |line: &str| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (single, last) = words.split_at((titles.len() - 1).min(words.len()));
        single.iter().map(|word| (*word).to_owned()).chain([last.join(" ")]).collect::<Vec<_>>()
    };
    let is_own = |row: &Vec<String>| {
        row.get(at).and_then(|pid| pid.parse().ok()).is_some_and(|pid| pids.contains(&pid))
    };
    let rows: Vec<Vec<String>> = lines.map(cells).filter(is_own).collect();
    Ok(std::iter::once(titles).chain(rows).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_other_processes_are_left_out() {
        let text = "  PID USER     COMMAND\n    7 root     sh -c exit\n    8 root     init\n";
        let rows = chosen(text, &HashSet::from([7])).unwrap();
        assert_eq!(rows, [["PID", "USER", "COMMAND"], ["7", "root", "sh -c exit"]]);
        let error = chosen("USER COMMAND\nroot sh\n", &HashSet::new()).unwrap_err();
        assert_eq!(error.hint_text(), Some("add pid to the columns: -o pid,comm"));
    }
}
