//! `--dry-run`: what a script would do, told and not done.

use std::path::Path;

use crate::harness::Engine;
use crate::needs_root;

fn dry(engine: &Engine, text: &str) -> String {
    engine.ok(&["--dry-run", "-e", text])
}

/// All files below a directory, but for the store's locks, with their sizes.
fn listing(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            let status = path.symlink_metadata().unwrap();
            if status.is_dir() {
                open.push(path.clone());
            }
            found.push(format!("{} {}", path.display(), status.len()));
        }
    }
    found.sort();
    found
}

#[test]
fn effects_are_told_in_order_and_none_is_there() {
    needs_root!("effects_are_told_in_order_and_none_is_there");
    let engine = Engine::new();
    engine.ok(&["create", "--name", "real", "host", "true"]);
    let before = listing(engine.root());
    let told = dry(
        &engine,
        r#"let c = run("host", "sleep 9", #{ name: "web", volumes: ["data:/data"] });
           print(c.status);
           c.pause().unpause();
           c.exec("ls /");
           c.write_file("/a", "text"); c.cp_to("/etc/hostname", "/h"); c.cp_from("/h", "here");
           c.commit("web:2"); c.export_tar("out.tar");
           print(c.wait_for(#{ log: "never" }).wait());
           c.rename("old").rm();
           image("alpine:3").with_env("A", "1").commit("mine:1");
           rmi("mine:1");
           start("real"); rm("real", #{ force: true });
           print(exists("real"));
           sleep(1000);"#,
    );
    expect_test::expect![[r#"
        would create web from host: sleep 9
        would start web
        running
        would pause web
        would unpause web
        would exec in web: ls /
        would write 4 bytes to web:/a
        would copy /etc/hostname to web:/h
        would copy web:/h to here
        would commit web to web:2
        would export web
        would wait for web (taken to end with 0)
        0
        would rename web to old
        would rm old
        would pull alpine:3
        would build ENV above alpine:3
        would tag 85274a6e02df as mine:1
        would remove image mine:1
        would start real
        would rm -f real
        false"#]]
    .assert_eq(&told);
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]), "real created");
    assert_eq!(listing(engine.root()), before);
}

#[test]
fn what_is_there_in_truth_can_be_asked_and_is_left_alone() {
    needs_root!("what_is_there_in_truth_can_be_asked_and_is_left_alone");
    let engine = Engine::new();
    engine.ok(&["run", "-d", "--init", "--name", "web", "host", "sh", "-c", "echo up; sleep 1000"]);
    engine.ok(&["-e", "wait_for(\"web\", #{ log: \"up\" })"]);
    let told = dry(
        &engine,
        "print(logs(\"web\").text); print(top(\"web\").len() > 1);
         stop(\"web\"); print(container(\"web\").status); print(events().map(|e| e.action));",
    );
    assert_eq!(told, "up\n\ntrue\nwould stop web\nexited\n[\"kill\", \"die\"]");
    assert_eq!(engine.status("web"), "running");
}

#[test]
fn refusals_are_those_of_the_real_engine() {
    needs_root!("refusals_are_those_of_the_real_engine");
    for text in [
        "let c = run(\"host\", \"sleep 100\", #{ name: \"web\" }).pause(); c.start();",
        "run(\"host\", \"sleep 100\", #{ name: \"web\" }).rm();",
        "create(\"host\", #{ name: \"web\" }).unpause();",
        "create(\"host\", #{ name: \"web\" }).kill();",
        "create(\"host\", #{ name: \"web\" }).exec(\"ls\");",
        "container(\"nobody\");",
        "create(\"host\", #{ name: \"web\", workdir: \"relative\" });",
        "create(\"host\", #{ name: \"web\", memory: \"1k\" });",
        "image(\"nosuch\", #{ pull: \"never\" });",
    ] {
        let engine = Engine::new();
        let told = engine.fails(&["--dry-run", "-e", text], 1);
        let real = engine.fails(&["-e", text], 1);
        assert_eq!(told, real, "{text}");
        for id in engine.ok(&["ps", "-aq"]).lines() {
            engine.ok(&["rm", "-f", id]);
        }
    }
}

#[test]
fn every_workflow_can_be_told() {
    needs_root!("every_workflow_can_be_told");
    let engine = Engine::new();
    let before = listing(engine.root());
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts");
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let script = path.to_str().unwrap();
        let arguments = if script.contains("dashboard") { &["0", "1"][..] } else { &[] };
        // Some end with what they measure: a dry run has nothing to measure.
        let ran = engine.run(&[&["script", "--dry-run", script], arguments].concat());
        assert!(ran.code <= 1, "{script}: {}", ran.err);
        assert!(!ran.err.contains("error:"), "{script}: {}", ran.err);
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert_eq!(listing(engine.root()), before);
}

#[test]
fn a_dry_run_is_for_scripts_and_has_an_end() {
    needs_root!("a_dry_run_is_for_scripts_and_has_an_end");
    let engine = Engine::new();
    assert!(engine.fails(&["--dry-run", "ps"], 1).contains("--dry-run is for scripts"));
    let flags = ["script", "--dry-run", "--timeout", "0.3s", "-"];
    let mut command = engine.command(&flags);
    let file = engine.root().join("loop.rhai");
    std::fs::write(&file, "loop { sleep(1) }").unwrap();
    command.stdin(std::fs::File::open(&file).unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(124));
}
