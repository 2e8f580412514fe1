//! Images written for other engines: skopeo reads what `save` wrote and writes what `load` reads.

use std::path::Path;
use std::process::Command;

use crate::harness::{TestEngine, fixture};
use crate::needs_root;

/// Runs skopeo; `None`, said loudly, where this machine has none.
fn skopeo(test: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new("skopeo").arg("--insecure-policy").args(arguments).output();
    let Ok(output) = output else {
        eprintln!("LEFT OUT: {test} needs skopeo");
        return None;
    };
    assert!(output.status.success(), "skopeo {arguments:?}: {output:?}");
    Some(String::from_utf8(output.stdout).unwrap())
}

fn path(engine: &TestEngine, name: &str) -> String {
    engine.root().join(name).display().to_string()
}

/// An engine with the fixture whose layers are compressed.
fn engine() -> TestEngine {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.oci.tar")]);
    engine
}

#[test]
fn skopeo_reads_every_format_that_save_writes() {
    let test = "skopeo_reads_every_format_that_save_writes";
    let engine = engine();
    let id = engine.ok(&["images", "-q", "--no-trunc"]);
    let archive = path(&engine, "saved");
    for (format, transport, compress) in [
        ("docker", "docker-archive", None),
        ("docker", "docker-archive", Some("--compress=zstd")),
        ("oci", "oci-archive", None),
        ("oci", "oci-archive", Some("--compress=zstd")),
        ("oci-dir", "oci", None),
    ] {
        if Path::new(&archive).exists() {
            std::fs::remove_file(&archive).unwrap();
        }
        let mut words = vec!["save", "--format", format, "-o", &archive];
        words.extend(compress);
        words.push("hundredcounter");
        engine.ok(&words);
        let copy = path(&engine, "copy");
        let from = format!("{transport}:{archive}");
        let Some(_) = skopeo(test, &["copy", "-q", &from, &format!("dir:{copy}")]) else { return };
        let manifest = std::fs::read_to_string(format!("{copy}/manifest.json")).unwrap();
        assert!(manifest.contains(&id), "{format}: the image keeps its id: {manifest}");
        std::fs::remove_dir_all(&copy).unwrap();
    }
}

#[test]
fn digests_survive_from_skopeo_through_the_store_and_back() {
    let test = "digests_survive_from_skopeo_through_the_store_and_back";
    let engine = engine();
    let saved = path(&engine, "saved.tar");
    engine.ok(&["save", "--format", "oci", "-o", &saved, "hundredcounter"]);
    let ask =
        |archive: &str| skopeo(test, &["inspect", "--raw", &format!("oci-archive:{archive}")]);
    let Some(before) = ask(&fixture("hundredcounter.oci.tar")) else { return };
    assert_eq!(ask(&saved).unwrap(), before);
}

#[test]
fn what_skopeo_writes_is_loaded() {
    let test = "what_skopeo_writes_is_loaded";
    let source = format!("oci-archive:{}", fixture("hundredcounter.oci.tar"));
    let engine = TestEngine::empty();
    let id = {
        let other = self::engine();
        other.ok(&["images", "-q", "--no-trunc"])
    };
    for (transport, extra) in [
        ("docker-archive", None),
        ("oci-archive", None),
        ("oci", None),
        ("oci-archive", Some("--dest-compress-format=zstd")),
    ] {
        let archive = path(&engine, "from-skopeo");
        let to = format!("{transport}:{archive}:example.org/team/app:1");
        let mut words = vec!["copy", "-q", &source, &to];
        words.extend(extra);
        if skopeo(test, &words).is_none() {
            return;
        }
        let said = engine.ok(&["load", "-i", &archive]);
        assert_eq!(said, "Loaded image: example.org/team/app:1", "{transport}");
        assert_eq!(engine.ok(&["images", "-q", "--no-trunc"]), id, "{transport}");
        engine.ok(&["rmi", "example.org/team/app:1"]);
        if Path::new(&archive).is_dir() {
            std::fs::remove_dir_all(&archive).unwrap();
        } else {
            std::fs::remove_file(&archive).unwrap();
        }
    }
}

