//! Archives of `docker save`, good and bad. The good one was written by Docker 20.10.

use std::io::Write;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use super::*;
use crate::sys::fs;

const FIXTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hundredcounter.docker.tar");

fn go() -> Result<()> {
    Ok(())
}

fn store() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

/// Nothing is left in the staging directory, no blob and no layer.
fn assert_untouched(store: &Store) {
    for name in ["staging", "blobs/sha256", "layers"] {
        let left: Vec<_> = std::fs::read_dir(store.images().join(name)).unwrap().collect();
        assert!(left.is_empty(), "{name}: {left:?}");
    }
    assert!(store.list().unwrap().is_empty());
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (name, content) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn config(layers: &[&[u8]]) -> String {
    let ids: Vec<_> =
        layers.iter().map(|layer| crate::image::bytes::spool::digest_of(layer)).collect();
    serde_json::json!({
        "architecture": "amd64", "os": "linux", "config": {"Cmd": ["/x"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
    })
    .to_string()
}

/// An archive with one image of one layer, which has one file.
fn small(tag: &str, content: &str) -> Vec<u8> {
    let layer = tar(&[("file", content.as_bytes())]);
    let manifest = format!(r#"[{{"Config":"c.json","RepoTags":["{tag}"],"Layers":["l.tar"]}}]"#);
    tar(&[
        ("c.json", config(&[&layer]).as_bytes()),
        ("l.tar", &layer),
        (MANIFEST, manifest.as_bytes()),
    ])
}

fn check_refused(archive: &[u8], expected: &str) {
    let (_root, store) = store();
    let error = store.load(&mut &archive[..], None, &go).unwrap_err();
    assert!(error.to_string().contains(expected), "{error}");
    assert!(error.hint_text().is_some(), "{error}");
    assert_untouched(&store);
}

#[test]
fn an_image_saved_by_docker_is_as_docker_made_it() {
    let (_root, store) = store();
    let loaded = store.load_file(Path::new(FIXTURE), None, &go).unwrap();
    let id = "sha256:078e30f4560838007f7ebd35877143585afaebb640316bcc3cbbb466b9a6a01d";
    assert_eq!(loaded[0].id.as_str(), id);
    assert_eq!(loaded[0].tags[0].familiar(), "hundredcounter:latest");

    let image = store.find("hundredcounter").unwrap();
    assert_eq!(image.id.as_str(), id);
    assert_eq!(image.config.cmd, Some(vec!["/app/script.sh".to_owned()]));
    assert_eq!(image.document["docker_version"], "20.10.24+dfsg1");
    assert_eq!(image.layers.len(), 4);
    for query in [id, &id[7..], &id[7..19], "sha256:078e", "docker.io/library/hundredcounter"] {
        assert_eq!(store.find(query).unwrap().id, image.id, "{query}");
    }

    let layer = |n: usize| store.layer_dir(&image.layers[n]);
    let busybox = layer(0).join("bin/busybox").metadata().unwrap();
    assert_eq!((busybox.mode() & 0o7777, busybox.uid(), busybox.len()), (0o755, 0, 1_982_256));
    assert_eq!(std::fs::read_link(layer(0).join("bin/[")).unwrap(), Path::new("busybox"));

    let up = std::fs::read_link(layer(1).join("opt/up")).unwrap();
    assert_eq!(up, Path::new("../../../../etc/passwd"));
    assert!(layer(1).join("opt/fifo").symlink_metadata().unwrap().file_type().is_fifo());
    let linked = layer(1).join("opt/busybox-hard").metadata().unwrap();
    assert_eq!(linked.ino(), layer(1).join("bin/busybox").metadata().unwrap().ino());

    let whiteout = layer(2).join("srv/gone").symlink_metadata().unwrap();
    assert!(whiteout.file_type().is_char_device() && whiteout.rdev() == 0);
    let old = fs::open_dir(&layer(2).join("data/old")).unwrap();
    assert_eq!(fs::get_xattr(&old, "trusted.overlay.opaque").unwrap().as_deref(), Some(&b"y"[..]));
    assert!(!layer(2).join("data/old/.wh..wh..opq").exists());

    let script = layer(3).join("app/script.sh").metadata().unwrap();
    assert_eq!((script.uid(), script.gid(), script.mode() & 0o777), (1000, 1000, 0o755));
    assert_eq!(script.mtime(), 1_795_460_668);
}

#[test]
fn a_second_load_changes_nothing_and_moves_nothing() {
    let (_root, store) = store();
    let first = store.load_file(Path::new(FIXTURE), None, &go).unwrap();
    let second = store.load_file(Path::new(FIXTURE), None, &go).unwrap();
    assert_eq!(first, second);
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(store.images().join("staging")).unwrap().count(), 0);
}

#[test]
fn two_loads_at_once_both_succeed() {
    let (_root, store) = store();
    std::thread::scope(|scope| {
        let load = || store.load_file(Path::new(FIXTURE), None, &go).map(drop);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(load)).collect();
        for thread in threads {
            thread.join().unwrap().unwrap();
        }
    });
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(std::fs::read_dir(store.images().join("staging")).unwrap().count(), 0);
}

#[test]
fn a_compressed_archive_loads_from_a_stream() {
    let (_root, store) = store();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&small("a", "1")).unwrap();
    let bytes = gzip.finish().unwrap();
    store.load(&mut &bytes[..], None, &go).unwrap();
    store.find("a").unwrap();
    check_refused(&bytes[..bytes.len() - 20], "cannot load the archive");
}

#[test]
fn the_images_of_an_archive_become_visible_together_or_not_at_all() {
    let (_root, store) = store();
    store.load(&mut &small("before", "0")[..], None, &go).unwrap();
    let (one, two) = (tar(&[("file", b"1")]), tar(&[("file", b"2")]));
    let configs = [config(&[&one]), config(&[&one, &two])];
    let manifest = r#"[{"Config":"a.json","RepoTags":["a"],"Layers":["1.tar"]},
        {"Config":"b.json","RepoTags":["b"],"Layers":["1.tar","2.tar"]},
        {"Config":"a.json","RepoTags":["again","b"],"Layers":["1.tar"]}]"#;
    let archive = |last: &[u8]| {
        tar(&[
            ("a.json", configs[0].as_bytes()),
            ("b.json", configs[1].as_bytes()),
            ("1.tar", &one),
            ("2.tar", last),
            (MANIFEST, manifest.as_bytes()),
        ])
    };
    let other = tar(&[("file", b"3")]);
    store.load(&mut &archive(&other)[..], None, &go).unwrap_err();
    assert_eq!(store.list().unwrap().len(), 1);
    let layers = || std::fs::read_dir(store.images().join("layers")).unwrap().count();
    let before = layers();
    let loaded = store.load(&mut &archive(&two)[..], None, &go).unwrap();
    assert_eq!(loaded.len(), 3);
    // The last image of a name has it, as if they had come one after the other.
    assert_eq!(loaded[2].moved, ["b".parse().unwrap()]);
    assert_eq!(store.find("b").unwrap().id, loaded[0].id);
    assert_eq!(store.find("again").unwrap().id, store.find("a").unwrap().id);
    assert!(store.find(loaded[1].id.short()).unwrap().tags.is_empty());
    // The shared layer was unpacked once: directory, record and recipe of two layers.
    assert_eq!(layers() - before, 6);
    assert_eq!(std::fs::read_dir(store.images().join("staging")).unwrap().count(), 0);
}

