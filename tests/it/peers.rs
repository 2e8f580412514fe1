//! The same image, unpacked by umoci and by us, is the same tree.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::Digest as _;

use crate::archives::{docker_archive, layout};
use crate::harness::{TestEngine, fixture};
use crate::needs_root;

/// What a tree is: each path, and all that is known of what is there, in words.
type Tree = BTreeMap<String, String>;

fn shown(path: &Path) -> String {
    path.as_os_str().as_bytes().escape_ascii().to_string()
}

/// All below `root`. Files of several names are told by the first of them.
fn tree(root: &Path) -> Tree {
    let mut tree = Tree::new();
    let mut first_names = BTreeMap::new();
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        let found = path.symlink_metadata().unwrap();
        if found.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            todo.extend(entries);
        } else if found.nlink() > 1 {
            let name = shown(path.strip_prefix(root).unwrap());
            let first = first_names.entry(found.ino()).or_insert_with(|| name.clone());
            *first = name.min(first.clone());
        }
        let name = shown(path.strip_prefix(root).unwrap());
        tree.insert(name, describe(&path, root));
    }
    for (name, about) in &mut tree {
        let path = root.join(std::ffi::OsStr::from_bytes(&unescaped(name)));
        if let Some(first) = first_names.get(&path.symlink_metadata().unwrap().ino()) {
            *about += &format!(" same as {first}");
        }
    }
    tree
}

fn unescaped(name: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = name.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let (byte, length) = match after[0] {
            b'n' => (b'\n', 1),
            b't' => (b'\t', 1),
            b'r' => (b'\r', 1),
            b'x' => {
                let digits = std::str::from_utf8(&after[1..3]).unwrap();
                (u8::from_str_radix(digits, 16).unwrap(), 3)
            }
            other => (other, 1),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes
}

fn describe(path: &Path, root: &Path) -> String {
    let found = path.symlink_metadata().unwrap();
    let kind = found.file_type();
    let what = if kind.is_dir() {
        "directory".to_owned()
    } else if kind.is_symlink() {
        format!("link to {}", shown(&std::fs::read_link(path).unwrap()))
    } else if kind.is_file() {
        format!("file of {} bytes, {}", found.len(), hash(path))
    } else {
        let letter = if kind.is_block_device() {
            'b'
        } else if kind.is_char_device() {
            'c'
        } else {
            'p'
        };
        let (major, minor) = (rustix::fs::major(found.rdev()), rustix::fs::minor(found.rdev()));
        format!("{letter} {major}:{minor}")
    };
    let (mode, uid, gid) = (found.mode() & 0o7777, found.uid(), found.gid());
    // Nobody says when the root was made where the layers don't.
    let time = if path == root {
        String::new()
    } else {
        format!(" at {}.{:09}", found.mtime(), found.mtime_nsec())
    };
    format!("{what} {mode:o} {uid}:{gid}{time}{}", attributes(path))
}

fn hash(path: &Path) -> String {
    let mut file = std::fs::File::open(path).unwrap();
    let mut hash = sha2::Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let count = file.read(&mut buffer).unwrap();
        if count == 0 {
            return hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        }
        hash.update(&buffer[..count]);
    }
}

/// The extended attributes that an image may bring.
fn attributes(path: &Path) -> String {
    let mut names = Vec::with_capacity(64 * 1024);
    let spare = rustix::buffer::spare_capacity(&mut names);
    if rustix::fs::llistxattr(path, spare).is_err() {
        return String::new();
    }
    let mut all = Vec::new();
    for name in names.split(|byte| *byte == 0).filter(|name| !name.is_empty()) {
        let text = String::from_utf8_lossy(name);
        if text.starts_with("user.") || text == "security.capability" {
            let mut value = Vec::with_capacity(64 * 1024);
            let spare = rustix::buffer::spare_capacity(&mut value);
            rustix::fs::lgetxattr(path, name, spare).unwrap();
            all.push(format!(" {text}={}", value.escape_ascii()));
        }
    }
    all.sort();
    all.concat()
}

