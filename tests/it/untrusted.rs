//! `script --untrusted`: what a script that nobody trusts may do.

use std::time::{Duration, Instant};

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// Runs a text as a script of a folder of its own, in which `inside` is a file.
fn run(engine: &TestEngine, flags: &[&str], text: &str) -> CommandOutput {
    let folder = engine.root().join("folder");
    let _ = std::fs::create_dir(&folder);
    std::fs::write(folder.join("inside"), "kept in").unwrap();
    std::fs::write(engine.root().join("outside.rhai"), "fn f() { 1 }").unwrap();
    let _ = std::os::unix::fs::symlink("/etc/hostname", folder.join("link"));
    let _ = std::os::unix::fs::symlink("/nosuch", folder.join("dangling"));
    let script = folder.join("script.rhai");
    std::fs::write(&script, text).unwrap();
    let all = [&["script", "--untrusted"], flags, &[script.to_str().unwrap()]].concat();
    let mut command = engine.command(&all);
    CommandOutput::from(command.current_dir(&folder).output().unwrap())
}

#[test]
fn it_reaches_its_own_folder_and_no_other_file() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = run(
        &engine,
        &[],
        r#"print(read_text("inside"));
           print(read_text("./../folder/inside"));
           let c = run("host", "sleep 100", #{ init: true, rm: true });
           c.cp_to("inside", "/copied"); c.cp_from("/copied", "back");
           print(c.read_file("/copied")); c.rm(#{ force: true });"#,
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "kept in\nkept in\nkept in\n"), "{}", ran.err);
    for call in [
        r#"read_text("/etc/hostname")"#,
        r#"read_text("../outside.rhai")"#,
        r#"read_text("link")"#,
        r#"import "../outside" as o;"#,
        r#"import "/etc/hostname" as o;"#,
        r#"load("/dev/null")"#,
        r#"save("host", "/tmp/lifebox-test-out.tar")"#,
        r#"save("host", "dangling")"#,
        r#"import_tar("../x.tar")"#,
        r#"export_tar(create("host"), "/x.tar")"#,
        r#"build("..")"#,
        r#"image("host").with_copy("/etc/shadow", "/shadow")"#,
        r#"create("host").cp_to("/etc/shadow", "/shadow")"#,
        r#"create("host").cp_from("/bin", "/tmp")"#,
        r#"import "stack" as s; s::from_compose("/etc/hostname")"#,
    ] {
        let ran = run(&engine, &[], call);
        assert_eq!(ran.code, 1, "{call}: {}", ran.out);
        assert!(ran.err.contains("not in the script's folder"), "{call}: {}", ran.err);
    }
    assert!(!std::path::Path::new("/tmp/lifebox-test-out.tar").exists());
}

#[test]
fn a_build_of_it_reads_no_instructions_through_a_link_that_leads_out() {
    needs_root!();
    let engine = TestEngine::new();
    // The script makes the link itself: what comes out of a container may be one.
    let out = r#"let made = image("host").with_run("mkdir /k; ln -s /etc/shadow /k/NAME");
        cp_from(create(made), "/k", "NAME.d"); build("NAME.d", #{ OPTIONS });"#;
    for (name, options) in [
        ("Dockerfile", ""),
        (".dockerignore", ""),
        ("other", "file: \"other.d/other\""),
        ("own.dockerignore", "file: \"own.dockerignore.d/own\""),
        ("x", "file: \"/etc/shadow\""),
    ] {
        let ran = run(&engine, &[], &out.replace("NAME", name).replace("OPTIONS", options));
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        assert!(ran.err.contains("not in the script's folder"), "{name}: {}", ran.err);
        assert!(!ran.err.contains("root:"), "{name}: {}", ran.err);
    }
    let ran = run(
        &engine,
        &[],
        r#"let made = image("host").with_run("mkdir /k; echo FROM scratch > /k/real; echo LABEL a=b >> /k/real; ln -s real /k/Dockerfile");
           cp_from(create(made), "/k", "fine"); print(build("fine").labels);"#,
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "#{\"a\": \"b\"}\n"), "{}", ran.err);
}

