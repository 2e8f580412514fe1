//! Decides whether a line is a command line or a script. The rule:
//!
//! A line whose first word is a verb is a command line, unless it can be Rhai: a call `ps()`, an
//! assignment `ps = 1`, or the name of a variable. `lifebox` or `docker` before the verb is
//! dropped. A few bare words are for the REPL itself.

use super::command;

/// A line, classified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// An empty line.
    Empty,
    /// `exit` or `quit`.
    Exit,
    /// A request for help, in general or with one function.
    Help(Option<String>),
    /// A command to the REPL itself, or what is wrong with it.
    ReplCommand(Result<command::Command, String>),
    /// A command line, split into words.
    Command(Vec<String>),
    /// A command line with an unclosed quote.
    OpenQuote,
    /// A script.
    Script,
}

/// Program names that may stand before a verb.
const PROGRAMS: [&str; 2] = ["lifebox", "docker"];

/// Words that are both Rhai's and verbs of Docker.
const KEYWORDS: [&str; 2] = ["import", "export"];

/// Classifies `text`.
pub fn classify(text: &str, verbs: &[String], is_variable: impl Fn(&str) -> bool) -> Input {
    let text = text.trim();
    let (first, rest) = split_word(text);
    match (first, rest) {
        ("", "") => return Input::Empty,
        ("exit" | "quit" | ":exit" | ":quit" | ":q", "") => return Input::Exit,
        ("help" | ":help" | ":h" | "?", "") => return Input::Help(None),
        ("help" | ":help" | ":h", name) if is_topic(name) => {
            return Input::Help(Some(name.to_owned()));
        }
        _ => {}
    }
    if let Some(topic) = help_topic(text) {
        return Input::Help(topic);
    }
    if let Some(own) = text.strip_prefix(':') {
        return Input::ReplCommand(command::parse(own));
    }
    if PROGRAMS.contains(&first) && !is_variable(first) && !is_rhai(rest) && !rest.is_empty() {
        return command(rest);
    }
    let is_verb = verbs.iter().any(|verb| verb == first) && !KEYWORDS.contains(&first);
    if !is_verb || text.contains('\n') || is_rhai(rest) {
        return Input::Script;
    }
    // After a variable, Rhai allows an operator or nothing; never a word, other than `in`.
    let may_be_expression =
        !rest.starts_with(|c: char| c.is_alphanumeric() || c == '"') || split_word(rest).0 == "in";
    if is_variable(first) && may_be_expression { Input::Script } else { command(text) }
}

/// Returns whether the text after a verb makes the line a call or an assignment.
fn is_rhai(rest: &str) -> bool {
    rest.starts_with(['(', '=']) || ["+=", "-= ", "?."].iter().any(|op| rest.starts_with(op))
}

fn command(text: &str) -> Input {
    shlex::split(text).map_or(Input::OpenQuote, Input::Command)
}

/// Splits a text into its first word and the rest after white space.
fn split_word(text: &str) -> (&str, &str) {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    (word, rest.trim_start())
}

/// Returns the argument of `help()` or `help("name")`, whose page may be longer than the screen.
fn help_topic(text: &str) -> Option<Option<String>> {
    let inside = text.trim_end_matches(';').strip_prefix("help(")?.strip_suffix(')')?.trim();
    if inside.is_empty() {
        return Some(None);
    }
    let name = inside.strip_prefix('"')?.strip_suffix('"').filter(|name| is_topic(name))?;
    Some(Some(name.to_owned()))
}

/// Returns whether a text is the name of a function, a type, a module or a member of one.
fn is_topic(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ':' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_makes_a_command_line_unless_it_can_be_rhai() {
        let verbs: Vec<String> =
            ["ps", "run", "start", "rm", "logs", "image", "container", "load", "import", "help"]
                .map(str::to_owned)
                .to_vec();
        let words =
            |text: &str| Input::Command(text.split(' ').map(str::to_owned).collect::<Vec<_>>());
        for (text, input) in [
            ("", Input::Empty),
            ("  ", Input::Empty),
            ("exit", Input::Exit),
            ("quit", Input::Exit),
            ("exit(3)", Input::Script),
            ("help", Input::Help(None)),
            ("help pause", Input::Help(Some("pause".to_owned()))),
            ("help Container.status", Input::Help(Some("Container.status".to_owned()))),
            ("help()", Input::Help(None)),
            ("help(\"pause\");", Input::Help(Some("pause".to_owned()))),
            ("help(name)", Input::Script),
            ("help stack::up", Input::Help(Some("stack::up".to_owned()))),
            (":ps", Input::ReplCommand(Ok(command::Command::Ps))),
            ("ps", words("ps")),
            ("ps -a", words("ps -a")),
            ("  ps   -a ", words("ps -a")),
            ("start web", words("start web")),
            ("start -i web", words("start -i web")),
            ("run -d --name web host sleep 100", words("run -d --name web host sleep 100")),
            ("run host sh -c (exit)", words("run host sh -c (exit)")),
            ("container inspect web", words("container inspect web")),
            ("lifebox ps", words("ps")),
            ("docker rm -f web", words("rm -f web")),
            ("load ./x.tar", words("load ./x.tar")),
            ("load /x.tar", words("load /x.tar")),
            ("run host sh -c 'open", Input::OpenQuote),
            ("ps()", Input::Script),
            ("ps ()", Input::Script),
            ("ps(#{ all: true })", Input::Script),
            ("ps = 3", Input::Script),
            ("image(\"host\")", Input::Script),
            ("container(\"web\").start()", Input::Script),
            ("let ps = 1", Input::Script),
            ("1 + 1", Input::Script),
            ("start(web)\nps", Input::Script),
            ("import \"wait\" as wait", Input::Script),
            ("web", Input::Script),
            ("start.x", Input::Script),
            ("lifebox = 3", Input::Script),
            ("lifebox", Input::Script),
        ] {
            assert_eq!(classify(text, &verbs, |_| false), input, "{text}");
        }
        for (text, input) in [
            ("image", Input::Script),
            ("image - 1", Input::Script),
            ("image in all", Input::Script),
            ("image == b", Input::Script),
            ("image ls", words("image ls")),
            ("ps", words("ps")),
        ] {
            assert_eq!(classify(text, &verbs, |name| name == "image"), input, "{text}");
        }
    }
}
