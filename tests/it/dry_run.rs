//! `--dry-run`: what a script would do, told and not done.

use std::path::Path;

use crate::harness::TestEngine;
use crate::needs_root;

fn dry(engine: &TestEngine, text: &str) -> String {
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
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "real", "host", "true"]);
    let before = listing(engine.root());
    let printed = dry(
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
        would wait for web (assumed to exit with 0)
        0
        would rename web to old
        would rm old
        would pull alpine:3
        would build ENV on alpine:3
        would tag 85274a6e02df as mine:1
        would remove image mine:1
        would start real
        would rm -f real
        false"#]]
    .assert_eq(&printed);
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.State}}"]), "real created");
    assert_eq!(listing(engine.root()), before);
}

#[test]
fn a_dry_run_creates_no_store() {
    needs_root!();
    let engine = TestEngine::empty();
    for call in [
        "print(ps().len() + images().len() + volumes().len())",
        "info(); events(); disk_usage()",
        "prune_images(); prune_volumes(); check_images()",
        "run(\"host\"); create_volume(\"data\")",
    ] {
        dry(&engine, call);
        assert_eq!(listing(engine.root()), Vec::<String>::new(), "{call}");
    }
}

#[test]
fn what_is_there_in_truth_can_be_asked_and_is_left_alone() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--init", "--name", "web", "host", "sh", "-c", "echo up; sleep 1000"]);
    engine.ok(&["-e", "wait_for(\"web\", #{ log: \"up\" })"]);
    let printed = dry(
        &engine,
        "print(logs(\"web\").text); print(top(\"web\").len() > 1);
         stop(\"web\"); print(container(\"web\").status); print(events().map(|e| e.action));",
    );
    assert_eq!(
        printed,
        "up\n\ntrue\nwould stop web (assumed to exit with 0)\nexited\n[\"kill\", \"die\"]"
    );
    assert_eq!(engine.status("web"), "running");
}

#[test]
fn refusals_are_those_of_the_real_engine() {
    needs_root!();
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
        "create(\"host\", #{ network: \"container:ghost\" });",
        "create(\"host\", #{ volumes_from: \"ghost\" });",
        "create(\"host\", #{ mounts: \"type=bind,source=/no/such,target=/x\" });",
        "create(\"host\", #{ name: \"web\", volumes: [\"data:/d\"] }); volume(\"data\").rm();",
        "create_volume(\"bad/name\");",
        "image(\"host\").with_env(\"A=B\", 1);",
    ] {
        let engine = TestEngine::new();
        let printed = engine.fails(&["--dry-run", "-e", text], 1);
        let real = engine.fails(&["-e", text], 1);
        assert_eq!(printed, real, "{text}");
        for id in engine.ok(&["ps", "-aq"]).lines() {
            engine.ok(&["rm", "-f", id]);
        }
    }
}

#[test]
fn every_workflow_can_be_told() {
    needs_root!();
    let engine = TestEngine::new();
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
    needs_root!();
    let engine = TestEngine::new();
    assert!(
        engine.fails(&["--dry-run", "ps"], 1).contains("--dry-run is only allowed with a script")
    );
    let flags = ["script", "--dry-run", "--timeout", "0.3s", "-"];
    let mut command = engine.command(&flags);
    let file = engine.root().join("loop.rhai");
    std::fs::write(&file, "loop { sleep(1) }").unwrap();
    command.stdin(std::fs::File::open(&file).unwrap());
    assert_eq!(command.output().unwrap().status.code(), Some(124));
}

#[test]
fn a_service_that_is_stopped_is_taken_to_end_well() {
    needs_root!();
    let engine = TestEngine::new();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/smoke-test.rhai");
    let printed = engine.ok(&["--dry-run", script.to_str().unwrap()]);
    assert!(printed.contains("ok: it exited after SIGTERM"), "{printed}");
    let text = "print(run(\"host\", \"sleep 9\").kill().exit_code)";
    assert!(dry(&engine, text).ends_with("137"));
}

