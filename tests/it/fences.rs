//! `--untrusted` and `--isolated`: tags, images and volumes of others stay as they are, and the
//! secrets of others stay secret. Who created a thing decides, not its name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, ran_to_its_end, wait_until};
use crate::needs_root;

fn script(engine: &TestEngine, text: &str) -> PathBuf {
    let folder = engine.root().join("folder");
    std::fs::create_dir_all(folder.join("b")).unwrap();
    std::fs::write(folder.join("b/Dockerfile"), "FROM host\nENV EVIL=1\n").unwrap();
    std::fs::write(folder.join("inside"), "x").unwrap();
    let file = folder.join("script.rhai");
    std::fs::write(&file, text).unwrap();
    file
}

fn run(engine: &TestEngine, flag: &str, text: &str) -> CommandOutput {
    let file = script(engine, text);
    let mut command = engine.command(&["script", flag, file.to_str().unwrap()]);
    CommandOutput::from(command.current_dir(file.parent().unwrap()).output().unwrap())
}

/// Builds an image with one variable, and returns its id.
fn build(engine: &TestEngine, tag: &str, variable: &str) -> String {
    let text = format!("FROM host\nENV {variable}\n");
    let built = engine.run_with_input(&["build", "-q", "-t", tag, "-"], text.as_bytes());
    assert!(built.status.success());
    String::from_utf8(built.stdout).unwrap().trim().to_owned()
}

/// Returns the images as the user sees them.
fn images(engine: &TestEngine) -> String {
    engine.ok(&["images", "-a", "--no-trunc", "--format", "{{.Repository}}:{{.Tag}} {{.ID}}"])
}