#[test]
fn save_writes_to_a_pipe_and_load_reads_it() {
    let engine = TestEngine::new();
    let output = engine.command(&["save", "hundredcounter", "host"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let other = TestEngine::empty();
    let loaded = other.run_with_input(&["load"], &output.stdout);
    let said = String::from_utf8(loaded.stdout).unwrap();
    assert_eq!(said, "Loaded image: hundredcounter:latest\nLoaded image: host:latest\n");
    let ids = |engine: &TestEngine| {
        engine.script(r#"for name in ["host", "hundredcounter"] { print(image(name).id) }"#)
    };
    assert_eq!(ids(&engine), ids(&other));
}

#[test]
fn scripts_save_and_load() {
    let engine = TestEngine::new();
    let archive = path(&engine, "saved.tar.zst");
    let other = TestEngine::empty();
    let id = engine.script(&format!(
        r#"print(image("hundredcounter").save("{archive}", #{{ compress: "zstd" }}).id)"#
    ));
    assert_eq!(other.script(&format!(r#"print(load("{archive}").id)"#)), id);
    let refused = engine.fails(&["-e", r#"save("host", "/x", #{ format: "zip" })"#], 1);
    assert!(refused.contains("docker, oci or oci-dir"), "{refused}");
}

#[test]
fn a_save_that_is_refused_says_why_and_leaves_nothing() {
    let engine = TestEngine::new();
    let archive = path(&engine, "saved.tar");
    let missing = engine.fails(&["save", "-o", &archive, "hundredcounter", "missing"], 1);
    assert!(missing.contains("no such image: `missing`"), "{missing}");
    let nowhere = engine.fails(&["save", "-o", "/no/such/directory/x", "host"], 1);
    assert!(nowhere.contains("/no/such/directory/x"), "{nowhere}");
    assert!(engine.fails(&["save", "--format", "zip", "host"], 1).contains("oci-dir"));
    let left: Vec<_> = std::fs::read_dir(engine.root()).unwrap().flatten().collect();
    assert!(left.iter().all(|entry| !entry.file_name().to_string_lossy().contains("saved")));
}

#[test]
fn the_platform_that_is_asked_for_is_loaded() {
    let engine = TestEngine::empty();
    let other = ["load", "--platform", "linux/s390x", "-i"];
    let refused = engine.fails(&[&other[..], &[&fixture("hundredcounter.oci.tar")]].concat(), 1);
    assert!(refused.contains("linux/s390x"), "{refused}");
    let nonsense = engine.fails(&["load", "--platform", "a/b/c/d", "-i", "x"], 1);
    assert!(nonsense.contains("a/b/c/d"), "{nonsense}");
}

#[test]
fn links_stay_where_an_archive_is_written_through_them() {
    let engine = engine();
    let image = "hundredcounter";
    engine.ok(&["create", "--name", "one", image]);
    // As /dev/stdout is one.
    let stdout = path(&engine, "stdout");
    std::os::unix::fs::symlink("/proc/self/fd/1", &stdout).unwrap();
    let (real, link) = (path(&engine, "real.tar"), path(&engine, "link.tar"));
    std::os::unix::fs::symlink("real.tar", &link).unwrap();
    for words in [["save", "-o", &stdout, image], ["export", "-o", &stdout, "one"]] {
        let output = engine.command(&words).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout.get(257..262), Some(&b"ustar"[..]), "{words:?}");
        engine.ok(&[words[0], "-o", &link, words[3]]);
        assert_eq!(std::fs::read(&real).unwrap().get(257..262), Some(&b"ustar"[..]));
        assert!(Path::new(&stdout).is_symlink() && Path::new(&link).is_symlink());
        let missing = path(&engine, "no/such/x.tar");
        let said = engine.fails(&[words[0], "-o", &missing, words[3]], 1);
        assert!(said.contains("mkdir -p"), "{said}");
        let said = engine.fails(&[words[0], "-o", &path(&engine, "."), words[3]], 1);
        assert!(said.contains("is a directory") && said.contains("name a file in it"), "{said}");
    }
}

#[test]
fn the_host_image_is_created_by_the_first_verb_that_names_it() {
    needs_root!();
    for verb in [&["tag", "host", "new:1"][..], &["save", "-o", "/dev/null", "host:latest"]] {
        let engine = TestEngine::empty();
        engine.ok(verb);
        assert!(engine.ok(&["images"]).contains("host"), "{verb:?}");
    }
}
