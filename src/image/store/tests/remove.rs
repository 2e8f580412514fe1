//! Docker's rules for `rmi`, and what is left on disk after it.

use super::*;

pub(crate) const PLAIN: RemoveImageOptions = RemoveImageOptions { force: false };
pub(crate) const FORCED: RemoveImageOptions = RemoveImageOptions { force: true };

pub(crate) fn go() -> Result<()> {
    Ok(())
}

/// Returns an archive of one image with a shared layer and one of its own.
pub(crate) fn archive(tags: &[&str], own_file: &str) -> Vec<u8> {
    fn add(builder: &mut tar::Builder<Vec<u8>>, name: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, content).unwrap();
    }
    let layer = |name: &str| {
        let mut builder = tar::Builder::new(Vec::new());
        add(&mut builder, name, b"x");
        builder.into_inner().unwrap()
    };
    let layers = [layer("shared"), layer(own_file)];
    let ids: Vec<_> = layers.iter().map(|l| crate::image::bytes::spool::digest_of(l)).collect();
    let config = serde_json::json!({"os": "linux", "rootfs": {"diff_ids": ids}}).to_string();
    let listed = serde_json::json!([{"Config": "c", "RepoTags": tags, "Layers": ["0", "1"]}]);
    let mut builder = tar::Builder::new(Vec::new());
    add(&mut builder, "c", config.as_bytes());
    add(&mut builder, "0", &layers[0]);
    add(&mut builder, "1", &layers[1]);
    add(&mut builder, "manifest.json", listed.to_string().as_bytes());
    builder.into_inner().unwrap()
}

pub(crate) fn store(images: &[(&[&str], &str)]) -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    for (tags, own_file) in images {
        store.load(&mut &archive(tags, own_file)[..], None, &go).unwrap();
    }
    (root, store)
}

pub(crate) fn user(store: &Store, query: &str, live: bool) -> ImageUser {
    let image = store.find(query).unwrap();
    ImageUser { image: image.id, layers: image.layers, container: "web".into(), live }
}

/// How many layers and blobs there are; nothing is ever left in the staging directory.
pub(crate) fn counts(store: &Store) -> (usize, usize) {
    let count = |name: &str| std::fs::read_dir(store.images().join(name)).unwrap().count();
    assert_eq!(count("staging"), 0);
    // A directory, a record and a recipe.
    assert_eq!(count("layers") % 3, 0);
    (count("layers") / 3, count("blobs/sha256"))
}

/// Removes one image.
pub(crate) fn remove(
    store: &Store,
    query: &str,
    options: &RemoveImageOptions,
    users: &[ImageUser],
) -> Result<Vec<Removed>> {
    store.remove(&[query], options, users)?.pop().unwrap().map(|removal| removal.steps)
}

#[test]
fn one_tag_of_several_is_only_taken_away() {
    let (_root, store) = store(&[(&["a", "b"], "1")]);
    let users = [user(&store, "a", true)];
    let removed = remove(&store, "a", &PLAIN, &users).unwrap();
    assert_eq!(removed, [Removed::Untagged("a".parse().unwrap())]);
    assert!(store.find("a").is_err());
    assert_eq!(store.find("b").unwrap().tags.len(), 1);
}

#[test]
fn the_last_tag_takes_the_image_and_what_only_it_needed() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    let image = store.find("a").unwrap();
    assert_eq!(counts(&store), (3, 4));
    let removed = remove(&store, "a", &PLAIN, &[]).unwrap();
    assert_eq!(
        removed[..2],
        [Removed::Untagged("a".parse().unwrap()), Removed::Deleted(image.id.clone())]
    );
    assert_eq!(removed[2..], [Removed::Deleted(image.layers[1].clone())]);
    assert_eq!(counts(&store), (2, 2));
    store.find("b").unwrap();
    remove(&store, "b", &PLAIN, &[]).unwrap();
    assert_eq!(counts(&store), (0, 0));
    store.load(&mut &archive(&["a"], "1")[..], None, &go).unwrap();
    assert_eq!(
        store.find("a").unwrap(),
        Image { tagged: store.find("a").unwrap().tagged, ..image }
    );
}

use crate::model::image::Image;

#[test]
fn an_image_in_use_is_refused_and_names_its_users() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let error = remove(&store, "a", &PLAIN, &[user(&store, "a", false)]).unwrap_err();
    assert_eq!(error.to_string(), "cannot remove `a`: it is used by the container `web`");
    assert!(error.kind() == Kind::Refused && error.hint_text().is_some());
    let error = remove(&store, "a", &FORCED, &[user(&store, "a", true)]).unwrap_err();
    assert!(error.to_string().contains("running container `web`"), "{error}");
    store.find("a").unwrap();
}

