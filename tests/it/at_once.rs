//! Many at once: one wins where only one can, and all where all can.

use std::collections::BTreeSet;

use crate::harness::{Engine, Ran, fixture};
use crate::needs_root;

/// Runs the same command so many times at once.
fn together(engine: &Engine, count: usize, words: impl Fn(usize) -> Vec<String>) -> Vec<Ran> {
    let begin = |number| {
        let words = words(number);
        engine.begin(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let children: Vec<_> = (0..count).map(begin).collect();
    children.into_iter().map(|child| Ran::from(child.wait_with_output().unwrap())).collect()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn of_many_who_want_a_name_one_gets_it() {
    needs_root!("of_many_who_want_a_name_one_gets_it");
    let engine = Engine::new();
    for _ in 0..5 {
        let ran = together(&engine, 8, |_| words("create --name box host true"));
        let winners: Vec<&Ran> = ran.iter().filter(|ran| ran.code == 0).collect();
        assert_eq!(winners.len(), 1, "{ran:?}");
        let id = winners[0].out.trim();
        for loser in ran.iter().filter(|ran| ran.code != 0) {
            assert_eq!(loser.code, 1);
            assert!(loser.err.contains("already in use by container"), "{}", loser.err);
            assert_eq!(loser.out, "");
        }
        assert_eq!(engine.ok(&["ps", "-aq", "--no-trunc"]), id);
        for kind in ["staging", "containers"] {
            let count = std::fs::read_dir(engine.root().join(kind)).unwrap().count();
            assert_eq!(count, usize::from(kind == "containers"), "{kind}");
        }
        engine.ok(&["rm", "box"]);
    }
}

#[test]
fn twenty_at_once_all_run() {
    needs_root!("twenty_at_once_all_run");
    let engine = Engine::new();
    let run = |number: usize| {
        let mut words = words("run --rm host sh -c");
        words.push(format!("echo {number}; exit {number}"));
        words
    };
    for (number, ran) in together(&engine, 20, run).iter().enumerate() {
        let code = i32::try_from(number).unwrap();
        assert_eq!((ran.code, &ran.out), (code, &format!("{number}\n")), "{}", ran.err);
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    let left = together(&engine, 20, |_| words("run -d host sleep 300"));
    let ids: BTreeSet<&str> = left.iter().map(|ran| ran.out.trim()).collect();
    assert_eq!(ids.len(), 20, "{left:?}");
    assert_eq!(engine.ok(&["ps", "-q"]).lines().count(), 20);
    let all = [&["rm", "-f"][..], &ids.iter().copied().collect::<Vec<_>>()].concat();
    engine.ok(&all);
    assert_eq!(engine.leftovers().len(), 0, "{:?}", engine.leftovers());
}

#[test]
fn listing_never_fails_while_others_come_and_go() {
    needs_root!("listing_never_fails_while_others_come_and_go");
    let engine = Engine::new();
    let mut busy: Vec<_> = (0..3)
        .map(|_| {
            engine
                .begin(&["-e", r#"for i in 0..12 { run("host", ["true"]).rm(#{ force: true }) }"#])
        })
        .collect();
    let mut looked = 0;
    while busy.iter_mut().any(|child| child.try_wait().unwrap().is_none()) {
        let ran = engine.run(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(!ran.out.contains("Dead"), "{}", ran.out);
        looked += 1;
    }
    assert!(looked > 3);
    for child in busy {
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn opposite_wishes_leave_a_container_in_one_state() {
    needs_root!("opposite_wishes_leave_a_container_in_one_state");
    let engine = Engine::new();
    for _ in 0..4 {
        engine.ok(&["create", "--name", "box", "host", "sleep", "300"]);
        let verbs =
            ["start box", "start box", "pause box", "stop -t 0 box", "rm -f box", "kill box"];
        let ran = together(&engine, verbs.len(), |number| words(verbs[number]));
        assert!(ran.iter().all(|ran| !ran.err.contains("panicked") && ran.code <= 1), "{ran:?}");
        assert_eq!(ran[4].code, 0, "{}", ran[4].err);
        assert_eq!(engine.status("box"), "gone");
    }
    engine.ok(&["create", "--name", "box", "host", "sleep", "300"]);
    let ran = together(&engine, 6, |_| words("start box"));
    assert!(ran.iter().all(|ran| ran.code == 0), "{ran:?}");
    let ran = together(&engine, 6, |_| words("stop -t 0 box"));
    assert!(ran.iter().all(|ran| ran.code == 0), "{ran:?}");
    let ran = together(&engine, 6, |_| words("rm box"));
    assert_eq!(ran.iter().filter(|ran| ran.code == 0).count(), 1, "{ran:?}");
}

#[test]
fn an_image_that_is_loaded_twice_at_once_is_there_once() {
    let engine = Engine::empty();
    let archive = fixture("hundredcounter.docker.tar");
    let ran = together(&engine, 4, |_| words(&format!("load -i {archive}")));
    for ran in &ran {
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.contains("Loaded image: hundredcounter:latest"), "{}", ran.out);
    }
    assert_eq!(engine.ok(&["images", "-q"]).lines().count(), 1);
    let staged = std::fs::read_dir(engine.root().join("images/staging")).unwrap().count();
    assert_eq!(staged, 0);
}
