//! Input of strangers that is large: the work grows with it, not with its square. Each of these
//! took minutes or hours; the harness gives them half a minute.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::harness::{
    CommandOutput, TIMEOUT, TestEngine, ran_to_its_end, signal, wait_for_exit, wait_until,
};
use crate::needs_root;

/// Runs a command that must succeed soon.
#[track_caller]
fn soon(engine: &TestEngine, arguments: &[&str]) -> CommandOutput {
    let ran = ran_to_its_end(engine.spawn(arguments));
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran
}

/// Writes an env file of this many variables.
fn variables(path: &Path, letter: &str, count: usize) -> String {
    let lines: Vec<String> = (0..count).map(|n| format!("{letter}{n}=x")).collect();
    fs::write(path, lines.join("\n")).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn an_ignore_file_over_a_deep_context_is_read_once() {
    needs_root!();
    let engine = TestEngine::empty();
    let context = tempfile::tempdir().unwrap();
    let deepest = context.path().join("d/".repeat(1000));
    fs::create_dir_all(&deepest).unwrap();
    for name in ["zz", "kept"] {
        fs::write(deepest.join(name), "x").unwrap();
    }
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY d /d\nCMD [\"x\"]").unwrap();
    fs::write(context.path().join(".dockerignore"), "**/zz\n**/q/*\n!**/q/kept\n").unwrap();
    let context_path = context.path().to_str().unwrap();
    let image = soon(&engine, &["build", "-q", context_path]).out;
    engine.ok(&["create", "--name", "cc", image.trim()]);
    let files = engine.root().join("files.tar");
    engine.ok(&["export", "-o", files.to_str().unwrap(), "cc"]);
    let listed = Command::new("tar").arg("-tf").arg(files).output().unwrap();
    let listed = String::from_utf8_lossy(&listed.stdout).into_owned();
    assert!(listed.contains("d/d/d/kept") && !listed.contains("zz"), "{}", listed.len());
    // The standard library would hold a descriptor for each level.
    assert!(
        Command::new("rm").arg("-rf").arg(context.path().join("d")).status().unwrap().success()
    );
}

#[test]
fn ctrl_c_ends_a_build_within_one_endless_file() {
    needs_root!();
    let engine = TestEngine::empty();
    let context = tempfile::tempdir().unwrap();
    let big = fs::File::create(context.path().join("big")).unwrap();
    big.set_len(1 << 40).unwrap();
    fs::write(context.path().join("Dockerfile"), "FROM scratch\nCOPY big /").unwrap();
    let mut process = engine.spawn(&["build", context.path().to_str().unwrap()]);
    let descriptors = format!("/proc/{}/fd", process.id());
    let reads = || {
        let open = fs::read_dir(&descriptors).into_iter().flatten().flatten();
        open.filter_map(|entry| fs::read_link(entry.path()).ok()).any(|file| file.ends_with("big"))
    };
    assert!(wait_until(TIMEOUT, reads));
    signal(process.id(), Signal::INT);
    assert!(wait_for_exit(&mut process, TIMEOUT).is_some(), "it goes on");
    let ran = CommandOutput::from(process.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{}", ran.err);
    assert_eq!(engine.ok(&["images", "-aq"]), "");
    let staging = fs::read_dir(engine.root().join("images/staging")).into_iter().flatten();
    assert_eq!(staging.count(), 0);
}

#[test]
fn many_variables_are_merged_and_derived_at_once() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = tempfile::tempdir().unwrap();
    let first = variables(&folder.path().join("first"), "A", 20_000);
    let second = variables(&folder.path().join("second"), "B", 20_000);
    soon(&engine, &["run", "-d", "--name", "cc", "--env-file", &first, "host", "sleep", "100"]);
    let program = "echo $A19999 $B19999 $LAST";
    let exec = ["exec", "-e", "LAST=y", "--env-file", &second, "cc", "sh", "-c", program];
    assert_eq!(soon(&engine, &exec).out, "x x y\n");
    // Into a file: it is more than a pipe holds.
    let printed = folder.path().join("printed");
    let mut command = engine.command(&["docker", "cc"]);
    command.stdout(fs::File::create(&printed).unwrap()).stderr(Stdio::piped());
    assert_eq!(ran_to_its_end(command.spawn().unwrap()).code, 0);
    let command = fs::read_to_string(&printed).unwrap();
    assert_eq!(command.matches("--env A").count(), 20_000);
}

#[test]
fn a_dockerfile_of_many_arguments_variables_and_stages_is_built_at_once() {
    needs_root!();
    let engine = TestEngine::empty();
    let context = tempfile::tempdir().unwrap();
    let lines = |line: &dyn Fn(usize) -> String, end: &str| {
        (0..40_000).map(line).collect::<Vec<_>>().join(end)
    };
    let text = [
        lines(&|n| format!("ARG G{n}=$G0"), "\n"),
        "FROM scratch AS s0".to_owned(),
        format!("ENV A=1\nENV {}", lines(&|n| format!("E{n}=$A"), " \\\n")),
        format!("ARG {}", lines(&|n| format!("L{n}=$L0"), " ")),
        "ENV B=$E39999$L39999".to_owned(),
        lines(&|n| format!("FROM nosuch{n} AS t{n}"), "\n"),
        "FROM s0\nCMD [\"x\"]\n".to_owned(),
    ];
    fs::write(context.path().join("Dockerfile"), text.join("\n")).unwrap();
    let image = soon(&engine, &["build", "-q", context.path().to_str().unwrap()]).out;
    let env = engine.ok(&["inspect", "--format", "{{json .Config.Env}}", image.trim()]);
    assert!(env.contains("\"E39999=1\",\"B=1\"]"), "{}", env.len());
}

#[test]
fn an_archives_entry_below_many_missing_directories_is_unpacked_at_once() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    let archive = folder.path().join("deep.tar");
    let mut tar = tar::Builder::new(fs::File::create(&archive).unwrap());
    for name in ["a", "b"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(0);
        header.set_mode(0o644);
        let path = format!("{name}/{}f", "d/".repeat(1500));
        tar.append_data(&mut header, path, &b""[..]).unwrap();
    }
    tar.into_inner().unwrap();
    soon(&engine, &["import", archive.to_str().unwrap(), "deep:1"]);
}