#[test]
fn a_tag_that_moves_is_reported() {
    let (_root, store) = store();
    let first = store.load(&mut &small("a", "1")[..], None, &go).unwrap();
    let second = store.load(&mut &small("a", "2")[..], None, &go).unwrap();
    assert_ne!(first[0].id, second[0].id);
    assert_eq!(second[0].moved, ["a".parse().unwrap()]);
    assert!(store.find(first[0].id.short()).unwrap().tags.is_empty());
    assert_eq!(store.list().unwrap().len(), 2);
}

#[test]
fn what_is_no_image_archive_is_refused_with_a_way_out() {
    check_refused(b"", "it is empty");
    check_refused(&[b'x'; 2000], "not a tar archive");
    check_refused(&tar(&[("a", b"b")]), "no `manifest.json`");
    check_refused(b"\x28\xb5\x2f\xfd123456", "compression is damaged");
    check_refused(b"\x04\x22\x4d\x18123456", "lz4");
    let whole = std::fs::read(FIXTURE).unwrap();
    check_refused(&whole[..whole.len() / 2], "ends too early");
}

#[test]
fn a_path_that_is_no_file_is_named() {
    let (root, store) = store();
    for (path, expected) in
        [(root.path().to_owned(), "directory"), ("/no/such".into(), "no such file")]
    {
        let error = store.load_file(&path, None, &go).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert!(error.message().contains(path.to_str().unwrap()) && error.hint_text().is_some());
    }
    assert_untouched(&store);
}

