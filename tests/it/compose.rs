//! Compose files: which keys are read, and as what.

use crate::harness::TestEngine;

/// Writes files into a folder, and returns what a script of `print(...)` says of `compose.yaml`.
fn shown(files: &[(&str, &str)], expression: &str) -> String {
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let script = format!(
        "import \"compose\" as compose; let s = (); \
         try {{ s = compose::services(\"compose.yaml\", #{{}}); }} \
         catch (e) {{ print(e.message); exit(0); }} print({expression});"
    );
    let mut command = engine.command(&["-e", &script]);
    command.current_dir(folder.path()).env("HOME", "/home/me").env("FROM_OUTSIDE", "outside");
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let out = String::from_utf8(ran.stdout).unwrap();
    let folder = folder.path().canonicalize().unwrap();
    out.trim_end().replace(folder.to_str().unwrap(), "HERE")
}

#[test]
fn variables_come_from_the_file_env_after_the_environment() {
    let files = [
        (".env", "TAG=1\nIMAGE=\"host:${TAG}\"\nFROM_OUTSIDE=inside\n"),
        (
            "compose.yaml",
            "services:\n  s:\n    image: ${IMAGE}\n    environment: [TAG, FROM_OUTSIDE]\n",
        ),
    ];
    assert_eq!(
        shown(&files, "s.s"),
        r#"#{"env": #{"FROM_OUTSIDE": "outside", "TAG": "1"}, "image": "host:1"}"#
    );
}

#[test]
fn paths_begin_at_the_file_or_at_the_home_directory() {
    let text = "services:\n  s:\n    image: host\n    volumes: [./a:/a, ~/b:/b:ro, ~:/c, d:/d]\n";
    assert_eq!(
        shown(&[("compose.yaml", text)], "s.s.volumes").replace("HERE", ""),
        r#"["/a:/a", "/home/me/b:/b:ro", "/home/me:/c", "d:/d"]"#
    );
}
