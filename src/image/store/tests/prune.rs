//! Which images are removed and which stay, and that a dry run reports exactly what a prune does.

use super::*;
use crate::image::store::index::Entry;
use crate::image::store::remove::tests::{PLAIN, archive, counts, go, remove, store, user};
use crate::model::image::filter::ImageFilter;
use crate::model::value::reference::Reference;

fn options(all: bool) -> PruneOptions {
    PruneOptions { all, ..PruneOptions::default() }
}

/// Removes all tags of an image and makes it a step of a parent.
fn make_step(store: &Store, query: &str, parent: Option<&Digest>) -> Digest {
    let id = store.find(query).unwrap().id;
    let mut index = Index::read(store.images()).unwrap();
    for entry in index.entries.iter_mut().filter(|entry| entry.id == id) {
        entry.reference = None;
        entry.step = Some(Digest::from_bytes(&[1; 32]));
        entry.parent = parent.cloned();
    }
    index.drop_unreferenced();
    index.write(store.images()).unwrap();
    id
}

fn left(store: &Store) -> Vec<String> {
    let mut names: Vec<_> = store.list().unwrap().iter().map(Image::display_name).collect();
    names.sort();
    names
}

#[test]
fn without_more_only_images_without_tag_go() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2"), (&["b"], "3")]);
    let used = [user(&store, "a", false)];
    let before = store.usage(&used).unwrap();
    let dry = store.prune(&PruneOptions { dry_run: true, ..options(false) }, &used).unwrap();
    assert_eq!(store.list().unwrap().len(), 3);
    let pruned = store.prune(&options(false), &used).unwrap();
    assert_eq!(pruned, dry);
    assert_eq!(pruned.images, 1);
    assert_eq!(left(&store), ["a:latest", "b:latest"]);
    let after = store.usage(&used).unwrap();
    assert_eq!(before.image_bytes - after.image_bytes, pruned.bytes);
    assert_eq!(store.prune(&options(false), &used).unwrap(), Pruned::default());
}

#[test]
fn all_that_no_container_uses_go_if_asked() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b", "c:1"], "2")]);
    let used = [user(&store, "a", false)];
    let reclaimable = store.usage(&used).unwrap().reclaimable;
    let pruned = store.prune(&options(true), &used).unwrap();
    assert_eq!(left(&store), ["a:latest"]);
    assert_eq!(pruned.bytes, reclaimable);
    let references: Vec<Reference> = ["b", "c:1"].map(|name| name.parse().unwrap()).into();
    let untagged: Vec<_> = references.into_iter().map(Removed::Untagged).collect();
    assert_eq!(pruned.removed[..2], untagged);
    // The image, and the layer that only it had.
    assert_eq!(pruned.removed.len(), 4);
    store.prune(&options(true), &[]).unwrap();
    assert_eq!(counts(&store), (0, 0));
}

#[test]
fn a_dangling_image_that_a_container_uses_stays() {
    let (_root, store) = store(&[(&["a"], "1"), (&["a"], "2")]);
    let dangling = store.list().unwrap().into_iter().find(|image| image.tags.is_empty()).unwrap();
    let used = [user(&store, dangling.id.as_str(), false)];
    for all in [false, true] {
        store.prune(&options(all), &used).unwrap();
        store.find(dangling.id.as_str()).unwrap();
    }
}

#[test]
fn steps_stay_while_a_tagged_image_descends_from_them() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2"), (&["c"], "3"), (&["d"], "4")]);
    let first = make_step(&store, "a", None);
    let second = make_step(&store, "b", Some(&first));
    let lonely = make_step(&store, "d", Some(&second));
    let mut index = Index::read(store.images()).unwrap();
    let of_c: &mut Entry = index.entries.iter_mut().find(|e| e.reference.is_some()).unwrap();
    of_c.parent = Some(second.clone());
    index.write(store.images()).unwrap();

    let pruned = store.prune(&options(false), &[]).unwrap();
    assert_eq!(pruned.removed[0], Removed::Deleted(lonely));
    assert_eq!(pruned.images, 1);
    let used = [user(&store, "c", false)];
    assert_eq!(store.prune(&options(true), &used).unwrap().images, 2);
    assert_eq!(left(&store), ["c:latest"]);
}

#[test]
fn filters_choose_among_them() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let labelled = ImageFilter { labels: vec!["keep".into()], ..ImageFilter::default() };
    let options = PruneOptions { filter: labelled, ..options(true) };
    assert_eq!(store.prune(&options, &[]).unwrap(), Pruned::default());
    let unlabelled = ImageFilter { without_labels: vec!["keep".into()], ..Default::default() };
    let options = PruneOptions { filter: unlabelled, ..options };
    assert_eq!(store.prune(&options, &[]).unwrap().images, 1);
}

#[test]
fn layers_are_counted_as_shared_where_two_images_have_them() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "longer")]);
    let usage = store.image_usage(&[user(&store, "b", true)]).unwrap();
    // Each layer is one file of one byte.
    for (usage, containers) in usage.iter().map(|usage| {
        let is_b = usage.id == store.find("b").unwrap().id;
        (usage, u64::from(is_b))
    }) {
        assert_eq!((usage.size, usage.shared, usage.unique()), (2, 1, 1));
        assert_eq!(usage.containers, containers);
    }
    remove(&store, "b", &PLAIN, &[]).unwrap();
    assert_eq!(store.image_usage(&[]).unwrap()[0].shared, 0);
}

#[test]
fn a_tag_moves_and_leaves_its_image_without() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    let a = store.find("a").unwrap().id;
    let b = store.find("b").unwrap().id;
    let name = |text: &str| text.parse::<Reference>().unwrap();
    let tagged = store.tag("a", &name("team/a:2")).unwrap();
    assert_eq!(tagged.tags, [name("a"), name("team/a:2")]);
    assert_eq!(store.tag(a.short(), &name("team/a:2")).unwrap().tags, tagged.tags);
    assert_eq!(store.tag("a", &name("b")).unwrap().id, a);
    assert_eq!(store.find("b").unwrap().id, a);
    assert_eq!(store.find(b.as_str()).unwrap().tags, []);
    let digest = name(&format!("a@{b}"));
    assert_eq!(store.tag("a", &digest).unwrap_err().kind(), crate::model::Kind::Invalid);
    assert_eq!(store.tag("nosuch", &name("x")).unwrap_err().kind(), crate::model::Kind::NotFound);
    // Loading the image again keeps all of its names.
    store.load(&mut &archive(&["a"], "1")[..], None, &go).unwrap();
    assert_eq!(store.find("a").unwrap().tags.len(), 3);
}
