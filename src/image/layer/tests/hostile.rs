//! Archives that no tool writes by accident: they neither create nor change a file outside the
//! layer's directory, and nothing panics. Run as root.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::image::tar::members::Members;

/// A path of the host that no test may create.
const CANARY: &str = "lifebox-canary-of-a-test";

/// One member, as a description.
#[derive(Clone, Debug)]
struct Entry {
    kind: u8,
    name: Vec<u8>,
    link: Vec<u8>,
    mode: u32,
    content: Vec<u8>,
    /// The length in the header, if it is wrong.
    size: Option<u64>,
    device: (u32, u32),
    pax: Vec<(&'static str, Vec<u8>)>,
    /// A GNU long name or link before it.
    long: Option<(u8, Vec<u8>)>,
}

fn name() -> impl Strategy<Value = Vec<u8>> {
    const ODD: [&[u8]; 36] = [
        b"a",
        b"b",
        b"a/b",
        b"a/b/c",
        b"b/a",
        b"./a",
        b"a/",
        b"out",
        b"out/x",
        b"out/out/x",
        b"abs/x",
        b"up",
        b"up/x",
        b"self/x",
        b"../x",
        b"../precious",
        b"../beside/x",
        b"a/../../x",
        b"a/b/../../../precious",
        b"/",
        b".",
        b"",
        b"..",
        b"/etc/lifebox-canary-of-a-test",
        b"/lifebox-canary-of-a-test",
        b".wh.a",
        b".wh.",
        b".wh..",
        b".wh...",
        b".wh..wh..opq",
        b"a/.wh..wh..opq",
        b"a/.wh.b",
        b"out/.wh.precious",
        b".wh..wh.plnk/1.2",
        b"x\0y",
        b"\xff",
    ];
    prop_oneof![
        8 => prop::sample::select(ODD.to_vec()).prop_map(<[u8]>::to_vec),
        2 => "[ab./]{1,9}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (1..6000usize).prop_map(|n| vec![b'n'; n]),
        1 => (1..400usize).prop_map(|n| b"d/".repeat(n)),
    ]
}

fn link() -> impl Strategy<Value = Vec<u8>> {
    const TARGETS: [&[u8]; 12] = [
        b"..",
        b"../..",
        b"../beside",
        b"../precious",
        b"/",
        b"/etc",
        b"/tmp",
        b".",
        b"out",
        b"/proc/self/root",
        b"a",
        b"../../../../../../../../etc",
    ];
    prop_oneof![3 => prop::sample::select(TARGETS.to_vec()).prop_map(<[u8]>::to_vec), 2 => name()]
}

fn pax() -> impl Strategy<Value = Vec<(&'static str, Vec<u8>)>> {
    let number = prop_oneof![
        any::<i64>().prop_map(|n| n.to_string()),
        (0..2000u32).prop_map(|n| n.to_string()),
        "[0-9,.x-]{0,12}",
    ]
    .prop_map(String::into_bytes);
    let record = prop_oneof![
        3 => name().prop_map(|name| ("path", name)),
        3 => link().prop_map(|link| ("linkpath", link)),
        6 => (0..14usize, number).prop_map(|(key, value)| {
            const KEYS: [&str; 14] = [
                "size", "uid", "gid", "mtime", "GNU.sparse.major", "GNU.sparse.minor",
                "GNU.sparse.map", "GNU.sparse.size", "GNU.sparse.realsize", "GNU.sparse.numblocks",
                "GNU.sparse.offset", "GNU.sparse.numbytes", "hdrcharset", "SCHILY.fflags",
            ];
            (KEYS[key], value)
        }),
        1 => Just(("SCHILY.xattr.trusted.overlay.opaque", b"y".to_vec())),
        1 => Just(("SCHILY.xattr.trusted.overlay.redirect", b"/etc".to_vec())),
        1 => prop::collection::vec(any::<u8>(), 0..30).prop_map(|v| ("SCHILY.xattr.user.x", v)),
        1 => name().prop_map(|name| ("GNU.sparse.name", name)),
    ];
    prop_oneof![3 => Just(Vec::new()), 1 => prop::collection::vec(record, 1..4)]
}

/// A well-formed entry: only its path and target may be hostile.
fn quiet() -> impl Strategy<Value = Entry> {
    const NAMES: [&[u8]; 16] = [
        b"a",
        b"b",
        b"out",
        b"up",
        b"a/b",
        b"a/out",
        b"out/x",
        b"out/file",
        b"up/x",
        b"up/precious",
        b"up/beside",
        b"a/out/x",
        b"b/x",
        b"out/.wh.file",
        b"up/.wh.precious",
        b"out/.wh..wh..opq",
    ];
    const LINKS: [&[u8]; 9] = [
        b"..",
        b"../beside",
        b"../precious",
        b"../..",
        b"a",
        b"out",
        b"out/file",
        b"up/precious",
        b"../../beside",
    ];
    let kind = prop::sample::select(b"000555222116".to_vec());
    let names = (prop::sample::select(NAMES.to_vec()), prop::sample::select(LINKS.to_vec()));
    (kind, names, 0..0o10000u32).prop_map(|(kind, (name, link), mode)| Entry {
        kind,
        name: name.to_vec(),
        link: link.to_vec(),
        mode,
        content: if kind == b'0' { b"changed".to_vec() } else { Vec::new() },
        size: None,
        device: (1, 3),
        pax: Vec::new(),
        long: None,
    })
}

fn entry() -> impl Strategy<Value = Entry> {
    prop_oneof![4 => quiet(), 1 => odd()]
}

fn odd() -> impl Strategy<Value = Entry> {
    let kind = prop_oneof![
        12 => prop::sample::select(b"000005552221113\x0046S".to_vec()),
        1 => prop::sample::select(b"7LKxgDVM".to_vec()),
        1 => any::<u8>(),
    ];
    let size = prop_oneof![8 => Just(None), 1 => (0..5000u64).prop_map(Some),
        1 => any::<u64>().prop_map(Some)];
    let long = prop_oneof![8 => Just(None),
        1 => (prop::sample::select(b"LK".to_vec()), link()).prop_map(Some)];
    let content = prop::collection::vec(any::<u8>(), 0..700);
    let device = (0..9000u32, 0..3u32).prop_map(|(major, minor)| (major * minor, minor));
    (kind, name(), link(), 0..0o10000u32, content, size, device, pax(), long).prop_map(
        |(kind, name, link, mode, content, size, device, pax, long)| Entry {
            kind,
            name,
            link,
            mode,
            content,
            size,
            device,
            pax,
            long,
        },
    )
}

fn put(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

/// The bytes of an archive of `entries`; a name that is too long is cut.
fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut layer = Tar::new();
    for entry in entries {
        if !entry.pax.is_empty() {
            let records: Vec<_> = entry.pax.iter().map(|(k, v)| (*k, v.as_slice())).collect();
            layer = layer.pax(&records);
        }
        if let Some((kind, text)) = &entry.long {
            layer = layer.raw(EntryType::new(*kind), "long", "", 0o644, text);
        }
        let mut header = Header::new_gnu();
        let gnu = header.as_gnu_mut().unwrap();
        put(&mut gnu.name, &entry.name);
        put(&mut gnu.linkname, &entry.link);
        header.set_entry_type(EntryType::new(entry.kind));
        header.set_mode(entry.mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(1000);
        header.set_device_major(entry.device.0).unwrap();
        header.set_device_minor(entry.device.1).unwrap();
        let honest = entry.content.len() as u64;
        header.set_size(entry.size.unwrap_or(honest));
        layer = layer.header(header, if honest > 0 { &entry.content } else { &[] });
    }
    layer.bytes()
}

type Snapshot = BTreeMap<PathBuf, (u32, u64, i64, u64, Vec<u8>)>;

/// All that is below `directory` but not in `0` and `1`, and what it is.
fn snapshot(directory: &Path) -> Snapshot {
    let mut found = Snapshot::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(path) = todo.pop() {
        let meta = path.symlink_metadata().unwrap();
        let content = if meta.is_file() { std::fs::read(&path).unwrap() } else { Vec::new() };
        if meta.is_dir() {
            let entries = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path());
            todo.extend(entries.filter(|path| !path.ends_with("0") && !path.ends_with("1")));
        }
        // The time of the directory that holds the layers is that of making them.
        let time = if path == directory { 0 } else { meta.mtime_nsec() };
        found.insert(
            path,
            (meta.mode(), meta.nlink() * u64::from(!meta.is_dir()), time, 0, content),
        );
    }
    found
}

/// Unpacks `layer` above a layer of links that lead outside, and checks what is outside.
fn check(layer: &[u8]) -> Result<(), TestCaseError> {
    let mut place = Place::new();
    let beside = place.directory.path().join("beside");
    std::fs::create_dir(&beside).unwrap();
    std::fs::write(beside.join("file"), "canary").unwrap();
    std::fs::set_permissions(&beside, std::fs::Permissions::from_mode(0o711)).unwrap();
    let lower = Tar::new()
        .dir("a", 0o755)
        .symlink("out", "../beside")
        .symlink("up", "..")
        .symlink("abs", "/tmp")
        .symlink("self", "self")
        .file("f", "lower");
    place.add(lower).unwrap();
    let before = snapshot(place.directory.path());
    let passwd = std::fs::read("/etc/passwd").unwrap();
    let _ = place.unpack(layer);
    prop_assert_eq!(snapshot(place.directory.path()), before);
    prop_assert_eq!(std::fs::read("/etc/passwd").unwrap(), passwd);
    for path in ["/", "/etc", "/tmp"] {
        prop_assert!(!Path::new(path).join(CANARY).exists());
    }
    no_marks(&place.top(""))
}

/// No layer brings an order to overlayfs that extraction has not written itself.
fn no_marks(root: &Path) -> Result<(), TestCaseError> {
    let mut todo = vec![root.to_owned()];
    while let Some(path) = todo.pop() {
        if !path.symlink_metadata().unwrap().is_dir() {
            continue;
        }
        let keys = fs::list_xattrs(fs::open_dir(&path).unwrap()).unwrap();
        prop_assert!(keys.iter().all(|key| key == opaque() || is_allowed_xattr(key)), "{:?}", keys);
        todo.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
    }
    Ok(())
}

/// Bytes that are changed, as (where in the archive, to what), and how much of it is left.
fn damage() -> impl Strategy<Value = (Vec<(f64, u8)>, f64)> {
    let flips = prop::collection::vec((0.0..1.0f64, any::<u8>()), 0..6);
    (flips, prop_oneof![1 => Just(1.0), 1 => 0.0..1.0f64])
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)]
fn damaged(mut bytes: Vec<u8>, damage: &(Vec<(f64, u8)>, f64), right_sums: bool) -> Vec<u8> {
    let at = |part: f64| (bytes.len() as f64 * part) as usize;
    let places: Vec<_> = damage.0.iter().map(|(part, byte)| (at(*part), *byte)).collect();
    let end = at(damage.1);
    for (place, byte) in places {
        bytes[place] = byte;
        let start = place / 512 * 512;
        if right_sums && bytes[start + 257..].starts_with(b"ustar") {
            let mut header = Header::new_old();
            header.as_mut_bytes().copy_from_slice(&bytes[start..start + 512]);
            header.set_cksum();
            bytes[start..start + 512].copy_from_slice(header.as_bytes());
        }
    }
    bytes.truncate(end);
    bytes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, max_shrink_iters: 2000, ..Default::default() })]

    #[test]
    fn no_archive_reaches_outside_of_its_layer(entries in prop::collection::vec(entry(), 1..12)) {
        check(&archive(&entries))?;
    }

    #[test]
    fn no_damaged_archive_reaches_outside_of_its_layer(
        entries in prop::collection::vec(entry(), 1..8),
        damage in damage(),
    ) {
        check(&damaged(archive(&entries), &damage, true))?;
    }

    #[test]
    fn the_reader_takes_any_bytes(
        entries in prop::collection::vec(entry(), 0..8),
        damage in damage(),
        right_sums in any::<bool>(),
        noise in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        for bytes in [damaged(archive(&entries), &damage, right_sums), noise] {
            let mut members = Members::new(&bytes[..]);
            let mut count = 0;
            while let Ok(Some(_)) = members.next() {
                count += 1;
                prop_assert!(count <= bytes.len() / 512);
            }
        }
    }
}
