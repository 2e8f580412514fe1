//! Text of strangers: no field of an image, a container, a volume or a file reaches the terminal
//! with the characters that a terminal obeys, or begins a line of its own.

use std::fs;

use crate::harness::TestEngine;
use crate::needs_root;

/// ESC, BEL, a newline, the C1 control CSI, and a direction mark.
const HOSTILE: &str = "x\u{1b}[31my\u{7}\nA forged\u{9b}31m\u{202e}z";

#[track_caller]
fn is_harmless(engine: &TestEngine, arguments: &[&str]) {
    let ran = engine.run(arguments);
    let shown = format!("{}{}", ran.out, ran.err);
    assert!(!shown.is_empty(), "lifebox {arguments:?} shows nothing");
    let obeyed = |c: char| c.is_control() && c != '\n' || c == '\u{202e}';
    assert!(!shown.contains(obeyed), "lifebox {arguments:?}: {shown:?}");
    let forged = shown.lines().any(|line| line.trim_start().starts_with("A forged"));
    assert!(!forged, "lifebox {arguments:?}: {shown}");
}

/// An engine with an image, a container and a volume whose every free field is hostile.
fn engine() -> TestEngine {
    let engine = TestEngine::new();
    let label = format!("l={HOSTILE}");
    engine.ok(&["volume", "create", "--label", &label, "vol"]);
    let program = format!("mkdir -p '/tmp/{HOSTILE}'; touch '/tmp/{HOSTILE}/f'; exit 3");
    let env = format!("E={HOSTILE}");
    let health = format!("echo '{HOSTILE}'");
    #[rustfmt::skip]
    let run = ["run", "--name", "cc", "-v", "vol:/v", "-l", &label, "-e", &env, "--health-cmd", &health,
        "--stop-signal", "INT", "host", "sh", "-c", &program];
    assert_eq!(engine.run(&run).code, 3);
    let cmd = format!("CMD {}", serde_json::json!(["sh", "-c", HOSTILE]));
    engine.ok(&["commit", "-a", HOSTILE, "-m", HOSTILE, "-c", &cmd, "cc", "image:1"]);
    engine
}

#[test]
fn no_verb_shows_a_control_character_of_a_container() {
    needs_root!();
    let engine = engine();
    let root = engine.root().display().to_string();
    for arguments in [
        &["ps", "-a", "--no-trunc"][..],
        &["ps", "-a", "--format", "{{.Names}} {{.Command}} {{.Labels}} {{.Mounts}}"],
        &["ps", "-a", "--format", "table {{.Names}}\t{{.Label \"l\"}}"],
        &["ps", "-a", "--format", "json"],
        &["inspect", "cc"],
        &["inspect", "--format", "json", "cc"],
        &["inspect", "--format", "{{json .Config}}", "cc"],
        &["diff", "cc"],
        &["docker", "cc"],
        &["explain", "cc"],
        &["why", "cc"],
        &["events", "--since", "1h", "--until", "0s"],
        &["events", "--since", "1h", "--until", "0s", "--format", "json"],
        &["events", "--since", "1h", "--until", "0s", "--format", "{{.Action}} {{.Actor}}"],
        &["system", "df", "-v"],
        &["system", "check"],
        &["--trace", "start", "cc"],
        &["explain", "start", "cc"],
        &["cp", &format!("cc:/tmp/{HOSTILE}/none"), &root],
        &["exec", "cc", HOSTILE],
        &["-e", "docker(\"cc\"); explain(\"cc\"); why(\"cc\"); print(events(#{since: \"1h\"}));"],
    ] {
        is_harmless(&engine, arguments);
    }
}

