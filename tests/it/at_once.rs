//! Many at the same time: nobody loses, nothing is lost.

use std::process::Stdio;

use crate::harness::{Engine, Ran};
use crate::needs_root;

#[test]
fn containers_made_at_once_all_run_and_tell() {
    needs_root!("containers_made_at_once_all_run_and_tell");
    let engine = Engine::new();
    let start = |number: usize| {
        let (name, text) = (format!("at-{number}"), format!("echo said {number}; exit 3"));
        let mut command = engine.command(&["run", "--name", &name, "host", "sh", "-c", &text]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let children: Vec<_> = (0..24).map(start).collect();
    for (number, child) in children.into_iter().enumerate() {
        let ran = Ran::from(child.wait_with_output().unwrap());
        assert_eq!(
            (ran.code, ran.out.as_str()),
            (3, format!("said {number}\n").as_str()),
            "{}",
            ran.err
        );
    }
    let names = engine.ok(&["ps", "-a", "-q"]);
    assert_eq!(names.lines().count(), 24);
    let mut arguments = vec!["rm"];
    arguments.extend(names.lines());
    engine.ok(&arguments);
}

#[test]
fn of_two_containers_with_one_name_one_is_made() {
    needs_root!("of_two_containers_with_one_name_one_is_made");
    let engine = Engine::new();
    for round in 0..10 {
        let name = format!("only-{round}");
        let create = || {
            let mut command = engine.command(&["create", "--name", &name, "host", "true"]);
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let children = [create(), create(), create()];
        let ran = children.map(|child| Ran::from(child.wait_with_output().unwrap()));
        let won = ran.iter().filter(|ran| ran.code == 0).count();
        assert_eq!(won, 1, "{ran:?}");
        assert!(
            ran.iter().all(|ran| ran.code == 0 || ran.err.contains("already in use")),
            "{ran:?}"
        );
    }
    assert_eq!(engine.ok(&["ps", "-a", "-q"]).lines().count(), 10);
}
