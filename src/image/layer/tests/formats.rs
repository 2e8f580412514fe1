//! The ways in which tar archives say things, and what becomes of it on disk. Run as root.

use std::os::unix::fs::FileTypeExt;

use super::*;

/// A regular file's header with nothing in it.
fn plain(name: &str) -> Header {
    let mut header = Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(EntryType::Regular);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header.set_mtime(0);
    header
}

fn names(place: &Place) -> Vec<Vec<u8>> {
    let mut names = fs::names(fs::open_dir(&place.top("")).unwrap()).unwrap();
    names.sort();
    names
}

fn refused(layer: &[u8], expected: &str) {
    let error = Place::new().unpack(layer).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn unknown_types_are_refused() {
    for kind in [b'D', b'M', b'V', b's', b'N', 0xff] {
        let layer = Tar::new().raw(EntryType::new(kind), "x", "", 0o644, b"");
        check_refused(layer, "unknown type");
    }
}

#[test]
fn names_that_are_not_text_are_kept_as_they_are() {
    let layer = Tar::new()
        .pax(&[("hdrcharset", b"BINARY"), ("path", b"caf\xe9"), ("uname", b"\xff")])
        .file("x", "")
        .pax(&[("path", b"line\nend")])
        .file("y", "")
        .pax(&[("linkpath", b"\xfe\xff")])
        .symlink("z", "lost");
    let (place, _) = unpacked(vec![layer]);
    assert_eq!(names(&place), [&b"caf\xe9"[..], b"line\nend", b"z"]);
    let target = fs::read_link(fs::open_dir(&place.top("")).unwrap(), b"z").unwrap();
    assert_eq!(target, b"\xfe\xff");
}

#[test]
fn long_names_and_links_of_both_forms_are_read() {
    let name = |c: &str| vec![c.repeat(200); 4].join("/");
    let mut layer = Tar::new();
    // GNU: records of the types L and K.
    let (long, link) = (name("g"), name("h"));
    for (kind, text) in [(b'L', &long), (b'K', &link)] {
        let bytes = [text.as_bytes(), b"\0"].concat();
        layer = layer.raw(EntryType::new(kind), "././@LongLink", "", 0o644, &bytes);
    }
    let layer = layer
        .symlink("cut", "cut")
        .pax(&[("path", name("p").as_bytes()), ("linkpath", long.as_bytes())])
        .symlink("cut", "cut");
    let (place, _) = unpacked(vec![layer]);
    assert_eq!(std::fs::read_link(place.top(&long)).unwrap(), Path::new(&link));
    assert_eq!(std::fs::read_link(place.top(&name("p"))).unwrap(), Path::new(&long));
    assert_eq!(names(&place).len(), 2);
    // Where both speak of one member, Go believes GNU's.
    let layer = Tar::new()
        .raw(EntryType::GNULongName, "././@LongLink", "", 0o644, b"gnu\0")
        .pax(&[("path", b"pax")])
        .file("short", "");
    assert_eq!(names(&unpacked(vec![layer]).0), [b"gnu"]);
    let twice = Tar::new().pax(&[("path", b"a")]).pax(&[("path", b"b")]).file("c", "");
    check_refused(twice, "two headers of one kind");
}

#[test]
fn a_ustar_name_has_a_prefix() {
    let mut header = Header::new_ustar();
    header.set_path(format!("{}/{}", "d".repeat(120), "f".repeat(90))).unwrap();
    header.set_mode(0o600);
    header.set_size(0);
    let (place, _) = unpacked(vec![Tar::new().header(header, b"")]);
    assert_eq!(mode(&place.top(&format!("{}/{}", "d".repeat(120), "f".repeat(90)))), 0o600);
}

#[test]
fn global_headers_and_unknown_records_change_nothing() {
    let global = b"17 comment=hello\n13 path=evil\n";
    let layer = Tar::new()
        .raw(EntryType::XGlobalHeader, "pax_global_header", "", 0o644, &global[..])
        .pax(&[("SCHILY.fflags", b"uappnd"), ("comment", b"x"), ("atime", b"1"), ("ctime", b"2")])
        .file("a", "");
    assert_eq!(names(&unpacked(vec![layer]).0), [b"a"]);
    // As in Go, what stands before a global header is lost.
    let layer = Tar::new()
        .pax(&[("path", b"lost")])
        .raw(EntryType::XGlobalHeader, "g", "", 0o644, b"")
        .file("a", "");
    assert_eq!(names(&unpacked(vec![layer]).0), [b"a"]);
}

#[test]
fn the_size_of_a_pax_record_goes_before_that_of_the_header() {
    // CVE-2026-33055: who believes the header reads the content as members.
    let inner = Tar::new().file("smuggled", "x").bytes();
    let mut layer = Tar::new().pax(&[("size", inner.len().to_string().as_bytes())]).bytes();
    layer.truncate(1024);
    let mut header = plain("outer");
    header.set_cksum();
    layer.extend_from_slice(header.as_bytes());
    layer.extend_from_slice(&inner);
    layer.extend_from_slice(&[0; 1024]);
    let mut place = Place::new();
    place.unpack(&layer).unwrap();
    assert_eq!(names(&place), [b"outer"]);
    assert_eq!(place.top("outer").metadata().unwrap().len(), inner.len() as u64);
    for bad in [&b"-1"[..], b"x", b"+1", b"18446744073709551616"] {
        check_refused(Tar::new().pax(&[("size", bad)]).file("a", ""), "not a number");
    }
    let huge = Tar::new().pax(&[("size", b"9223372036854775807")]).file("a", "");
    check_refused(huge, "bytes");
}

#[test]
fn what_is_no_file_has_no_body() {
    for kind in [EntryType::Directory, EntryType::Symlink, EntryType::Fifo, EntryType::Link] {
        let mut header = plain("x");
        header.set_entry_type(kind);
        header.set_size(512);
        header.set_link_name("f").unwrap();
        header.set_cksum();
        let before = Tar::new().file("f", "").bytes();
        let after = Tar::new().file("y", "").bytes();
        let layer = [&before[..512], header.as_bytes(), &after[..]].concat();
        let mut place = Place::new();
        place.unpack(&layer).unwrap();
        assert_eq!(names(&place), [b"f", b"x", b"y"], "{kind:?}");
    }
    // Only in the oldest archives a slash makes a directory; else the file has its body.
    let mut header = plain("x/");
    header.set_size(3);
    let (place, _) = unpacked(vec![Tar::new().header(header.clone(), b"abc").file("y", "")]);
    assert_eq!(place.top("x").metadata().unwrap().len(), 3);
    header.as_old_mut().linkflag = [0];
    header.set_size(0);
    let (place, _) = unpacked(vec![Tar::new().header(header, b"").file("y", "")]);
    assert!(place.top("x").is_dir());
}

#[test]
fn numbers_beyond_octal_are_read() {
    let mut header = plain("big");
    header.set_uid(3_000_000_000);
    // Two's complement: a second before 1970.
    header.as_old_mut().mtime = [0xff; 12];
    let (place, _) = unpacked(vec![Tar::new().header(header.clone(), b"")]);
    let found = place.top("big").metadata().unwrap();
    assert_eq!((found.uid(), found.mtime(), found.mtime_nsec()), (3_000_000_000, -1, 0));
    header.as_old_mut().size = [0xff; 12];
    check_refused(Tar::new().header(header.clone(), b""), "negative");
    header.as_old_mut().size = *b"12345678901x";
    check_refused(Tar::new().header(header, b""), "not a number");
}

#[test]
fn owners_out_of_range_are_refused() {
    for id in [&b"4294967295"[..], b"4294967296"] {
        check_refused(Tar::new().pax(&[("uid", id)]).file("a", ""), "out of range");
        check_refused(Tar::new().pax(&[("gid", id)]).dir("a", 0o755), "out of range");
    }
    let mut negative = plain("a");
    negative.as_old_mut().uid = [0xff; 8];
    check_refused(Tar::new().header(negative, b""), "negative");
    let (place, _) = unpacked(vec![Tar::new().pax(&[("gid", b"4294967294")]).file("a", "")]);
    assert_eq!(place.top("a").metadata().unwrap().gid(), 4_294_967_294);
}

#[test]
fn times_of_all_ages_are_kept() {
    let layer = Tar::new()
        .pax(&[("mtime", b"-86400.25")])
        .file("before", "")
        .pax(&[("mtime", b"1700000000.123456789")])
        .dir("exact", 0o755)
        .pax(&[("mtime", b"1700000000.5")])
        .symlink("link", "x")
        .pax(&[("mtime", b"1700000001.000000001")])
        .raw(EntryType::Fifo, "fifo", "", 0o600, b"")
        .pax(&[("mtime", b"4102444800")])
        .file("later", "")
        .pax(&[("mtime", b"9223372036854775807")])
        .file("latest", "")
        .pax(&[("mtime", b"-9223372036854775808")])
        .file("first", "");
    let (place, _) = unpacked(vec![layer]);
    let time = |name: &str| {
        let found = place.top(name).symlink_metadata().unwrap();
        (found.mtime(), found.mtime_nsec())
    };
    assert_eq!(time("before"), (-86401, 750_000_000));
    assert_eq!(time("exact"), (1_700_000_000, 123_456_789));
    assert_eq!(time("link"), (1_700_000_000, 500_000_000));
    assert_eq!(time("fifo"), (1_700_000_001, 1));
    assert_eq!(time("later").0, 4_102_444_800);
    // What the file system can't express becomes its last or first moment.
    assert!(time("latest").0 > 4_102_444_800 && time("first").0 < -86401);
    check_refused(Tar::new().pax(&[("mtime", b"soon")]).file("a", ""), "not a time");
}

#[test]
fn devices_keep_their_numbers_and_none_is_cut_to_a_whiteout() {
    let device = |kind, major, minor| {
        let mut header = plain("x");
        header.set_entry_type(kind);
        header.set_device_major(major).unwrap();
        header.set_device_minor(minor).unwrap();
        header.set_mode(0o660);
        Tar::new().header(header, b"")
    };
    let (place, _) = unpacked(vec![device(EntryType::Block, 4095, 1_048_575)]);
    let found = place.top("x").symlink_metadata().unwrap();
    assert!(found.file_type().is_block_device());
    let rdev = found.rdev();
    assert_eq!((rustix::fs::major(rdev), rustix::fs::minor(rdev)), (4095, 1_048_575));
    assert_eq!(mode(&place.top("x")), 0o660);
    let (place, _) = unpacked(vec![device(EntryType::Char, 10, 229)]);
    assert!(place.top("x").symlink_metadata().unwrap().file_type().is_char_device());
    // mknod(2) takes 12 and 20 bits, so 4096:0 would become 0:0.
    for (major, minor) in [(4096, 0), (0, 1 << 20)] {
        check_refused(device(EntryType::Char, major, minor), "out of range");
    }
    check_refused(device(EntryType::Char, 0, 0), "0:0");
}

#[test]
fn fifos_and_set_id_bits_are_kept() {
    let layer = Tar::new()
        .pax(&[("uid", b"5"), ("gid", b"6")])
        .raw(EntryType::Fifo, "fifo", "", 0o640, b"")
        .pax(&[("uid", b"5"), ("gid", b"6")])
        .raw(EntryType::Regular, "both", "", 0o6755, b"")
        .dir("sticky", 0o3777);
    let (place, _) = unpacked(vec![layer]);
    let found = place.top("fifo").symlink_metadata().unwrap();
    assert!(found.file_type().is_fifo() && (found.uid(), found.gid()) == (5, 6));
    assert_eq!(mode(&place.top("fifo")), 0o640);
    assert_eq!((mode(&place.top("both")), mode(&place.top("sticky"))), (0o6755, 0o3777));
}

#[test]
fn the_root_has_the_owner_and_mode_that_the_layer_says() {
    let layer = Tar::new().pax(&[("uid", b"7"), ("gid", b"8"), ("mtime", b"9.5")]).dir("./", 0o750);
    let (place, extracted) = unpacked(vec![layer.file("a", "")]);
    assert!(extracted.has_root_entry);
    let root = place.top("").metadata().unwrap();
    assert_eq!((root.uid(), root.gid(), root.mtime(), root.mtime_nsec()), (7, 8, 9, 500_000_000));
    assert_eq!(mode(&place.top("")), 0o750);
    let (place, extracted) = unpacked(vec![Tar::new().file("a", "")]);
    assert_eq!((mode(&place.top("")), place.top("").metadata().unwrap().mtime()), (0o755, 0));
    assert!(!extracted.has_root_entry);
    for name in [".", "/", "./", "//./"] {
        check_refused(Tar::new().file(name, ""), "only a directory can be the root");
        check_refused(Tar::new().file("a", "").link(name, "a"), "only a directory");
    }
    check_refused(Tar::new().link("a", "/"), "no name");
}

#[test]
fn a_whiteout_may_be_written_in_odd_ways() {
    let layer = Tar::new()
        .file("full/.wh.a", "content")
        .dir("full/.wh.b", 0o755)
        .symlink("full/.wh.c", "x")
        .file("full/.wh..hidden", "")
        .file("./full//.wh.d", "")
        .file("full/.wh.e", "")
        .file("full/.wh.e", "");
    let (place, extracted) = unpacked(vec![layer]);
    for name in ["a", "b", "c", ".hidden", "d", "e"] {
        assert!(is_whiteout(&place.top("full").join(name)), "{name}");
    }
    assert_eq!(extracted.size, 0);
    check_refused(Tar::new().file("a/.wh.x/b", ""), "a whiteout and a directory");
    check_refused(Tar::new().file("f", "").link("a", ".wh.f"), "the whiteout");
    check_refused(Tar::new().file("f", "").link("a", ".wh..wh..opq"), "the whiteout");
    check_refused(Tar::new().file(".wh.f", "").link("a", "f"), "which does not exist");
}

#[test]
fn the_last_of_several_entries_of_a_name_counts() {
    let layer = Tar::new()
        .pax(&[("SCHILY.xattr.user.old", b"1")])
        .file("a", "first")
        .file("a", "2nd")
        .symlink("b", "a")
        .file("b", "b")
        .dir("c", 0o700)
        .file("c/x", "")
        .dir("c", 0o711)
        .file("d", "")
        .dir("d", 0o755)
        .file("d/y", "")
        .file("e", "12")
        .link("f", "e")
        .file("e", "345");
    let (place, extracted) = unpacked(vec![layer]);
    assert_eq!(std::fs::read_to_string(place.top("a")).unwrap(), "2nd");
    let file = std::fs::File::open(place.top("a")).unwrap();
    assert!(fs::list_xattrs(OwnedFd::from(file)).unwrap().is_empty());
    assert_eq!(std::fs::read_to_string(place.top("b")).unwrap(), "b");
    assert!(place.top("c/x").is_file() && mode(&place.top("c")) == 0o711);
    assert!(place.top("d/y").is_file());
    assert_eq!(std::fs::read_to_string(place.top("f")).unwrap(), "12");
    assert_eq!(extracted.size, 3 + 1 + 2 + 3);
}

#[test]
fn an_archive_may_be_empty_and_ends_at_two_blocks_of_zeros() {
    for empty in [&[][..], &[0; 512], &[0; 1024], &[0; 10240]] {
        let mut place = Place::new();
        place.unpack(empty).unwrap();
        assert!(names(&place).is_empty());
    }
    let one = Tar::new().file("a", "").bytes();
    // As in Go, what follows after the end does not count.
    let mut place = Place::new();
    place.unpack(&[&one[..], &Tar::new().file("b", "").bytes()].concat()).unwrap();
    assert_eq!(names(&place), [b"a"]);
    let mut place = Place::new();
    place.unpack(&one[..512]).unwrap();
    assert_eq!(names(&place), [b"a"]);
    refused(&[&one[..1024], &one[..]].concat(), "after a block of zeros");
    refused(&[&one[..512], &[b'x'; 512]].concat(), "wrong checksum");
}

#[test]
fn a_truncated_layer_is_an_error() {
    let bytes = Tar::new().file("a", &"x".repeat(5000)).bytes();
    for length in [513, 2000, 5511, 5512, 5800] {
        refused(&bytes[..length], "ends too early");
    }
    for length in [1, 511] {
        refused(&bytes[..length], "not a tar archive");
    }
}

#[test]
fn attributes_are_kept_on_files_and_directories() {
    let layer = Tar::new()
        .pax(&[("SCHILY.xattr.user.a=b", b""), ("LIBARCHIVE.xattr.user.c", b"AP8")])
        .file("a", "")
        .pax(&[("SCHILY.xattr.user.d", &[7; 1000])])
        .dir("d", 0o755)
        .pax(&[("SCHILY.xattr.user.on-a-link", b"x")])
        .symlink("s", "a");
    let (place, _) = unpacked(vec![layer]);
    let open = |name: &str| OwnedFd::from(std::fs::File::open(place.top(name)).unwrap());
    assert_eq!(fs::get_xattr(open("a"), "user.c").unwrap().unwrap(), b"\0\xff");
    assert_eq!(fs::get_xattr(open("d"), "user.d").unwrap().unwrap(), [7; 1000]);
}
