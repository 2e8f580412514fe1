//! The store under the worst: killed loads, full disks, many at once, files changed by hand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::harness::{CommandOutput, TIMEOUT, TestEngine, fixture, signal};
use crate::needs_root;

/// Writes an archive of one image, whose layers have files of these sizes.
fn archive(path: &Path, layers: &[(usize, usize)]) -> String {
    fn add(builder: &mut tar::Builder<impl std::io::Write>, name: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let mut outer = tar::Builder::new(std::fs::File::create(path).unwrap());
    let (mut ids, mut names) = (Vec::new(), Vec::new());
    for (number, (files, size)) in layers.iter().enumerate() {
        let mut layer = tar::Builder::new(Vec::new());
        for file in 0..*files {
            let content = vec![u8::try_from(file % 251).unwrap(); *size];
            add(&mut layer, &format!("layer{number}/file{file}"), &content);
        }
        let bytes = layer.into_inner().unwrap();
        ids.push(format!("sha256:{}", sha256(&bytes)));
        names.push(format!("{number}/layer.tar"));
        add(&mut outer, &names[number], &bytes);
    }
    let rootfs = serde_json::json!({"type": "layers", "diff_ids": ids});
    let config = serde_json::json!({"os": "linux", "rootfs": rootfs}).to_string();
    add(&mut outer, "config.json", config.as_bytes());
    let listed =
        serde_json::json!([{"Config": "config.json", "RepoTags": ["big:1"], "Layers": names}]);
    add(&mut outer, "manifest.json", listed.to_string().as_bytes());
    outer.into_inner().unwrap().flush().unwrap();
    path.to_str().unwrap().to_owned()
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn names(path: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

/// How many files and directories there are below a directory, itself not counted.
fn count(path: &Path) -> usize {
    names(path).iter().map(|path| 1 + if path.is_dir() { count(path) } else { 0 }).sum()
}

#[track_caller]
fn is_healthy(engine: &TestEngine) {
    let ran = engine.run(&["system", "check"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    assert!(ran.out.ends_with(": no damage\n"), "{}", ran.out);
}

/// Nothing is left once the images are gone.
#[track_caller]
fn is_empty(engine: &TestEngine) {
    for kind in ["layers", "blobs/sha256", "staging"] {
        let left = names(&engine.root().join("images").join(kind));
        assert!(left.is_empty(), "{left:?}");
    }
}

#[test]
fn a_killed_load_leaves_a_whole_image_or_none() {
    let engine = TestEngine::empty();
    let archive =
        archive(&engine.root().join("big.tar"), &[(60, 50_000), (400, 500), (3, 3_000_000)]);
    let images = engine.root().join("images");
    let staged = |least: usize| {
        let staging = images.join("staging");
        move || count(&staging) >= least
    };
    let appears = |kind: &str| {
        let path = images.join(kind);
        move || !names(&path).is_empty()
    };
    let mut points: Vec<Box<dyn Fn() -> bool>> = vec![
        Box::new(appears("staging")),
        Box::new(appears("blobs/sha256")),
        Box::new(appears("layers")),
        Box::new(appears("index.json")),
    ];
    points.extend([2, 5, 20, 80, 200, 300, 400, 450, 470].map(|n| Box::new(staged(n)) as Box<_>));
    let (mut whole, mut none) = (0, 0);
    for reached in points {
        let mut load = engine.command(&["load", "-q", "-i", &archive]);
        let mut child = load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + TIMEOUT;
        while !reached() && child.try_wait().unwrap().is_none() {
            assert!(Instant::now() < deadline);
            std::thread::yield_now();
        }
        if child.try_wait().unwrap().is_none() {
            signal(child.id(), Signal::KILL);
        }
        child.wait().unwrap();

        let there = engine.ok(&["images", "-q", "big:1"]);
        let checked = engine.run(&["system", "check"]);
        assert_eq!(checked.code, 0, "{}", checked.out);
        assert!(!checked.out.contains("damage: "), "{}", checked.out);
        if there.is_empty() {
            none += 1
        } else {
            whole += 1
        }
        // The next load sweeps what it left, and brings in the whole image.
        engine.ok(&["load", "-q", "-i", &archive]);
        is_healthy(&engine);
        engine.ok(&["rmi", "big:1"]);
        is_empty(&engine);
    }
    assert!(none > 0, "{none} {whole}");
}

/// Runs a shell script in a mount namespace of its own, where the engine's root is a file system
/// with these limits.
fn on_small_disk(engine: &TestEngine, limits: &str, script: &str) -> CommandOutput {
    let lifebox = crate::harness::LIFEBOX;
    let script = format!(
        "mount -t tmpfs -o mode=700,{limits} tmpfs \"$LIFEBOX_ROOT\" || exit 99\n\
         lifebox() {{ {lifebox} \"$@\"; }}\n{script}"
    );
    let mut command = engine.shell("unshare");
    CommandOutput::from(
        command.args(["-m", "--propagation", "private", "sh", "-c", &script]).output().unwrap(),
    )
}

#[test]
fn a_full_disk_is_said_and_gives_its_space_back() {
    needs_root!();
    let directory = tempfile::tempdir().unwrap();
    let big = archive(&directory.path().join("big.tar"), &[(20, 100_000), (60, 200_000)]);
    let one = archive(&directory.path().join("one.tar"), &[(1, 40 << 20)]);
    let many = archive(&directory.path().join("many.tar"), &[(3000, 10)]);
    let small = fixture("hundredcounter.docker.tar");
    // Too few bytes; too few bytes left to others; too few inodes.
    for (limits, archive) in
        [("size=12m", &big), ("size=280m", &one), ("size=90m,nr_inodes=900", &many)]
    {
        let engine = TestEngine::empty();
        let script = format!(
            "lifebox load -q -i {archive}; echo \"code $?\"\n\
             ls \"$LIFEBOX_ROOT\"/images/staging \"$LIFEBOX_ROOT\"/images/layers \"$LIFEBOX_ROOT\"/images/blobs/sha256 | grep -v -e ':$' -e '^$'\n\
             lifebox images -q big:1\n\
             lifebox load -q -i {small}; echo \"code $?\"\n\
             lifebox system check; echo \"code $?\""
        );
        let ran = on_small_disk(&engine, limits, &script);
        assert_eq!(ran.code, 0, "{ran:?}");
        let lines: Vec<&str> = ran.out.lines().collect();
        let expected = ["code 1", "Loaded image: hundredcounter:latest", "code 0"];
        assert_eq!(lines[..3], expected, "{limits}: {ran:?}");
        assert_eq!(lines.last(), Some(&"code 0"), "{ran:?}");
        assert!(ran.out.contains(": no damage\n"), "{ran:?}");
        let said = ran.err.to_lowercase();
        assert!(said.contains("space") || said.contains("full"), "{}", ran.err);
        assert!(said.contains("hint: "), "{}", ran.err);
    }
}

#[test]
fn loads_removals_and_checks_at_once_do_each_other_no_harm() {
    let engine = TestEngine::empty();
    let archive = fixture("hundredcounter.docker.tar");
    engine.ok(&["load", "-q", "-i", &archive]);
    let script = |verb: &[&str], times: usize| {
        let words = verb.join(" ");
        let lifebox = crate::harness::LIFEBOX;
        let line =
            format!("for i in $(seq {times}); do {lifebox} {words} || echo \"code $?\"; done");
        let mut command = engine.shell("sh");
        command.args(["-c", &line]).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    };
    let loads = [(); 2].map(|()| script(&["load", "-q", "-i", &archive], 12));
    let removals = script(&["rmi", "-f", "hundredcounter"], 40);
    let checks = [script(&["system", "check"], 12), script(&["system", "check", "--repair"], 12)];
    for child in loads {
        let ran = CommandOutput::from(child.wait_with_output().unwrap());
        let failed = ran.out.lines().filter(|line| line.starts_with("code")).count();
        // Three times in a row somebody removed what it built upon.
        assert_eq!(ran.err.matches("keeps removing").count(), failed, "{}{}", ran.out, ran.err);
        assert_eq!(ran.err.matches("error: ").count(), failed, "{}", ran.err);
    }
    let ran = CommandOutput::from(removals.wait_with_output().unwrap());
    assert_eq!(ran.err, "");
    for child in checks {
        let ran = CommandOutput::from(child.wait_with_output().unwrap());
        assert!(!ran.out.contains("damage: "), "{}", ran.out);
        let failed = ran.out.lines().filter(|line| line.starts_with("code")).count();
        assert_eq!(ran.err.matches("keeps changing").count(), failed, "{}", ran.err);
    }
    engine.ok(&["load", "-q", "-i", &archive]);
    is_healthy(&engine);
    engine.ok(&["rmi", "hundredcounter"]);
    is_empty(&engine);
}

/// The directory of a layer of an image.
fn layer(engine: &TestEngine, image: &str, number: usize) -> PathBuf {
    let data = engine.ok(&[
        "image",
        "inspect",
        "-f",
        "{{.GraphDriver.Data.UpperDir}}:{{.GraphDriver.Data.LowerDir}}",
        image,
    ]);
    PathBuf::from(data.split(':').filter(|path| !path.is_empty()).rev().nth(number).unwrap())
}

#[test]
fn damage_is_found_named_and_mended() {
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine.ok(&["load", "-q", "-i", &archive(&engine.root().join("big.tar"), &[(3, 10)])]);
    is_healthy(&engine);
    let script = layer(&engine, "hundredcounter", 0);
    let file = std::fs::File::open(script.join("bin")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH + Duration::from_secs(1)).unwrap();
    std::fs::write(layer(&engine, "big:1", 0).join("layer0/file1"), "changed by hand").unwrap();

    let said = engine.run(&["system", "check"]);
    assert_eq!(said.code, 1);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 3, "{said:?}");
    assert!(said.out.contains("damage: image `hundredcounter:latest`: its layer "), "{said:?}");
    assert!(said.out.contains("`bin` has another time"), "{said:?}");
    assert!(said.out.contains("damage: image `big:1`: its layer "), "{said:?}");
    assert!(said.err.contains("hint: run `lifebox system check --repair`"), "{said:?}");
    assert_eq!(engine.run(&["system", "check", "-q"]).out, "");

    let report = engine.script(
        "let r = check_images(#{ repair: true }); print(`${r.healthy} ${r.findings.map(|f| f.resolution)}`)",
    );
    assert!(report.starts_with("true ["), "{report}");
    assert!(report.contains("repaired") && report.contains("removed"), "{report}");
    is_healthy(&engine);
    assert_eq!(engine.ok(&["images", "--format", "{{.Repository}}"]), "hundredcounter");
    let error = engine.fails(&["-e", "check_images(#{ repiar: true })"], 1);
    assert!(error.contains("did you mean `repair`?"), "{error}");
}

#[test]
fn what_runs_is_not_touched_by_a_repair() {
    needs_root!();
    let engine = TestEngine::empty();
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    engine.ok(&["run", "-d", "--name", "box", "hundredcounter", "sleep", "300"]);
    let directory = layer(&engine, "hundredcounter", 0);
    std::fs::write(directory.join("added"), "").unwrap();
    let left = engine.run(&["system", "check", "--repair"]);
    assert_eq!(left.code, 1, "{left:?}");
    assert!(left.out.contains("used by `box`"), "{left:?}");
    assert!(left.out.contains("not repaired: the container `box` uses it"), "{left:?}");
    assert!(directory.join("added").exists());
    engine.ok(&["kill", "box"]);
    let mended = engine.run(&["system", "check", "--repair"]);
    assert_eq!((mended.code, mended.err.as_str()), (0, ""), "{mended:?}");
    assert!(!directory.join("added").exists());
    engine.ok(&["start", "box"]);
    engine.ok(&["kill", "box"]);

    // Nothing of it is whole any more: the image goes, and its container is named.
    std::fs::remove_dir_all(&directory).unwrap();
    let removed = engine.run(&["system", "check", "--repair"]);
    assert_eq!(removed.code, 1, "{removed:?}");
    assert!(removed.out.contains("(used by `box`): removed"), "{removed:?}");
    assert!(removed.out.contains("a container needs the layer"), "{removed:?}");
    assert_eq!(engine.ok(&["images", "-q"]), "");
    engine.ok(&["rm", "box"]);
    assert_eq!(engine.run(&["system", "check", "--repair"]).code, 0);
    is_healthy(&engine);
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    assert_eq!(engine.ok(&["run", "--rm", "hundredcounter", "echo", "well"]), "well");
}

#[test]
fn a_name_without_its_container_is_a_leftover() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "box", "host"]);
    std::fs::remove_dir_all(engine.container_directory("box")).unwrap();
    let said = engine.ok(&["system", "check"]);
    assert!(said.contains("leftover: the name `box` of a missing container"), "{said}");
    engine.ok(&["system", "check", "-r"]);
    is_healthy(&engine);
    assert!(names(&engine.root().join("names")).iter().all(|path| !path.ends_with("box")));
}
