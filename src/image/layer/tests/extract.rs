//! Layers that try to get out, and layers as Docker writes them. Run as root.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use tar::{EntryType, Header};

use super::*;
use crate::image::layer::overlay_view;

#[path = "formats.rs"]
mod formats;
#[path = "hostile.rs"]
mod hostile;
#[path = "sparse.rs"]
mod sparse;

/// A layer being written, entry by entry.
struct Tar(tar::Builder<Vec<u8>>);

impl Tar {
    fn new() -> Self {
        Tar(tar::Builder::new(Vec::new()))
    }

    fn raw(mut self, kind: EntryType, name: &str, link: &str, mode: u32, content: &[u8]) -> Self {
        let mut header = Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1000);
        header.set_size(content.len() as u64);
        let gnu = header.as_gnu_mut().unwrap();
        gnu.name[..name.len()].copy_from_slice(name.as_bytes());
        gnu.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn file(self, name: &str, content: &str) -> Self {
        self.raw(EntryType::Regular, name, "", 0o644, content.as_bytes())
    }

    fn dir(self, name: &str, mode: u32) -> Self {
        self.raw(EntryType::Directory, name, "", mode, b"")
    }

    fn symlink(self, name: &str, target: &str) -> Self {
        self.raw(EntryType::Symlink, name, target, 0o777, b"")
    }

    fn link(self, name: &str, target: &str) -> Self {
        self.raw(EntryType::Link, name, target, 0o644, b"")
    }

    fn pax(mut self, records: &[(&str, &[u8])]) -> Self {
        self.0.append_pax_extensions(records.iter().copied()).unwrap();
        self
    }

    /// A header as it is, but for its checksum.
    fn header(mut self, mut header: Header, content: &[u8]) -> Self {
        header.set_cksum();
        self.0.append(&header, content).unwrap();
        self
    }

    fn bytes(self) -> Vec<u8> {
        self.0.into_inner().unwrap()
    }
}

/// A directory with unpacked layers `0`, `1`, ... and something precious beside them.
struct Place {
    directory: tempfile::TempDir,
    lowers: Vec<PathBuf>,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("precious"), "precious").unwrap();
        Place { directory, lowers: Vec::new() }
    }

    fn add(&mut self, layer: Tar) -> Result<Extracted> {
        self.unpack(&layer.bytes())
    }

    fn unpack(&mut self, layer: &[u8]) -> Result<Extracted> {
        let path = self.directory.path().join(self.lowers.len().to_string());
        std::fs::create_dir(&path).unwrap();
        let root = fs::open_dir(&path).unwrap();
        let lowers = || overlay_view::layers(self.lowers.iter().rev().cloned());
        let result = extract(&mut &layer[..], &root, &lowers, &|| Ok(()));
        let outside = std::fs::read_to_string(self.directory.path().join("precious")).unwrap();
        assert_eq!(outside, "precious");
        self.lowers.push(path);
        result
    }

    fn top(&self, name: &str) -> PathBuf {
        self.lowers.last().unwrap().join(name)
    }
}

fn unpacked(layers: Vec<Tar>) -> (Place, Extracted) {
    let mut place = Place::new();
    let mut last = None;
    for layer in layers {
        last = Some(place.add(layer).unwrap());
    }
    (place, last.unwrap())
}

