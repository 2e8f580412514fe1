//! Images on the command line: brought in, listed, in use, removed.

use crate::harness::{TestEngine, fixture};
use crate::needs_root;

#[test]
fn both_kinds_of_archive_are_loaded() {
    let (docker, oci) = (TestEngine::empty(), TestEngine::empty());
    let loaded = docker.ok(&["load", "-i", &fixture("hundredcounter.docker.tar")]);
    assert_eq!(loaded, "Loaded image: hundredcounter:latest");
    oci.ok(&["load", "-q", "-i", &fixture("hundredcounter.oci.tar")]);
    let facts = ["-f", "{{json .Config.Env}} {{json .Config.Cmd}} {{len .RootFS.Layers}}"];
    let [one, other] = [&docker, &oci].map(|engine| {
        let id = engine.ok(&["images", "-q", "--no-trunc"]);
        assert!(id.starts_with("sha256:") && id.len() == 71, "{id}");
        engine.ok(&["image", "inspect", facts[0], facts[1], &id])
    });
    assert_eq!(one, other);
    let listed = docker.ok(&["images"]);
    let columns: Vec<&str> = listed.lines().next().unwrap().split("  ").map(str::trim).collect();
    let columns: Vec<&str> = columns.into_iter().filter(|name| !name.is_empty()).collect();
    assert_eq!(columns, ["REPOSITORY", "TAG", "IMAGE ID", "CREATED", "SIZE"]);
    // From a pipe as from a file, and a second time.
    let archive = std::fs::read(fixture("hundredcounter.docker.tar")).unwrap();
    let output = docker.run_with_input(&["load"], &archive);
    assert!(output.status.success(), "{output:?}");
    assert_eq!(docker.ok(&["images", "-q"]).lines().count(), 1);
}

#[test]
fn what_layers_hide_is_not_seen() {
    needs_root!();
    let engine = TestEngine::new();
    let listed = engine.ok(&["run", "--rm", "hundredcounter", "ls", "-A", "/app"]);
    assert!(listed.lines().any(|name| name == "script.sh"), "{listed}");
    assert!(!listed.contains(".wh."), "{listed}");
    assert_eq!(engine.run(&["run", "--rm", "hundredcounter", "ls", "/usr/share/doc"]).code, 1);
    assert_eq!(engine.ok(&["run", "--rm", "hundredcounter", "pwd"]), "/app");
}

#[test]
fn containers_of_an_image_do_not_see_each_others_files() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "one", "host", "sh", "-c", "echo mine > /mine; rm /bin/ls"]);
    let ran = engine.run(&["run", "--rm", "host", "cat", "/mine"]);
    assert_eq!(ran.code, 1, "{}", ran.out);
    engine.ok(&["run", "--rm", "host", "ls", "/"]);
}

#[test]
fn an_image_in_use_stays() {
    needs_root!();
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine.ok(&["run", "-d", "--name", "user", "hundredcounter", "sleep", "300"]);
    let refused = engine.fails(&["rmi", "hundredcounter"], 1);
    assert!(refused.contains("`user`") && refused.contains("hint: "), "{refused}");
    let running = engine.fails(&["rmi", "-f", "hundredcounter"], 1);
    assert!(running.contains("running container `user`"), "{running}");
    engine.ok(&["kill", "user"]);
    engine.ok(&["rmi", "-f", "hundredcounter"]);
    engine.ok(&["start", "user"]);
    assert_eq!(engine.status("user"), "running", "it keeps its layers");
    engine.ok(&["rm", "-f", "user"]);
    assert_eq!(engine.ok(&["images", "-q"]), "");
}

#[test]
fn an_image_that_nobody_uses_goes_with_its_files() {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    let said = engine.ok(&["rmi", "hundredcounter"]);
    assert!(said.contains("Untagged: hundredcounter:latest"), "{said}");
    assert!(said.contains("Deleted: sha256:"), "{said}");
    for kind in ["layers", "blobs/sha256", "staging"] {
        let left = std::fs::read_dir(engine.root().join("images").join(kind)).unwrap().count();
        assert_eq!(left, 0, "{kind}");
    }
}

#[test]
fn an_image_without_layers_runs_what_is_mounted_or_copied_there() {
    needs_root!();
    let engine = TestEngine::empty();
    let config =
        r#"{"os":"linux","rootfs":{"type":"layers","diff_ids":[]},"config":{"Cmd":["/x"]}}"#;
    let listed = r#"[{"Config":"c.json","RepoTags":["empty:1"],"Layers":[]}]"#;
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in [("c.json", config), ("manifest.json", listed)] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    let loaded = engine.run_with_input(&["load"], &archive.into_inner().unwrap());
    assert!(loaded.status.success(), "{loaded:?}");
    let ran = engine.run(&["run", "--name", "nothing", "empty:1"]);
    assert_eq!(ran.code, 127, "{}", ran.err);
    assert!(ran.err.contains("`/x`: no such file"), "{}", ran.err);
    engine.ok(&["rm", "nothing"]);
    engine.ok(&["system", "check"]);
}
