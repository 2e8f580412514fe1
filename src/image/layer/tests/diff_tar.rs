//! Trees become archives and archives trees again. Run as root.

use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::image::layer::attributes::take_attributes;
use crate::image::layer::extract::extract;
use crate::image::layer::overlay_view::{Layer, OPAQUE};
use crate::image::layer::{changes, copied_root};
use crate::image::tar::error::lossy;
use crate::image::tar::members::Members;
use crate::model::image::build::Change;

fn open(path: &Path) -> Layer {
    Layer::Open(fs::open_dir(path).unwrap())
}

fn packed(form: Form, layers: &[&Path], skip: &[&str]) -> Result<Vec<u8>> {
    let layers: Vec<Layer> = layers.iter().map(|path| open(path)).collect();
    let tree = Tree::new(form, layers.iter().collect());
    let skip = skip.iter().map(|path| path.as_bytes().to_vec()).collect();
    let mut bytes = Vec::new();
    pack(&tree, &skip, &mut bytes, &|| Ok(())).map(|()| bytes)
}

fn unpacked(bytes: &[u8], into: &Path) {
    std::fs::create_dir(into).unwrap();
    let root = fs::open_dir(into).unwrap();
    extract(&mut &bytes[..], &root, &|| Ok(Vec::new()), &|| Ok(())).unwrap();
}

fn whiteout(path: &Path) {
    let parent = fs::open_dir(path.parent().unwrap()).unwrap();
    let name = path.file_name().unwrap().as_encoded_bytes();
    fs::make_node(&parent, name, FileType::CharacterDevice, 0, 0).unwrap();
}

fn set_xattr(path: &Path, key: &str, value: &[u8]) {
    fs::set_xattr(std::fs::File::open(path).unwrap(), key, value).unwrap();
}

/// A tree with one of everything.
fn rich(root: &Path) {
    use std::os::unix::ffi::OsStrExt;
    let at = |name: &str| root.join(name);
    std::fs::create_dir_all(at("dir/deep")).unwrap();
    std::fs::write(at("dir/file"), "content").unwrap();
    std::fs::set_permissions(at("dir/file"), std::fs::Permissions::from_mode(0o4755)).unwrap();
    std::os::unix::fs::chown(at("dir/file"), Some(3_000_000_000), Some(7)).unwrap();
    std::fs::set_permissions(at("dir/file"), std::fs::Permissions::from_mode(0o4755)).unwrap();
    set_xattr(&at("dir/file"), "user.note", b"a\n\0b");
    set_xattr(&at("dir/file"), "trusted.overlay.origin", b"secret");
    std::fs::hard_link(at("dir/file"), at("dir/deep/same")).unwrap();
    symlink("nowhere", at("dir/link")).unwrap();
    std::fs::write(at(&format!("dir/{}", "n".repeat(200))), "").unwrap();
    std::fs::write(root.join(std::ffi::OsStr::from_bytes(b"dir/\xff\xfe")), "x").unwrap();
    let dir = fs::open_dir(&at("dir")).unwrap();
    fs::make_node(&dir, b"fifo", FileType::Fifo, 0, 0).unwrap();
    fs::make_node(&dir, b"null", FileType::CharacterDevice, 1, 3).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(at("dir/socket")).unwrap();
    let file = std::fs::File::create(at("dir/sparse")).unwrap();
    file.set_len(100_000).unwrap();
    fs::set_times(std::fs::File::open(at("dir")).unwrap(), -5, 500).unwrap();
}

#[test]
fn a_packed_tree_unpacks_to_the_same() {
    let place = tempfile::tempdir().unwrap();
    let (one, other) = (place.path().join("one"), place.path().join("other"));
    std::fs::create_dir(&one).unwrap();
    rich(&one);
    let first = packed(Form::Layer, &[&one], &[]).unwrap();
    unpacked(&first, &other);
    let again = packed(Form::Layer, &[&other], &[]).unwrap();
    assert!(first == again, "the bytes differ");
    let mut members = Members::new(&first[..]);
    let mut seen = Vec::new();
    while let Some(member) = members.next().unwrap() {
        seen.push(format!("{} {:?} {:o}", lossy(&member.name), member.kind, member.mode));
        assert!(member.xattrs.iter().all(|(key, _)| !key.contains("overlay")), "{member:?}");
        if member.name == b"dir/deep/same" {
            let found = (member.kind, member.uid, &member.xattrs[..]);
            assert_eq!(found.0, MemberKind::File);
            assert_eq!(
                (found.1, found.2),
                (3_000_000_000, &[("user.note".into(), b"a\n\0b".into())][..])
            );
        }
        if member.name == b"dir/" {
            assert_eq!(member.mtime.0, -5);
        }
    }
    assert!(seen.contains(&"dir/file HardLink 4755".to_owned()), "{seen:#?}");
    assert!(
        !seen.iter().any(|line| line.contains("socket") || line.starts_with("./")),
        "{seen:#?}"
    );
    assert_eq!(seen.len(), 10, "{seen:#?}");
}

