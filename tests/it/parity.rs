//! One workflow as commands, as a script and typed into the REPL: the same comes of it.

use std::process::Command;
use std::time::{Duration, Instant};

use rexpect::session::{PtySession, spawn_command};

use crate::harness::{LIFEBOX, TestEngine};
use crate::needs_root;

/// With how many containers run, if any do.
const PROMPT: &str = r"lifebox( \(\d+ running\))?> ";
const PROGRAM: &str = "echo one; echo two; exit 7";

/// Waits for SIGTERM and ends with 3.
const OBEYS: &str = "trap 'exit 3' TERM; echo up; while :; do sleep 0.05; done";

/// What was seen on the way: states, logs and exit codes.
type Seen = Vec<String>;

/// A REPL on a terminal of its own, at its first prompt.
struct Repl(PtySession);

impl Repl {
    fn open(engine: &TestEngine) -> Repl {
        let mut command = Command::new(LIFEBOX);
        let ours = engine.command(&[]);
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        // No codes of line editing: the text is what is shown.
        command.env("TERM", "dumb");
        let mut session = spawn_command(command, Some(20_000)).unwrap();
        session.exp_regex(PROMPT).unwrap();
        Repl(session)
    }

    /// What is shown for a line. The pty does not echo the line itself.
    #[track_caller]
    fn say(&mut self, line: &str) -> String {
        self.0.send_line(line).unwrap();
        self.0.exp_regex(PROMPT).unwrap().0.replace('\r', "").trim().to_owned()
    }

    fn leave(mut self) {
        self.0.send_control('d').unwrap();
        self.0.exp_eof().unwrap();
        let status = self.0.process().wait().unwrap();
        assert!(format!("{status:?}").contains(", 0)"), "{status:?}");
    }
}

fn as_commands(engine: &TestEngine) -> Seen {
    let mut seen = Vec::new();
    let at = |seen: &mut Seen| seen.push(engine.status("web"));
    engine.ok(&["create", "--name", "web", "host", "sh", "-c", OBEYS]);
    at(&mut seen);
    for verb in ["start", "pause", "unpause"] {
        engine.ok(&[verb, "web"]);
        at(&mut seen);
    }
    engine.ok(&["stop", "web"]);
    at(&mut seen);
    seen.push(engine.ok(&["wait", "web"]));
    seen.push(engine.ok(&["logs", "web"]));
    engine.ok(&["rm", "web"]);
    at(&mut seen);
    seen
}

fn as_script(engine: &TestEngine) -> Seen {
    let path = engine.root().join("workflow.rhai");
    let text = format!(
        "let c = create(\"host\", #{{ name: \"web\", cmd: [\"sh\", \"-c\", `{OBEYS}`] }});
         print(c.status);
         c.start(); print(c.status);
         c.pause(); print(c.status);
         c.unpause(); print(c.status);
         c.stop(); print(c.status);
         print(c.wait());
         print(c.logs().text);
         c.rm();
         print(if exists(\"web\") {{ \"there\" }} else {{ \"gone\" }});"
    );
    std::fs::write(&path, text).unwrap();
    let out = engine.ok(&[path.to_str().unwrap()]);
    out.lines().filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn in_the_repl(engine: &TestEngine, lines: [&str; 8]) -> Seen {
    let mut repl = Repl::open(engine);
    let [create, start, pause, unpause, stop, wait, logs, rm] = lines;
    let mut seen = Vec::new();
    for line in [create, start, pause, unpause, stop] {
        repl.say(line);
        seen.push(engine.status("web"));
    }
    seen.push(repl.say(wait));
    seen.push(repl.say(logs));
    repl.say(rm);
    seen.push(engine.status("web"));
    repl.leave();
    seen
}

#[test]
fn the_same_workflow_leaves_the_same_three_ways() {
    needs_root!();
    let engine = TestEngine::new();
    let expected =
        ["created", "running", "paused", "running", "exited", "3", "up", "gone"].map(str::to_owned);
    assert_eq!(as_commands(&engine), expected, "as commands");
    assert_eq!(as_script(&engine), expected, "as a script");
    let create =
        format!("create(\"host\", #{{ name: \"web\", cmd: [\"sh\", \"-c\", `{OBEYS}`] }})");
    let functions = [
        create.as_str(),
        "start(\"web\")",
        "pause(\"web\")",
        "unpause(\"web\")",
        "stop(\"web\")",
        "wait(\"web\")",
        "logs(\"web\")",
        "rm(\"web\")",
    ];
    assert_eq!(in_the_repl(&engine, functions), expected, "as functions in the REPL");
    let create = format!("create --name web host sh -c \"{OBEYS}\"");
    let commands = [
        create.as_str(),
        "start web",
        "pause web",
        "unpause web",
        "stop web",
        "wait web",
        "logs -f web",
        "rm web",
    ];
    assert_eq!(in_the_repl(&engine, commands), expected, "as command lines in the REPL");
}

#[test]
fn the_repl_takes_command_lines_with_flags() {
    needs_root!();
    let engine = TestEngine::new();
    let mut repl = Repl::open(&engine);
    repl.say(&format!("create --name web host sh -c \"{PROGRAM}\""));
    assert_eq!(repl.say("start -i web"), "one\ntwo");
    assert!(repl.say("ps -a").contains("Exited (7)"));
    assert!(repl.say("container inspect web").contains("\"ExitCode\": 7"));
    assert!(repl.say("run --env A=b host env").lines().any(|line| line == "A=b"));
    let id = repl.say("run -d --name aa host sleep 100");
    assert_eq!((id.len(), engine.status("aa").as_str()), (64, "running"), "{id}");
    assert_eq!(repl.say("rm -f web aa"), "web\naa");
    assert_eq!(engine.status("web"), "gone");
    assert!(repl.say("start web").contains("no such container"));
    repl.leave();
}

#[test]
fn events_are_seen_in_the_repl_as_on_the_command_line() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "web", "host", "true"]);
    let line = "events --since 1h --until 0s";
    let shown = engine.ok(&line.split(' ').collect::<Vec<_>>());
    let shown: Vec<&str> = shown.lines().collect();
    let mut repl = Repl::open(&engine);
    assert_eq!(repl.say(line).lines().collect::<Vec<_>>(), shown);
    assert_eq!(repl.say("events()").lines().collect::<Vec<_>>(), shown);
    assert_eq!(repl.say("events().len"), "4");
    // One who follows in the REPL comes back to the prompt.
    repl.0.send_line("events --since 1h").unwrap();
    repl.0.exp_string("container die").unwrap();
    repl.0.send_control('c').unwrap();
    repl.0.exp_regex(PROMPT).unwrap();
    repl.leave();
}

#[test]
fn ctrl_c_ends_what_is_under_way_and_ctrl_d_the_repl() {
    let engine = TestEngine::empty();
    let mut repl = Repl::open(&engine);
    repl.say("let kept = 41");
    repl.0.send_line("print(\"begun\"); sleep(30)").unwrap();
    repl.0.exp_string("begun").unwrap();
    let pressed = Instant::now();
    repl.0.send_control('c').unwrap();
    repl.0.exp_regex(PROMPT).unwrap();
    assert!(pressed.elapsed() < Duration::from_millis(500), "{:?}", pressed.elapsed());
    assert_eq!(repl.say("kept + 1"), "42");
    repl.leave();
}
