//! The prompt on a real terminal.

use std::time::{Duration, Instant};

use rexpect::session::{PtySession, spawn_command};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::harness::{LIFEBOX, TestEngine};
use crate::needs_root;

/// A REPL on a terminal of its own.
struct Repl(PtySession);

impl Repl {
    fn open(engine: &TestEngine, settings: &[(&str, &str)]) -> Repl {
        let mut command = std::process::Command::new(LIFEBOX);
        let ours = engine.command(&[]);
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.env("TERM", "xterm").env("PAGER", "cat").envs(settings.iter().copied());
        command.current_dir(engine.root());
        let mut repl = Repl(spawn_command(command, Some(20_000)).unwrap());
        repl.resize(30, 100);
        repl.sees("lifebox> ");
        repl
    }

    fn resize(&mut self, rows: u16, columns: u16) {
        let terminal = self.0.process().get_file_handle().unwrap();
        let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(terminal, size).unwrap();
    }

    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        self.0.exp_string(text).unwrap()
    }

    /// Types as fast as a key that is held.
    fn types(&mut self, text: &str) {
        self.0.send(text).unwrap();
        self.0.flush().unwrap();
    }

    /// Types a line, and waits for what it shows.
    #[track_caller]
    fn answers(&mut self, line: &str, shown: &str) {
        self.types(line);
        self.types("\r");
        self.sees(&format!("\n{shown}"));
        self.sees("> ");
    }

    fn leave(mut self) {
        self.types("\x04");
        self.0.exp_eof().unwrap();
        let status = self.0.process().wait().unwrap();
        assert!(format!("{status:?}").contains(", 0)"), "{status:?}");
    }
}

#[test]
fn what_is_typed_is_completed_evaluated_and_shown() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    repl.answers("let c = create(\"host\", #{ name: \"tabbed\", cmd: \"true\" });", "");
    repl.answers("c.status", "\"created\"");
    // The rest of a name, of a container's name, and the forms of several.
    repl.types("ensure_abs\t\"tab\t");
    repl.types("\")\r");
    repl.sees("\ntrue");
    // A hint stands behind an open bracket.
    repl.types("engine::unpa\t");
    repl.sees("engine::unpause(container) -> Container");
    // Ctrl-U takes the line away.
    repl.types("\x15wait_f\t");
    repl.sees("wait_for(container, condition");
    repl.types("\x15");
    repl.leave();
}

#[test]
fn a_text_of_several_lines_is_one_entry_of_the_history() {
    needs_root!();
    let engine = TestEngine::new();
    let history = engine.root().join("history");
    let file = history.to_str().unwrap();
    let mut repl = Repl::open(&engine, &[("LIFEBOX_HISTORY", file)]);
    repl.types("fn twice(n) {\r");
    repl.types("n * 2\r");
    repl.types("}\r");
    repl.sees("lifebox> ");
    repl.answers("twice(21)", "42");
    // Two entries up is the function again, whole; a change of it counts.
    repl.types("\x1b[A\x1b[A");
    repl.sees("}");
    repl.types("\r");
    repl.sees("lifebox> ");
    repl.answers("twice(4)", "8");
    // Ctrl-R finds an earlier line.
    repl.types("\x12twice(21");
    repl.sees("twice(21");
    repl.types("\r");
    repl.sees("\n42");
    repl.leave();
    let mut again = Repl::open(&engine, &[("LIFEBOX_HISTORY", file)]);
    again.types("\x1b[A");
    again.sees("twice(21)");
    again.types("\x03");
    again.sees("lifebox> ");
    again.leave();
}

#[test]
fn ctrl_c_ends_any_call_and_the_prompt_comes_back() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    repl.answers("let c = run(\"host\", \"sleep 1000\", #{ init: true });", "");
    for call in [
        "sleep(100)",
        "c.wait()",
        "for line in logs(c, #{ follow: true }) { }",
        "loop { }",
        "wait_for(c, \"exited\")",
        "events(|e| true)",
    ] {
        repl.types(&format!("print(\"be\" + \"gun\"); {call}\r"));
        repl.sees("begun");
        let begun = Instant::now();
        repl.types("\x03");
        repl.sees("interrupted");
        // Half a second is promised; the rest is for a loaded machine.
        assert!(begun.elapsed() < Duration::from_secs(3), "{call}: {:?}", begun.elapsed());
        repl.sees("> ");
    }
    repl.answers("1 + 1", "2");
    repl.answers("rm(c, #{ force: true });", "");
    repl.leave();
}

