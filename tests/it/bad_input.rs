//! What cannot be done is said once, by name, with a way out, and leaves nothing behind.

use std::process::Command;

use crate::harness::{CommandOutput, TestEngine, fixture};
use crate::needs_root;

/// Runs a command that must fail; exactly one line says why, and nothing panics.
#[track_caller]
fn check(engine: &TestEngine, words: &[&str], code: i32, names: &[&str]) -> String {
    let ran = engine.run(words);
    assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
    printed(&ran, names);
    ran.err
}

#[track_caller]
fn printed(ran: &CommandOutput, names: &[&str]) {
    let errors = ran.err.lines().filter(|line| line.starts_with("error: ")).count();
    assert_eq!(errors, 1, "{}", ran.err);
    for name in names {
        assert!(ran.err.contains(name), "{name} is not named: {}", ran.err);
    }
    for word in ["panicked", "unwrap", "RUST_BACKTRACE", "Os {", "Error {"] {
        assert!(!ran.err.contains(word), "{}", ran.err);
    }
}

/// What is below the root, other than the images.
fn containers(engine: &TestEngine) -> Vec<String> {
    let kinds = ["containers", "staging", "removing", "names"];
    let entries = kinds.iter().flat_map(|kind| std::fs::read_dir(engine.root().join(kind)));
    let names = entries.flatten().flatten().map(|entry| entry.file_name());
    names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name != ".lock").collect()
}

#[test]
fn a_wrong_word_is_named_with_the_way_out() {
    needs_root!();
    let engine = TestEngine::new();
    let hinted: [(&str, i32, &[&str]); 25] = [
        ("run nosuch", 125, &["`nosuch`", "`images`"]),
        ("create nosuch", 1, &["`nosuch`"]),
        ("logs nosuch", 1, &["nosuch", "`ps -a`"]),
        ("pause nosuch", 1, &["nosuch", "`ps -a`"]),
        ("rm nosuch", 1, &["nosuch"]),
        ("rename nosuch other", 1, &["nosuch"]),
        ("rmi nosuch", 1, &["`nosuch`"]),
        ("inspect nosuch", 1, &["`nosuch`"]),
        ("image inspect nosuch", 1, &["`nosuch`"]),
        ("container inspect host", 1, &["host"]),
        ("strat web", 1, &["`strat`", "`start`"]),
        ("image lss", 1, &["`lss`", "`ls`"]),
        ("ps --al", 125, &["--al", "`--all`"]),
        ("image ls --xyzzy", 125, &["--xyzzy", "`lifebox image ls --help`"]),
        ("run --naem web host", 125, &["--naem", "`--name`"]),
        ("create -v /a:/b:odd host", 1, &["odd"]),
        ("run --network bridge host", 125, &["`bridge`", "network"]),
        ("run --name ? host", 125, &["`?`"]),
        ("run --name a host", 125, &["`a`"]),
        ("kill -s FOO nosuch", 1, &["`FOO`"]),
        ("kill -s 0 nosuch", 1, &["`0`"]),
        ("stop -t soon nosuch", 125, &["`soon`", "--timeout"]),
        ("logs --since soon nosuch", 1, &["`soon`"]),
        ("ps --filter colour=red", 1, &["`colour`"]),
        ("ps --format {{.Nosuch}}", 1, &["Nosuch"]),
    ];
    for (line, code, names) in hinted {
        let words: Vec<&str> = line.split(' ').collect();
        let err = check(&engine, &words, code, names);
        assert!(err.contains("hint: "), "{line}: {err}");
    }
    let plain: [(&str, i32, &[&str]); 5] = [
        ("run -w relative host", 125, &["`relative`"]),
        ("run -e =x host", 125, &["=x"]),
        ("run --env-file /no/such host", 125, &["`/no/such`"]),
        ("inspect -f {{.Id host", 64, &["template"]),
        ("nosuch.rhai", 1, &["`nosuch.rhai`"]),
    ];
    for (line, code, names) in plain {
        check(&engine, &line.split(' ').collect::<Vec<_>>(), code, names);
    }
    assert_eq!(containers(&engine), Vec::<String>::new());
}