/// The layers of an image as a container would see them, which only the thread that asks does.
fn ours(engine: &TestEngine, image: &str) -> Tree {
    let layers = engine.ok(&["image", "inspect", "-f", "{{.GraphDriver.Data.LowerDir}}", image]);
    let upper = engine.ok(&["image", "inspect", "-f", "{{.GraphDriver.Data.UpperDir}}", image]);
    let layers: Vec<_> = [upper, layers].into_iter().filter(|l| l.starts_with('/')).collect();
    let root = engine.root().join("assembled");
    let nothing = engine.root().join("nothing");
    for directory in [&root, &nothing] {
        let _ = std::fs::create_dir(directory);
    }
    // The writable directory of a container is its root.
    let id = engine.ok(&["create", image]);
    let upper = engine.container_directory(&id).join("upper");
    let root_about = describe(&upper, &upper);
    let mut tree = std::thread::spawn(move || {
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
        lifebox::sys::mount::make_all_slaves().unwrap();
        // An overlay without upper directory has at least two lower ones.
        let options = format!("lowerdir={}:{}", layers.join(":"), nothing.display());
        let options = std::ffi::CString::new(options).unwrap();
        let flags = rustix::mount::MountFlags::RDONLY;
        rustix::mount::mount("overlay", &root, "overlay", flags, Some(options.as_c_str())).unwrap();
        tree(&root)
    })
    .join()
    .unwrap();
    tree.insert(String::new(), root_about);
    tree
}

/// Runs a program of the peers; false, said loudly, where this machine has none.
fn run(test: &str, program: &str, arguments: &[&str]) -> bool {
    let Ok(output) = Command::new(program).args(arguments).output() else {
        eprintln!("LEFT OUT: {test} needs {program}");
        return false;
    };
    assert!(output.status.success(), "{program} {arguments:?}: {output:?}");
    true
}

/// The tree that umoci makes of an OCI layout, `None` where there is no umoci.
fn theirs(test: &str, engine: &TestEngine, layout: &str) -> Option<Tree> {
    let root = engine.root().join("umoci");
    let words = ["raw", "unpack", "--image", layout, root.to_str().unwrap()];
    run(test, "umoci", &words).then(|| tree(&root))
}

#[track_caller]
fn assert_same(ours: &Tree, theirs: &Tree) {
    let names: std::collections::BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let line = |tree: &Tree, name: &String| tree.get(name).cloned().unwrap_or("nothing".to_owned());
    let different: Vec<_> = names
        .into_iter()
        .filter(|name| ours.get(*name) != theirs.get(*name))
        .map(|name| {
            format!("/{name}\n  ours   {}\n  theirs {}", line(ours, name), line(theirs, name))
        })
        .collect();
    assert!(
        different.is_empty(),
        "{} of {}:\n{}",
        different.len(),
        ours.len(),
        different.join("\n")
    );
}

/// Loads a docker-archive, and has skopeo and umoci unpack it.
fn check_archive(test: &str, archive: &Path, image: &str) {
    let engine = TestEngine::empty();
    let layout = format!("{}/layout:it", engine.root().display());
    let (from, to) = (format!("docker-archive:{}", archive.display()), format!("oci:{layout}"));
    if !run(test, "skopeo", &["--insecure-policy", "copy", "-q", &from, &to]) {
        return;
    }
    let Some(theirs) = theirs(test, &engine, &layout) else { return };
    engine.ok(&["load", "-q", "-i", archive.to_str().unwrap()]);
    let ours = ours(&engine, image);
    assert!(ours.len() > 20);
    assert_same(&ours, &theirs);
}

#[test]
fn umoci_unpacks_the_image_of_docker_to_the_same_tree() {
    let test = "umoci_unpacks_the_image_of_docker_to_the_same_tree";
    needs_root!(test);
    check_archive(test, Path::new(&fixture("hundredcounter.docker.tar")), "hundredcounter");
}

