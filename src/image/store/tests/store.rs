//! The store: opening, finding, listing, and what happens to a damaged one.

use std::os::unix::fs::PermissionsExt;

use super::*;

const FIXTURE: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hundredcounter.docker.tar");

fn filled() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    store.load_file(Path::new(FIXTURE), None, &|| Ok(())).unwrap();
    (root, store)
}

#[test]
fn a_new_store_is_empty_and_private() {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(&root.path().join("new")).unwrap();
    assert!(store.list().unwrap().is_empty());
    let mode = store.images().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    let error = store.find("nothing").unwrap_err();
    assert_eq!(error.to_string(), "no such image: `nothing`");
    assert!(error.kind() == Kind::NotFound && error.hint_text().is_some());
}

#[test]
fn opening_and_asking_write_nothing() {
    let (root, store) = filled();
    let changed = || {
        let stat = |path: PathBuf| path.metadata().unwrap().modified().unwrap();
        [stat(store.images().to_owned()), stat(store.images().join("staging"))]
    };
    let before = changed();
    let again = Store::open(root.path()).unwrap();
    again.find("hundredcounter").unwrap();
    again.list().unwrap();
    assert_eq!(changed(), before);
}

#[test]
fn sizes_are_counted_as_docker_counts() {
    // Two copies of busybox of 1,982,256 bytes, one in each layer that has it, links and texts.
    let (_root, store) = filled();
    let image = store.find("hundredcounter").unwrap();
    let counted: u64 = image
        .layers
        .iter()
        .map(|key| {
            let sidecar = store.images().join("layers").join(layer::record_name(key));
            let known = layer::size(store.images(), key);
            std::fs::remove_file(sidecar).unwrap();
            assert_eq!(layer::size(store.images(), key), known);
            known
        })
        .sum();
    assert_eq!(image.size, counted);
    assert!(image.size > 2 * 1_982_256 && image.size < 2 * 1_982_256 + 4000, "{}", image.size);
}

#[test]
fn a_damaged_image_is_named_and_does_not_spoil_the_list() {
    let (_root, store) = filled();
    let image = store.find("hundredcounter").unwrap();
    std::fs::remove_dir_all(store.layer_dir(&image.layers[1])).unwrap();
    let error = store.find("hundredcounter").unwrap_err();
    assert_eq!(error.kind(), Kind::Corrupt);
    assert_eq!(error.message(), "the image `hundredcounter` is damaged");
    std::fs::write(store.blob(&image.id), "{}").unwrap();
    assert!(store.find("hundredcounter").unwrap_err().to_string().contains("has changed"));
    let listed = store.list().unwrap();
    assert_eq!(listed[0].tags, image.tags);
    assert_eq!(listed[0].size, image.size);
    store.load_file(Path::new(FIXTURE), None, &|| Ok(())).unwrap();
    assert_eq!(store.find("hundredcounter").unwrap().layers, image.layers, "it is repaired");
}

#[test]
fn what_a_killed_import_left_is_swept_and_what_a_live_one_has_is_not() {
    let (_root, store) = filled();
    let staging = store.images().join("staging");
    std::fs::create_dir_all(staging.join("1-0/layer/d")).unwrap();
    let live = store.staging().unwrap();
    assert!(!staging.join("1-0").exists());
    let other = store.staging().unwrap();
    assert!(live.path().exists() && other.path().exists());
    drop((live, other));
    assert_eq!(std::fs::read_dir(staging).unwrap().count(), 0);
}

#[test]
fn the_beginning_of_several_ids_is_refused_with_all_of_them() {
    let digest = |byte: u8| Digest::from_bytes(&[byte; 32]);
    let entry = |byte: u8, tag: Option<&str>| Entry {
        id: digest(byte),
        manifest: digest(byte),
        manifest_size: 1,
        reference: tag.map(|tag| tag.parse().unwrap()),
        size: 0,
        tagged: None,
        step: None,
        is_result: false,
        parent: None,
    };
    let entries = vec![entry(0xab, None), entry(0xac, None), entry(0xdd, Some("ab"))];
    let index = Index { entries };
    assert_eq!(resolve(&index, "ab").unwrap(), digest(0xdd), "a reference wins");
    assert_eq!(resolve(&index, "aba").unwrap(), digest(0xab));
    let error = resolve(&index, "a").unwrap_err();
    assert!(error.kind() == Kind::Invalid && error.hint_text().unwrap().contains("acacac"));
    assert_eq!(resolve(&index, "sha256:").unwrap_err().kind(), Kind::NotFound);
    let pinned = format!("ab@{}", digest(0xdd));
    assert_eq!(resolve(&index, &pinned).unwrap(), digest(0xdd));
    let other = format!("other@{}", digest(0xdd));
    assert!(resolve(&index, &other).is_err());
}