#[test]
fn the_order_of_a_long_chain_of_services_is_found_at_once() {
    needs_root!();
    let engine = TestEngine::empty();
    let script = "import \"stack\" as stack; let services = #{ s0: #{} }; \
        for n in 1..800 { services[`s${n}`] = #{ depends_on: [`s${n - 1}`] }; } \
        print(stack::order(services).len()); \
        services.s0.depends_on = [\"s799\"]; \
        try { stack::order(services); } catch (e) { print(e.message.len() > 800); }";
    assert_eq!(soon(&engine, &["-e", script]).out, "800\ntrue\n");
}

#[test]
fn a_compose_file_with_a_long_env_file_is_read_at_once() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..2000)
        .map(|n| format!("P{n}=${{P0}}\nQ{n}='a\nb'\nR{n}=\"x$$y ${{NO:-${{P0}}}}\""))
        .collect();
    fs::write(folder.path().join("env"), format!("P0=1\n{}\n", lines.join("\n"))).unwrap();
    let dollars = "$$".repeat(20_000);
    let compose = format!(
        "services:\n  web:\n    image: host\n    env_file: env\n    labels:\n      l: \"{dollars}\"\n"
    );
    let file = folder.path().join("compose.yaml");
    fs::write(&file, compose).unwrap();
    let script = format!(
        "import \"compose\" as compose; let web = compose::services(\"{}\", #{{}}).web; \
         print(web.env.len()); print(web.env.R1999); print(web.env.Q1999 == \"a\\nb\"); \
         print(web.labels.l.len())",
        file.display()
    );
    assert_eq!(soon(&engine, &["-e", &script]).out, "6000\nx$y 1\ntrue\n20000\n");
}
