//! Each kind of damage is found and repaired or removed, and nothing else is called damage.

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;
use crate::image::store::check::InUseGuard;
use crate::image::store::remove::tests::{FORCED, archive, counts, go, remove, store, user};
use crate::model::image::ImageUser;

/// Checks, or repairs, while these containers exist.
fn check(store: &Store, repair: bool, users: &[ImageUser]) -> Report {
    let hold = |_: &CheckOptions| Ok(InUseGuard { users: users.to_vec(), locks: Box::new(()) });
    store.check(&CheckOptions { repair }, &hold, &go).unwrap()
}

fn is_clean(store: &Store) {
    let report = check(store, false, &[]);
    assert_eq!(report.findings, []);
    assert_eq!(std::fs::read_dir(store.images().join("staging")).unwrap().count(), 0);
}

/// The directory of the layer that only image `name` has.
fn layer_of(store: &Store, name: &str) -> PathBuf {
    store.layer_dir(store.find(name).unwrap().layers.last().unwrap())
}

/// Damages image `a`; the damage must be found, and then repaired.
fn is_mended(what: &str, spoil: impl Fn(&Store)) {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    is_clean(&store);
    spoil(&store);
    let found = check(&store, false, &[]);
    assert_eq!(found.findings.len(), 1, "{found:?}");
    let finding = &found.findings[0];
    assert!(finding.what.contains(what), "{finding:?}");
    assert_eq!((finding.problem, &finding.resolution), (Problem::Damage, &Resolution::Found));
    assert!(!found.is_healthy());
    let repaired = check(&store, true, &[]);
    assert_eq!(repaired.findings[0].resolution, Resolution::Repaired, "{repaired:?}");
    assert!(repaired.is_healthy());
    is_clean(&store);
    assert_eq!(store.list().unwrap().len(), 2);
}

/// Damages image `a` so that it must be removed.
fn is_removed(what: &str, spoil: impl Fn(&Store)) {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    spoil(&store);
    let used = [ImageUser {
        image: Index::read(store.images()).unwrap().entries[0].id.clone(),
        layers: Vec::new(),
        container: "web".into(),
        live: false,
    }];
    let found = check(&store, false, &used);
    let finding = &found.findings[0];
    assert!(finding.what.contains(what), "{finding:?}");
    assert_eq!(finding.image.as_deref(), Some("a:latest"));
    assert_eq!(finding.containers, ["web"]);

    let running = [ImageUser { live: true, ..used[0].clone() }];
    let left = check(&store, true, &running);
    assert!(
        matches!(&left.findings[0].resolution, Resolution::Unrepaired(why) if why.contains("`web`")),
        "{left:?}"
    );
    assert!(!left.is_healthy());

    let removed = check(&store, true, &[]);
    assert_eq!(removed.findings[0].resolution, Resolution::Removed, "{removed:?}");
    assert!(removed.is_healthy());
    is_clean(&store);
    assert!(store.find("a").is_err());
    store.find("b").unwrap();
    // Its files are removed too, so that it can be loaded again.
    store.load(&mut &archive(&["a"], "1")[..], None, &go).unwrap();
    is_clean(&store);
}

#[test]
fn what_only_metadata_tells_is_checked_and_mended() {
    is_mended("`1` has another mode", |store| {
        let file = layer_of(store, "a").join("1");
        std::fs::set_permissions(file, Permissions::from_mode(0o600)).unwrap();
    });
    is_mended("`1` has another time", |store| {
        let file = std::fs::File::open(layer_of(store, "a").join("1")).unwrap();
        file.set_modified(std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(9))
            .unwrap();
    });
    is_mended("`extra` does not belong there", |store| {
        std::fs::create_dir(layer_of(store, "a").join("extra")).unwrap();
    });
    is_mended("its root has another mode", |store| {
        let path = layer_of(store, "a");
        std::fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
    });
    is_mended("its record is missing", |store| {
        std::fs::remove_file(layer_of(store, "a").with_extension("json")).unwrap();
    });
}

