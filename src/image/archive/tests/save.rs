//! What `save` writes comes back as it was.

use super::*;

fn fixture(name: &str) -> String {
    format!("{}/tests/fixtures/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn go() -> Result<()> {
    Ok(())
}

fn store() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

fn filled(name: &str) -> (tempfile::TempDir, Store, Image) {
    let (root, store) = store();
    store.load_file(fixture(name).as_ref(), None, &go).unwrap();
    let image = store.find("hundredcounter").unwrap();
    (root, store, image)
}

fn options(format: SaveFormat, compress: Option<Compression>) -> SaveOptions {
    SaveOptions { format, compress }
}

#[test]
fn every_layer_is_put_together_again_byte_for_byte() {
    for name in ["hundredcounter.docker.tar", "hundredcounter.oci.tar"] {
        let (_root, store, image) = filled(name);
        for number in 0..image.layers.len() {
            let mut bytes = Vec::new();
            store.layer_tar(&image, number).unwrap().read_to_end(&mut bytes).unwrap();
            assert_eq!(digest_of(&bytes), image.diff_ids()[number]);
            let mut again = Vec::new();
            let key = &image.layers[number];
            store.unpacked_tar(key).unwrap().read_to_end(&mut again).unwrap();
            assert_eq!(digest_of(&again), image.diff_ids()[number], "{name}: recipe {number}");
        }
    }
}

#[test]
fn what_was_saved_loads_as_the_same_image() {
    use Compression::{Gzip, Zstd};
    use SaveFormat::{Docker, Oci};
    for name in ["hundredcounter.docker.tar", "hundredcounter.oci.tar"] {
        let (_root, store, image) = filled(name);
        for (format, compress) in [
            (Docker, None),
            (Docker, Some(Gzip)),
            (Docker, Some(Zstd)),
            (Oci, None),
            (Oci, Some(Gzip)),
            (Oci, Some(Zstd)),
        ] {
            let mut archive = Vec::new();
            store.save(&["hundredcounter"], &options(format, compress), &mut archive, &go).unwrap();
            let (_root, other) = self::store();
            other.load(&mut &archive[..], None, &go).unwrap();
            let found = other.find("hundredcounter").unwrap();
            assert_eq!((&found.id, &found.layers), (&image.id, &image.layers), "{format:?}");
            if format == Oci && compress.is_none() {
                assert_eq!(found.manifest, image.manifest, "digests survive");
            }
        }
        assert_eq!(std::fs::read_dir(store.images().join("staging")).unwrap().count(), 0);
    }
}

#[test]
fn a_layer_whose_entries_replace_each_other_is_kept_whole() {
    let mut layer = tar::Builder::new(Vec::new());
    for content in ["first", "second"] {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        layer.append_data(&mut header, "file", content.as_bytes()).unwrap();
    }
    let layer = layer.into_inner().unwrap();
    let (_root, store) = store();
    let staging = store.staging().unwrap();
    let mut writer = SpoolWriter::create(staging.directory(), "layer").unwrap();
    writer.write_all(&layer).unwrap();
    let spooled = writer.finish();
    let config = json!({"os": "linux", "rootfs": {"diff_ids": [spooled.digest]}}).to_string();
    let layers = vec![spooled.source(&staging).unwrap()];
    let incoming = crate::image::store::import::Incoming::new(config.as_bytes(), layers, vec![]);
    let id = store.import(&staging, &incoming, &go).unwrap().id;
    let image = store.find(id.as_str()).unwrap();
    let mut bytes = Vec::new();
    store.layer_tar(&image, 0).unwrap().read_to_end(&mut bytes).unwrap();
    assert_eq!(bytes, layer);
    assert!(store.unpacked_tar(&image.layers[0]).is_err(), "its files do not tell the tar");
}

#[test]
fn a_directory_is_written_and_read_as_well() {
    let (root, store, image) = filled("hundredcounter.oci.tar");
    let path = root.path().join("layout");
    let directory = options(SaveFormat::OciDirectory, None);
    store.save_file(&["hundredcounter"], &directory, &path, &go).unwrap();
    let (_root, other) = self::store();
    other.load_file(&path, None, &go).unwrap();
    assert_eq!(other.find("hundredcounter").unwrap().manifest, image.manifest);
    let error = store.save_file(&["hundredcounter"], &directory, &path, &go).unwrap_err();
    assert!(error.to_string().contains("exists"), "{error}");
}

#[test]
fn a_save_that_fails_leaves_no_file() {
    let (root, store, image) = filled("hundredcounter.docker.tar");
    let path = root.path().join("out.tar");
    let save =
        |query: &str| store.save_file(&[query], &SaveOptions::default(), &path, &go).unwrap_err();
    assert_eq!(save("missing").kind(), crate::model::Kind::NotFound);
    std::fs::write(store.layer_dir(&image.layers[0]).join("bin/busybox"), "changed").unwrap();
    let error = save("hundredcounter");
    assert!(error.to_string().contains("shorter"), "{error}");
    let left: Vec<_> = std::fs::read_dir(root.path()).unwrap().flatten().collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
