//! `script --untrusted`: what a script that nobody trusts may do.

use std::time::{Duration, Instant};

use crate::harness::{Engine, PATIENCE, Ran, until};
use crate::needs_root;

/// Runs a text as a script of a folder of its own, in which `inside` is a file.
fn run(engine: &Engine, flags: &[&str], text: &str) -> Ran {
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
    Ran::from(command.current_dir(&folder).output().unwrap())
}

#[test]
fn it_reaches_its_own_folder_and_no_other_file() {
    needs_root!("it_reaches_its_own_folder_and_no_other_file");
    let engine = Engine::new();
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
        assert!(ran.err.contains("not in the folder of the script"), "{call}: {}", ran.err);
    }
    assert!(!std::path::Path::new("/tmp/lifebox-test-out.tar").exists());
}

#[test]
fn a_build_of_it_reads_no_instructions_through_a_link_that_leads_out() {
    needs_root!("a_build_of_it_reads_no_instructions_through_a_link_that_leads_out");
    let engine = Engine::new();
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
        assert!(ran.err.contains("not in the folder of the script"), "{name}: {}", ran.err);
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
    needs_root!("it_makes_no_container_that_could_get_out");
    let engine = Engine::new();
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
        assert!(ran.err.contains("can get out"), "{options}: {}", ran.err);
    }
    let text = "let c = run(\"host\", \"sleep 9\", #{ init: true, rm: true }); defer(|| rm(c, #{ force: true }));
                c.exec(\"id\", #{ privileged: true });";
    let ran = run(&engine, &[], text);
    assert!(ran.err.contains("can get out"), "{}", ran.err);
    let ran = run(&engine, &[], "image_from_host([\"sh\"])");
    assert!(ran.err.contains("no image of programs of this machine"), "{}", ran.err);
    let caught =
        run(&engine, &[], "try { read_text(\"/etc/hostname\") } catch (e) { print(e.kind) }");
    assert_eq!(caught.out, "denied\n");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn it_asks_no_registry_and_reads_no_variable_of_its_caller() {
    needs_root!("it_asks_no_registry_and_reads_no_variable_of_its_caller");
    let engine = Engine::new();
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
        let said = "registries are not for a script that is not trusted";
        assert!(ran.err.contains(said), "{call}: {}", ran.err);
    }
    for call in [
        r#"print(env("PATH"))"#,
        r#"print(create("host", #{ env: ["A=1", "PATH"] }).env)"#,
        r#"print(run("host", "sleep 9", #{ rm: true }).exec("env", #{ env: ["PATH"] }).stdout)"#,
    ] {
        let ran = run(&engine, &[], call);
        assert_eq!(ran.code, 1, "{call}: {}", ran.out);
        assert!(ran.err.contains("`PATH` is of the environment"), "{call}: {}", ran.err);
    }
    let own = r#"print(create("host", #{ env: ["A=1"] }).env["A"]); print("host:latest" in image("host").tags);"#;
    let ran = run(&engine, &[], own);
    assert_eq!((ran.code, ran.out.as_str()), (0, "1\ntrue\n"), "{}", ran.err);
}

#[test]
fn it_ends_at_its_ceiling_of_memory_and_what_it_made_goes_with_it() {
    needs_root!("it_ends_at_its_ceiling_of_memory_and_what_it_made_goes_with_it");
    let engine = Engine::new();
    for greed in [
        "let all = []; loop { all.push(\"x\".to_upper() + all.len()); }",
        "let text = \"x\"; loop { text += text; }",
        "blob(1000000000000)",
        "let a = []; a.pad(100000000, 1);",
    ] {
        let begun = Instant::now();
        let text = format!("scope(|| {{ run(\"host\", \"sleep 1000\"); {greed} }});");
        let ran = run(&engine, &["--max-memory", "64m"], &text);
        assert_eq!(ran.code, 137, "{greed}: {}", ran.err);
        assert!(ran.err.contains("more memory than it may"), "{greed}: {}", ran.err);
        assert!(begun.elapsed() < Duration::from_secs(20), "{greed}");
        assert!(until(PATIENCE, || engine.ok(&["ps", "-aq"]).is_empty()), "{greed}");
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

#[test]
fn its_time_and_operations_are_limited_unless_said_otherwise() {
    needs_root!("its_time_and_operations_are_limited_unless_said_otherwise");
    let engine = Engine::new();
    let ran = run(&engine, &["--timeout", "0.2s"], "loop { sleep(1) }");
    assert_eq!(ran.code, 124, "{}", ran.err);
    let ran = run(&engine, &["--max-ops", "1000"], "loop { }");
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("as many operations as it may"), "{}", ran.err);
}