#[test]
fn what_can_not_be_mended_is_removed() {
    is_removed("has changed", |store| {
        std::fs::write(layer_of(store, "a").join("1"), "y").unwrap();
    });
    is_removed("no such file", |store| {
        std::fs::remove_file(layer_of(store, "a").join("1")).unwrap();
    });
    is_removed("its files are missing", |store| {
        std::fs::remove_dir_all(layer_of(store, "a")).unwrap();
    });
    is_removed("layer", |store| {
        let recipe = layer_of(store, "a").with_extension("recipe");
        let mut bytes = std::fs::read(&recipe).unwrap();
        let last = bytes.len() / 2;
        bytes[last] ^= 0x20;
        std::fs::write(&recipe, bytes).unwrap();
    });
    is_removed("its configuration", |store| {
        let id = store.find("a").unwrap().id;
        std::fs::write(store.blob(&id), "{}").unwrap();
    });
    is_removed("its manifest", |store| {
        let manifest = store.find("a").unwrap().manifest.unwrap();
        std::fs::remove_file(store.blob(&manifest)).unwrap();
    });
}

/// An archive of skopeo whose layers are compressed.
const COMPRESSED: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hundredcounter.oci.tar");

fn compressed() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    store.load_file(std::path::Path::new(COMPRESSED), None, &go).unwrap();
    (root, store)
}

#[test]
fn a_layer_whose_blob_is_kept_is_unpacked_again() {
    let (_root, store) = compressed();
    let image = store.list().unwrap().remove(0);
    is_clean(&store);
    for (number, key) in image.layers.iter().enumerate() {
        let directory = store.layer_dir(key);
        match number % 3 {
            0 => std::fs::remove_dir_all(&directory).unwrap(),
            1 => std::fs::write(directory.join("added"), "x").unwrap(),
            _ => std::fs::remove_file(directory.with_extension("recipe")).unwrap_or_default(),
        }
    }
    let repaired = check(&store, true, &[]);
    assert!(repaired.is_healthy() && !repaired.findings.is_empty(), "{repaired:?}");
    is_clean(&store);
    assert_eq!(store.find(image.id.as_str()).unwrap().layers, image.layers);
}

/// Changes one byte in the middle of a file.
fn flip(path: &std::path::Path) {
    let mut bytes = std::fs::read(path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x20;
    std::fs::write(path, bytes).unwrap();
}

#[test]
fn a_bad_recipe_is_mended_from_the_blob_and_a_bad_blob_is_not_made_up() {
    let (_root, store) = compressed();
    let image = store.list().unwrap().remove(0);
    for key in &image.layers {
        flip(&layer::tar_split(store.images(), key));
    }
    let repaired = check(&store, true, &[]);
    assert_eq!(repaired.findings.len(), image.layers.len(), "{repaired:?}");
    assert!(repaired.is_healthy(), "{repaired:?}");
    is_clean(&store);

    let manifest = store.read_manifest(image.manifest.as_ref().unwrap()).unwrap();
    flip(&store.blob(&manifest.layers[0].digest));
    let found = check(&store, false, &[]);
    let why = format!("its blob {} has other content", manifest.layers[0].digest);
    assert!(found.findings[0].what.contains(&why), "{found:?}");
    // A container keeps what is unpacked, and that is whole.
    let used = [user(&store, image.id.as_str(), false)];
    let removed = check(&store, true, &used);
    assert_eq!(removed.findings[0].resolution, Resolution::Removed, "{removed:?}");
    assert!(used[0].layers.iter().all(|key| store.layer_dir(key).is_dir()));
    store.load_file(std::path::Path::new(COMPRESSED), None, &go).unwrap();
    is_clean(&store);
    std::fs::remove_file(store.blob(&manifest.layers[1].digest)).unwrap();
    assert!(check(&store, false, &[]).findings[0].what.contains("is missing"));
}

#[test]
fn the_layers_of_what_runs_are_left_alone() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let running = [user(&store, "a", true)];
    let extra = layer_of(&store, "a").join("extra");
    std::fs::create_dir(&extra).unwrap();
    let report = check(&store, true, &running);
    assert!(
        matches!(&report.findings[0].resolution, Resolution::Unrepaired(why) if why.contains("the container `web` uses it"))
    );
    assert!(extra.exists() && !report.is_healthy());
    let stopped = [ImageUser { live: false, ..running[0].clone() }];
    assert!(check(&store, true, &stopped).is_healthy());
    assert!(!extra.exists());
}