#[test]
fn no_verb_shows_a_control_character_of_an_image_or_a_volume() {
    needs_root!();
    let engine = engine();
    for arguments in [
        &["images", "--no-trunc"][..],
        &["history", "--no-trunc", "image:1"],
        &["history", "--no-trunc", "--format", "{{.CreatedBy}} {{.Comment}}", "image:1"],
        &["image", "inspect", "image:1"],
        &["explain", "image:1"],
        &["volume", "inspect", "vol"],
        &["volume", "ls", "--format", "{{.Name}} {{.Labels}}"],
        &["volume", "ls", "--format", "json"],
        &["create", "image:1", HOSTILE],
        &["-e", "print(image(\"image:1\")); print(table([[image(\"image:1\").labels.l]]));"],
    ] {
        is_harmless(&engine, arguments);
    }
}

#[test]
fn an_error_of_a_script_shows_its_name_and_its_line_without_control_characters() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = engine.root().join("scripts");
    fs::create_dir(&folder).unwrap();
    // Also what moves text or hides it: marks of direction, a line separator, a tag.
    let hostile = format!("{HOSTILE}\r\u{2066}\u{200f}\u{2028}\u{e0041}");
    let line = format!("/* {} */ fn f( {{", hostile.replace('\n', " "));
    let script = folder.join(format!("{hostile}.rhai"));
    let of_tests = folder.join(format!("{hostile}_test.rhai"));
    fs::write(&script, &line).unwrap();
    fs::write(&of_tests, &line).unwrap();
    let path = script.to_str().unwrap();
    let runs = folder.join("runs.rhai");
    let words = line.replace("fn f( {", "debug(1); no_such();");
    fs::write(&runs, &words).unwrap();
    let module = serde_json::Value::from(path.replace('\n', "\\n")).to_string();
    let import = format!("import {} as m;", module.replace("\\\\n", "\\n"));
    for arguments in [
        &["script", path][..],
        &["check", path],
        &["check", "--format", "short", path],
        &["check", "--format", "json", path],
        &["test", of_tests.to_str().unwrap()],
        &["script", "--trace", runs.to_str().unwrap()],
        &["-e", &line],
        &["-e", &words],
        &["-e", &import],
    ] {
        let ran = engine.run(arguments);
        let shown = format!("{}{}", ran.out, ran.err);
        assert!(!shown.is_empty(), "lifebox {arguments:?} shows nothing");
        let obeyed = |c: char| is_hidden(c) && !matches!(c, '\n' | '\t');
        assert!(!shown.contains(obeyed), "lifebox {arguments:?}: {shown:?}");
        let forged = shown.lines().any(|line| line.trim_start().starts_with("A forged"));
        assert!(!forged, "lifebox {arguments:?}: {shown}");
    }
}

/// Whether a terminal obeys or hides a character.
fn is_hidden(c: char) -> bool {
    let marks = ['\u{200f}', '\u{2028}', '\u{202e}', '\u{2066}', '\u{e0041}'];
    c.is_control() || marks.contains(&c)
}

#[test]
fn a_build_shows_its_steps_without_control_characters() {
    needs_root!();
    let engine = TestEngine::new();
    let file = engine.root().join("Dockerfile");
    let line = HOSTILE.replace('\n', " ");
    fs::write(&file, format!("FROM host\nRUN : {line}\nLABEL a=\"{line}\"\nCOPY {line} /\n"))
        .unwrap();
    let context = engine.root().join("context");
    fs::create_dir(&context).unwrap();
    is_harmless(&engine, &["build", "-f", file.to_str().unwrap(), context.to_str().unwrap()]);
}

#[test]
fn the_docker_command_of_a_hostile_container_can_still_be_read_back() {
    needs_root!();
    let engine = engine();
    let command = engine.ok(&["docker", "cc"]);
    assert!(
        command.contains(r"$'E=x\033[31my\007\nA forged\302\23331m\342\200\256z'"),
        "{command}"
    );
    let first = command.lines().find(|line| line.starts_with("docker")).unwrap();
    let script = engine.ok(&["from-docker", first]);
    assert!(script.contains(r"x\x1b[31my\x07\nA forged"), "{script}");
}
