//! Many at once: one wins where only one can, and all where all can.

use std::collections::BTreeSet;

use crate::harness::{
    CommandOutput, TIMEOUT, TestEngine, fixture, ran_to_its_end, signal, wait_until,
};
use crate::needs_root;

/// Runs the same command so many times at once.
fn together(
    engine: &TestEngine,
    count: usize,
    words: impl Fn(usize) -> Vec<String>,
) -> Vec<CommandOutput> {
    let begin = |number| {
        let words = words(number);
        engine.spawn(&words.iter().map(String::as_str).collect::<Vec<_>>())
    };
    let children: Vec<_> = (0..count).map(begin).collect();
    children
        .into_iter()
        .map(|child| CommandOutput::from(child.wait_with_output().unwrap()))
        .collect()
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn of_many_who_want_a_name_one_gets_it() {
    needs_root!();
    let engine = TestEngine::new();
    for _ in 0..5 {
        let ran = together(&engine, 8, |_| words("create --name box host true"));
        let winners: Vec<&CommandOutput> = ran.iter().filter(|ran| ran.code == 0).collect();
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
    needs_root!();
    let engine = TestEngine::new();
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
    needs_root!();
    let engine = TestEngine::new();
    let mut busy: Vec<_> = (0..3)
        .map(|_| {
            engine
                .spawn(&["-e", r#"for i in 0..12 { run("host", ["true"]).rm(#{ force: true }) }"#])
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
        let ran = CommandOutput::from(child.wait_with_output().unwrap());
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn opposite_wishes_leave_a_container_in_one_state() {
    needs_root!();
    let engine = TestEngine::new();
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
    let engine = TestEngine::empty();
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

/// One of two who want everything of the same container; prints what it got.
const FIGHTER: &str = r#"
    let id = args()[0];
    let me = args()[1];
    let verbs = ["start", "pause", "rename", "kill", "start", "update", "unpause", "stop"];
    // Another order for each of them, or they would only take turns.
    let step = if me == "left" { 3 } else { 5 };
    for round in 0..50 {
        for n in 0..verbs.len() {
            let verb = verbs[(n * step + round) % verbs.len()];
            try {
                switch verb {
                    "start" => start(id),
                    "stop" => stop(id, 0),
                    "pause" => pause(id),
                    "unpause" => unpause(id),
                    "kill" => kill(id),
                    "rename" => rename(id, `${me}-${round}`),
                    "update" => update(id, #{ pids: 100 + 2 * round + step }),
                }
                print(switch verb {
                    "rename" => `rename ${me}-${round}`,
                    "update" => `update ${100 + 2 * round + step}`,
                    _ => verb,
                });
            } catch (e) {
                if e.kind != "refused" { throw; }
            }
        }
    }
"#;

#[test]
fn two_scripts_that_fight_over_a_container_lose_nothing() {
    needs_root!();
    let engine = TestEngine::new();
    let id = engine.ok(&["create", "host", "sleep", "1000"]);
    let path = engine.root().join("fight.rhai");
    std::fs::write(&path, FIGHTER).unwrap();
    let path = path.to_str().unwrap();
    let fighters = ["left", "right"].map(|me| engine.spawn(&["script", path, &id, me]));
    let won = fighters.map(|fighter| {
        let ran = ran_to_its_end(fighter);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
        ran.out.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let count = |verb: &str| {
        won.iter().flatten().filter(|line| line.split(' ').next() == Some(verb)).count()
    };
    let printed = engine.ok(&["events", "--since", "1h", "--until", "0s", "--format", "json"]);
    let events: Vec<serde_json::Value> =
        printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let printed: Vec<&str> = events.iter().map(|event| event["Action"].as_str().unwrap()).collect();
    let printed = printed.join(" ");
    // Who wins is told once, and what is told can follow each other.
    let (mut status, mut name) = ("created", String::new());
    let mut seen = std::collections::BTreeMap::new();
    for event in &events {
        let action = event["Action"].as_str().unwrap();
        *seen.entry(action).or_insert(0) += 1;
        status = match (status, action) {
            ("created" | "exited", "start") | ("paused", "unpause") => "running",
            ("running", "pause") => "paused",
            ("running" | "paused", "die") => "exited",
            (now, "create" | "kill" | "stop" | "rename" | "update") => now,
            other => panic!("{other:?} in\n{printed}"),
        };
        if action == "rename" {
            assert_ne!(name, event["Actor"]["Attributes"]["name"].as_str().unwrap(), "{printed}");
            name = event["Actor"]["Attributes"]["name"].as_str().unwrap().to_owned();
        }
    }
    for verb in ["pause", "rename", "update"] {
        assert_eq!(seen[verb], count(verb), "{verb} in\n{printed}");
    }
    assert!(seen["unpause"] >= count("unpause"), "a stop thaws too\n{printed}");
    assert_eq!((count("rename"), count("update")), (100, 100), "neither is ever refused");
    assert!(seen["start"] > 5 && seen["pause"] > 0, "{seen:?}");
    // The last word counts.
    assert_eq!(engine.status(&id), status, "{printed}");
    assert_eq!(engine.get(&id, "{{.Name}}"), format!("/{name}"));
    let last = won.each_ref().map(|lines| lines.iter().rfind(|line| line.starts_with("update ")));
    let pids = format!("update {}", engine.get(&id, "{{.HostConfig.PidsLimit}}"));
    assert!(last.into_iter().flatten().any(|line| *line == pids), "{pids}");
    engine.ok(&["rm", "-f", &name]);
    for kind in ["containers", "names", "staging", "removing"] {
        let left = std::fs::read_dir(engine.root().join(kind)).unwrap();
        let left = left.map(|entry| entry.unwrap().file_name()).filter(|name| name != ".lock");
        let left: Vec<_> = left.collect();
        assert!(left.is_empty(), "{kind}: {left:?}");
    }
    assert!(wait_until(TIMEOUT, || engine.leftovers().is_empty()), "{:?}", engine.leftovers());
}

#[test]
fn many_at_once_are_the_first_of_a_store_with_an_init() {
    needs_root!();
    for _ in 0..5 {
        let engine = TestEngine::new();
        let text = "print(parallel(8, [1, 2, 3, 4, 5, 6, 7, 8], \
                    |n| run(\"host\", \"true\", #{ init: true, rm: true }).wait()));";
        assert_eq!(engine.ok(&["-e", text]), "[0, 0, 0, 0, 0, 0, 0, 0]");
        assert_eq!(engine.ok(&["ps", "-aq"]), "");
    }
}

#[test]
fn ensure_running_of_many_at_once_makes_one_container_for_all() {
    needs_root!();
    let engine = TestEngine::new();
    let text = "for c in parallel([1, 2, 3, 4], \
                |n| ensure_running(\"box\", \"host\", #{ cmd: \"sleep 300\" })) { print(c.id) }";
    for processes in [1, 5, 1, 5] {
        let ran = together(&engine, processes, |_| vec!["-e".to_owned(), text.to_owned()]);
        assert!(ran.iter().all(|ran| ran.code == 0), "{ran:?}");
        let id = engine.ok(&["ps", "-aq", "--no-trunc"]);
        assert!(ran.iter().all(|ran| ran.out == format!("{id}\n").repeat(4)), "{id}: {ran:?}");
        engine.ok(&["rm", "-f", "box"]);
    }
}

#[test]
fn ensure_running_succeeds_while_others_pause_stop_and_remove() {
    needs_root!();
    let engine = TestEngine::new();
    let spoil = |verbs: &str| {
        format!(
            "for n in 0..40 {{ for verb in {verbs} {{ try {{ switch verb {{
                \"pause\" => pause(\"box\"), \"unpause\" => unpause(\"box\"),
                \"kill\" => kill(\"box\"), \"rm\" => rm(\"box\", #{{ force: true }}),
            }} }} catch (e) {{ if e.kind != \"refused\" && e.kind != \"not_found\" {{ throw; }} }} }} }}"
        )
    };
    let ensure = "for n in 0..40 { ensure_running(\"box\", \"host\", #{ cmd: \"sleep 300\" }) }";
    let texts = [
        spoil("[\"pause\"]"),
        spoil("[\"kill\", \"pause\", \"unpause\", \"rm\"]"),
        ensure.to_owned(),
        ensure.to_owned(),
    ];
    let ran = together(&engine, texts.len(), |n| vec!["-e".to_owned(), texts[n].clone()]);
    assert!(ran.iter().all(|ran| ran.code == 0), "{ran:?}");
    engine.ok(&["-e", ensure]);
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]), "box running");
    // Neither a beginning of an id is its name, nor is a program that is not there tried again.
    let id = engine.ok(&["ps", "-q"]);
    let text = format!("print(ensure_running(\"{id}\", \"host\", #{{ cmd: \"sleep 9\" }}).name)");
    assert_eq!(engine.ok(&["-e", &text]), id);
    let error =
        engine.fails(&["-e", "ensure_running(\"b2\", \"host\", #{ cmd: \"nope\", rm: true })"], 1);
    assert!(error.contains("cannot start `b2`"), "{error}");
}

/// Begins to create a container whose root is a copy, and stops the process while it copies.
fn create_stopped_in_the_copy(engine: &TestEngine, image: &str) -> std::process::Child {
    let staging = engine.root().join("staging");
    let copies = || {
        let entries = std::fs::read_dir(&staging).into_iter().flatten().flatten();
        entries.into_iter().any(|entry| entry.path().join("rootfs").exists())
    };
    for _ in 0..20 {
        let words = ["--storage-driver", "vfs", "create", "--name", "slow", image, "true"];
        let process = engine.spawn(&words);
        let deadline = std::time::Instant::now() + TIMEOUT;
        while !copies() && std::time::Instant::now() < deadline {
            std::hint::spin_loop();
        }
        signal(process.id(), rustix::process::Signal::STOP);
        if copies() && engine.status("slow") == "gone" {
            return process;
        }
        signal(process.id(), rustix::process::Signal::CONT);
        ran_to_its_end(process);
        engine.run(&["rm", "slow"]);
    }
    panic!("the copy is always done too soon");
}

/// A second image, with a layer of its own, in a store of the test's own.
fn with_own_image(tag: &str) -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["run", "--name", "cc", "host", "sh", "-c", "echo x > /own"]);
    engine.ok(&["commit", "cc", tag]);
    engine.ok(&["rm", "cc"]);
    engine
}

#[test]
fn a_container_that_is_created_slowly_holds_up_no_removal_of_images_and_volumes() {
    needs_root!();
    let engine = with_own_image("own:1");
    engine.ok(&["volume", "create", "vol"]);
    let process = create_stopped_in_the_copy(&engine, "host");
    engine.ok(&["rmi", "own:1"]);
    engine.ok(&["image", "prune", "-f"]);
    engine.ok(&["volume", "rm", "vol"]);
    signal(process.id(), rustix::process::Signal::CONT);
    let ran = ran_to_its_end(process);
    assert_eq!(ran.code, 0, "{ran:?}");
    engine.ok(&["start", "slow"]);
    assert_eq!(engine.ok(&["wait", "slow"]), "0");
}

#[test]
fn an_image_that_is_removed_meanwhile_gets_no_container() {
    needs_root!();
    let engine = with_own_image("own:1");
    let process = create_stopped_in_the_copy(&engine, "own:1");
    engine.ok(&["rmi", "own:1"]);
    signal(process.id(), rustix::process::Signal::CONT);
    let ran = ran_to_its_end(process);
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(ran.err.contains("removed meanwhile"), "{}", ran.err);
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert!(engine.ok(&["system", "check"]).contains("no damage"));
}