#[test]
fn what_was_made_can_be_asked_as_if_it_were_there() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["volume", "create", "real"]);
    let text = r#"
        create_volume("vv", #{ labels: #{ a: "b" } });
        print(volume("vv").name); print(volume("vv").labels); print(volume("vv").mountpoint);
        print(volumes().map(|v| v.name));
        let c = create("host", #{ name: "web", volumes: ["vv:/v", "made:/m", "/own"], cmd: "sleep 9" });
        print(volumes().len);
        try { rmv("made") } catch (e) { print(e.kind) }
        c.rm(#{ volumes: true });
        print(volumes().map(|v| v.name)); rmv("made"); rmv("vv");
        print(volumes().map(|v| v.name));
        let i = image("host").with_env("A", 1).with_cmd(["sleep", "8"]);
        print(i.env.A); print(i.cmd);
        let c = create(i, #{ name: "two", env: #{ B: 2 } });
        print(c.cmd); print(c.env.A);
        let j = c.commit("two:1", #{ changes: "ENV C=$B$B" });
        print(j.env.C); print(image("two:1").cmd);
        c.write_file("/tmp/../x", "hey"); print(read_file(c, "/x"));
        c.write_file("/x", "more"); print(c.read_file("x"));
        let d = create("host", #{ network: "container:two" });
        print(inspect(d).HostConfig.NetworkMode == `container:${c.id}`);
        rm(c); rm(d);"#;
    let printed = dry(&engine, text);
    let shown = |printed: &str| {
        let said = printed.lines().filter(|line| !line.starts_with("would "));
        said.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "real");
    assert_eq!(shown(&printed), shown(&engine.ok(&["-e", text])), "{printed}");
    let printed =
        dry(&engine, "print(create(\"host\", #{ name: \"cc\" }).read_file(\"/etc/passwd\"))");
    assert!(printed.contains("would read cc:/etc/passwd (assumed to be empty)"), "{printed}");
}

#[test]
fn a_dry_run_refuses_what_a_run_that_is_not_trusted_refuses() {
    needs_root!();
    let engine = TestEngine::empty();
    engine.ok(&["-e", "image(\"host\").with_label(\"users\", 1).tag(\"users:1\")"]);
    let images = ["images", "-a", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"];
    let before = engine.ok(&images);
    for call in [
        r#"tag("host", "users:1")"#,
        r#"tag("users:1", "host")"#,
        r#"rmi("users:1")"#,
        r#"rmi(image("users:1").id, #{ force: true })"#,
        r#"create("host", #{ cmd: "true" }).commit("users:1")"#,
        r#"image("host", #{ pull: "always" })"#,
        r#"image("127.0.0.1:9/x")"#,
        r#"run("127.0.0.1:9/x")"#,
        r#"pull("127.0.0.1:9/x")"#,
    ] {
        let text = format!("try {{ {call}; }} catch (e) {{ print(`${{e.kind}} ${{e.message}}`) }}");
        let real = engine.ok(&["--untrusted", "-e", &text]);
        let dry = engine.ok(&["--untrusted", "--dry-run", "-e", &text]);
        assert!(real.starts_with("denied "), "{call}: {real}");
        let last = dry.lines().last().unwrap_or_default();
        assert!(last.starts_with("denied "), "{call}: {dry}");
        for id in engine.ok(&["ps", "-aq"]).lines() {
            engine.ok(&["rm", id]);
        }
    }
    assert_eq!(engine.ok(&images), before);
    // What is its own may change.
    let own = r#"let mine = image("host").with_env("A", 1); mine.tag("mine:1"); mine.tag("mine:2");
        print(rmi("mine:1")); tag("users:1", "mine:2"); rmi("mine:2"); print(rmi(mine).len());"#;
    engine.ok(&["--untrusted", "--dry-run", "-e", own]);
    engine.ok(&["--untrusted", "-e", own]);
}
