//! `host:latest` of the machine that runs the tests.

use std::process::Command;

use super::*;
use crate::model::Kind;

fn create_host() -> (tempfile::TempDir, Store, HostImage) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let host = store.create_host_image(&|| Ok(())).unwrap();
    (root, store, host)
}

#[test]
fn its_programs_run_inside_with_nothing_else() {
    let (_root, store, host) = create_host();
    let root = store.layer_dir(&host.image.layers[0]);
    let script = "set -e; ls / | wc -l; echo a b | awk '{print $2}'; id -u; whoami; seq 3 | tail -n 1; \
                  sed --version >/dev/null 2>&1 || true; test -d /proc; grep -c root /etc/passwd";
    let output = Command::new("chroot")
        .arg(&root)
        .args(["/bin/sh", "-c", script])
        .env_clear()
        .env("PATH", DEFAULT_PATH)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}{errors}");
    assert_eq!(text.lines().skip(1).collect::<Vec<_>>(), ["b", "0", "root", "3", "1"], "{errors}");
    // Each program at least finds its libraries.
    for name in PROGRAMS.iter().filter(|name| !host.missing.iter().any(|m| m.starts_with(**name))) {
        let output = Command::new("chroot")
            .arg(&root)
            .args([name, "--help"])
            .env_clear()
            .env("PATH", DEFAULT_PATH)
            .stdin(std::process::Stdio::null())
            .output();
        if !matches!(*name, "yes" | "sh" | "sleep") {
            let errors = String::from_utf8_lossy(&output.unwrap().stderr).into_owned();
            assert!(
                !errors.contains("shared librar") && !errors.contains("chroot:"),
                "{name}: {errors}"
            );
        }
    }
}

#[test]
fn its_directories_have_the_usual_modes() {
    use std::os::unix::fs::PermissionsExt;
    let (_root, store, host) = create_host();
    let root = store.layer_dir(&host.image.layers[0]);
    for (name, mode) in [("tmp", 0o1777), ("root", 0o700), ("etc", 0o755), ("", 0o755)] {
        let found = root.join(name).metadata().unwrap().permissions().mode();
        assert_eq!(found & 0o7777, mode, "{name}");
    }
}

#[test]
fn making_it_again_gives_the_same_image() {
    let (_root, store, host) = create_host();
    let again = store.create_host_image(&|| Ok(())).unwrap();
    assert_eq!(again.image.id, host.image.id);
    assert_eq!(store.list().unwrap().len(), 1);
    let image = store.find("host").unwrap();
    assert_eq!(image.config.cmd, Some(vec!["/bin/sh".to_owned()]));
    assert!(["amd64", "arm64"].contains(&image.architecture.as_str()));
}

#[test]
fn a_required_program_that_is_missing_is_an_error_that_says_where_was_looked() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let reference = "x".parse().unwrap();
    let none = "no-such-program";
    let create =
        |required: &[&str]| store.image_from_host(&[none, "ls"], required, &reference, &|| Ok(()));
    let error = create(&[none]).unwrap_err();
    assert!(error.kind() == Kind::NotFound && error.to_string().contains("`/usr/bin`"), "{error}");
    assert_eq!(create(&["ls"]).unwrap().missing, [none]);
}

#[test]
fn the_interpreter_of_a_script_is_read_from_its_first_line() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("x");
    for (line, interpreter) in [
        ("#!/bin/sh -e\n", Some("/bin/sh")),
        ("#! /usr/bin/env -S python3 -u\n", Some("/usr/bin/python3")),
        ("\x7fELF", None),
        ("", None),
        ("#!", None),
    ] {
        std::fs::write(&path, line).unwrap();
        assert_eq!(interpreter_of(&path).unwrap().as_deref(), interpreter.map(Path::new), "{line}");
    }
}

#[test]
fn busybox_stands_in_for_programs_that_are_missing() {
    let directory = tempfile::tempdir().unwrap();
    let busybox = directory.path().join("busybox");
    std::fs::write(&busybox, b"\x7fNOT ELF\0ls\0sleep\0").unwrap();
    let mut permissions = busybox.metadata().unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    std::fs::set_permissions(&busybox, permissions).unwrap();
    let mut machine = HostScan::in_dirs(vec![directory.path().to_owned()]).unwrap();
    for name in ["busybox", "ls", "sleep", "slee"] {
        machine.program(name).unwrap();
    }
    machine.tree.add(Path::new("/tmp")).unwrap();
    machine.base_files().unwrap();
    assert_eq!(machine.missing, ["slee"]);
    for name in ["/usr/bin/ls", "/usr/bin/sleep", "/usr/bin/busybox", "/bin/ls"] {
        let inside = machine.tree.resolve(Path::new(name));
        let linked = Path::new("/bin").is_symlink() || !name.starts_with("/bin");
        assert_eq!(inside, linked.then(|| busybox.clone()), "{name}");
    }
}

#[test]
fn a_program_that_cannot_be_looked_at_is_not_missing_but_an_error_that_names_it() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let scan = || HostScan::in_dirs(vec![at("none"), at("file"), directory.path().to_owned()]);
    std::fs::write(at("file"), "").unwrap();
    let mut machine = scan().unwrap();
    machine.program("ls").unwrap();
    assert_eq!(machine.missing, ["ls"]);
    std::os::unix::fs::symlink("ls", at("ls")).unwrap();
    let error = machine.program("ls").unwrap_err();
    assert!(error.message().contains(at("ls").to_str().unwrap()), "{error}");
    assert_eq!(error.errno(), Some(libc::ELOOP));
    std::os::unix::fs::symlink("busybox", at("busybox")).unwrap();
    assert!(scan().err().unwrap().message().contains("busybox"));
}
