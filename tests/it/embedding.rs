//! The programs of `examples/`: each does what it says on an engine of its own and leaves nothing.

use std::path::Path;

use crate::harness::{CommandOutput, LIFEBOX, TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// Runs a program of `examples/` to its end; nothing must be left of it.
#[track_caller]
fn example(engine: &TestEngine, name: &str, arguments: &[&str]) -> CommandOutput {
    let program = Path::new(LIFEBOX).with_file_name("examples").join(name);
    assert!(program.is_file(), "`cargo build --examples` builds {}", program.display());
    let mut command = engine.shell(program.to_str().unwrap());
    let ran = CommandOutput::from(command.args(arguments).output().unwrap());
    assert_eq!(engine.ok(&["ps", "-aq"]), "", "{name}: {ran:?}");
    // A monitor exits a moment after it has answered.
    wait_until(TIMEOUT, || engine.leftovers().is_empty());
    assert_eq!(engine.leftovers(), Vec::<String>::new(), "{name}: {ran:?}");
    ran
}

/// As [`example`], for one that must succeed. Returns what it printed.
#[track_caller]
fn ok(engine: &TestEngine, name: &str, arguments: &[&str]) -> String {
    let ran = example(engine, name, arguments);
    assert_eq!(ran.code, 0, "{name} {arguments:?}\n{}{}", ran.out, ran.err);
    ran.out
}

#[test]
fn an_embedder_runs_a_container_and_gets_its_output_and_exit_code() {
    needs_root!();
    let engine = TestEngine::new();
    assert_eq!(ok(&engine, "run", &["echo", "hello"]), "hello\n");
    let ran = example(&engine, "run", &["sh", "-c", "echo no >&2; exit 3"]);
    assert_eq!((ran.code, ran.out.as_str(), ran.err.as_str()), (3, "", "no\n"));
    let ran = example(&engine, "run", &["no-such-program"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.starts_with("error: ") && ran.err.contains("no-such-program"), "{}", ran.err);
}

#[test]
fn an_embedder_waits_until_a_container_is_ready() {
    needs_root!();
    let printed = ok(&TestEngine::new(), "wait_for", &[]);
    let time = printed.strip_prefix("ready after ").and_then(|rest| rest.strip_suffix(" ms\n"));
    let time: u64 = time.unwrap().parse().unwrap();
    assert!((300..10_000).contains(&time), "{printed}");
}

#[test]
fn an_embedder_builds_an_image() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = engine.root().join("app");
    std::fs::create_dir(&folder).unwrap();
    let file = "FROM host\nRUN echo built > /built\nCMD [\"cat\", \"/built\"]\n";
    std::fs::write(folder.join("Dockerfile"), file).unwrap();
    let printed = ok(&engine, "build", &[folder.to_str().unwrap(), "app:1"]);
    let id = engine.ok(&["inspect", "--format", "{{.Id}}", "app:1"]);
    assert_eq!(printed, format!("built {id}\n"));
    assert_eq!(engine.ok(&["run", "--rm", "app:1"]), "built");
}

#[test]
fn an_embedder_runs_a_script_and_takes_its_output() {
    needs_root!();
    let engine = TestEngine::new();
    let script = engine.root().join("hello.rhai");
    let text = r#"let c = create("host", #{ cmd: ["echo", `hello ${args()[0]}`] });
defer(|| rm(c));
print(c.start().wait());
print(logs(c));
"#;
    std::fs::write(&script, text).unwrap();
    let printed = ok(&engine, "script", &[script.to_str().unwrap(), "there"]);
    assert_eq!(printed, "script: 0\nscript: hello there\n");
    std::fs::write(&script, "start(\"nothing\")").unwrap();
    let ran = example(&engine, "script", &[script.to_str().unwrap()]);
    assert_eq!((ran.code, ran.out.as_str()), (1, ""));
    assert!(ran.err.contains("no such container: nothing"), "{}", ran.err);
}
