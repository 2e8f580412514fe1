//! What happens is told, in Docker's words and order, to whoever asks or waits for it.

use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, follows, signal, wait_until};
use crate::needs_root;

/// What belongs to an action, beside who it is about.
const OWN: [&str; 4] = ["destination", "exitCode", "oldName", "signal"];

impl TestEngine {
    /// All events so far, as Docker's JSON.
    fn events(&self, flags: &[&str]) -> Vec<Value> {
        let flags = [&["events", "--since", "1h", "--until", "0s", "--format", "json"], flags];
        let out = self.ok(&flags.concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The actions of a container so far.
    fn actions(&self, container: &str) -> Vec<String> {
        let filter = format!("container={container}");
        let events = self.events(&["-f", &filter]).into_iter();
        events.map(|event| event["Action"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_whole_life_is_told_as_docker_tells_it() {
    needs_root!();
    let engine = TestEngine::new();
    let reference = include_str!("../reference/events.txt");
    let lines = || reference.lines().filter(|line| !line.starts_with('#'));
    for command in lines().filter_map(|line| line.strip_prefix("$ ")) {
        let words = shlex::split(&command.replace("IMAGE", "hundredcounter")).unwrap();
        engine.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    }
    let shown = |event: &Value| {
        let mut line = format!("{} {}", event["Type"], event["Action"]).replace('"', "");
        for key in OWN {
            if let Some(value) = event["Actor"]["Attributes"][key].as_str() {
                line += &format!(" {key}={value}");
            }
        }
        line
    };
    let printed: Vec<String> = engine.events(&[]).iter().map(shown).collect();
    let expected: Vec<&str> = lines().filter(|line| !line.starts_with('$')).collect();
    assert_eq!(printed, expected, "{}", printed.join("\n"));
}

#[test]
fn want_of_memory_is_told_before_the_end() {
    needs_root!();
    let engine = TestEngine::new();
    let greedy = "x=a; while :; do x=$x$x; done";
    let flags = ["run", "--name", "web", "-m", "16m", "--memory-swap", "16m"];
    assert_eq!(engine.run(&[&flags[..], &["host", "sh", "-c", greedy]].concat()).code, 137);
    assert_eq!(engine.actions("web"), ["create", "attach", "start", "oom", "die"]);
}

#[test]
fn the_end_is_told_before_wait_returns() {
    needs_root!();
    let engine = TestEngine::new();
    for n in 0..10 {
        let name = format!("web{n}");
        engine.ok(&["run", "-d", "--name", &name, "host", "sh", "-c", "exit 3"]);
        assert_eq!(engine.ok(&["wait", &name]), "3");
        assert_eq!(engine.actions(&name), ["create", "start", "die"]);
    }
}

#[test]
fn restarts_and_deaths_of_monitors_are_told() {
    needs_root!();
    let engine = TestEngine::new();
    let program = ["host", "sh", "-c", "exit 3"];
    let flags = ["run", "-d", "--name", "again", "--restart", "on-failure:1"];
    engine.ok(&[&flags[..], &program].concat());
    assert!(wait_until(TIMEOUT, || engine.get("again", "{{.State.Status}}") == "exited"));
    assert_eq!(engine.actions("again"), ["create", "start", "die", "start", "die"]);
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "300"]);
    let status = std::fs::read_to_string(format!("/proc/{}/status", engine.pid("web"))).unwrap();
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")).unwrap();
    signal(parent.trim().parse().unwrap(), Signal::KILL);
    assert!(wait_until(TIMEOUT, || engine.status("web") == "exited"));
    assert_eq!(engine.actions("web"), ["create", "start", "die"]);
    let last = engine.events(&["-f", "container=web"]).pop().unwrap();
    assert_eq!(last["Actor"]["Attributes"]["exitCode"], "137");
}

#[test]
fn a_follower_sees_what_happens_until_ctrl_c() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "old", "host", "true"]);
    let mut follower =
        engine.spawn(&["events", "--format", "{{.Action}} {{.Actor.Attributes.name}}"]);
    assert!(wait_until(TIMEOUT, || follows(&follower)), "it does not follow");
    engine.ok(&["run", "--rm", "--name", "web", "host", "true"]);
    let mut out = BufReader::new(follower.stdout.take().unwrap()).lines();
    let lines: Vec<String> = out.by_ref().take(5).map(Result::unwrap).collect();
    let expected = ["create web", "attach web", "start web", "die web", "destroy web"];
    assert_eq!(lines, expected);
    signal(follower.id(), Signal::INT);
    assert_eq!(out.next().map(Result::unwrap), None);
    let ran = CommandOutput::from(follower.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (130, ""));
}

#[test]
fn a_follower_ends_at_its_time() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "old", "host", "true"]);
    // Seconds since 1970, as Docker takes them.
    let soon = jiff::Timestamp::now().as_second() + 2;
    let soon = soon.to_string();
    let follower =
        engine.spawn(&["events", "--since", "1h", "--until", &soon, "-f", "type=container"]);
    engine.ok(&["create", "--name", "new", "host", "true"]);
    let ran = CommandOutput::from(follower.wait_with_output().unwrap());
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.contains("name=old") && ran.out.contains("name=new"), "{}", ran.out);
    assert!(jiff::Timestamp::now().as_second() >= soon.parse().unwrap());
}

