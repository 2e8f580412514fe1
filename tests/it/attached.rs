//! Who is connected to a container: its clients, and its execs.

use std::process::Stdio;

use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, wait_until};
use crate::needs_root;

const STREAMS: &str = "{{.Config.AttachStdin}} {{.Config.AttachStdout}} {{.Config.AttachStderr}} \
                       {{.Config.OpenStdin}} {{.Config.StdinOnce}}";

#[test]
fn the_input_of_a_detached_container_waits_for_the_next_client() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "read a; echo got $a; read b; echo $a-$b";
    engine.ok(&["run", "-d", "-i", "--name", "box", "host", "sh", "-c", program]);
    // Its input ends at once, and it stays as long as the container.
    let mut first = engine.command(&["attach", "box"]);
    let first = first.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut first = first.spawn().unwrap();
    std::io::Write::write_all(&mut first.stdin.take().unwrap(), b"one\n").unwrap();
    engine.wrote("box", "got one");
    engine.run_with_input(&["attach", "box"], b"two\n");
    assert_eq!(engine.ok(&["logs", "box"]), "got one\none-two");
    assert_eq!(ran_to_its_end(first).code, 0);
    // That of `run -i` ends with its client.
    let ran = engine.run_with_input(&["run", "--rm", "-i", "host", "cat"], b"one");
    assert_eq!(String::from_utf8_lossy(&ran.stdout), "one");
    engine.ok(&["create", "-i", "--name", "later", "host", "cat"]);
    engine.ok(&["start", "later"]);
    engine.run_with_input(&["attach", "later"], b"one");
    assert_eq!(engine.ok(&["wait", "later"]), "0");
}

#[test]
fn inspect_shows_to_what_the_first_client_was_attached() {
    needs_root!();
    let engine = TestEngine::new();
    let shown = |words: &[&str]| {
        let id = engine.ok(&[words, &["host", "true"]].concat());
        engine.get(&id, STREAMS)
    };
    for (flags, expected) in [
        (&["run", "-d", "-i"][..], "false false false true false"),
        (&["run", "-d"], "false false false false false"),
        (&["create"], "false true true false false"),
        (&["create", "-i"], "true true true true true"),
        (&["create", "-a", "stdout"], "false true false false false"),
        (&["create", "-a", "STDERR", "-i"], "true false true true true"),
    ] {
        assert_eq!(shown(flags), expected, "{flags:?}");
    }
    let told = |words: &[&str], template: &str| {
        let id = engine.ok(&[&["create"], words, &["host", "true"]].concat());
        engine.get(&id, template)
    };
    let template = "{{.HostConfig.CgroupnsMode}}|{{.HostConfig.UsernsMode}}|\
                    {{.HostConfig.Isolation}}|{{.HostConfig.VolumeDriver}}";
    assert_eq!(told(&[], template), "private|||");
    #[rustfmt::skip]
    let asked = told(&[
        "--cgroupns", "host", "--userns", "host", "--isolation", "default", "--volume-driver", "local",
    ], template);
    assert_eq!(asked, "host|host|default|local");
}

#[test]
fn inspect_lists_the_execs_that_run() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "web", "host", "sleep", "1000"]);
    let ids = || engine.get("web", "{{json .ExecIDs}}");
    assert_eq!(ids(), "null");
    engine.ok(&["exec", "-d", "web", "sh", "-c", "until test -e /end; do sleep 0.02; done"]);
    let mut killed = engine.spawn(&["exec", "web", "sh", "-c", "echo up; exec sleep 1000"]);
    let listed = || serde_json::from_str::<Vec<String>>(&ids()).unwrap_or_default();
    assert!(wait_until(TIMEOUT, || listed().len() == 2), "{}", ids());
    assert!(listed().iter().all(|id| id.len() == 64), "{}", ids());
    engine.ok(&["exec", "web", "touch", "/end"]);
    assert!(wait_until(TIMEOUT, || listed().len() == 1), "{}", ids());
    engine.ok(&["kill", "web"]);
    assert_eq!(ids(), "null");
    killed.wait().unwrap();
    let files = || std::fs::read_dir(engine.container_directory("web")).unwrap();
    let left = || files().any(|it| it.unwrap().file_name().to_string_lossy().starts_with("exec."));
    assert!(wait_until(TIMEOUT, || !left()));
}