/// A layer that has one of everything.
fn everything() -> Vec<u8> {
    let mut layer = Everything::new();
    layer.dir("./", 0o751, &[("uid", b"3"), ("gid", b"4")]);
    for (name, mode) in [("bin", 0o755), ("tmp", 0o1777), ("closed", 0o000), ("usr", 0o2755)] {
        layer.dir(name, mode, &[("mtime", b"1234567890.5")]);
    }
    layer.file("bin/su", 0o4755, b"set-uid", &[("uid", b"0"), ("gid", b"42")]);
    let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let records = [("SCHILY.xattr.security.capability", &capability[..]), ("uid", b"1000")];
    layer.file("bin/ping", 0o755, b"may open raw sockets", &records);
    layer.file("bin/noted", 0o640, b"", &[("SCHILY.xattr.user.note", b"a=b\nc\0\xff")]);
    layer.file("bin/high", 0o600, b"x", &[("uid", b"4294967294"), ("gid", b"2000000")]);
    for time in ["-86400.25", "0.000000001", "4102444800", "1700000000.123456789"] {
        layer.file(&format!("tmp/{time}"), 0o644, b"", &[("mtime", time.as_bytes())]);
    }
    for name in
        [&b"caf\xe9"[..], b"line\nend", b"two  words ", b"back\\slash", b"\xe2\x82\xac", b"-rf"]
    {
        layer.file("tmp/odd", 0o644, name, &[("path", &[b"tmp/", name].concat())]);
    }
    let long = vec!["long".repeat(50); 5].join("/");
    for (end, _) in long.match_indices('/') {
        layer.dir("tmp/x", 0o755, &[("path", &long.as_bytes()[..end])]);
    }
    layer.file("tmp/x", 0o644, b"deep", &[("path", long.as_bytes())]);
    layer.link("usr/one", "bin/su", tar::EntryType::Link, &[]);
    layer.link("usr/two", "usr/one", tar::EntryType::Link, &[]);
    layer.link("lib", "usr/lib", tar::EntryType::Symlink, &[("mtime", b"7.5"), ("uid", b"9")]);
    layer.link("usr/broken", "x", tar::EntryType::Symlink, &[("linkpath", b"\xff/nowhere")]);
    layer.link("usr/same-link", "lib", tar::EntryType::Link, &[]);
    layer.dir("usr/lib", 0o711, &[]);
    layer.file("usr/lib/lower", 0o644, b"lower", &[]);
    layer.node("tmp/null", tar::EntryType::Char, 1, 3);
    layer.node("tmp/disk", tar::EntryType::Block, 8, 1);
    layer.node("tmp/fifo", tar::EntryType::Fifo, 0, 0);
    let map = [("GNU.sparse.map", &b"5000,3,99999,1"[..]), ("GNU.sparse.size", b"100000")];
    let map = [&map[..], &[("GNU.sparse.numblocks", b"2")]].concat();
    layer.file("usr/sparse", 0o644, b"abcd", &map);
    layer.dir("usr/opaque", 0o755, &[]);
    layer.dir("usr/was-dir", 0o755, &[]);
    for name in ["gone", "kept", "opaque/inside", "opaque/again", "was-file", "was-dir/x", "linked"]
    {
        layer.file(&format!("usr/{name}"), 0o644, name.as_bytes(), &[]);
    }
    layer.finish()
}

/// A layer that does one of everything to that.
fn changes() -> Vec<u8> {
    let mut layer = Everything::new();
    layer.dir("usr", 0o750, &[("mtime", b"99")]);
    layer.file("usr/.wh.gone", 0o644, b"", &[]);
    layer.file("usr/.wh.never-there", 0o644, b"", &[]);
    layer.dir("usr/opaque", 0o700, &[("uid", b"5")]);
    layer.file("usr/opaque/.wh..wh..opq", 0o644, b"", &[]);
    layer.file("usr/opaque/again", 0o644, b"anew", &[]);
    layer.dir("usr/was-file", 0o755, &[]);
    layer.file("usr/was-file/inside", 0o644, b"1", &[]);
    layer.file("usr/was-dir", 0o644, b"2", &[]);
    layer.link("usr/second-name", "usr/linked", tar::EntryType::Link, &[]);
    // A link of the layer below is on the way.
    layer.file("lib/upper", 0o644, b"upper", &[]);
    layer.file("tmp/implied", 0o644, b"in a directory that only the layer below has", &[]);
    layer.file("bin/su", 0o755, b"no longer set-uid", &[]);
    layer.finish()
}

