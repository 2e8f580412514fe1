//! Files with holes, as real archivers write them. Run as root.

use std::process::Command;

use super::*;

/// A directory with files that have holes, as (offset, length of data) and their length.
fn with_holes() -> tempfile::TempDir {
    use std::os::unix::fs::FileExt;
    let directory = tempfile::tempdir().unwrap();
    let many: Vec<_> = (0..40).map(|n| (n * 262_144, 4096)).collect();
    let add = |name: &str, segments: &[(u64, u64)], length: u64| {
        let file = std::fs::File::create(directory.path().join(name)).unwrap();
        for (offset, size) in segments {
            let data: Vec<u8> = (1..=255).cycle().take(usize::try_from(*size).unwrap()).collect();
            file.write_all_at(&data, *offset).unwrap();
        }
        file.set_len(length).unwrap();
    };
    add("start", &[(1 << 20, 5000)], (1 << 20) + 5000);
    add("end", &[(0, 5000)], 3 << 20);
    add("all", &[], 5 << 20);
    add("many", &many, 41 * 262_144);
    add("none", &[(0, 10_000)], 10_000);
    add(&"long".repeat(50), &[(65_536, 3)], 1 << 20);
    directory
}

fn check_sparse(archiver: &[&str]) {
    let original = with_holes();
    let [program, arguments @ ..] = archiver else { return };
    let output =
        Command::new(program).args(arguments).arg("-C").arg(original.path()).arg(".").output();
    let Ok(output) = output else {
        eprintln!("LEFT OUT: sparse files of `{program}`, which is not here");
        return;
    };
    assert!(output.status.success(), "{output:?}");
    assert!(output.stdout.len() < 1 << 20, "{archiver:?} wrote the holes");
    let mut place = Place::new();
    place.unpack(&output.stdout).unwrap();
    let mut compared = 0;
    for entry in std::fs::read_dir(original.path()).unwrap() {
        let entry = entry.unwrap();
        let ours = place.top(entry.file_name().to_str().unwrap());
        assert_eq!(std::fs::read(&ours).unwrap(), std::fs::read(entry.path()).unwrap());
        let (one, other) = (ours.metadata().unwrap(), entry.metadata().unwrap());
        assert!(one.blocks() <= other.blocks() + 8, "{ours:?} lost its holes");
        compared += 1;
    }
    assert_eq!(
        (compared, std::fs::read_dir(place.top("")).unwrap().count()),
        (6, 6),
        "{archiver:?}"
    );
}

#[test]
fn sparse_files_of_all_formats_are_read() {
    for version in ["0.0", "0.1", "1.0"] {
        let version = format!("--sparse-version={version}");
        check_sparse(&["tar", "--format=pax", "--sparse", &version, "-cf", "-"]);
    }
    check_sparse(&["tar", "--format=gnu", "--sparse", "-cf", "-"]);
    check_sparse(&["bsdtar", "--format=pax", "--read-sparse", "-cf", "-"]);
}

#[test]
fn a_sparse_file_that_lies_is_refused() {
    let map = |map: &[u8], size: &[u8], body: &str| {
        let records = [("GNU.sparse.map", map), ("GNU.sparse.size", size)];
        Tar::new().pax(&records).file("a", body)
    };
    let (place, extracted) = unpacked(vec![map(b"1000000,3", b"2000000", "abc")]);
    assert_eq!((extracted.size, place.top("a").metadata().unwrap().len()), (2_000_000, 2_000_000));
    check_refused(map(b"0,3", b"2", "abc"), "out of order");
    check_refused(map(b"0,2", b"5", "abc"), "does not fit");
    check_refused(map(b"0,4", b"5", "abc"), "does not fit");
    let records = [("GNU.sparse.map", &b"0,0"[..])];
    check_refused(Tar::new().pax(&records).dir("d", 0o755), "only a file can be sparse");
}

#[test]
fn a_hard_link_to_a_sparse_file_of_a_lower_layer_copies_no_holes() {
    let records = [("GNU.sparse.map", &b"1000000,3"[..]), ("GNU.sparse.size", b"1000000000000")];
    let lower = Tar::new().pax(&records).file("a", "abc");
    let (place, extracted) = unpacked(vec![lower, Tar::new().link("b", "a")]);
    let found = place.top("b").metadata().unwrap();
    assert_eq!((extracted.size, found.len()), (1_000_000_000_000, 1_000_000_000_000));
    assert!(found.blocks() < 100, "{} blocks", found.blocks());
}