#[test]
fn what_a_layer_hides_becomes_whiteouts() {
    let place = tempfile::tempdir().unwrap();
    let (upper, back) = (place.path().join("upper"), place.path().join("back"));
    std::fs::create_dir_all(upper.join("dir")).unwrap();
    std::fs::set_permissions(&upper, std::fs::Permissions::from_mode(0o700)).unwrap();
    whiteout(&upper.join("gone"));
    set_xattr(&upper.join("dir"), OPAQUE, b"y");
    let bytes = packed(Form::Layer, &[&upper], &[]).unwrap();
    let mut members = Members::new(&bytes[..]);
    let mut names = Vec::new();
    while let Some(member) = members.next().unwrap() {
        names.push(lossy(&member.name));
    }
    assert_eq!(names, ["./", "dir/", "dir/.wh..wh..opq", ".wh.gone"]);
    unpacked(&bytes, &back);
    assert!(bytes == packed(Form::Layer, &[&back], &[]).unwrap());

    std::fs::write(upper.join("dir/.wh.x"), "").unwrap();
    let error = packed(Form::Layer, &[&upper], &[]).unwrap_err();
    assert_eq!(error.kind(), Kind::Unsupported);
    assert!(error.to_string().contains("`/dir/.wh.x`"), "{error}");
}