struct Everything(tar::Builder<Vec<u8>>);

impl Everything {
    fn new() -> Self {
        Everything(tar::Builder::new(Vec::new()))
    }

    fn add(
        &mut self,
        name: &str,
        kind: tar::EntryType,
        mode: u32,
        content: &[u8],
        records: &[(&str, &[u8])],
        fill: impl FnOnce(&mut tar::Header),
    ) {
        if !records.is_empty() {
            self.0.append_pax_extensions(records.iter().copied()).unwrap();
        }
        let mut header = tar::Header::new_ustar();
        header.as_ustar_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1_600_000_000);
        header.set_size(content.len() as u64);
        fill(&mut header);
        header.set_cksum();
        self.0.append(&header, content).unwrap();
    }

    fn dir(&mut self, name: &str, mode: u32, records: &[(&str, &[u8])]) {
        self.add(name, tar::EntryType::Directory, mode, b"", records, |_| {});
    }

    fn file(&mut self, name: &str, mode: u32, content: &[u8], records: &[(&str, &[u8])]) {
        self.add(name, tar::EntryType::Regular, mode, content, records, |_| {});
    }

    fn link(&mut self, name: &str, to: &str, kind: tar::EntryType, records: &[(&str, &[u8])]) {
        self.add(name, kind, 0o777, b"", records, |header| header.set_link_name(to).unwrap());
    }

    fn node(&mut self, name: &str, kind: tar::EntryType, major: u32, minor: u32) {
        self.add(name, kind, 0o660, b"", &[], |header| {
            header.set_device_major(major).unwrap();
            header.set_device_minor(minor).unwrap();
        });
    }

    fn finish(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

fn check_layout(test: &str, layers: &[Vec<u8>]) {
    let engine = TestEngine::empty();
    let directory = engine.root().join("layout");
    layout(&directory, "it", layers);
    let image = format!("{}:it", directory.display());
    let Some(theirs) = theirs(test, &engine, &image) else { return };
    engine.ok(&["load", "-q", "-i", directory.to_str().unwrap()]);
    let id = engine.ok(&["images", "-q", "--no-trunc"]);
    assert_same(&ours(&engine, &id), &theirs);
}

#[test]
fn umoci_unpacks_everything_that_a_layer_can_have_to_the_same_tree() {
    let test = "umoci_unpacks_everything_that_a_layer_can_have_to_the_same_tree";
    needs_root!(test);
    check_layout(test, &[everything()]);
}

#[test]
fn umoci_unpacks_everything_that_a_layer_can_change_to_the_same_tree() {
    let test = "umoci_unpacks_everything_that_a_layer_can_change_to_the_same_tree";
    needs_root!(test);
    check_layout(test, &[everything(), changes()]);
}

/// The root of a small Debian, made once.
fn debian(test: &str) -> Option<PathBuf> {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let (root, partial) = (directory.join("debian.tar"), directory.join("debian-partial.tar"));
    if !root.exists() {
        let made = Command::new("mmdebstrap")
            .args(["--quiet", "--variant=essential", "bookworm"])
            .arg(&partial)
            .output();
        match made {
            Ok(output) if output.status.success() => std::fs::rename(&partial, &root).unwrap(),
            Ok(output) => {
                let why = String::from_utf8_lossy(&output.stderr).into_owned();
                eprintln!("LEFT OUT: {test}: mmdebstrap made no Debian (no mirror?): {why}");
                return None;
            }
            Err(_) => {
                eprintln!("LEFT OUT: {test} needs mmdebstrap");
                return None;
            }
        }
    }
    Some(root)
}

#[test]
fn umoci_unpacks_debian_to_the_same_tree() {
    let test = "umoci_unpacks_debian_to_the_same_tree";
    needs_root!(test);
    let Some(root) = debian(test) else { return };
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let archive = directory.path().join("debian.docker.tar");
    let layers = [std::fs::read(root).unwrap()];
    docker_archive(std::fs::File::create(&archive).unwrap(), "debian:test", &layers);
    drop(layers);
    check_archive(test, &archive, "debian:test");
}
