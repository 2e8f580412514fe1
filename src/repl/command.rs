//! Commands to the REPL itself: `:help`, `:ps`, `:save FILE`.

use crate::model::value::language::ReaderProfile;
use crate::model::value::suggest::suggest;
use crate::ui::format::columns::row;
use crate::ui::messages::format_message;

/// A command to the REPL itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Show all containers.
    Ps,
    /// Show the images.
    Images,
    /// Show the variables and functions of the session.
    Vars,
    /// Clear the screen.
    Clear,
    /// Evaluate this text and print how long it took.
    Time(String),
    /// Show this number of the last inputs, or all.
    History(Option<usize>),
    /// Write the session as a script to this file.
    Save(String),
    /// Run this file in the session.
    Load(String),
    /// Edit the last input in an editor, and evaluate it.
    Edit,
    /// Redraw the diagram of this container until Ctrl-C.
    Watch(String),
    /// Start the lessons, at this one if given.
    Learn(Option<String>),
}

/// The commands, with their arguments and the message that describes each.
const COMMANDS: &[(&str, &str, &str)] = &[
    ("help", "[NAME]", "prompt-help"),
    ("quit", "", "prompt-quit"),
    ("load", "FILE", "prompt-load"),
    ("edit", "", "prompt-edit"),
    ("save", "FILE", "prompt-save"),
    ("ps", "", "prompt-ps"),
    ("images", "", "prompt-images"),
    ("vars", "", "prompt-vars"),
    ("time", "CODE", "prompt-time"),
    ("history", "[N]", "prompt-history"),
    ("clear", "", "prompt-clear"),
    ("watch", "CONTAINER", "prompt-watch"),
    ("learn", "[LESSON]", "prompt-learn"),
];

/// Parses the command after the colon.
///
/// # Errors
/// The message for the user.
pub fn parse(text: &str) -> Result<Command, String> {
    let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let rest = rest.trim();
    let file = |make: fn(String) -> Command| {
        if rest.is_empty() {
            Err(format!(":{name} needs a file"))
        } else {
            Ok(make(rest.to_owned()))
        }
    };
    match name {
        "ps" => Ok(Command::Ps),
        "images" => Ok(Command::Images),
        "vars" => Ok(Command::Vars),
        "clear" => Ok(Command::Clear),
        "edit" => Ok(Command::Edit),
        "watch" if rest.is_empty() => Err(":watch needs a container".to_owned()),
        "watch" => Ok(Command::Watch(rest.to_owned())),
        "learn" => Ok(Command::Learn(Some(rest.to_owned()).filter(|name| !name.is_empty()))),
        "time" if rest.is_empty() => Err(":time needs code to run".to_owned()),
        "time" => Ok(Command::Time(rest.to_owned())),
        "history" if rest.is_empty() => Ok(Command::History(None)),
        "history" => rest
            .parse()
            .map(|count| Command::History(Some(count)))
            .map_err(|_| format!(":history: expected a number, got `{rest}`")),
        "save" => file(Command::Save),
        "load" => file(Command::Load),
        _ => {
            let near = suggest(name, names());
            let hint = near.map_or_else(
                || ":help lists all".to_owned(),
                |near| format!("did you mean :{near}?"),
            );
            Err(format!("there is no :{name}; {hint}"))
        }
    }
}

/// Returns the path being typed as a command's argument, if the command takes a file.
pub fn file(line: &str) -> Option<&str> {
    let (name, rest) = line.strip_prefix(':')?.split_once(char::is_whitespace)?;
    let takes = COMMANDS.iter().any(|(known, takes, _)| *known == name && *takes == "FILE");
    takes.then(|| rest.trim_start())
}

/// Returns the names of all commands.
pub fn names() -> impl Iterator<Item = &'static str> {
    COMMANDS.iter().map(|(name, ..)| *name)
}

/// Returns one line of help for each command.
pub fn overview(reader: ReaderProfile) -> String {
    let message = |id: &str| format_message(reader.language, id, &[]);
    let line = |form: &str, id: &str| row(form, &message(id), reader.width);
    let mut text = format!("{}\n", message("prompt-title"));
    for (name, takes, id) in COMMANDS {
        text.push_str(&line(format!(":{name} {takes}").trim_end(), id));
    }
    text + &line("last", "prompt-last")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read_and_slips_are_answered() {
        assert_eq!(parse("time sleep(1)"), Ok(Command::Time("sleep(1)".to_owned())));
        assert_eq!(parse("history 3"), Ok(Command::History(Some(3))));
        assert_eq!(parse("save  my file.rhai "), Ok(Command::Save("my file.rhai".to_owned())));
        for (text, wanted) in [
            ("save", ":save needs a file"),
            ("time", ":time needs code to run"),
            ("history x", ":history: expected a number, got `x`"),
            ("lod x", "there is no :lod; did you mean :load?"),
            ("xyzzy", "there is no :xyzzy; :help lists all"),
        ] {
            assert_eq!(parse(text).unwrap_err(), wanted);
        }
    }

    #[test]
    fn every_command_is_listed_and_can_be_read() {
        let english = overview(ReaderProfile::default());
        for (name, takes, id) in COMMANDS {
            assert!(english.contains(&format!(":{name}")) && !english.contains(id), "{english}");
            let known = ["help", "quit"].contains(name);
            assert!(known || parse(&format!("{name} 1")).is_ok(), "{name} {takes}");
        }
    }
}