#[test]
fn an_archive_that_contradicts_itself_is_refused() {
    let layer = tar(&[("file", b"1")]);
    let other = tar(&[("file", b"2")]);
    let config = config(&[&layer]);
    let check = |manifest: &str, layer: &[u8], expected: &str| {
        let members =
            [("c.json", config.as_bytes()), ("l.tar", layer), (MANIFEST, manifest.as_bytes())];
        check_refused(&tar(&members), expected);
    };
    let listed = |c: &str, l: &str| format!(r#"[{{"Config":"{c}","Layers":[{l}]}}]"#);
    check(&listed("c.json", r#""l.tar""#), &other, "not what the configuration says");
    check(&listed("c.json", ""), &layer, "has 1 layers, the image 0");
    check(&listed("c.json", r#""no.tar""#), &layer, "no member `no.tar`");
    check(&listed("../c", r#""l.tar""#), &layer, "no member `../c`");
    check(&listed("l.tar", r#""l.tar""#), &layer, "configuration is damaged");
    check("[]", &layer, "lists no image");
    check("{", &layer, "`manifest.json` is damaged");
    check(r#"[{"Config":"c.json","Config":"d.json","Layers":[]}]"#, &layer, "is duplicate");
    let bad_tag = r#"[{"Config":"c.json","RepoTags":["UPPER"],"Layers":["l.tar"]}]"#;
    check(bad_tag, &layer, "invalid reference format");
    check_refused(&tar(&[("a", b"1"), ("./a", b"2")]), "is duplicate");
}

#[test]
fn a_layer_that_is_a_link_to_another_member_is_found() {
    let layer = tar(&[("file", b"1")]);
    let config = config(&[&layer, &layer]);
    let manifest = r#"[{"Config":"c.json","Layers":["x/layer.tar","y/layer.tar"]}]"#;
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Symlink);
    header.set_size(0);
    builder.append_link(&mut header, "y/layer.tar", "../x/layer.tar").unwrap();
    builder.into_inner().unwrap();
    let mut archive = tar(&[]);
    archive.clear();
    let mut builder = tar::Builder::new(archive);
    builder.append_link(&mut header, "y/layer.tar", "../x/layer.tar").unwrap();
    for (name, content) in [
        ("x/layer.tar", &layer[..]),
        ("c.json", config.as_bytes()),
        (MANIFEST, manifest.as_bytes()),
    ] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let (_root, store) = store();
    let loaded = store.load(&mut &builder.into_inner().unwrap()[..], None, &go).unwrap();
    assert_eq!(store.find(loaded[0].id.short()).unwrap().layers.len(), 2);
}

#[test]
fn a_cancelled_load_leaves_nothing() {
    for calls in [0, 3, 25, 300] {
        let (_root, store) = store();
        let left = std::sync::atomic::AtomicI64::new(calls);
        let check = || match left.fetch_sub(1, std::sync::atomic::Ordering::Relaxed) {
            1.. => Ok(()),
            _ => Err(Error::new(Kind::Cancelled, "interrupted")),
        };
        let error = store.load_file(Path::new(FIXTURE), None, &check).unwrap_err();
        assert_eq!(error.kind(), Kind::Cancelled);
        assert_untouched(&store);
    }
}

#[test]
fn a_tag_that_reads_as_an_image_id_is_refused() {
    let hex = "a".repeat(64);
    check_refused(&small(&format!("sha256:{hex}"), "1"), "looks like an image id");
    check_refused(&small("sha256:abc", "1"), "looks like an image id");
    check_refused(&small(&hex, "1"), "cannot specify 64-byte hexadecimal strings");
}
