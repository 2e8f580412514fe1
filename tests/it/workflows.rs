//! The scripts that lifebox brings, run as users run them.

use std::time::{Duration, Instant};

use crate::harness::Engine;
use crate::needs_root;

fn script(name: &str) -> String {
    format!("{}/scripts/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// The words before the colon of lines such as `paused: its processes are frozen`.
fn walk(output: &str) -> Vec<&str> {
    let before = output.lines().filter_map(|line| line.split_once(": ")).map(|(before, _)| before);
    before.filter(|before| !before.contains(' ')).collect()
}

#[test]
fn quickstart_shows_each_state_within_five_seconds() {
    needs_root!("quickstart_shows_each_state_within_five_seconds");
    let engine = Engine::new();
    let begun = Instant::now();
    let output = engine.ok(&[&script("quickstart.rhai")]);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert_eq!(
        walk(&output),
        ["created", "running", "paused", "running", "exited", "running", "removed"]
    );
    for said in ["hello, world", "bye", "it is paused", "is it still there? false"] {
        assert!(output.contains(said), "{said}\n{output}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn hundredcounter_walks_through_dockers_texts() {
    needs_root!("hundredcounter_walks_through_dockers_texts");
    let engine = Engine::new();
    let output = engine.ok(&[&script("hundredcounter.rhai")]);
    let mut rest = output.as_str();
    for said in [
        "STATUS",
        "Created",
        "# start",
        "Up ",
        "# pause",
        "(Paused)",
        "# unpause",
        "Up ",
        "# stop",
        "Exited (137) ",
        "# logs",
        "\n1\n2\n3\n",
        "# rm",
        "exists: false",
    ] {
        let at = rest.find(said).unwrap_or_else(|| panic!("no {said:?} in\n{rest}"));
        rest = &rest[at + said.len()..];
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn hundredcounter_is_built_by_a_script_and_quickly_the_second_time() {
    needs_root!("hundredcounter_is_built_by_a_script_and_quickly_the_second_time");
    let engine = Engine::empty();
    let first = engine.ok(&[&script("hundredcounter-build.rhai")]);
    assert!(first.contains("built: hundredcounter:built"), "{first}");
    assert!(first.contains("it counts:\n1\n2\n3\n") && first.ends_with("ended with 0"), "{first}");
    let begun = Instant::now();
    assert_eq!(engine.ok(&[&script("hundredcounter-build.rhai")]), first);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    engine.ok(&["run", "-d", "--name", "counter", "hundredcounter:built"]);
    engine.wrote("counter", "1\n");
    engine.ok(&["stop", "-t", "0", "counter"]);
    assert_eq!(engine.get("counter", "{{.State.ExitCode}}"), "137");
    engine.ok(&["rm", "counter"]);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}
