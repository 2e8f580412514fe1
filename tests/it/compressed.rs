//! Archives that are compressed with xz and bzip2, wherever an archive is read.

use std::io::Write as _;

use crate::harness::{TestEngine, fixture};
use crate::needs_root;

/// A tar with `sub/f`, made with `xz -c`.
fn xz() -> Vec<u8> {
    std::fs::read(fixture("tree.tar.xz")).unwrap()
}

fn bzip2(content: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A tar of `name` with `content`.
fn tar(name: &str, content: &[u8]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    crate::archives::append(&mut tar, name, tar::EntryType::Regular, content, 0o644);
    tar.into_inner().unwrap()
}

#[test]
fn add_unpacks_xz_and_bzip2_and_copies_what_is_no_tar() {
    needs_root!();
    let (engine, context) = (TestEngine::new(), tempfile::tempdir().unwrap());
    let put = |name: &str, content: &[u8]| {
        std::fs::write(context.path().join(name), content).unwrap();
    };
    put("a.tar.xz", &xz());
    put("b", &bzip2(&tar("g", b"of bzip2\n")));
    put("text.bz2", &bzip2(b"no tar\n"));
    put("Dockerfile", b"FROM host\nADD a.tar.xz b /x/\nADD text.bz2 /x/\nCOPY a.tar.xz /y/\n");
    engine.ok(&["build", "-q", "-t", "compressed-added", &context.path().display().to_string()]);
    let program = "cat /x/sub/f /x/g; ls /x /y";
    let said = engine.ok(&["run", "--rm", "compressed-added", "sh", "-c", program]);
    assert!(said.starts_with("from an archive\nof bzip2\n"), "{said}");
    assert!(said.contains("g\nsub\ntext.bz2") && said.contains("a.tar.xz"), "{said}");
}

#[test]
fn import_and_load_read_xz_and_bzip2() {
    needs_root!();
    let engine = TestEngine::new();
    let exported = |image: &[u8]| {
        let ran = engine.run_with_input(&["import", "-", "compressed-imported"], image);
        assert!(ran.status.success(), "{ran:?}");
        engine.ok(&["create", "--name", "one", "compressed-imported", "true"]);
        let file = engine.command(&["export", "one"]).output().unwrap().stdout;
        engine.ok(&["rm", "one"]);
        String::from_utf8_lossy(&file).into_owned()
    };
    assert!(exported(&xz()).contains("from an archive"));
    assert!(exported(&bzip2(&tar("f", b"of bzip2"))).contains("of bzip2"));
    // The archive, or the layers in it: these are stored uncompressed.
    let mut archive = Vec::new();
    crate::archives::docker_archive(
        &mut archive,
        "compressed-packed:1",
        &[tar("f", b"of a layer")],
    );
    let ran = engine.run_with_input(&["load", "-q"], &bzip2(&archive));
    assert!(ran.status.success(), "{ran:?}");
    let inside = engine.command(&["save", "compressed-packed:1"]).output().unwrap().stdout;
    let mut packed = tar::Builder::new(Vec::new());
    for entry in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        let content = if name == "0.tar" { bzip2(&content) } else { content };
        crate::archives::append(&mut packed, &name, tar::EntryType::Regular, &content, 0o644);
    }
    engine.ok(&["rmi", "compressed-packed:1"]);
    let ran = engine.run_with_input(&["load", "-q"], &packed.into_inner().unwrap());
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(engine.command(&["save", "compressed-packed:1"]).output().unwrap().stdout, inside);
    // A broken one leaves nothing.
    let cut = bzip2(&archive);
    let ran = engine.run_with_input(&["load", "-q"], &cut[..cut.len() / 2]);
    assert_eq!(ran.status.code(), Some(1), "{ran:?}");
}

#[test]
fn cp_reads_compressed_archives() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "rests", "host", "true"]);
    let plain = tar("f", b"copied");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).unwrap();
    let packed = [
        ("gzip", gzip.finish().unwrap()),
        ("zstd", zstd::encode_all(&plain[..], 1).unwrap()),
        ("bzip2", bzip2(&plain)),
    ];
    for (name, packed) in packed {
        let ran = engine.run_with_input(&["cp", "-", "rests:/tmp"], &packed);
        assert!(ran.status.success(), "{name}: {ran:?}");
        assert_eq!(engine.script("print(read_file(\"rests\", \"/tmp/f\"))"), "copied", "{name}");
        engine.script("write_file(\"rests\", \"/tmp/f\", \"overwritten\")");
    }
    let ran = engine.run_with_input(&["cp", "-", "rests:/tmp"], &xz());
    assert!(ran.status.success(), "{ran:?}");
    assert_eq!(engine.script("print(read_file(\"rests\", \"/tmp/sub/f\"))"), "from an archive");
}
