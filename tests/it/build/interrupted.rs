//! Builds that end before they are done: by Ctrl-C, by signals, or killed.

use super::context::Context;
use crate::commit::engine;
use crate::harness::{TIMEOUT, signal, wait_until};
use crate::needs_root;

#[test]
fn ctrl_c_ends_a_build_and_its_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    for words in [
        vec!["-e", "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")"],
        vec!["build", context.path()],
    ] {
        let child = engine.spawn(&words);
        let running = wait_until(TIMEOUT, || !engine.ok(&["ps", "-q"]).is_empty());
        assert!(running);
        let id = engine.ok(&["ps", "-q"]);
        engine.wrote(&id, "begun");
        signal(child.id(), rustix::process::Signal::INT);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{output:?}");
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
    assert_eq!(engine.ok(&["images", "-aq"]).lines().count(), 1);
}

#[test]
fn signals_that_end_a_build_end_its_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let script = ["-e", "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")"];
    let build = ["build", context.path()];
    use rustix::process::Signal;
    for (words, number, code) in
        [(&build, Signal::TERM, 143), (&build, Signal::HUP, 129), (&script, Signal::TERM, 143)]
    {
        let child = engine.spawn(words);
        assert!(wait_until(TIMEOUT, || !engine.ok(&["ps", "-q"]).is_empty()));
        engine.wrote(&engine.ok(&["ps", "-q"]), "begun");
        signal(child.id(), number);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{output:?}");
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
    assert_eq!(engine.ok(&["images", "-aq"]).lines().count(), 1);
}

#[test]
fn a_killed_build_leaves_no_container() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let step = "image(\"hundredcounter\").with_run(\"echo begun; sleep 300\")";
    let scoped = format!("scope(|| {step})");
    for words in [vec!["-e", step], vec!["-e", &scoped], vec!["build", context.path()]] {
        let mut child = engine.spawn(&words);
        assert!(wait_until(TIMEOUT, || !engine.ok(&["ps", "-q"]).is_empty()));
        engine.wrote(&engine.ok(&["ps", "-q"]), "begun");
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(wait_until(TIMEOUT, || engine.ok(&["ps", "-aq"]).is_empty()), "{words:?}");
    }
}

#[test]
fn what_a_killed_build_left_is_removed_by_the_next() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nRUN echo begun; sleep 300\n");
    let begin = || {
        let before = engine.ok(&["ps", "-q"]);
        let child = engine.spawn(&["build", context.path()]);
        let news =
            || engine.ok(&["ps", "-q"]).lines().find(|id| !before.contains(id)).map(str::to_owned);
        assert!(wait_until(TIMEOUT, || news().is_some()));
        let id = news().unwrap();
        engine.wrote(&id, "begun");
        (child, id)
    };
    let (mut killed, left) = begin();
    // Its keeper would remove it at once.
    let keeper = format!("^lifebox-reaper {}", engine.root().display());
    let found = std::process::Command::new("pgrep").args(["-f", &keeper]).output().unwrap();
    for pid in String::from_utf8(found.stdout).unwrap().lines() {
        signal(pid.parse().unwrap(), rustix::process::Signal::KILL);
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    assert_eq!(engine.ok(&["ps", "-q"]), left);
    let (lives, of_living) = begin();
    assert_eq!(engine.ok(&["ps", "-aq"]), of_living, "what was left is gone");
    Context::new("FROM hundredcounter\nRUN true\n").id(&engine, &[]);
    assert_eq!(engine.ok(&["ps", "-q"]), of_living, "what lives is left alone");
    signal(lives.id(), rustix::process::Signal::INT);
    lives.wait_with_output().unwrap();
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}
