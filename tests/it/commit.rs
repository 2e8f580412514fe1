//! Containers as files: what they changed, images made of them, and their files in and out.

use std::path::Path;
use std::process::Command;

use crate::harness::{TIMEOUT, TestEngine, fixture, wait_until};
use crate::needs_root;

/// An engine with a store of its own, with `hundredcounter` (busybox) in it.
pub fn engine() -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine
}

const BASE: &str = "hundredcounter";

/// The names in a tar, by the machine's own tar.
fn names(archive: &Path) -> Vec<String> {
    let output = Command::new("tar").arg("-tf").arg(archive).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What is not finished leaves nothing in the store.
fn nothing_staged(engine: &TestEngine) {
    let left = std::fs::read_dir(engine.root().join("images/staging")).unwrap().count();
    assert_eq!(left, 0, "the staging directory is not empty");
}

#[test]
fn diff_shows_what_a_container_changed_and_nothing_else() {
    needs_root!();
    let engine = engine();
    engine.ok(&["create", "--name", "fresh", BASE]);
    assert_eq!(engine.ok(&["diff", "fresh"]), "");
    engine.ok(&["run", "--name", "idle", BASE, "true"]);
    assert_eq!(engine.ok(&["diff", "idle"]), "", "mount points are no changes");
    let script = "echo new > /app/new; rm /app/script.sh; mkdir -p /a/b; chmod 700 /bin; cd /tmp";
    engine.ok(&["run", "--name", "busy", BASE, "sh", "-c", script]);
    let expected = ["A /a", "A /a/b", "C /app", "A /app/new", "D /app/script.sh", "C /bin"];
    assert_eq!(engine.ok(&["container", "diff", "busy"]), expected.join("\n"));
    assert!(engine.fails(&["diff", "nobody"], 1).contains("no such container"));
    let shown = engine.script("for c in diff(\"busy\") { print(`${c.kind}:${c.path}`); }");
    assert!(shown.contains("D:/app/script.sh"), "{shown}");
}

#[test]
fn a_commit_is_the_container_as_an_image() {
    needs_root!();
    let engine = engine();
    let script = "echo kept > /kept; rm /app/script.sh; rm -r /etc; mkdir /etc; echo e > /etc/e";
    let run = ["run", "--name", "made", "-e", "OWN=1", BASE, "sh", "-c", script];
    engine.ok(&run);
    let id = engine.ok(&[
        "commit",
        "-a",
        "me",
        "-m",
        "a note",
        "-c",
        "CMD [\"cat\", \"/kept\"]",
        "-c",
        "ENV X=\"a b\" Y=2",
        "-c",
        "EXPOSE 80",
        "-c",
        "WORKDIR /tmp",
        "made",
        "made:1",
    ]);
    assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
    assert_eq!(engine.ok(&["images", "-q", "--no-trunc", "made:1"]), id);
    assert_eq!(engine.ok(&["run", "--rm", "made:1"]), "kept");
    let look = "echo $OWN $X $Y $(pwd); ls /app; ls /etc";
    let seen = engine.ok(&["run", "--rm", "made:1", "sh", "-c", look]);
    assert!(seen.starts_with("1 a b 2 /tmp"), "{seen}");
    assert!(!seen.contains("script.sh") && seen.contains("\ne"), "{seen}");
    let facts = "{{.Author}}|{{json .Config.ExposedPorts}}|{{len .RootFS.Layers}}";
    let base = engine.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}}", BASE]);
    let layers = base.parse::<u32>().unwrap() + 1;
    let shown = engine.ok(&["image", "inspect", "-f", facts, "made:1"]);
    assert_eq!(shown, format!("me|{{\"80/tcp\":{{}},\"8080/tcp\":{{}}}}|{layers}"));
    let history = engine.ok(&["history", "--no-trunc", "made:1"]);
    assert!(history.contains("a note") && history.contains("rm /app/script.sh"), "{history}");
    // Another one without changes has no layer more.
    engine.ok(&["create", "--name", "same", "made:1"]);
    engine.script("commit(\"same\", \"same:1\", #{ message: \"nothing\" })");
    let same = engine.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}}", "same:1"]);
    assert_eq!(same, layers.to_string());
}

#[test]
fn a_running_container_is_frozen_for_its_commit_and_runs_on() {
    needs_root!();
    let engine = engine();
    let count = "i=0; while :; do i=$((i+1)); echo $i > /count; done";
    engine.ok(&["run", "-d", "--name", "busy", BASE, "sh", "-c", count]);
    for (number, extra) in [&[][..], &["--pause=false"], &["--no-pause"]].iter().enumerate() {
        let name = format!("busy:{number}");
        let words = [&["commit"][..], extra, &["busy", &name]].concat();
        engine.ok(&words);
        assert_eq!(engine.status("busy"), "running");
        let seen = engine.ok(&["run", "--rm", &name, "sh", "-c", "test -e /count && echo there"]);
        assert_eq!(seen, "there");
    }
    engine.ok(&["pause", "busy"]);
    engine.ok(&["commit", "busy", "paused"]);
    assert_eq!(engine.status("busy"), "paused", "who was paused stays so");
}