#[test]
fn the_prompt_shows_how_many_containers_run() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    repl.types("let c = run(\"host\", \"sleep 1000\", #{ name: \"web\", init: true });\r");
    repl.sees("lifebox (1 running)> ");
    repl.types(":ps\r");
    repl.sees("Up ");
    repl.sees("(1 running)> ");
    repl.types("rm -f web\r");
    repl.sees("lifebox> ");
    repl.leave();
}

#[test]
fn a_paste_of_500_lines_is_evaluated_as_one_text() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    let mut text = String::from("let sum = 0;\r");
    for number in 0..498 {
        text.push_str(&format!("sum += {number};\r"));
    }
    text.push_str("print(`sum is ${sum}`);");
    let begun = Instant::now();
    // Brackets around it say that it is a paste (xterm, "Bracketed Paste Mode").
    repl.types(&format!("\x1b[200~{text}\x1b[201~\r"));
    repl.sees("sum is 123753");
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    repl.sees("lifebox> ");
    repl.leave();
}

#[test]
fn a_narrow_and_a_wide_terminal_show_the_whole_line() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    for columns in [40, 200, 80] {
        repl.resize(20, columns);
        let long = "x".repeat(90);
        repl.answers(&format!("\"{long}\".len()"), "90");
    }
    repl.leave();
}

#[test]
fn a_session_is_saved_as_a_script_that_runs_and_loaded_into_another() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    repl.answers("let n = 6;", "");
    repl.answers("nobody", "");
    repl.answers("fn times(a, b) { a * b }", "");
    repl.answers("print(times(n, 7))", "42");
    repl.answers(":save session.rhai", "saved");
    repl.answers(":save session.rhai", "error: cannot write");
    repl.answers(":vars", "n ");
    repl.answers(":time times(2, 3)", "6");
    repl.answers(":history 2", "fn times");
    repl.leave();
    let path = engine.root().join("session.rhai");
    assert_eq!(engine.ok(&[path.to_str().unwrap()]), "42");
    let mut other = Repl::open(&engine, &[]);
    other.answers(":load session.rhai", "42");
    other.answers("n + 1", "7");
    other.answers(":load nosuch.rhai", "error: cannot read `nosuch.rhai`");
    other.answers(":lod x", "error: there is no :lod; did you mean :load?");
    other.leave();
}

#[test]
fn a_startup_file_is_run_before_the_first_prompt() {
    needs_root!();
    let engine = TestEngine::new();
    let path = engine.root().join("startup.rhai");
    std::fs::write(&path, "fn greet() { \"hello\" }\nlet answer = 42;\nprint(\"ready\");\n")
        .unwrap();
    let startup = [("LIFEBOX_STARTUP", path.to_str().unwrap())];
    let mut repl = Repl::open(&engine, &startup);
    repl.answers("greet()", "\"hello\"");
    repl.answers("answer", "42");
    repl.leave();
    // One that is wrong is told, and the prompt comes all the same.
    std::fs::write(&path, "nobody()").unwrap();
    let mut repl = Repl::open(&engine, &startup);
    repl.answers("1 + 1", "2");
    repl.leave();
}

#[test]
fn what_is_longer_than_the_screen_is_shown_by_a_pager() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[("PAGER", "sh -c 'echo paged; cat'")]);
    repl.answers("[1]", "[1]");
    repl.types("help\r");
    repl.sees("paged");
    repl.sees("Life cycle");
    repl.sees("lifebox> ");
    repl.leave();
}

#[test]
fn the_last_input_is_changed_in_an_editor() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[("EDITOR", "sed -i s/1/20/")]);
    repl.answers("1 + 22", "23");
    repl.answers(":edit", "42");
    repl.leave();
    let mut repl = Repl::open(&engine, &[("EDITOR", "/nosuch/editor")]);
    repl.answers(":edit", "error: cannot edit with `/nosuch/editor`");
    repl.leave();
}

#[test]
fn a_terminal_that_goes_away_ends_the_prompt() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine, &[]);
    repl.0.process_mut().signal("SIGHUP".parse().unwrap()).unwrap();
    let status = repl.0.process().wait().unwrap();
    assert!(format!("{status:?}").contains("SIGHUP") || format!("{status:?}").contains("129"));
}
