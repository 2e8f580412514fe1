//! The conversation, tested as values.

use std::cell::RefCell;
use std::sync::Mutex;

use super::turn::Repl;
use super::{CommandLine, Settings, complete, piped};
use crate::script::Session;
use crate::script::tests::host;

#[derive(Debug, Default)]
struct Verbs {
    ran: Mutex<Vec<String>>,
}

impl CommandLine for Verbs {
    fn verbs(&self) -> Vec<String> {
        ["ps", "run", "start", "stop"].map(str::to_owned).to_vec()
    }

    fn run(&self, words: &[String]) -> u8 {
        self.ran.lock().unwrap().push(words.join(" "));
        1
    }

    fn page(&self, _text: &str) -> bool {
        false
    }

    fn edit(&self, text: &str) -> crate::model::Result<String> {
        Ok(format!("{text} + 1"))
    }

    fn flags(&self, verb: &str) -> Vec<String> {
        if verb == "ps" { vec!["--all".to_owned(), "--quiet".to_owned()] } else { Vec::new() }
    }
}

/// The exit code, what is printed and which command lines are run.
fn pipe(text: &str) -> (u8, String, Vec<String>) {
    let (host, output) = host();
    let verbs = Verbs::default();
    let code = piped::run(host, &verbs, &Settings::default(), &mut text.as_bytes());
    (code, output.text(), verbs.ran.into_inner().unwrap())
}

#[test]
fn piped_lines_are_evaluated_one_by_one() {
    let (code, output, ran) = pipe(
        "let a = 1\nfn f(x) {\n  x + 1\n}\nps -a\nf(a)\nnobody\nprint(\"on\")\nstart web\n1 +\n",
    );
    assert_eq!(code, 0);
    assert_eq!(ran, ["ps -a", "start web"]);
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines[0], "2");
    assert_eq!(lines[1], "stderr: error: there is no variable `nobody` here");
    assert!(output.contains("\non\n"), "{output}");
    assert!(output.contains("repl["), "{output}");
}

#[test]
fn a_piped_exit_gives_its_code() {
    assert_eq!(pipe("exit(5)\nprint(1)\n"), (5, String::new(), Vec::new()));
    assert_eq!(pipe("exit\nprint(1)\n").0, 0);
    assert_eq!(pipe("quit\nprint(1)").1, "");
}

#[test]
fn help_is_shown_bare_and_with_a_name() {
    let (_, output, _) = pipe("help\nhelp pause\nhelp nonsense\n:help stop\n");
    assert!(output.contains("Life cycle"), "{output}");
    assert!(output.contains("pause(container) -> Container"), "{output}");
    assert!(output.contains("there is no function `nonsense`"), "{output}");
    let (_, output, _) = pipe("help print\nhelp Container\nhelp Container.status\n");
    for said in [
        "print(value)\n    Prints a value",
        "  Container.status -> string\n",
        "\nContainer.status -> string\n    ",
    ] {
        assert!(output.contains(said), "no {said:?} in {output}");
    }
    let (_, output, _) = pipe("help(\"stop\")\n");
    assert!(output.starts_with("stop(container) -> Container\n    "), "{output}");
}

#[test]
fn tab_completes_command_lines_and_scripts() {
    let (host, _) = host();
    let session = RefCell::new(Session::new(host.clone()));
    session.borrow_mut().line("run(\"host\", #{ name: \"web-1\" })");
    let verbs = Verbs::default();
    let repl = Repl::new(&session, &verbs, host, None);
    let complete = |line: &str| -> Vec<String> {
        let found = complete::complete(&repl, line, line.len());
        found.candidates.into_iter().map(|candidate| candidate.text).collect()
    };
    assert_eq!(complete("sto"), ["stop ", "stop("]);
    assert_eq!(complete("stop w"), ["web-1"]);
    assert_eq!(complete("docker stop w"), ["web-1"]);
    assert_eq!(complete("ps --a"), ["--all"]);
    assert_eq!(complete("run al"), ["alpine:3"]);
    assert_eq!(complete("stop(\"w"), ["web-1"]);
    assert_eq!(complete("let x = unp"), ["unpause("]);
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name).to_str().unwrap().to_owned();
    std::fs::write(at("one.rhai"), "").unwrap();
    std::fs::create_dir(at("other")).unwrap();
    let found = complete(&format!(":load {}", at("o")));
    assert_eq!(found, [at("one.rhai"), at("other/")]);
    assert!(complete(&format!(":time {}", at("o"))).is_empty());
}

#[test]
fn an_interrupt_of_an_earlier_turn_does_not_end_the_next() {
    let (host, output) = host();
    host.cancel.cancel();
    let verbs = Verbs::default();
    assert_eq!(piped::run(host, &verbs, &Settings::default(), &mut "print(1)\n".as_bytes()), 0);
    assert_eq!(output.text(), "1\n");
}