#[test]
fn leftovers_are_no_damage_and_are_swept() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let images = store.images();
    std::fs::create_dir(images.join("staging/77-0")).unwrap();
    let lonely = "f".repeat(64);
    std::fs::write(images.join("blobs/sha256").join(&lonely), "x").unwrap();
    std::fs::create_dir(images.join("layers").join(&lonely)).unwrap();
    std::fs::write(images.join("layers").join(format!("{lonely}.json")), "{}").unwrap();
    let report = check(&store, false, &[]);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert_eq!(report.findings[0].problem, Problem::Leftover);
    assert!(report.findings[0].what.starts_with("4 unreferenced entries"), "{report:?}");
    assert!(report.is_healthy());
    assert!(check(&store, true, &[]).is_healthy());
    is_clean(&store);
    assert_eq!(counts(&store).0, 2);
}

#[test]
fn a_lost_list_of_images_is_written_anew() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    let ids: HashSet<Digest> = store.list().unwrap().into_iter().map(|image| image.id).collect();
    std::fs::write(store.images().join("index.json"), "{").unwrap();
    let report = check(&store, false, &[]);
    assert!(report.findings[0].what.contains("list of images"), "{report:?}");
    assert!(!report.is_healthy());
    let report = check(&store, true, &[]);
    assert!(report.is_healthy(), "{report:?}");
    assert_eq!(std::fs::read(store.images().join("index.json.damaged")).unwrap(), b"{");
    let found: HashSet<Digest> = store.list().unwrap().into_iter().map(|image| image.id).collect();
    assert_eq!(found, ids);
    is_clean(&store);

    std::fs::remove_file(store.images().join("index.json")).unwrap();
    let all = crate::model::image::usage::PruneOptions { all: true, ..Default::default() };
    let refused = [
        store.prune(&all, &[]).unwrap_err(),
        store.list().unwrap_err(),
        store.load(&mut &archive(&["c"], "3")[..], None, &go).unwrap_err(),
    ];
    for error in refused {
        assert!(error.hint_text().unwrap().contains("system check --repair"), "{error}");
    }
    let report = check(&store, false, &[]);
    assert!(report.findings[0].what.contains("is missing") && !report.is_healthy(), "{report:?}");
    assert!(check(&store, true, &[]).is_healthy());
    assert_eq!(store.list().unwrap().len(), 2);
    // The names are kept in a copy.
    store.find("a").unwrap();
    store.find("b").unwrap();
}

#[test]
fn others_at_work_are_no_damage() {
    let (_root, store) = store(&[(&["a"], "1"), (&["b"], "2")]);
    std::thread::scope(|scope| {
        let store = &store;
        let busy = scope.spawn(move || {
            for _ in 0..40 {
                remove(store, "a", &FORCED, &[]).unwrap();
                store.load(&mut &archive(&["a"], "1")[..], None, &go).unwrap();
            }
        });
        let check = |repair: bool| {
            let hold = |_: &CheckOptions| Ok(InUseGuard { users: Vec::new(), locks: Box::new(()) });
            match store.check(&CheckOptions { repair }, &hold, &go) {
                Ok(report) => assert!(report.is_healthy(), "{report:?}"),
                // Slower than the other for several times.
                Err(error) => assert!(error.message().contains("keeps changing"), "{error:?}"),
            }
        };
        let mut count = 0;
        while !busy.is_finished() {
            std::thread::scope(|scope| {
                scope.spawn(|| check(false));
                check(true);
            });
            count += 1;
        }
        assert!(count > 1);
    });
    is_clean(&store);
}

