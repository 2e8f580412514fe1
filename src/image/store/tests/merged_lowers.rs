//! Layers merged into one. Run as root.

use std::os::unix::fs::MetadataExt;

use super::*;

#[test]
fn enough_layers_are_merged_and_not_for_each_count_others() {
    for most in [45, 400] {
        for count in 0..1100 {
            let merged = merged_count(count, most);
            assert!(merged == 0 || count > most, "{count}");
            assert!(count - merged + usize::from(merged > 0) <= most, "{count} {merged}");
        }
        assert_eq!(merged_count(most + 1, most), merged_count(most + 10, most));
    }
}

#[test]
fn keys_tell_what_is_merged() {
    let layers: Vec<_> = (0..3u8).map(|n| digest_of(&[n])).collect();
    let all: Vec<_> = keys(&layers).collect();
    assert_eq!(all[..2], keys(&layers[..2]).collect::<Vec<_>>());
    assert_ne!(all[1], keys(&layers[1..]).nth(1).unwrap());
}

/// A store with an unpacked layer for each of `fill`.
fn store(fill: &[&dyn Fn(&Path)]) -> (tempfile::TempDir, Store, Vec<Digest>) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    let keys: Vec<_> = (0..fill.len()).map(|n| digest_of(&n.to_le_bytes())).collect();
    for (key, fill) in keys.iter().zip(fill) {
        let path = store.layer_dir(key);
        std::fs::create_dir(&path).unwrap();
        fill(&path);
    }
    (root, store, keys)
}

fn make(path: &Path, name: &str, mode: u32, time: i64) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::create_dir_all(path.join(name)).unwrap();
    let permissions = std::fs::Permissions::from_mode(mode);
    std::fs::set_permissions(path.join(name), permissions).unwrap();
    fs::set_times(fs::open_dir(&path.join(name)).unwrap(), time, 0).unwrap();
}

fn write(path: &Path, name: &str) {
    std::fs::write(path.join(name), name).unwrap();
}

fn listed(path: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(path).unwrap();
    let mut names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn whiteout(directory: &Path, name: &str) {
    let directory = fs::open_dir(directory).unwrap();
    fs::make_node(directory, name.as_bytes(), FileType::CharacterDevice, 0, 0).unwrap();
}

/// Five layers of which each changes something.
fn five() -> (tempfile::TempDir, Store, Vec<Digest>) {
    let lowest = |path: &Path| {
        make(path, "a", 0o700, 1);
        make(path, "b", 0o755, 1);
        for name in ["a/x", "a/y", "b/x", "file"] {
            write(path, name);
        }
        std::fs::hard_link(path.join("file"), path.join("a/linked")).unwrap();
        let a = fs::open_dir(&path.join("a")).unwrap();
        fs::set_xattr(&a, "user.old", b"1").unwrap();
        std::os::unix::fs::symlink("/nowhere", path.join("link")).unwrap();
    };
    let middle = |path: &Path| {
        make(path, "a", 0o750, 2);
        whiteout(&path.join("a"), "x");
        whiteout(path, "never-there");
        let a = fs::open_dir(&path.join("a")).unwrap();
        fs::set_xattr(&a, "user.new", b"2").unwrap();
        fs::set_owner(&a, 7, 8).unwrap();
        fs::set_times(&a, 22, 0).unwrap();
        make(path, "b", 0o711, 2);
        write(path, "b/y");
        fs::set_xattr(fs::open_dir(&path.join("b")).unwrap(), "trusted.overlay.opaque", b"y")
            .unwrap();
        make(path, "link", 0o755, 2);
        write(path, "link/inside");
    };
    let third = |path: &Path| make(path, "", 0o700, 3);
    let top = |path: &Path| {
        write(path, "top");
        make(path, "", 0o711, 33);
    };
    store(&[&lowest, &middle, &third, &top, &top])
}

#[test]
fn the_lowest_layers_are_merged_as_overlayfs_shows_them() {
    let (_root, store, keys) = five();
    let stack = store.stack(&keys, 4).unwrap();
    assert_eq!(stack.len(), 4);
    assert!(stack[1..].iter().all(|path| path.starts_with("layers")), "{stack:?}");
    let stack = store.stack(&keys, 3).unwrap();
    assert_eq!(stack.len(), 2, "{stack:?}");

    let flat = store.images().join(&stack[0]);
    let found = |name: &str| flat.join(name).symlink_metadata().unwrap();
    let a = found("a");
    assert_eq!((a.mode() & 0o7777, a.uid(), a.gid(), a.mtime()), (0o750, 7, 8, 22));
    let attributes = fs::list_xattrs(fs::open_dir(&flat.join("a")).unwrap()).unwrap();
    assert_eq!(attributes, ["user.new"]);
    assert_eq!((found("").mode() & 0o777, found("").mtime()), (0o711, 33));
    assert_eq!(listed(&flat), ["a", "b", "file", "link", "top"]);
    assert_eq!(listed(&flat.join("a")), ["linked", "y"]);
    assert_eq!(listed(&flat.join("b")), ["y"]);
    assert_eq!(listed(&flat.join("link")), ["inside"]);
    assert_eq!(found("file").ino(), found("a/linked").ino());
    let layer = store.layer_dir(&keys[0]).join("file").metadata().unwrap();
    assert_eq!(found("file").ino(), layer.ino(), "content is not copied");
    assert_eq!(store.stack(&keys, 3).unwrap(), stack);
}

#[test]
fn what_is_merged_goes_with_its_containers() {
    let (_root, store, keys) = five();
    let flat = store.images().join(&store.stack(&keys, 3).unwrap()[0]);
    let user = |layers: &[Digest]| ImageUser {
        image: keys[0].clone(),
        layers: layers.to_vec(),
        container: "web".to_owned(),
        live: false,
    };
    assert_eq!(store.unreferenced_merged(&[user(&keys)]).unwrap(), Vec::<Vec<u8>>::new());
    let name = flat.file_name().unwrap().as_encoded_bytes().to_vec();
    assert_eq!(store.unreferenced_merged(&[user(&keys[..3])]).unwrap(), [name]);
    assert_eq!(store.stack(&keys[..3], 3).unwrap().len(), 3);
}