#[test]
fn a_program_that_cannot_run_has_dockers_code() {
    needs_root!();
    let engine = TestEngine::new();
    check(&engine, &["run", "--rm", "host", "nosuch"], 127, &["`nosuch`", "hint: "]);
    check(&engine, &["run", "--rm", "host", "/no/such"], 127, &["`/no/such`"]);
    check(&engine, &["run", "--rm", "host", "/etc"], 126, &["`/etc`", "hint: "]);
    check(&engine, &["run", "--rm", "host", "/etc/hosts"], 126, &["`/etc/hosts`"]);
    assert_eq!(containers(&engine), Vec::<String>::new());
    // Without --rm it stays as one that never started, and says why.
    check(&engine, &["run", "--name", "box", "host", "nosuch"], 127, &["`box`"]);
    assert_eq!(engine.ps_status("box"), "Created");
    let state = engine.get("box", "{{.State.ExitCode}} {{.State.Error}}");
    assert!(state.starts_with("127 ") && state.contains("nosuch"), "{state}");
    assert_eq!(engine.leftovers(), Vec::<String>::new());
}

#[test]
fn archives_that_are_none_leave_no_image() {
    let engine = TestEngine::empty();
    let directory = tempfile::tempdir().unwrap();
    let whole = std::fs::read(fixture("hundredcounter.docker.tar")).unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = directory.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.to_string_lossy().into_owned()
    };
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 0xff;
    let directory = directory.path().to_string_lossy().into_owned();
    for path in [
        directory.clone(),
        format!("{directory}/missing.tar"),
        write("empty.tar", b""),
        write("text.tar", b"this is no archive\n"),
        write("zeros.tar", &[0; 10240]),
        write("cut.tar", &whole[..whole.len() / 2]),
        write("head.tar", &whole[..700]),
        write("flipped.tar", &flipped),
        write("gzip.tar.gz", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]),
    ] {
        check(&engine, &["load", "-i", &path], 1, &[&path]);
    }
    let output = engine.run_with_input(&["load"], &whole[..1000]);
    assert_eq!(output.status.code(), Some(1));
    printed(&CommandOutput::from(output), &["archive"]);
    assert_eq!(engine.ok(&["images", "-q"]), "");
    let staged = engine.root().join("images/staging");
    let staged = std::fs::read_dir(staged).into_iter().flatten().count();
    assert_eq!(staged, 0, "half an image is left");
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
}

