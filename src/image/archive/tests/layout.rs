//! OCI image layouts as archives. The good one was written by skopeo from the Docker fixture.

use serde_json::json;

use super::*;
use crate::image::Store;
use crate::image::bytes::spool::digest_of;

const FIXTURE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/hundredcounter.oci.tar");

fn store() -> (tempfile::TempDir, Store) {
    let root = tempfile::tempdir().unwrap();
    let store = Store::open(root.path()).unwrap();
    (root, store)
}

/// A layout being written: blobs by their digest, then the index.
struct Layout(tar::Builder<Vec<u8>>);

impl Layout {
    fn new() -> Self {
        Layout(tar::Builder::new(Vec::new()))
    }

    fn member(&mut self, name: &str, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        self.0.append_data(&mut header, name, content).unwrap();
    }

    fn blob(&mut self, content: &Value) -> Digest {
        let bytes = content.to_string().into_bytes();
        let digest = digest_of(&bytes);
        self.member(&format!("blobs/sha256/{}", digest.hex()), &bytes);
        digest
    }

    /// An image without layers that runs `command`.
    fn image(&mut self, command: &str) -> Digest {
        let config =
            json!({"os": "linux", "rootfs": {"diff_ids": []}, "config": {"Cmd": [command]}});
        let config = self.blob(&config);
        self.blob(&json!({"schemaVersion": 2, "config": {"digest": config}, "layers": []}))
    }

    fn load(mut self, index: &Value) -> Result<Vec<Option<Vec<String>>>> {
        self.member("index.json", index.to_string().as_bytes());
        let archive = self.0.into_inner().unwrap();
        let (_root, store) = store();
        let loaded = store.load(&mut &archive[..], None, &|| Ok(()))?;
        Ok(loaded.iter().map(|l| store.find(l.id.as_str()).unwrap().config.cmd).collect())
    }
}

fn for_platform(digest: &Digest, architecture: &str) -> Value {
    json!({"digest": digest, "platform": {"os": "linux", "architecture": architecture}})
}

#[test]
fn a_layout_with_compressed_layers_loads() {
    let (_root, store) = store();
    let loaded = store.load_file(FIXTURE.as_ref(), None, &|| Ok(())).unwrap();
    let image = store.find("hundredcounter").unwrap();
    assert_eq!(loaded[0].id, image.id);
    assert_eq!(image.diff_ids().len(), image.layers.len());
}

#[test]
fn the_image_for_this_machine_is_chosen() {
    let mut layout = Layout::new();
    let (other, mine) = (layout.image("other"), layout.image("mine"));
    let mut attested = for_platform(&other, &Platform::host().architecture);
    attested["annotations"] = json!({"vnd.docker.reference.type": "attestation-manifest"});
    let nested = json!({"manifests": [
        attested, for_platform(&other, "alien"), for_platform(&mine, &Platform::host().architecture)
    ]});
    let nested = layout.blob(&nested);
    let media = "application/vnd.oci.image.index.v1+json";
    let commands = layout.load(&json!({"manifests": [{"digest": nested, "mediaType": media}]}));
    assert_eq!(commands.unwrap(), [Some(vec!["mine".to_owned()])]);

    let mut layout = Layout::new();
    let (other, mine) = (layout.image("other"), layout.image("mine"));
    let mut named = for_platform(&mine, &Platform::host().architecture);
    named["annotations"] = json!({"org.opencontainers.image.ref.name": "mine"});
    let choices = [for_platform(&other, "alien"), named];
    let commands = layout.load(&json!({ "manifests": choices }));
    assert_eq!(commands.unwrap(), [Some(vec!["mine".to_owned()])]);

    let mut layout = Layout::new();
    let other = layout.image("other");
    let choices = [for_platform(&other, "alien"), for_platform(&other, "elf")];
    let error = layout.load(&json!({ "manifests": choices })).unwrap_err();
    assert_eq!(
        error.hint_text(),
        Some("choose a platform with --platform: linux/alien, linux/elf")
    );
}

#[test]
fn attestations_beside_an_image_are_passed_over() {
    let mut layout = Layout::new();
    let image = layout.image("mine");
    let config = layout.blob(&json!({
        "os": "unknown", "architecture": "unknown", "config": {}, "rootfs": {"diff_ids": []}
    }));
    let kind = "application/vnd.in-toto+json";
    let statement = layout.blob(&json!({}));
    let attestation = layout.blob(&json!({
        "schemaVersion": 2, "config": {"digest": config, "mediaType": MEDIA_CONFIG},
        "layers": [{"digest": statement, "mediaType": kind}],
    }));
    let mut tagged = for_platform(&image, &Platform::host().architecture);
    tagged["annotations"] = json!({"org.opencontainers.image.ref.name": "mine:1"});
    let unknown = json!({"os": "unknown", "architecture": "unknown"});
    let noted = json!({"vnd.docker.reference.type": "attestation-manifest"});
    // Without the note, or without the platform, as other tools copy it.
    let index = json!({"manifests": [
        {"digest": attestation, "platform": unknown, "annotations": noted},
        {"digest": attestation, "platform": unknown},
        {"digest": attestation},
        tagged,
    ]});
    assert_eq!(layout.load(&index).unwrap(), [Some(vec!["mine".to_owned()])]);

    let mut alone = Layout::new();
    let attestation = alone.image("attestation");
    let index = json!({"manifests": [{"digest": attestation, "platform": unknown}]});
    let error = alone.load(&index).unwrap_err();
    assert!(error.to_string().contains("lists no image"), "{error}");
}

#[test]
fn what_is_no_image_is_passed_over() {
    let mut layout = Layout::new();
    let image = layout.image("mine");
    let config = layout.blob(&json!({"name": "chart"}));
    let kind = "application/vnd.example.chart.v1+json";
    let artifact = layout.blob(
        &json!({"schemaVersion": 2, "config": {"digest": config, "mediaType": kind}, "layers": []}),
    );
    let index = json!({"manifests": [{"digest": artifact}, {"digest": image}]});
    assert_eq!(layout.load(&index).unwrap(), [Some(vec!["mine".to_owned()])]);

    let mut alone = Layout::new();
    let config = alone.blob(&json!({"name": "chart"}));
    let artifact = alone.blob(
        &json!({"schemaVersion": 2, "config": {"digest": config, "mediaType": kind}, "layers": []}),
    );
    let error = alone.load(&json!({"manifests": [{"digest": artifact}]})).unwrap_err();
    assert!(error.to_string().contains("which is not an image"), "{error}");
    assert!(error.to_string().contains("`application/vnd.example"), "{error}");
}

#[test]
fn a_document_that_is_not_what_it_claims_is_refused() {
    let check = |index: &Value, expected: &str| {
        let error = Layout::new().load(index).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check(&json!({"manifests": [], "layers": []}), "not be of another type");
    check(&json!({}), "`manifests`");
    check(&json!({"manifests": []}), "lists no image");
    check(&json!({"manifests": [{"digest": "sha256:../../x"}]}), "not a sha256 digest");
    let missing = digest_of(b"missing");
    check(&json!({"manifests": [{"digest": missing}]}), "it has no member");

    let mut layout = Layout::new();
    layout.member(&format!("blobs/sha256/{}", missing.hex()), b"{}");
    let error = layout.load(&json!({"manifests": [{"digest": missing}]})).unwrap_err();
    assert!(error.to_string().contains("does not match its digest"), "{error}");
}
