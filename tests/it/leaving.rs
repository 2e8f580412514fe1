//! Files that leave a container: what gives power stays behind, and views of the kernel too.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

use crate::harness::{CommandOutput, TestEngine};
use crate::needs_root;

/// What a stranger's container has: set-id files and directories of others, of all kinds.
const FILES: &str = "mkdir -p /d/s /d/open && echo x > /d/p && cp /d/p /d/s/q && ln /d/p /d/twin \
     && chown -R 7:7 /d && chmod 6755 /d/p /d/s/q && chmod 3777 /d/s && chmod 2770 /d/open \
     && chmod 1777 /d";

/// An engine with a container that rests and has those files.
fn engine() -> TestEngine {
    let engine = TestEngine::new();
    engine.ok(&["run", "--name", "box", "host", "sh", "-c", FILES]);
    engine
}

/// Each file below a directory as mode and owner, by its path.
fn found(root: &Path) -> Vec<(String, u32, u32)> {
    let mut all = Vec::new();
    let mut open = vec![root.to_owned()];
    while let Some(path) = open.pop() {
        let status = path.symlink_metadata().unwrap();
        all.push((path.display().to_string(), status.mode() & 0o7777, status.uid()));
        if status.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        }
    }
    all
}

fn assert_powerless(root: &Path, count: usize) {
    let user = rustix::process::geteuid().as_raw();
    let all = found(root);
    assert_eq!(all.len(), count, "{all:?}");
    for (path, mode, owner) in all {
        assert_eq!((mode & 0o7000, owner), (0, user), "{path}: {mode:o}");
    }
}

/// Runs a script that is not trusted in a folder of its own.
fn untrusted(engine: &TestEngine, text: &str) -> CommandOutput {
    let folder = engine.root().join("folder");
    let _ = std::fs::create_dir(&folder);
    std::fs::write(folder.join("script.rhai"), text).unwrap();
    let mut command = engine.command(&["script", "--untrusted", "script.rhai"]);
    CommandOutput::from(command.current_dir(&folder).output().unwrap())
}

#[test]
fn set_id_files_and_directories_leave_without_their_bits_and_owner() {
    needs_root!();
    let engine = engine();
    let at = |name: &str| engine.root().join(name);
    let cp = |from: &str, to: &Path| engine.ok(&["cp", "-q", from, to.to_str().unwrap()]);
    cp("box:/d", &at("tree"));
    assert_powerless(&at("tree"), 6);
    cp("box:/d/p", &at("file"));
    assert_powerless(&at("file"), 1);
    // Without the sticky bit its writers could remove each other's files.
    assert_eq!(at("tree").metadata().unwrap().mode() & 0o777, 0o755);
    // A user who asks for everything gets everything.
    engine.ok(&["cp", "-q", "-a", "box:/d", at("all").to_str().unwrap()]);
    let file = at("all/p").metadata().unwrap();
    assert_eq!((file.mode() & 0o7777, file.uid()), (0o6755, 7));
}

#[test]
fn a_directory_of_the_host_keeps_its_mode_and_owner() {
    needs_root!();
    let engine = engine();
    let to = engine.root().join("mine");
    std::fs::create_dir_all(to.join("open")).unwrap();
    for path in [to.clone(), to.join("open")] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).unwrap();
    }
    engine.ok(&["cp", "-q", "box:/d/.", to.to_str().unwrap()]);
    for path in [to.clone(), to.join("open")] {
        assert_eq!(path.metadata().unwrap().mode() & 0o7777, 0o700, "{}", path.display());
    }
}

#[test]
fn file_capabilities_stay_behind() {
    needs_root!();
    let engine = engine();
    // cap_net_bind_service=ep (capabilities(7)), set from the host as an image's layer sets it.
    let value = b"\x01\x00\x00\x02\x00\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let upper = engine.container_directory("box").join("upper/d/twin");
    let none = rustix::fs::XattrFlags::empty();
    rustix::fs::setxattr(&upper, "security.capability", value, none).unwrap();
    engine.ok(&["cp", "-q", "box:/d/twin", engine.root().join("out").to_str().unwrap()]);
    let mut names = vec![0; 1024];
    let length = rustix::fs::listxattr(engine.root().join("out"), &mut names[..]).unwrap();
    let names = String::from_utf8_lossy(&names[..length]).into_owned();
    assert!(!names.contains("security.capability"), "{names:?}");
}

#[test]
fn nothing_with_power_leaves_through_a_script_that_is_not_trusted() {
    needs_root!();
    let engine = TestEngine::new();
    let text = format!(
        r#"let c = create(image("host").with_run("{FILES}"), #{{ cmd: "true", rm: true }});
           c.cp_from("/d", "tree"); c.cp_from("/d/p", "file"); c.cp_from("/d/.", ".");
           save(image("host"), "layout", #{{ format: "oci-dir" }}); c.export_tar("c.tar"); rm(c);"#
    );
    let ran = untrusted(&engine, &text);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let folder = engine.root().join("folder");
    for (path, mode, owner) in found(&folder) {
        assert_eq!((mode & 0o7000, owner), (0, 0), "{path}: {mode:o}");
    }
    assert!(folder.join("tree/s/q").is_file() && folder.join("s/q").is_file());
    assert!(folder.join("layout/index.json").is_file());
}

#[test]
fn views_of_the_kernel_are_neither_read_nor_written_for_a_container() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "1000"]);
    for path in ["/proc/version", "/proc/kallsyms", "/proc/iomem", "/sys/kernel/uevent_seqnum"] {
        let read = format!("read_file(\"box\", \"{path}\")");
        assert!(engine.fails(&["-e", &read], 1).contains("view of the kernel"), "{path}");
        let out = engine.root().join("out");
        let error = engine.fails(&["cp", &format!("box:{path}"), out.to_str().unwrap()], 1);
        assert!(error.contains("view of the kernel"), "{path}: {error}");
        assert!(!out.exists());
    }
    for path in ["/proc/sys/kernel/hostname", "/sys/kernel/x", "/sys/x", "/proc/x"] {
        let write = format!("write_file(\"box\", \"{path}\", \"x\")");
        assert!(engine.fails(&["-e", &write], 1).contains("view of the kernel"), "{path}");
    }
    // A tree that has such places comes without their content.
    let packed = engine.command(&["cp", "box:/", "-"]).output().unwrap();
    assert!(packed.status.success(), "{packed:?}");
    let mut archive = tar::Archive::new(&packed.stdout[..]);
    let names = archive.entries().unwrap().map(|entry| entry.unwrap().path().unwrap().into_owned());
    let names: Vec<_> = names.collect();
    let below = |place: &str| names.iter().filter(|name| name.starts_with(place)).count();
    assert!(below("usr/bin") > 1, "{names:?}");
    assert_eq!((below("proc"), below("sys")), (1, 1), "{names:?}");
}

#[test]
fn a_device_is_not_replaced_by_a_file() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["run", "-d", "--name", "box", "host", "sleep", "1000"]);
    let own = engine.root().join("null");
    std::fs::write(&own, "x").unwrap();
    engine.fails(&["cp", own.to_str().unwrap(), "box:/dev/null"], 1);
    let error = engine.fails(&["-e", "write_file(\"box\", \"/dev/null\", \"x\")"], 1);
    assert!(error.contains("cannot overwrite a device"), "{error}");
    engine.ok(&["exec", "box", "sh", "-c", "test -c /dev/null"]);
}