#[test]
fn scripts_name_the_wrong_word_and_its_line() {
    needs_root!();
    let engine = TestEngine::new();
    for (text, names) in [
        (r#"create("host", #{ nmae: "x" })"#, &["`nmae`", "`name`"][..]),
        (r#"create("host", #{ name: 3 })"#, &["`name`", "a string", "got 3"]),
        (r#"create("nosuch")"#, &["`nosuch`", "`images`"]),
        (r#"start("nosuch")"#, &["nosuch", "`ps -a`"]),
        ("start(3)", &["a container", "a number"]),
        (r#"strat("web")"#, &["`strat`", "`start`"]),
        (r#"kill("nosuch", "FOO")"#, &["`FOO`"]),
        (r#"sleep("5 parsecs")"#, &["`5 parsecs`", "`500ms`"]),
        (r#"load("/no/such")"#, &["`/no/such`"]),
        ("let x = ;", &["syntax"]),
        ("print(nosuch)", &["`nosuch`"]),
    ] {
        let text = format!("// the first line\n{text}");
        let err = check(&engine, &["-e", &text], 1, names);
        assert!(err.contains(" --> -e:2:"), "{text}: {err}");
    }
    let caught = engine.script(
        r#"try { start("nosuch") } catch (e) { print(e.kind); print(e.message); }
           try { create("host", #{ name: "web" }).pause() } catch (e) { print(e.kind); print(e.status); }"#,
    );
    assert_eq!(caught, "not_found\nno such container: nosuch\nrefused\ncreated");
    engine.ok(&["rm", "web"]);
    assert_eq!(containers(&engine), Vec::<String>::new());
}

#[test]
fn a_root_that_is_none_is_named() {
    let engine = TestEngine::empty();
    let file = engine.root().join("file");
    std::fs::write(&file, "").unwrap();
    let file = file.to_string_lossy().into_owned();
    check(&engine, &["--root", &file, "ps"], 1, &[&file]);
    check(&engine, &["--root", &file, "create", "host"], 1, &[&file]);
    check(&engine, &["--root", "/proc/nosuch", "create", "host"], 1, &["/proc/nosuch"]);
    check(&engine, &["--root", "/proc/nosuch", "run", "host"], 125, &["/proc/nosuch"]);
}

/// The program run by a user without rights, from a copy that this user can reach.
fn as_nobody(engine: &TestEngine, words: &[&str]) -> CommandOutput {
    let place = tempfile::tempdir().unwrap();
    let everyone = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(place.path(), everyone).unwrap();
    let copy = place.path().join("lifebox");
    // By another process: were this one to write it, a test that forks at this moment would hold
    // it open for writing, and it could not be run.
    let copied = Command::new("cp").arg(crate::harness::LIFEBOX).arg(&copy).status().unwrap();
    assert!(copied.success());
    let model = engine.command(&[]);
    let mut command = Command::new(copy);
    command.args(words).envs(model.get_envs().filter_map(|(key, value)| Some((key, value?))));
    std::os::unix::process::CommandExt::uid(&mut command, 65534);
    std::os::unix::process::CommandExt::gid(&mut command, 65534);
    CommandOutput::from(command.output().unwrap())
}

#[test]
fn who_may_not_is_told_so() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "300"]);
    for (words, code) in [
        (&["ps"][..], 1),
        (&["stop", "box"], 1),
        (&["rm", "-f", "box"], 1),
        (&["images"], 1),
        (&["run", "host"], 125),
    ] {
        let ran = as_nobody(&engine, words);
        assert_eq!(ran.code, code, "{words:?}: {}{}", ran.out, ran.err);
        printed(&ran, &["belongs to user 0 (`root`)", "hint: ", "sudo lifebox"]);
    }
    assert_eq!(engine.status("box"), "running");
    // In a root of their own they may do all.
    let own = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(own.path(), Some(65534), Some(65534)).unwrap();
    let root = own.path().to_string_lossy().into_owned();
    let ran = as_nobody(&engine, &["--root", &root, "run", "--rm", "host", "true"]);
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(as_nobody(&engine, &["--root", &root, "ps", "-aq"]).out, "");
}

#[test]
fn a_read_only_root_is_still_read() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "box", "host"]);
    let root = engine.root().to_string_lossy().into_owned();
    let read_only = |words: &str| {
        let script = format!(
            "mount --bind {root} {root} && mount -o remount,bind,ro {root} && exec {} {words}",
            crate::harness::LIFEBOX
        );
        let model = engine.command(&[]);
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &script]);
        command.envs(model.get_envs().filter_map(|(key, value)| Some((key, value?))));
        CommandOutput::from(command.output().unwrap())
    };
    let ran = read_only("ps -a --format {{.Names}}");
    assert_eq!((ran.code, ran.out.as_str()), (0, "box\n"), "{}", ran.err);
    let ran = read_only("inspect --format {{.State.Status}} box");
    assert_eq!((ran.code, ran.out.as_str()), (0, "created\n"), "{}", ran.err);
    for (words, code) in [
        ("create --name other host", 1),
        ("run host true", 125),
        ("rm box", 1),
        ("start -a box", 1),
    ] {
        let ran = read_only(words);
        assert_eq!(ran.code, code, "{words}: {}{}", ran.out, ran.err);
        assert!(ran.err.to_lowercase().contains("read-only"), "{words}: {}", ran.err);
        assert!(!ran.err.contains("panicked"), "{}", ran.err);
    }
    assert_eq!(engine.ok(&["ps", "-a", "--format", "{{.Names}} {{.Status}}"]), "box Created");
}