#[test]
fn layers_are_merged_as_overlayfs_merges_them() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for name in
        ["low/both", "low/opaque", "low/replaced", "low/gone/deep", "top/both", "top/opaque"]
    {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    for name in
        ["low/both/low", "low/opaque/hidden", "low/replaced/x", "low/file", "low/gone/deep/x"]
    {
        std::fs::write(at(name), "low").unwrap();
    }
    for name in ["top/both/top", "top/file", "top/replaced", "top/opaque/seen"] {
        std::fs::write(at(name), "top").unwrap();
    }
    std::fs::create_dir(at("top/dir-over-file")).unwrap();
    std::fs::write(at("low/dir-over-file"), "x").unwrap();
    set_xattr(&at("top/opaque"), OPAQUE, b"y");
    whiteout(&at("top/gone"));
    let bytes = packed(Form::Merged, &[&at("top"), &at("low")], &[]).unwrap();
    unpacked(&bytes, &at("out"));
    let names = |path: &Path| {
        let mut names: Vec<String> = std::fs::read_dir(path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(names(&at("out")), "both dir-over-file file opaque replaced");
    assert_eq!(names(&at("out/both")), "low top");
    assert_eq!(names(&at("out/opaque")), "seen");
    assert_eq!(std::fs::read_to_string(at("out/file")).unwrap(), "top");
    assert!(at("out/replaced").is_file() && at("out/dir-over-file").is_dir());

    let (upper, lowers) = (open(&at("top")), [open(&at("low"))]);
    let found = changes::changes(&upper, &lowers, &BTreeSet::new()).unwrap();
    let listed: Vec<String> =
        found.iter().map(|Change { kind, path }| format!("{} {path}", kind.letter())).collect();
    assert_eq!(
        listed,
        [
            "C /both",
            "A /both/top",
            "C /dir-over-file",
            "C /file",
            "D /gone",
            "C /opaque",
            "D /opaque/hidden",
            "A /opaque/seen",
            "C /replaced",
        ]
    );
}

#[test]
fn mount_points_are_no_changes() {
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name);
    for name in ["low/etc", "low/dev", "upper/etc", "upper/proc", "upper/sys", "upper/dev/own"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    std::fs::write(at("upper/etc/hosts"), "").unwrap();
    std::fs::write(at("upper/etc/hostname"), "mine").unwrap();
    symlink("../run/resolv.conf", at("low/etc/resolv.conf")).unwrap();
    std::fs::create_dir(at("upper/run")).unwrap();
    std::fs::write(at("upper/run/resolv.conf"), "").unwrap();
    let mounts =
        ["/proc", "/sys", "/dev", "/dev/pts", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
    let mounts: Vec<String> = mounts.iter().map(|path| (*path).to_owned()).collect();
    let (upper, lowers) = (open(&at("upper")), [open(&at("low"))]);
    let listed = || {
        let points = changes::mount_points(&upper, &lowers, &mounts).unwrap();
        let found = changes::changes(&upper, &lowers, &points).unwrap();
        found.iter().map(|c| format!("{} {}", c.kind.letter(), c.path)).collect::<Vec<_>>()
    };
    // The marks of each container are left out, as long as they are what init made.
    std::fs::write(at("upper/.dockerenv"), "").unwrap();
    symlink("/proc/mounts", at("upper/etc/mtab")).unwrap();
    assert_eq!(listed(), ["C /dev", "A /dev/own", "C /etc", "A /etc/hostname"]);
    std::fs::remove_dir(at("upper/dev/own")).unwrap();
    std::fs::remove_file(at("upper/etc/hostname")).unwrap();
    assert!(listed().is_empty(), "{:?}", listed());
    std::fs::write(at("upper/.dockerenv"), "mine").unwrap();
    std::fs::remove_file(at("upper/etc/mtab")).unwrap();
    symlink("/mine", at("upper/etc/mtab")).unwrap();
    assert_eq!(listed(), ["A /.dockerenv", "C /etc", "A /etc/mtab"]);
}

#[test]
fn a_file_that_changes_while_it_is_read_leaves_the_archive_whole() {
    for (stated, is) in [(10u64, 3usize), (3, 10), (0, 5), (5, 0), (1 << 20, 100)] {
        let mut bytes = Vec::new();
        let mut packer = Packer::new(&mut bytes, &|| Ok(()));
        let entry = Entry { size: stated, ..Entry::new(b"a", MemberKind::File, 0o644) };
        packer.append_file(&entry, &vec![b'x'; is][..]).unwrap();
        packer.append(&Entry::new(b"b", MemberKind::Directory, 0o755)).unwrap();
        packer.finish().unwrap();
        let mut members = Members::new(&bytes[..]);
        assert_eq!(members.next().unwrap().unwrap().size, stated);
        let mut content = Vec::new();
        members.read_to_end(&mut content).unwrap();
        let real = content.iter().filter(|byte| **byte == b'x').count();
        assert_eq!(real as u64, stated.min(is as u64));
        assert_eq!(members.next().unwrap().unwrap().name, b"b/");
        assert!(members.next().unwrap().is_none());
    }
}

/// Any name that a file can have.
fn name() -> impl Strategy<Value = Vec<u8>> {
    let part = proptest::collection::vec(1u8..=255, 1..120)
        .prop_map(|part| part.into_iter().map(|b| if b == b'/' { b'_' } else { b }).collect())
        .prop_filter("not a name", |part: &Vec<u8>| !matches!(&part[..], b"." | b".."));
    proptest::collection::vec(part, 1..4).prop_map(|parts| parts.join(&b'/'))
}

fn any_entry() -> impl Strategy<Value = Entry> {
    let kinds = [
        MemberKind::File,
        MemberKind::HardLink,
        MemberKind::Symlink,
        MemberKind::CharDevice,
        MemberKind::Directory,
        MemberKind::Fifo,
    ];
    let numbers = (0u32..0o10000, 0..u32::MAX, 0..u32::MAX, -(1i64 << 40)..(1i64 << 40));
    let xattr = ("user\\.[a-z]{1,20}", proptest::collection::vec(any::<u8>(), 1..50));
    let xattrs = proptest::collection::btree_map(xattr.0, xattr.1, 0..3);
    let rest = (0u64..2000, name(), xattrs, (0u32..4096, 0u32..1_048_576));
    (name(), proptest::sample::select(kinds.to_vec()), numbers, rest).prop_map(
        |(name, kind, (mode, uid, gid, mtime), (size, link, xattrs, device))| Entry {
            name,
            kind,
            mode,
            uid,
            gid,
            mtime,
            size: if kind == MemberKind::File { size } else { 0 },
            link: match kind {
                MemberKind::HardLink | MemberKind::Symlink => link,
                _ => Vec::new(),
            },
            device: if kind == MemberKind::CharDevice { device } else { (0, 0) },
            xattrs: xattrs.into_iter().collect(),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_written_is_read_again(entries in proptest::collection::vec(any_entry(), 0..6)) {
        let mut bytes = Vec::new();
        let mut packer = Packer::new(&mut bytes, &|| Ok(()));
        for entry in &entries {
            packer.append_file(entry, std::io::repeat(7).take(entry.size)).unwrap();
        }
        packer.finish().unwrap();
        let mut members = Members::new(&bytes[..]);
        for entry in &entries {
            let member = members.next().unwrap().unwrap();
            let name = member.name.strip_suffix(b"/").filter(|_| entry.kind == MemberKind::Directory);
            prop_assert_eq!(name.unwrap_or(&member.name), &entry.name[..]);
            prop_assert_eq!(member.kind, entry.kind);
            prop_assert_eq!(member.mode, entry.mode);
            prop_assert_eq!((member.uid, member.gid), (entry.uid.into(), entry.gid.into()));
            prop_assert_eq!(member.mtime.0, entry.mtime);
            prop_assert_eq!((member.size, &member.link), (entry.size, &entry.link));
            prop_assert_eq!(member.device, entry.device);
            prop_assert_eq!(&member.xattrs, &entry.xattrs);
        }
        prop_assert!(members.next().unwrap().is_none());
    }
}

/// Creates two layers, `low` and `top` with all marks, and `copy`, their copy.
fn copied(place: &Path) -> Vec<u8> {
    let at = |name: &str| place.join(name);
    for name in ["low/gone", "low/opaque", "top/opaque", "top/dir", "copy"] {
        std::fs::create_dir_all(at(name)).unwrap();
    }
    rich(&at("low"));
    set_xattr(&at("low/dir/deep"), "user.note", b"kept");
    for name in ["low/gone/x", "low/opaque/hidden", "low/file", "top/file", "top/opaque/seen"] {
        std::fs::write(at(name), name).unwrap();
    }
    whiteout(&at("top/gone"));
    set_xattr(&at("top/opaque"), OPAQUE, b"y");
    std::fs::set_permissions(at("top/dir"), std::fs::Permissions::from_mode(0o2711)).unwrap();
    for (name, seconds) in [("low/dir/deep", 5), ("top/dir", 6), ("low/dir/file", 7)] {
        fs::set_times(std::fs::File::open(at(name)).unwrap(), seconds, 9).unwrap();
    }
    let layers = [open(&at("top")), open(&at("low"))];
    let tree = Tree::new(Form::Merged, layers.iter().collect());
    let (top, copy) = (fs::open_dir(&at("top")).unwrap(), fs::open_dir(&at("copy")).unwrap());
    copied_root::copy(&tree, &copy, &|| Ok(())).unwrap();
    take_attributes(&top, &copy).unwrap();
    packed(Form::Merged, &[&at("top"), &at("low")], &[]).unwrap()
}

#[test]
fn a_copy_of_layers_is_all_that_they_show_and_nothing_else() {
    use std::os::unix::fs::MetadataExt;
    let place = tempfile::tempdir().unwrap();
    let listed = copied(place.path());
    let copy = place.path().join("copy");
    assert!(packed(Form::Plain, &[&copy], &[]).unwrap() == listed);
    let file = std::fs::metadata(copy.join("dir/file")).unwrap();
    assert_eq!((file.nlink(), file.mtime_nsec()), (2, 9));
    let deep = fs::open_dir(&copy.join("dir/deep")).unwrap();
    assert_eq!(fs::get_xattr(&deep, "user.note").unwrap().unwrap(), b"kept");
    // Nothing of overlayfs's own comes along.
    let opaque = fs::open_dir(&copy.join("opaque")).unwrap();
    assert_eq!(fs::list_xattrs(&opaque).unwrap(), Vec::<String>::new());
    assert!(!copy.join("gone").exists());
}

/// Returns the changes in the copy since `since`: as `diff` prints them, the bytes, and the names
/// in the layer.
fn changed(place: &Path, since: (i64, i64), mounts: &[&str]) -> (Vec<String>, u64, Vec<String>) {
    let (root, layers) =
        (open(&place.join("copy")), [open(&place.join("top")), open(&place.join("low"))]);
    let mounts: Vec<String> = mounts.iter().map(|path| (*path).to_owned()).collect();
    let skip = changes::mount_points(&root, &layers, &mounts).unwrap();
    let below = Tree::new(Form::Merged, layers.iter().collect());
    let tree = Tree::new(Form::Plain, vec![&root]);
    let delta = copied_root::changes(&tree, &below, &skip, since).unwrap();
    let mut bytes = Vec::new();
    let holds = |node: &Node| delta.holds(node);
    pack_changed(&tree, &holds, &delta.deleted(), &mut bytes, &|| Ok(())).unwrap();
    let mut names = Vec::new();
    let mut members = Members::new(&bytes[..]);
    while let Some(member) = members.next().unwrap() {
        names.push(lossy(&member.name));
    }
    let printed = changes::to_changes(delta.found);
    let printed = printed.iter().map(|change| format!("{} {}", change.kind.letter(), change.path));
    (printed.collect(), delta.bytes, names)
}

#[test]
fn what_changed_in_a_copy_is_told_by_comparing_it_with_its_layers() {
    let place = tempfile::tempdir().unwrap();
    copied(place.path());
    let at = |name: &str| place.path().join("copy").join(name);
    let none = (Vec::new(), 0, Vec::new());
    // Whether all is compared in full or by its facts.
    assert_eq!(changed(place.path(), (0, 0), &[]), none);
    assert_eq!(changed(place.path(), (i64::MAX, 0), &[]), none);

    // The same size, and the time set back: only the content differs.
    std::fs::write(at("dir/file"), "CONTENT").unwrap();
    std::fs::set_permissions(at("dir/file"), std::fs::Permissions::from_mode(0o4755)).unwrap();
    fs::set_times(std::fs::File::open(at("dir/file")).unwrap(), 7, 9).unwrap();
    std::fs::remove_file(at("opaque/seen")).unwrap();
    std::fs::create_dir(at("new")).unwrap();
    std::fs::write(at("new/hosts"), "").unwrap();
    std::fs::write(at("new/file"), "12345").unwrap();
    let (printed, bytes, names) = changed(place.path(), (0, 0), &["/new/hosts", "/opaque/proc"]);
    let expected = [
        "C /dir",
        "C /dir/deep",
        "C /dir/deep/same",
        "C /dir/file",
        "A /new",
        "A /new/file",
        "C /opaque",
        "D /opaque/seen",
    ];
    assert_eq!(printed, expected);
    assert_eq!(bytes, 7 + 5, "a file counts once, under any of its names");
    let expected = [
        "dir/",
        "dir/deep/",
        "dir/deep/same",
        "dir/file",
        "new/",
        "new/file",
        "opaque/",
        "opaque/.wh.seen",
    ];
    assert_eq!(names, expected);
}

#[test]
fn a_directory_that_was_replaced_is_told_once() {
    let place = tempfile::tempdir().unwrap();
    copied(place.path());
    let at = |name: &str| place.path().join("copy").join(name);
    std::fs::remove_dir_all(at("dir")).unwrap();
    std::fs::write(at("dir"), "now a file").unwrap();
    std::fs::remove_dir_all(at("opaque")).unwrap();
    let (printed, _, names) = changed(place.path(), (0, 0), &[]);
    assert_eq!(printed, ["C /dir", "D /opaque"]);
    assert_eq!(names, ["dir", ".wh.opaque"]);
}

#[test]
fn a_mount_point_made_in_a_copy_is_no_change_of_it() {
    let place = tempfile::tempdir().unwrap();
    copied(place.path());
    std::fs::write(place.path().join("copy/opaque/hosts"), "").unwrap();
    std::fs::create_dir(place.path().join("copy/proc")).unwrap();
    let (printed, ..) = changed(place.path(), (0, 0), &["/opaque/hosts", "/proc"]);
    assert_eq!(printed, Vec::<String>::new());
}