fn check_refused(layer: Tar, expected: &str) {
    let error = Place::new().add(layer).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

fn mode(path: &Path) -> u32 {
    path.symlink_metadata().unwrap().permissions().mode() & 0o7777
}

fn is_opaque(path: &Path) -> bool {
    fs::get_xattr(fs::open_dir(path).unwrap(), opaque()).unwrap().is_some()
}

fn is_whiteout(path: &Path) -> bool {
    use std::os::unix::fs::FileTypeExt;
    path.symlink_metadata().is_ok_and(|m| m.file_type().is_char_device() && m.rdev() == 0)
}

#[test]
fn an_entry_with_dot_dot_is_refused() {
    check_refused(Tar::new().file("../precious", "x"), "`..`");
    check_refused(Tar::new().file("a/../../precious", "x"), "`..`");
    check_refused(Tar::new().link("a", "../precious"), "`..`");
}

#[test]
fn an_absolute_name_stays_inside() {
    let (place, _) = unpacked(vec![Tar::new().file("/etc/shadow-of-a-test", "x")]);
    assert!(place.top("etc/shadow-of-a-test").is_file());
    assert!(!Path::new("/etc/shadow-of-a-test").exists());
}

#[test]
fn an_entry_behind_a_link_of_the_same_layer_goes_where_it_leads_inside() {
    for (target, expected) in [
        ("/tmp", "tmp/x"),
        ("..", "x"),
        ("../..", "x"),
        ("real", "real/x"),
        ("no/such", "no/such/x"),
    ] {
        let layer = Tar::new().dir("real", 0o755).symlink("out", target).file("out/x", "x");
        let (place, extracted) = unpacked(vec![layer]);
        assert!(place.top(expected).is_file(), "{target}");
        assert!(extracted.complete);
    }
    let chain = Tar::new().symlink("a", "..").symlink("b", "a").dir("b/x", 0o755);
    assert!(unpacked(vec![chain]).0.top("x").is_dir());
    let circle = Tar::new().symlink("a", "b").symlink("b", "a").file("a/x", "x");
    check_refused(circle, "too many links");
}

#[test]
fn a_file_replaces_a_link_and_does_not_follow_it() {
    let layer = Tar::new().symlink("x", "../precious").file("x", "mine");
    let (place, _) = unpacked(vec![layer]);
    assert_eq!(std::fs::read_to_string(place.top("x")).unwrap(), "mine");
}

#[test]
fn a_directory_replaces_a_link_and_does_not_change_its_target() {
    // CVE-2026-33056: the mode of the directory would have gone through the link.
    let mut place = Place::new();
    let outside = place.directory.path().join("dir");
    std::fs::create_dir(&outside).unwrap();
    std::fs::set_permissions(&outside, std::fs::Permissions::from_mode(0o700)).unwrap();
    place.add(Tar::new().symlink("d", "../dir").dir("d", 0o777)).unwrap();
    assert_eq!(mode(&outside), 0o700);
    assert!(place.top("d").symlink_metadata().unwrap().is_dir());
    place.add(Tar::new().dir("d", 0o777).symlink("d", "../dir")).unwrap();
    assert_eq!(mode(&outside), 0o700);
}

#[test]
fn hard_links_lead_to_entries_of_the_layer_only() {
    check_refused(Tar::new().link("a", "/etc/hostname"), "which does not exist");
    check_refused(Tar::new().symlink("s", "..").link("a", "s/precious"), "which does not exist");
    check_refused(Tar::new().dir("d", 0o755).link("a", "d"), "the directory");
    let (place, extracted) = unpacked(vec![Tar::new().file("a", "12345").link("b/c", "a")]);
    let inode = |name: &str| place.top(name).metadata().unwrap().ino();
    assert_eq!(inode("a"), inode("b/c"));
    assert_eq!(extracted.size, 5);
}

#[test]
fn a_hard_link_to_a_file_of_a_lower_layer_copies_it_up() {
    let lower = Tar::new().dir("bin", 0o755).raw(EntryType::Regular, "bin/a", "", 0o4755, b"12");
    let (place, extracted) = unpacked(vec![lower, Tar::new().link("b", "bin/a")]);
    assert_eq!(std::fs::read_to_string(place.top("b")).unwrap(), "12");
    assert_eq!(mode(&place.top("bin/a")), 0o4755);
    let inode = |name: &str| place.top(name).metadata().unwrap().ino();
    assert_eq!(inode("b"), inode("bin/a"));
    assert_eq!(
        extracted,
        Extracted { size: 2, stands_alone: false, complete: true, has_root_entry: false }
    );
}

#[test]
fn a_hard_link_may_lead_to_anything_but_a_directory_of_a_lower_layer() {
    let lower = Tar::new().symlink("s", "x").raw(EntryType::Fifo, "f", "", 0o640, b"");
    let lower = lower.dir("d", 0o755);
    let (mut place, _) = unpacked(vec![lower, Tar::new().link("t", "s").link("g", "f")]);
    assert_eq!(std::fs::read_link(place.top("t")).unwrap(), Path::new("x"));
    let (one, other) = (place.top("f"), place.top("g").symlink_metadata().unwrap());
    assert_eq!((mode(&one), other.nlink(), other.mtime()), (0o640, 2, 1000));
    let error = place.add(Tar::new().link("e", "d")).unwrap_err();
    assert!(error.to_string().contains("which does not exist"), "{error}");
}

#[test]
fn whiteout_hides_a_lower_file() {
    let layer = Tar::new().dir("d", 0o755).file("d/.wh.gone", "").file("d/.wh..wh.plnk/x", "");
    let (place, extracted) = unpacked(vec![layer]);
    assert!(is_whiteout(&place.top("d/gone")));
    assert_eq!(std::fs::read_dir(place.top("d")).unwrap().count(), 1);
    assert!(extracted.stands_alone);
    for bad in [".wh.", ".wh..", ".wh...", "d/.wh..."] {
        check_refused(Tar::new().dir("d", 0o755).file(bad, ""), "hides no name");
    }
}

#[test]
fn an_opaque_directory_hides_all_that_is_below() {
    let (place, _) = unpacked(vec![Tar::new().dir("d", 0o700).file("d/.wh..wh..opq", "")]);
    assert!(is_opaque(&place.top("d")));
    assert_eq!(mode(&place.top("d")), 0o700);
}

#[test]
fn an_opaque_root_hides_each_name_of_the_layers_below() {
    // overlayfs merges the roots of layers and ignores their attributes.
    let lower = Tar::new().dir("a", 0o755).file("b", "").file("c", "");
    let upper = Tar::new().dir("a", 0o755).file("c", "").file(".wh..wh..opq", "");
    let (place, extracted) = unpacked(vec![lower, upper]);
    assert!(is_opaque(&place.top("a")) && is_whiteout(&place.top("b")));
    assert!(place.top("c").is_file() && !extracted.stands_alone);
}

#[test]
fn an_entry_of_the_layer_itself_goes_before_a_link_of_a_lower_one() {
    let lower = Tar::new().dir("usr", 0o755).dir("usr/lib", 0o755).symlink("lib", "usr/lib");
    let upper = Tar::new().file("lib/x", "").dir("lib", 0o755).file("lib/y", "");
    let (place, _) = unpacked(vec![lower, upper]);
    assert!(place.top("usr/lib/x").is_file() && place.top("lib/y").is_file());
}

#[test]
fn a_whiteout_beside_an_entry_of_its_name_hides_only_what_is_below() {
    let before = Tar::new().file(".wh.d", "").dir("d", 0o755).file("d/x", "");
    let after = Tar::new().dir("d", 0o755).file("d/x", "").file(".wh.d", "");
    let implied = Tar::new().file(".wh.d", "").file("d/x", "");
    for layer in [before, after, implied] {
        let (place, _) = unpacked(vec![layer]);
        assert!(is_opaque(&place.top("d")));
        assert!(place.top("d/x").is_file());
    }
    let (place, _) = unpacked(vec![Tar::new().file("f", "x").file(".wh.f", "")]);
    assert!(place.top("f").is_file());
}

#[test]
fn marks_of_overlayfs_and_of_the_host_are_not_taken_from_an_archive() {
    let layer = Tar::new()
        .pax(&[
            ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
            ("SCHILY.xattr.trusted.overlay.redirect", b"/etc"),
            ("SCHILY.xattr.user.overlay.opaque", b"y"),
            ("SCHILY.xattr.security.selinux", b"x"),
            ("SCHILY.xattr.user.mine", b"a\nb\0"),
        ])
        .dir("d", 0o755);
    let (place, _) = unpacked(vec![layer]);
    let directory = fs::open_dir(&place.top("d")).unwrap();
    assert_eq!(fs::list_xattrs(&directory).unwrap(), ["user.mine"]);
    assert_eq!(fs::get_xattr(&directory, "user.mine").unwrap().unwrap(), b"a\nb\0");
    let real = Tar::new().raw(EntryType::Char, "null", "", 0o666, b"");
    check_refused(real, "0:0");
}

#[test]
fn file_capabilities_and_set_id_bits_survive_the_change_of_owner() {
    let capability = b"\x01\0\0\x02\0\x04\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    let layer = Tar::new()
        .pax(&[("SCHILY.xattr.security.capability", capability), ("uid", b"1000")])
        .raw(EntryType::Regular, "ping", "", 0o4755, b"x");
    let (place, _) = unpacked(vec![layer]);
    let file = std::fs::File::open(place.top("ping")).unwrap();
    assert_eq!(fs::get_xattr(&file, "security.capability").unwrap().unwrap(), capability);
    let found = file.metadata().unwrap();
    assert_eq!((found.mode() & 0o7777, found.uid(), found.mtime()), (0o4755, 1000, 1000));
}

#[test]
fn modes_and_times_of_directories_are_set_at_the_end() {
    let layer = Tar::new().dir("d", 0o500).file("d/x", "").dir("./", 0o711);
    let (place, _) = unpacked(vec![layer]);
    assert_eq!(mode(&place.top("d")), 0o500);
    assert_eq!(place.top("d").metadata().unwrap().mtime(), 1000);
    assert_eq!(mode(&place.top("")), 0o711);
}

#[test]
fn a_parent_that_the_layer_leaves_out_is_taken_from_the_layers_below() {
    let lower = Tar::new().pax(&[("uid", b"7")]).dir("home", 0o750).dir("tmp", 0o1777);
    let upper = Tar::new().file("home/x", "").file("tmp/y", "").file("new/z", "");
    let (place, extracted) = unpacked(vec![lower, Tar::new().file("other", ""), upper]);
    assert_eq!(mode(&place.top("home")), 0o750);
    assert_eq!(place.top("home").metadata().unwrap().uid(), 7);
    assert_eq!(mode(&place.top("tmp")), 0o1777);
    assert_eq!(mode(&place.top("new")), 0o755);
    assert!(!extracted.stands_alone);
}

#[test]
fn an_entry_goes_where_a_link_of_a_lower_layer_leads() {
    let lower = Tar::new()
        .dir("usr", 0o755)
        .dir("usr/lib", 0o711)
        .symlink("lib", "usr/lib")
        .symlink("usr/deep", "../../../lib")
        .symlink("abs", "/usr/deep")
        .symlink("loop", "loop");
    let upper = Tar::new().file("lib/x", "").file("abs/new/y", "").file("lib/z", "");
    let (mut place, _) = unpacked(vec![lower, upper]);
    for name in ["usr/lib/x", "usr/lib/new/y", "usr/lib/z"] {
        assert!(place.top(name).is_file(), "{name}");
    }
    assert_eq!(mode(&place.top("usr/lib")), 0o711);
    assert!(!place.top("lib").exists());
    let error = place.add(Tar::new().file("loop/x", "")).unwrap_err();
    assert!(error.to_string().contains("too many links"), "{error}");
}

#[test]
fn what_is_gone_in_a_lower_layer_lends_nothing() {
    let bottom = Tar::new().dir("a", 0o700).dir("b", 0o755).dir("b/c", 0o700);
    let middle = Tar::new().file(".wh.a", "").dir("b", 0o755).file("b/.wh..wh..opq", "");
    let upper = Tar::new().file("a/x", "").file("b/c/y", "");
    let (place, _) = unpacked(vec![bottom, middle, upper]);
    assert_eq!(mode(&place.top("a")), 0o755);
    assert_eq!(mode(&place.top("b/c")), 0o755);
}

#[test]
fn a_directory_gives_way_to_a_file_with_all_that_is_in_it() {
    let layer = Tar::new().dir("d", 0o755).dir("d/e", 0o700).file("d/e/f", "12").file("d", "3");
    let (place, extracted) = unpacked(vec![layer]);
    assert_eq!(std::fs::read_to_string(place.top("d")).unwrap(), "3");
    assert_eq!(extracted.size, 1);
}

#[test]
fn a_hard_link_to_itself_needs_something_there() {
    check_refused(Tar::new().link("l", "l"), "which does not exist");
    unpacked(vec![Tar::new().file("l", "x").link("l", "l")]);
}

#[test]
fn names_in_messages_do_not_steer_a_terminal() {
    check_refused(Tar::new().file("../a\u{1b}[2J", "x"), "../a\\u{1b}[2J");
    check_refused(Tar::new().link("l", "a\u{1b}[2J"), "a\\u{1b}[2J");
}