#[test]
fn events_are_filtered_and_shown_as_asked() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "web", "-l", "tier=front", "host", "true"]);
    engine.ok(&["create", "--name", "other", "hundredcounter"]);
    engine.ok(&["volume", "create", "data"]);
    let count = |flags: &[&str]| engine.events(flags).len();
    assert_eq!(count(&[]), 6);
    assert_eq!(count(&["-f", "container=web"]), 4);
    assert_eq!(count(&["-f", "event=create"]), 3);
    assert_eq!(count(&["-f", "event=create", "-f", "event=die", "-f", "type=container"]), 3);
    assert_eq!(count(&["--filter", "image=hundredcounter"]), 1);
    assert_eq!(count(&["-f", "label=tier=front"]), 4);
    assert_eq!(count(&["-f", "volume=data"]), 1);
    let all = ["events", "--since", "1h", "--until", "0s", "-f", "volume=data"];
    let line = engine.ok(&all);
    assert!(line.ends_with("Z volume create data (driver=local)"), "{line}");
    let format = ["--format", "{{.Type}} {{.ID}} {{.Actor.ID}} {{.Scope}} {{.Actor.Attributes.x}}"];
    assert_eq!(engine.ok(&[&all[..], &format].concat()), "volume  data local <no value>");
    assert_eq!(engine.ok(&["system", "events", "--until", "0s", "-f", "volume=data"]), line);
    for (flags, code, part) in [
        (["-f", "colour=red"], 1, "invalid filter `colour`"),
        (["-f", "colour=red"], 1, "use one of container, event, image, label, scope, type, volume"),
        (["-f", "event=dei"], 1, "did you mean `die`?"),
        (["-f", "name"], 125, "expected name=value"),
        (["--since", "yesterday"], 1, "invalid time `yesterday`"),
        (["--format", "{{.Nmae}}"], 64, "map has no entry for key \"Nmae\""),
    ] {
        let error = engine.fails(&[&["events"], &flags[..]].concat(), code);
        assert!(error.contains(part), "{flags:?}: {error}");
    }
}

#[test]
fn a_hostile_label_breaks_no_line() {
    needs_root!();
    let engine = TestEngine::new();
    let forged = "x\n2026-01-02T15:04:05.000000000Z container die forged\u{1b}[2J \"}\\";
    let label = format!("evil={forged}");
    engine.ok(&["create", "--name", "web", "-l", &label, "-l", "exitCode=7", "host", "true"]);
    engine.ok(&["start", "-a", "web"]);
    let text = engine.ok(&["events", "--since", "1h", "--until", "0s"]);
    assert_eq!(text.lines().count(), 4, "{text}");
    assert!(!text.contains('\u{1b}'));
    let events = engine.events(&[]);
    assert_eq!(events[0]["Actor"]["Attributes"]["evil"], forged);
    assert_eq!(events[3]["Actor"]["Attributes"]["exitCode"], "0");
}

#[test]
fn no_verb_fails_where_nothing_can_be_told() {
    needs_root!();
    let engine = TestEngine::new();
    // A disk that is full for events alone.
    std::os::unix::fs::symlink("/dev/full", engine.root().join("events.jsonl")).unwrap();
    assert_eq!(engine.run(&["run", "--name", "web", "host", "sh", "-c", "exit 3"]).code, 3);
    engine.ok(&["rm", "web"]);
    std::fs::remove_file(engine.root().join("events.jsonl")).unwrap();
    engine.ok(&["create", "--name", "web", "host", "true"]);
    assert_eq!(engine.actions("web"), ["create"]);
}

#[test]
fn others_can_not_read_events() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "web", "host", "true"]);
    let mode = engine.root().join("events.jsonl").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // An engine that nothing has happened to has a place for them all the same.
    let empty = TestEngine::empty();
    let root = empty.root().join("new");
    let command = ["--root", root.to_str().unwrap(), "events", "--until", "0s"];
    assert_eq!(empty.ok(&command), "");
    assert_eq!(root.metadata().unwrap().permissions().mode() & 0o077, 0);
}

#[test]
fn a_script_waits_for_what_it_began() {
    needs_root!();
    let engine = TestEngine::new();
    let script = r#"
        let web = create("host", #{ cmd: "sh -c 'exit 3'", name: "web" });
        let life = events(#{ follow: true, timeout: "20s", filter: #{ container: web } });
        web.start();
        for e in life {
            print(`${e.type} ${e.action} ${e.name} ${e.image} ${e.attributes.exitCode ?? "-"}`);
            if e.action == "die" { break; }
        }
        web.rm();
        for e in life { print(e.action); break; }
        print(events().map(|e| e.action));
        print(events(#{ before: "1h" }).len);
        events(#{ since: "1h" }, |e| { print(e.action); e.action != "start" });
    "#;
    let expected = "container start web host -\ncontainer die web host 3\ndestroy\n\
                    [\"create\", \"start\", \"die\", \"destroy\"]\n0\ncreate\nstart";
    assert_eq!(engine.script(script), expected);
}

#[test]
fn ctrl_c_ends_a_script_that_waits_for_events() {
    let engine = TestEngine::empty();
    for script in ["for e in events(#{ follow: true }) { print(e); }", "events(|e| print(e));"] {
        let reader = engine.spawn(&["-e", script]);
        assert!(wait_until(TIMEOUT, || follows(&reader)));
        signal(reader.id(), Signal::INT);
        let ran = CommandOutput::from(reader.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.out.as_str()), (130, ""), "{script}: {}", ran.err);
    }
}
