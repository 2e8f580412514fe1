//! Files that each container has besides those of its image, and that are no changes of it.

use std::path::Path;

use crate::build::context::Context;
use crate::harness::TestEngine;
use crate::needs_root;

const LOOK: &str = "test -f /.dockerenv && readlink /etc/mtab";

#[test]
fn programs_find_the_marks_of_a_container_and_no_change_has_them() {
    needs_root!();
    let engine = TestEngine::new();
    for flags in [&[][..], &["--read-only"], &["-u", "1000:1000"]] {
        let words = [&["run", "--rm"], flags, &["host", "sh", "-c", LOOK]].concat();
        assert_eq!(engine.ok(&words), "/proc/mounts", "{flags:?}");
    }
    assert_eq!(
        engine.ok(&["run", "--rm", "host", "sh", "-c", "env | grep -c ^container || :"]),
        "0"
    );
    for driver in ["overlay", "vfs"] {
        let run = ["--storage-driver", driver, "run", "--name", driver, "host", "sh", "-c", LOOK];
        engine.ok(&run);
        assert_eq!(engine.ok(&["diff", driver]), "", "{driver}");
        engine.ok(&["start", "-a", driver]);
        engine.ok(&["commit", driver, &format!("{driver}:1")]);
        let history = ["history", "--format", "{{.Size}}", &format!("{driver}:1")];
        assert_eq!(engine.ok(&history).lines().next(), Some("0B"), "{driver}");
    }
    let size = ["ps", "-as", "--filter", "name=overlay", "--format", "{{.Size}}"];
    assert!(engine.ok(&size).starts_with("0B (virtual"), "{}", engine.ok(&size));
}

#[test]
fn a_layer_of_a_build_has_no_marks_and_those_of_an_image_stay() {
    needs_root!();
    let engine = TestEngine::new();
    let lines =
        "RUN touch /made\nRUN rm /etc/mtab /.dockerenv; echo own >/etc/mtab; echo x >/.dockerenv";
    Context::new(&format!("FROM host\n{lines}\n")).id(&engine, &["-t", "marked"]);
    engine.ok(&["create", "--name", "box", "marked", "cat", "/etc/mtab", "/.dockerenv"]);
    let lower = engine.get("box", "{{.GraphDriver.Data.LowerDir}}");
    let layer = Path::new(lower.split(':').nth(1).unwrap());
    assert!(layer.join("made").exists(), "{lower}");
    assert!(!layer.join(".dockerenv").exists() && !layer.join("etc").exists(), "{lower}");
    assert_eq!(engine.ok(&["start", "-a", "box"]), "own\nx");
}