#[test]
fn changes_see_the_variables_of_the_image_and_of_the_changes_before() {
    needs_root!();
    let engine = engine();
    engine.ok(&["create", "--name", "cc", "-e", "WHO=you", "-e", "PATH=/bin", BASE]);
    let changes = ["-c", "ENV PATH=/opt:$PATH", "-c", "ENV P=${PATH}:/end", "-c", "LABEL who=$WHO"];
    engine.ok(&[&["commit"], &changes[..], &["cc", "changed"]].concat());
    let env = engine.ok(&["image", "inspect", "-f", "{{json .Config.Env}}", "changed"]);
    assert!(env.contains("\"PATH=/opt:/bin\"") && env.contains("\"P=/opt:/bin:/end\""), "{env}");
    let format = "{{.Config.Labels.who}}";
    assert_eq!(engine.ok(&["image", "inspect", "-f", format, "changed"]), "you");
    let tar = tempfile::tempdir().unwrap();
    let tar = tar.path().join("root.tar");
    engine.ok(&["export", "-o", tar.to_str().unwrap(), "cc"]);
    let changes = ["-c", "ENV A=1", "-c", "ENV B=$A$NONE-2"];
    engine.ok(&[&["import"], &changes[..], &[tar.to_str().unwrap(), "imported"]].concat());
    let env = engine.ok(&["image", "inspect", "-f", "{{json .Config.Env}}", "imported"]);
    assert_eq!(env, r#"["A=1","B=1-2"]"#);
}

#[test]
fn what_cannot_be_committed_is_refused_in_words() {
    needs_root!();
    let engine = engine();
    engine.ok(&["create", "--name", "cc", BASE]);
    let refused = |arguments: &[&str], said: &str| {
        let words = [&["commit"], arguments].concat();
        let error = engine.fails(&words, 1);
        assert!(error.contains(said), "{arguments:?}: {error}");
    };
    refused(&["-c", "RUN echo", "cc"], "not a valid change command");
    refused(&["-c", "FOO", "cc"], "unknown instruction: FOO");
    refused(&["-c", "EXPOSE no", "cc"], "invalid containerPort: no");
    refused(&["-c", "STOPSIGNAL no", "cc"], "invalid signal");
    refused(&["cc", "Bad"], "lower");
    let digest = format!("a@sha256:{}", "a".repeat(64));
    refused(&["cc", &digest], "refusing to create a tag with a digest reference");
    refused(&["nobody"], "no such container");
    engine.ok(&["rmi", "-f", BASE]);
    refused(&["cc", "x"], "its image was removed");
    assert_eq!(engine.ok(&["images", "-aq"]), "");
    nothing_staged(&engine);
}

#[test]
fn a_container_leaves_as_a_tar_and_comes_back_as_an_image() {
    needs_root!();
    let engine = engine();
    let script = "echo out > /out; rm /app/script.sh; chown 5:6 /out; chmod 4755 /out";
    engine.ok(&["run", "--name", "cc", BASE, "sh", "-c", script]);
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    engine.ok(&["export", "-o", &at("c.tar"), "cc"]);
    let found = names(Path::new(&at("c.tar")));
    assert!(found.contains(&"out".to_owned()) && found.contains(&"app/".to_owned()), "{found:?}");
    assert!(!found.iter().any(|name| name.contains(".wh.") || name == "app/script.sh"));
    let piped = engine.run_with_input(&["export", "cc"], b"");
    assert!(piped.stdout == std::fs::read(at("c.tar")).unwrap(), "a pipe gets the same bytes");
    for (program, file) in [("gzip", "c.tar.gz"), ("zstd", "c.tar.zst")] {
        let compressed = Command::new(program).arg("-qc").arg(at("c.tar")).output();
        match compressed {
            Ok(output) if output.status.success() => {
                std::fs::write(at(file), output.stdout).unwrap();
            }
            _ => {
                eprintln!("LEFT OUT: importing what {program} compressed, for it is not here");
                continue;
            }
        }
        let change = "CMD [\"cat\", \"/out\"]";
        let id = engine.ok(&["import", "-c", change, "-m", "mine", &at(file), "flat:1"]);
        assert_eq!(engine.ok(&["run", "--rm", &id]), "out");
    }
    let stat = engine.ok(&["run", "--rm", "flat:1", "stat", "-c", "%u:%g %a", "/out"]);
    assert_eq!(stat, "5:6 4755");
    let layers =
        engine.ok(&["image", "inspect", "-f", "{{len .RootFS.Layers}} {{.Comment}}", "flat:1"]);
    assert_eq!(layers, "1 mine");
    let tar = std::fs::read(at("c.tar")).unwrap();
    let output = engine.run_with_input(&["import", "-", "piped"], &tar);
    assert!(output.status.success(), "{output:?}");
    assert!(engine.fails(&["run", "--rm", "piped"], 125).contains("no command specified"));
    let script = format!(
        "let i = import_tar({:?}, #{{ tag: \"s:1\", cmd: \"pwd\", env: #{{ A: 1 }}, workdir: \"/bin\" }}); \
         let c = run(i); c.wait(); print(c.logs()); print(i.env); export_tar(c, {:?});",
        at("c.tar"),
        at("again.tar")
    );
    assert_eq!(engine.script(&script), "/bin\n#{\"A\": \"1\"}");
    assert_eq!(names(Path::new(&at("again.tar"))).len(), found.len());
}

#[test]
fn what_is_no_root_file_system_is_not_imported() {
    let engine = TestEngine::empty();
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_string_lossy().into_owned();
    std::fs::write(at("text"), "x".repeat(2000)).unwrap();
    assert!(engine.fails(&["import", &at("text")], 1).contains("not a tar archive"));
    assert!(engine.fails(&["import", &at("none")], 1).contains("no such file"));
    assert!(engine.fails(&["import", "http://x/y.tar"], 1).contains("URLs are not supported"));
    assert!(
        engine.fails(&["import", "--platform", "windows/x", &at("text")], 1).contains("windows")
    );
    let mut tar = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    header.as_gnu_mut().unwrap().name[..7].copy_from_slice(b"../evil");
    header.set_cksum();
    tar.append(&header, std::io::empty()).unwrap();
    std::fs::write(at("evil.tar"), tar.into_inner().unwrap()).unwrap();
    assert!(engine.fails(&["import", &at("evil.tar")], 1).contains(".."));
    nothing_staged(&engine);
    assert_eq!(engine.ok(&["images", "-aq"]), "");
}

#[test]
fn an_export_that_fails_leaves_no_file() {
    needs_root!();
    let engine = engine();
    engine.ok(&["create", "--name", "cc", BASE]);
    let place = tempfile::tempdir().unwrap();
    let target = place.path().join("no/such/directory/c.tar");
    assert!(
        engine
            .fails(&["export", "-o", target.to_str().unwrap(), "cc"], 1)
            .contains("there is no directory")
    );
    let target = place.path().join("c.tar");
    std::fs::write(&target, "old").unwrap();
    engine.fails(&["export", "-o", target.to_str().unwrap(), "nobody"], 1);
    assert_eq!(std::fs::read(&target).unwrap(), b"old");
    engine.ok(&["export", "-o", "/dev/null", "cc"]);
}

#[test]
fn a_container_that_works_against_it_cannot_spoil_an_export() {
    needs_root!();
    let engine = engine();
    // Files grow, shrink, vanish and become links and directories, all the time.
    let work = "mkdir /w; cd /w; echo ready; while :; do \
        dd if=/dev/zero of=big bs=64k count=8 2>/dev/null; : > big; echo x > a; ln -sf /etc/passwd b; \
        rm -rf a b; mkdir a; echo y > a/y; ln -s / b; rm -rf a b; mkfifo a; rm a; done";
    engine.ok(&["run", "-d", "--name", "wild", BASE, "sh", "-c", work]);
    engine.wrote("wild", "ready");
    let place = tempfile::tempdir().unwrap();
    for number in 0..20 {
        let target = place.path().join(format!("{number}.tar"));
        engine.ok(&["export", "-o", target.to_str().unwrap(), "wild"]);
        let found = names(&target);
        assert!(found.contains(&"app/script.sh".to_owned()), "{found:?}");
        std::fs::remove_file(target).unwrap();
    }
    engine.ok(&["commit", "--pause=false", "wild", "wild:1"]);
    engine.ok(&["run", "--rm", "wild:1", "ls", "/w"]);
}

#[test]
fn a_container_removed_while_it_is_committed_is_no_image() {
    needs_root!();
    let engine = engine();
    let work = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); echo x > /f$i; done";
    engine.ok(&["run", "--name", "many", BASE, "sh", "-c", work]);
    let mut child = engine.spawn(&["commit", "many", "many:1"]);
    let staging = engine.root().join("images/staging");
    let begun = wait_until(TIMEOUT, || {
        std::fs::read_dir(&staging).unwrap().next().is_some() || child.try_wait().unwrap().is_some()
    });
    assert!(begun);
    engine.ok(&["rm", "-f", "many"]);
    let output = child.wait_with_output().unwrap();
    // Either it was whole before, or there is none.
    if output.status.success() {
        let look = "ls / | grep -c '^f'";
        assert_eq!(engine.ok(&["run", "--rm", "many:1", "sh", "-c", look]), "3000");
    } else {
        assert_eq!(engine.ok(&["images", "-q", "many"]), "");
    }
    nothing_staged(&engine);
}