#[test]
fn merged_layers_of_a_container_are_mended_with_what_they_link_to() {
    let (_root, store) = store(&[(&["a"], "1")]);
    let box_ = user(&store, "a", false);
    let merged = store.images().join(&store.stack(&box_.layers, 1).unwrap()[0]);
    assert!(merged.join("1").exists() && merged.join("shared").exists());
    let users = [box_];
    assert_eq!(check(&store, false, &users).findings, []);

    std::fs::remove_file(merged.join("1")).unwrap();
    std::fs::write(merged.join("1"), "other").unwrap();
    let found = check(&store, false, &users);
    assert!(found.findings[0].what.contains("merged: `1` has another time"), "{found:?}");
    let running = [ImageUser { live: true, ..users[0].clone() }];
    assert!(!check(&store, true, &running).is_healthy());
    assert!(check(&store, true, &users).is_healthy());
    assert_eq!(std::fs::read(merged.join("1")).unwrap(), b"x");

    // The same file: mended in the layer first, and then here.
    std::fs::set_permissions(merged.join("1"), Permissions::from_mode(0o600)).unwrap();
    let repaired = check(&store, true, &users);
    assert_eq!(repaired.findings.len(), 2, "{repaired:?}");
    assert!(repaired.is_healthy());
    assert_eq!(check(&store, false, &users).findings, []);
    let mode = merged.join("1").metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o644);
    // Without the container it is unreferenced.
    assert!(check(&store, false, &[]).findings[0].what.starts_with("1 unreferenced entry, "));
}

/// One image known by two manifests: `plain:1` of a tar, `packed:1` with a digest of a registry.
fn known_twice() -> (tempfile::TempDir, Store, Digest) {
    let (root, store) = compressed();
    let image = store.list().unwrap().remove(0);
    let packed = image.manifest.clone().unwrap();
    let mut manifest = store.read_manifest(&packed).unwrap();
    for (layer, diff_id) in manifest.layers.iter_mut().zip(image.diff_ids()) {
        layer.digest = diff_id;
    }
    let bytes = serde_json::to_vec(&manifest).unwrap();
    let plain = crate::image::bytes::spool::digest_of(&bytes);
    std::fs::write(store.blob(&plain), &bytes).unwrap();
    let mut index = Index::read(store.images()).unwrap();
    let first = index.entries[0].clone();
    let names = [
        ("plain:1".to_owned(), &plain),
        ("packed:1".to_owned(), &packed),
        (format!("packed@{packed}"), &packed),
    ];
    index.entries = names
        .map(|(name, manifest)| Entry {
            reference: Some(name.parse().unwrap()),
            manifest: manifest.clone(),
            ..first.clone()
        })
        .to_vec();
    index.write(store.images()).unwrap();
    (root, store, packed)
}

#[test]
fn an_image_whose_content_is_whole_stays_when_one_of_its_manifests_is_lost() {
    for missing in [true, false] {
        let (_root, store, packed) = known_twice();
        is_clean(&store);
        let before = store.find("packed:1").unwrap();
        let blob = store.blob(&store.read_manifest(&packed).unwrap().layers[0].digest);
        if missing {
            std::fs::remove_file(&blob).unwrap()
        } else {
            flip(&blob)
        }
        let found = check(&store, false, &[]);
        assert_eq!(found.findings.len(), 1, "{found:?}");
        assert!(!found.is_healthy());
        let lost = format!("lost with it: `packed@{packed}`");
        assert!(found.findings[0].what.contains(&lost), "{found:?}");
        let repaired = check(&store, true, &[]);
        assert_eq!(repaired.findings[0].resolution, Resolution::Repaired, "{repaired:?}");
        assert!(repaired.is_healthy());
        for name in ["plain:1", "packed:1"] {
            assert_eq!(store.find(name).unwrap().layers, before.layers);
        }
        assert!(store.find("packed:1").unwrap().digests.is_empty());
        is_clean(&store);
    }
}

#[test]
fn a_store_without_its_blobs_is_made_whole_again() {
    let (_root, store) = store(&[(&["a"], "1")]);
    std::fs::remove_dir_all(store.images().join("blobs")).unwrap();
    let report = check(&store, true, &[]);
    assert_eq!(report.findings[0].image.as_deref(), Some("a:latest"), "{report:?}");
    store.load(&mut &archive(&["a"], "1")[..], None, &go).unwrap();
    is_clean(&store);
}