#[test]
fn tags_and_images_of_others_stay() {
    needs_root!();
    let engine = TestEngine::empty();
    let evil = build(&engine, "prod:1", "EVIL=2");
    let archive = engine.root().join("folder/prod.tar");
    script(&engine, "");
    engine.ok(&["save", "-o", archive.to_str().unwrap(), "prod:1"]);
    engine.ok(&["rmi", "prod:1"]);
    let prod = build(&engine, "prod:1", "GOOD=1");
    let untagged = build(&engine, "other:1", "OTHER=1");
    build(&engine, "other:1", "OTHER=2");
    let before = images(&engine);
    assert!(!before.contains(&evil) && before.contains(&untagged));
    for call in [
        r#"tag("host", "prod:1")"#,
        r#"tag("prod:1", "prod:1")"#,
        r#"tag("prod:1", "host")"#,
        r#"tag("prod:1", "docker.io/library/host:latest")"#,
        r#"create("host").commit("prod:1")"#,
        r#"build("b", #{ tag: "prod:1" })"#,
        r#"load("prod.tar")"#,
        r#"image("host", #{ pull: "always" })"#,
        r#"rmi("prod:1")"#,
        r#"rmi("prod:1", #{ force: true })"#,
        &format!(r#"rmi("{prod}", #{{ force: true }})"#),
        &format!(r#"rmi("{untagged}", #{{ force: true }})"#),
        r#"check_images(#{ repair: true })"#,
    ] {
        let text = format!("try {{ {call}; }} catch (e) {{ print(e.kind); throw e; }}");
        let ran = run(&engine, "--untrusted", &text);
        assert_eq!((ran.code, ran.out.as_str()), (1, "denied\n"), "{call}: {}", ran.err);
        assert!(ran.err.contains("= hint: "), "{call}: {}", ran.err);
    }
    // An own tag on the image of another goes, the image stays; a prune takes own images only.
    let ran = run(
        &engine,
        "--untrusted",
        &format!(
            r#"tag("{untagged}", "mine:1"); rmi("mine:1");
               let a = image("host").with_env("MINE", 1); a.tag("mine:2");
               image("host").with_env("MINE", 2).tag("mine:2"); rmi("mine:2");
               prune_images(#{{ all: true }});
               for c in ps(#{{ all: true }}) {{ try {{ c.rm() }} catch {{ }} }}"#
        ),
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let after = images(&engine);
    for line in before.lines() {
        assert!(after.lines().any(|known| known == line), "{line} is gone: {after}");
    }
    assert!(!after.contains("mine"), "{after}");
}

#[test]
fn what_the_user_removes_and_creates_again_is_not_the_scripts() {
    needs_root!();
    let engine = TestEngine::empty();
    let text = r#"
        create_volume("data"); tag("host", "own:1");
        remove_volume("data"); create_volume("turn");
        while volumes(#{ name: "data" }).is_empty() { sleep("20ms") }
        for step in [
            || remove_volume("data"), || create_volume("data"),
            || create("host", #{ volumes: ["data:/d"] }),
            || rmi("own:1"), || tag("host", "own:1"),
        ] { try { step.call(); print("done") } catch (e) { print(e.kind) } }
        print(prune_volumes(#{ all: true }).removed);"#;
    engine.ok(&["-e", "image(\"host\")"]);
    let file = script(&engine, text);
    let mut command = engine.command(&["script", "--untrusted", file.to_str().unwrap()]);
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    assert!(wait_until(TIMEOUT, || engine.ok(&["volume", "ls", "-q"]).contains("turn")));
    engine.ok(&["rmi", "own:1"]);
    engine.ok(&["tag", "host", "own:1"]);
    engine.ok(&["volume", "create", "data"]);
    let ran = ran_to_its_end(child);
    let expected = format!("{}[\"turn\"]\n", "denied\n".repeat(5));
    assert_eq!((ran.code, ran.out), (0, expected), "{}", ran.err);
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "data");
    assert!(images(&engine).contains("own:1"));
}

/// One call of each function whose rule is "own things only" or "refused", on what is another's.
const DENIED: [(&str, &str); 39] = [
    ("attach", r#"attach("runs")"#),
    ("build", r#"build("..")"#),
    ("commit", r#"commit("runs", "x:1")"#),
    ("cp_from", r#"cp_from("runs", "/h/key", "key")"#),
    ("cp_to", r#"cp_to("runs", "inside", "/x")"#),
    ("create_volume", r#"create_volume("data")"#),
    ("diagram", r#"diagram(#{ svg: "../x.svg" })"#),
    ("diff", r#"diff("runs")"#),
    ("ensure_absent", r#"ensure_absent("rests")"#),
    ("ensure_running", r#"ensure_running("rests", "host", #{})"#),
    ("env", r#"env("PATH")"#),
    ("exec", r#"exec("runs", "true")"#),
    ("explain", r#"explain("runs")"#),
    ("export_tar", r#"export_tar("runs", "out.tar")"#),
    ("image_from_host", r#"image_from_host(["sh"])"#),
    ("import_tar", r#"import_tar("../x.tar")"#),
    ("kill", r#"kill("runs")"#),
    ("load", r#"load("/dev/null")"#),
    ("logs", r#"logs("runs").text"#),
    ("pause", r#"pause("runs")"#),
    ("pull", r#"pull("127.0.0.1:9/x")"#),
    ("push", r#"push("host", "127.0.0.1:9/x")"#),
    ("read_file", r#"read_file("runs", "/h/key")"#),
    ("read_text", r#"read_text("/etc/hostname")"#),
    ("remove_volume", r#"remove_volume("data")"#),
    ("rename", r#"rename("runs", "mine")"#),
    ("restart", r#"restart("runs", 0)"#),
    ("rm", r#"rm("runs", #{ force: true })"#),
    ("rmi", r#"rmi("host")"#),
    ("save", r#"save("host", "/tmp/lifebox-test-fences.tar")"#),
    ("start", r#"start("rests")"#),
    ("stop", r#"stop("runs", 0)"#),
    ("tag", r#"tag("host", "host")"#),
    ("top", r#"top("runs")"#),
    ("unpause", r#"unpause("runs")"#),
    ("update", r#"update("runs", #{ pids: 9 })"#),
    ("wait_for", r#"wait_for("runs", #{ exec: "true" })"#),
    ("with_copy", r#"image("host").with_copy("/etc/shadow", "/s")"#),
    ("write_file", r#"write_file("runs", "/h/pwn", "x")"#),
];

/// One call of the others that take something of another, and what they may print.
const SHOWN: [&str; 19] = [
    r#"print(container("runs")); let c = container("runs"); print([c.env, c.cmd, c.labels, c.state])"#,
    r#"docker("runs"); print(docker("runs"))"#,
    r#"print(events(#{ since: "1h" }))"#,
    r#"print(events(#{ since: "1h", filter: #{ label: "k" } }))"#,
    r#"print(inspect("runs")); print(inspect("rests"))"#,
    r#"for c in ps(#{ all: true }) { print([c, c.env, c.cmd, c.labels, c.ports, c.error]) }"#,
    r#"print(ps(#{ label: "k=SECRET" }).len())"#,
    r#"resources("runs", "50ms")"#,
    r#"print(table(ps(#{ all: true })))"#,
    r#"print(volume("data"))"#,
    r#"print(volumes())"#,
    r#"why("runs"); why("rests")"#,
    r#"print(stats("runs"))"#,
    r#"print(actions("runs"))"#,
    r#"print(port("runs"))"#,
    r#"print(exists("runs"))"#,
    r#"print(disk_usage())"#,
    r#"print(check_images())"#,
    r#"trace(|| container("runs").status)"#,
];

fn rules(engine: &TestEngine) -> BTreeMap<String, String> {
    let text = engine.ok(&["docs", "--format", "json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let parts = document["parts"].as_array().unwrap().clone();
    let functions = parts.iter().flat_map(|part| part["functions"].as_array().unwrap().clone());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let functions = functions.filter(|function| function["kind"] == "function");
    functions.map(|function| (text(&function["name"]), text(&function["untrusted"]))).collect()
}

#[test]
fn each_function_keeps_the_rule_that_the_reference_states() {
    needs_root!();
    let engine = TestEngine::empty();
    let outside = engine.root().join("SECRET-outside");
    std::fs::create_dir(&outside).unwrap();
    let bind = format!("{}:/h", outside.display());
    engine.ok(&["run", "-d", "--name", "runs", "-e", "PASS=SECRET", "-l", "k=SECRET", "-v", &bind]
        .iter()
        .chain(&["host", "sh", "-c", "sleep 1000; : SECRET"])
        .copied()
        .collect::<Vec<_>>());
    engine.ok(&["exec", "runs", "sh", "-c", ": SECRET"]);
    engine.ok(&["volume", "create", "--label", "k=SECRET", "data"]);
    engine.ok(&["create", "--name", "rests", "-v", "data:/d", "host", "sh", "-c", ": SECRET"]);
    let denied: BTreeSet<&str> = DENIED.iter().map(|(name, _)| *name).collect();
    for (name, rule) in rules(&engine) {
        let is_denied = matches!(rule.as_str(), "own things only" | "refused");
        // Prunes find nothing of their own here.
        let without = ["prune_images", "prune_volumes"];
        assert_eq!(
            denied.contains(name.as_str()),
            is_denied && !without.contains(&&*name),
            "{name}"
        );
    }
    let all = DENIED.iter().map(|(name, call)| format!(
        "try {{ {call}; print(\"{name} done\") }} catch (e) {{ if e.kind != \"denied\" {{ print(`{name} ${{e}}`) }} }}"
    ));
    let ran = run(&engine, "--untrusted", &all.collect::<Vec<_>>().join("\n"));
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    for call in SHOWN {
        let ran = run(&engine, "--untrusted", &format!("{call};"));
        assert_eq!(ran.code, 0, "{call}: {}", ran.err);
        assert!(!(ran.out + &ran.err).contains("SECRET"), "{call}");
    }
    // A filter does not find what is hidden.
    let text = r#"for e in events(#{ since: "1h", filter: #{ label: "k=SECRET" } }) { print(e) }"#;
    let ran = run(&engine, "--untrusted", text);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}}"]), "rests\nruns");
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 0);
}

#[test]
fn an_isolated_script_has_a_store_of_its_own_that_is_removed() {
    needs_root!();
    let engine = TestEngine::empty();
    build(&engine, "prod:1", "GOOD=1");
    engine.ok(&["volume", "create", "data"]);
    let before = images(&engine);
    let begins = r#"print([images().len(), volumes().len(), exists("web"), args()]);
        create_volume("data"); let mine = image("host").with_env("E", 1); mine.tag("prod:1");
        run("host", "sleep 1000", #{ name: "web", volumes: ["data:/d"] });"#;
    let gone = || !engine.root().join("isolated").exists();
    for (end, code) in [
        ("", 0),
        ("exit(7);", 7),
        ("throw 1;", 1),
        ("read_text(\"/etc/hostname\");", 1),
        ("let text = \"x\"; loop { text += text; }", 137),
    ] {
        let ran = run(&engine, "--isolated", &format!("{begins}{end}"));
        let printed = "[0, 0, false, []]\n";
        assert_eq!((ran.code, ran.out.as_str()), (code, printed), "{end}: {}", ran.err);
        assert!(gone(), "{end}");
    }
    let words = ["--isolated", "--timeout", "300ms", "-e", "print(args()); loop { sleep(1) }", "a"];
    let ran = engine.run(&words);
    assert_eq!((ran.code, ran.out.as_str()), (124, "[\"a\"]\n"), "{}", ran.err);
    assert!(gone());
    assert_eq!((images(&engine), engine.ok(&["volume", "ls", "-q"])), (before, "data".to_owned()));
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    let error = engine.fails(&["--isolated", "ps"], 1);
    assert!(error.contains("--isolated is only allowed with a script"), "{error}");
}