#[test]
fn it_makes_no_container_that_could_get_out() {
    needs_root!();
    let engine = TestEngine::new();
    for options in [
        "privileged: true",
        "cap_add: \"SYS_ADMIN\"",
        "devices: \"/dev/null\"",
        "security: \"seccomp=unconfined\"",
        "network: \"host\"",
        "pid: \"host\"",
        "ipc: \"host\"",
        "uts: \"host\"",
        "volumes: [\"/:/host\"]",
        "mounts: \"type=bind,source=/,target=/host\"",
    ] {
        let ran = run(&engine, &[], &format!("create(\"host\", #{{ {options} }})"));
        assert_eq!(ran.code, 1, "{options}");
        assert!(ran.err.contains("is not allowed with --untrusted"), "{options}: {}", ran.err);
    }
    let text = "let c = run(\"host\", \"sleep 9\", #{ init: true, rm: true }); defer(|| rm(c, #{ force: true }));
                c.exec(\"id\", #{ privileged: true });";
    let ran = run(&engine, &[], text);
    assert!(ran.err.contains("is not allowed with --untrusted"), "{}", ran.err);
    let ran = run(&engine, &[], "image_from_host([\"sh\"])");
    assert!(ran.err.contains("an image of the host's programs is not allowed"), "{}", ran.err);
    let caught =
        run(&engine, &[], "try { read_text(\"/etc/hostname\") } catch (e) { print(e.kind) }");
    assert_eq!(caught.out, "denied\n");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn it_asks_no_registry_and_reads_no_variable_of_its_caller() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = engine.root().join("folder");
    std::fs::create_dir(&folder).unwrap();
    std::fs::create_dir(folder.join("app")).unwrap();
    // Nobody listens there: a registry that was asked would be out of reach.
    std::fs::write(folder.join("app/Dockerfile"), "FROM 127.0.0.1:9/x\n").unwrap();
    for call in [
        r#"pull("127.0.0.1:9/x")"#,
        r#"image("127.0.0.1:9/x")"#,
        r#"image("127.0.0.1:9/x", #{ pull: "always" })"#,
        r#"run("127.0.0.1:9/x")"#,
        r#"image("127.0.0.1:9/x").with_env("A", 1)"#,
        r#"build("app")"#,
        r#"image("host"); push("host", "127.0.0.1:9/x", #{ tls_verify: false })"#,
    ] {
        let ran = run(&engine, &[], call);
        assert_eq!(ran.code, 1, "{call}: {}", ran.out);
        let said = "access to registries is not allowed with --untrusted";
        assert!(ran.err.contains(said), "{call}: {}", ran.err);
    }
    for call in [
        r#"print(env("PATH"))"#,
        r#"print(create("host", #{ env: ["A=1", "PATH"] }).env)"#,
        r#"print(run("host", "sleep 9", #{ rm: true }).exec("env", #{ env: ["PATH"] }).stdout)"#,
    ] {
        let ran = run(&engine, &[], call);
        assert_eq!(ran.code, 1, "{call}: {}", ran.out);
        assert!(ran.err.contains("variable `PATH` of the caller"), "{call}: {}", ran.err);
    }
    let own = r#"print(create("host", #{ env: ["A=1"] }).env["A"]); print("host:latest" in image("host").tags);"#;
    let ran = run(&engine, &[], own);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1\ntrue\n"), "{}", ran.err);
}

#[test]
fn it_ends_at_its_ceiling_of_memory_and_what_it_made_goes_with_it() {
    needs_root!();
    let engine = TestEngine::new();
    for greed in [
        "let all = []; loop { all.push(\"x\".to_upper() + all.len()); }",
        "let text = \"x\"; loop { text += text; }",
        "blob(200000000)",
        "let a = []; a.pad(10000000, 1);",
    ] {
        let begun = Instant::now();
        let text = format!("scope(|| {{ run(\"host\", \"sleep 1000\"); {greed} }});");
        let ran = run(&engine, &["--max-memory", "64m"], &text);
        assert_eq!(ran.code, 137, "{greed}: {}", ran.err);
        assert!(ran.err.contains("memory limit of the script reached"), "{greed}: {}", ran.err);
        assert!(begun.elapsed() < Duration::from_secs(60), "{greed}");
        assert!(wait_until(TIMEOUT, || engine.ok(&["ps", "-aq"]).is_empty()), "{greed}");
    }
    // What containers use is theirs.
    let ran = run(
        &engine,
        &["--max-memory", "64m"],
        "print(run(\"host\", [\"sh\", \"-c\", \"x=$(head -c 90000000 /dev/zero | tr '\\\\0' x); echo ${#x}\"], \
         #{ attach: true, rm: true }).exit_code)",
    );
    assert_eq!((ran.code, ran.out.as_str()), (0, "90000000\n0\n"), "{}", ran.err);
}

/// What acts on the containers `runs` and `rests` or the volume `data`, or tells what is inside.
const ACTS_ON_OTHERS: [&str; 31] = [
    "write_file(\"runs\", \"/h/pwn\", \"x\")",
    "read_file(\"runs\", \"/h/key\")",
    "cp_to(\"runs\", \"inside\", \"/h/pwn\")",
    "cp_from(\"runs\", \"/h/key\", \"key\")",
    "exec(\"runs\", \"cat /h/key\")",
    "attach(\"runs\")",
    "start(\"rests\")",
    "ensure_running(\"rests\", \"host\", #{})",
    "ensure_absent(\"rests\")",
    "commit(\"runs\", \"looked-at:1\")",
    "export_tar(\"runs\", \"out.tar\")",
    "diff(\"runs\")",
    "logs(\"runs\").text",
    "kill(\"runs\")",
    "stop(\"runs\", 0)",
    "restart(\"runs\", 0)",
    "pause(\"runs\")",
    "unpause(\"runs\")",
    "rename(\"runs\", \"mine\")",
    "update(\"runs\", #{ pids: 9 })",
    "rm(\"rests\")",
    "rm(\"runs\", #{ force: true })",
    "for c in ps() { c.rm(#{ force: true, volumes: true }) }",
    "wait_for(\"runs\", #{ file: \"/h/key\" })",
    "wait_for(\"runs\", #{ exec: \"true\" })",
    "create(\"host\", #{ pid: \"container:runs\" })",
    "create(\"host\", #{ network: \"container:runs\" })",
    "create(\"host\", #{ volumes: [\"data:/d\"] })",
    "create_volume(\"data\")",
    "rmv(\"data\")",
    "import \"chaos\" as c; c::disturb([\"runs\"], #{ rounds: 1 })",
];

#[test]
fn it_only_looks_at_what_others_made() {
    needs_root!();
    let engine = TestEngine::new();
    let outside = engine.root().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("key"), "host's own").unwrap();
    let volume = format!("{}:/h", outside.display());
    engine.ok(&["run", "-d", "--name", "runs", "-v", &volume, "host", "sleep", "1000"]);
    engine.ok(&["create", "--name", "rests", "-v", &volume, "-v", "data:/d", "host", "sleep", "9"]);
    for call in ACTS_ON_OTHERS {
        let ran = run(
            &engine,
            &[],
            &format!("try {{ {call}; }} catch (e) {{ print(e.kind); throw e; }}"),
        );
        assert_eq!((ran.code, ran.out.as_str()), (1, "denied\n"), "{call}: {}", ran.err);
        assert!(ran.err.contains(" was not created by this script"), "{call}: {}", ran.err);
        assert!(
            ran.err.contains("= hint: with --untrusted a script changes only its own"),
            "{call}: {}",
            ran.err
        );
    }
    assert_eq!(std::fs::read_dir(&outside).unwrap().count(), 1);
    let states = ["ps", "-a", "--format", "{{.Names}} {{.State}}"];
    assert_eq!(engine.ok(&states), "rests created\nruns running");
    let ran = run(
        &engine,
        &[],
        r#"print(ps().len()); print(inspect("runs").State.Status); print(container("rests").status);
           print(stats("runs").pids > 0); print(volume("data").name);
           scope(|| {
               let c = run("host", "sleep 100", #{ name: "own", init: true, volumes: ["mine:/m"] });
               let d = run("host", "sleep 100", #{ network: "container:own", init: true });
               c.write_file("/m/x", "kept"); print(c.exec("cat /m/x").out);
               c.pause().unpause().rename("other"); c.restart(0).stop(0).start(); c.diff();
               print(c.commit("looked-at:1").tags); print(c.logs().text);
               for n in parallel([1, 2], |n| run("host", "true", #{ rm: true }).wait()) { print(n) }
           });
           rmv("mine"); print(ps().len());"#,
    );
    let expected = "1\nrunning\ncreated\ntrue\ndata\nkept\n[\"looked-at:1\"]\n\n0\n0\n1\n";
    assert_eq!((ran.code, ran.out.as_str()), (0, expected), "{}", ran.err);
}

#[test]
fn its_flags_count_before_a_file_and_a_text_too() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = engine.root().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let reads = write("reads.rhai", "print(args()); read_text(\"/etc/hostname\")");
    let plain = write("plain", "#!/usr/bin/env lifebox\nread_text(\"/etc/hostname\")");
    for words in [
        &["--untrusted", &reads, "--timeout"][..],
        &["--max-ops=1000", "--untrusted", "--root", engine.root().to_str().unwrap(), &plain],
        &["--untrusted", "-e", "read_text(\"/etc/hostname\")"],
    ] {
        let ran = engine.run(words);
        assert_eq!(ran.code, 1, "{words:?}");
        assert!(ran.err.contains("not in the script's folder"), "{words:?}: {}", ran.err);
    }
    let endless = write("endless.rhai", "loop { sleep(1) }");
    assert_eq!(engine.run(&["--timeout", "0.2s", &endless]).code, 124);
    assert!(
        engine
            .fails(&["--max-ops", "1000", "-e", "loop {}"], 1)
            .contains("operation limit reached (1000)")
    );
    let greedy = "let text = \"x\"; loop { text += text; }";
    assert_eq!(engine.run(&["--max-memory", "64m", "-e", greedy]).code, 137);
    for (words, why) in [
        (&["--untrusted", "ps"][..], "--untrusted is only allowed with a script"),
        (&["--timeout", "1s", "ps"], "--timeout is only allowed with a script"),
        (&["--max-ops", "5"], "--max-ops is only allowed with a script"),
        (&["--max-memory"], "--max-memory needs a size"),
        (&["--timeout", "soon", "-e", "1"], "--timeout"),
        (&["--max-memory", "much", "-e", "1"], "--max-memory"),
        (&["--max-ops", "many", "-e", "1"], "invalid --max-ops value `many`"),
    ] {
        let error = engine.fails(words, 1);
        assert!(error.contains(why) && !error.contains("--help"), "{words:?}: {error}");
    }
}

#[test]
fn its_time_and_operations_are_limited_unless_said_otherwise() {
    needs_root!();
    let engine = TestEngine::new();
    let ran = run(&engine, &["--timeout", "0.2s"], "loop { sleep(1) }");
    assert_eq!(ran.code, 124, "{}", ran.err);
    let ran = run(&engine, &["--max-ops", "1000"], "loop { }");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("operation limit reached (1000)"), "{}", ran.err);
}