#[test]
fn a_forced_removal_leaves_the_layers_of_a_stopped_container() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let users = [user(&store, "a", false)];
    let removed = remove(&store, "a", &FORCED, &users).unwrap();
    assert_eq!(removed.len(), 2);
    assert!(store.find("a").is_err());
    assert!(users[0].layers.iter().all(|key| store.layer_dir(key).is_dir()));
    // They go with the next removal after the container.
    store.load(&mut &archive(&["c"], "3")[..], None, &go).unwrap();
    remove(&store, "c", &PLAIN, &[]).unwrap();
    assert_eq!(counts(&store), (0, 0));
}

#[test]
fn an_id_of_several_tags_is_removed_by_force_only() {
    let (_root, store) = store(&[(&["a:1", "a:2"], "1"), (&["b", "c"], "2")]);
    let id = |query: &str| store.find(query).unwrap().id.to_string();
    let error = remove(&store, &id("a:1")[..20], &PLAIN, &[]).unwrap_err();
    assert_eq!(error.hint_text(), Some("remove a:1 and a:2, or use --force"));
    assert_eq!(remove(&store, &id("a:1")[..20], &FORCED, &[]).unwrap().len(), 4);
    let several = id("b");
    let error = remove(&store, &several, &PLAIN, &[]).unwrap_err();
    assert_eq!(error.hint_text(), Some("remove b:latest and c:latest, or use --force"));
    remove(&store, &several, &FORCED, &[]).unwrap();
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn several_names_are_removed_one_after_the_other_in_one_change() {
    let (_root, store) = store(&[(&["a:1", "a:2", "b"], "1"), (&["c"], "2"), (&["d"], "3")]);
    let [a, c] = ["b", "c"].map(|tag| store.find(tag).unwrap());
    let users = [user(&store, "d", false)];
    let results = store
        .remove(&["a:1", "a:1", "d", c.id.as_str(), "a:2", "b:latest"], &PLAIN, &users)
        .unwrap();
    let untagged = |name: &str| Removed::Untagged(name.parse().unwrap());
    let steps: Vec<_> =
        results.into_iter().map(|r| r.map(|r| r.steps).map_err(|e| e.kind())).collect();
    assert_eq!(
        steps,
        [
            Ok(vec![untagged("a:1")]),
            Err(Kind::NotFound),
            Err(Kind::Refused),
            Ok(vec![untagged("c"), Removed::Deleted(c.id), Removed::Deleted(c.layers[1].clone())]),
            Ok(vec![untagged("a:2")]),
            // The layer that all have stays, as `d` has it too.
            Ok(vec![untagged("b"), Removed::Deleted(a.id), Removed::Deleted(a.layers[1].clone())]),
        ]
    );
    assert_eq!(store.list().unwrap().len(), 1);
    assert_eq!(counts(&store), (2, 2));
}

#[test]
fn a_damaged_image_can_be_removed() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let image = store.find("a").unwrap();
    std::fs::remove_file(store.blob(&image.id)).unwrap();
    std::fs::remove_dir_all(store.layer_dir(&image.layers[0])).unwrap();
    remove(&store, "a", &PLAIN, &[]).unwrap();
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn removing_what_is_not_there_says_so() {
    let (_root, store) = store(&[]);
    assert_eq!(remove(&store, "a", &FORCED, &[]).unwrap_err().kind(), Kind::NotFound);
}

#[test]
fn digests_go_with_the_last_tag_of_their_repository() {
    let (_root, store) = store(&[(&["a:1", "a:2", "b"], "1")]);
    let digest = format!("a@sha256:{}", "d".repeat(64)).parse::<Reference>().unwrap();
    let mut index = Index::read(store.images()).unwrap();
    let entry = index.entries[0].clone();
    index.put(&entry, std::slice::from_ref(&digest));
    index.write(store.images()).unwrap();

    let untagged = |name: &str| Removed::Untagged(name.parse().unwrap());
    assert_eq!(remove(&store, "a:1", &PLAIN, &[]).unwrap(), [untagged("a:1")]);
    let removed = remove(&store, "a:2", &PLAIN, &[]).unwrap();
    assert_eq!(removed, [untagged("a:2"), Removed::Untagged(digest.clone())]);
    assert_eq!(store.find("b").unwrap().digests, []);

    // By itself it is a reference as any other, and can be the last.
    index = Index::read(store.images()).unwrap();
    index.put(&entry, std::slice::from_ref(&digest));
    index.write(store.images()).unwrap();
    assert_eq!(remove(&store, "b", &PLAIN, &[]).unwrap(), [untagged("b")]);
    assert_eq!(store.find(&digest.familiar()).unwrap().tags, []);
    let removed = remove(&store, &digest.familiar(), &PLAIN, &[]).unwrap();
    assert_eq!(removed[..2], [Removed::Untagged(digest), Removed::Deleted(entry.id)]);
    assert_eq!(counts(&store), (0, 0));
}
