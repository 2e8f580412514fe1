//! Images that a test makes, as other engines would write them.

use std::io::Write;
use std::path::Path;

use serde_json::{Value, json};
use sha2::Digest as _;

/// Adds a member, owned by root, of the first second of 1970.
pub fn append<W: Write>(
    tar: &mut tar::Builder<W>,
    path: &str,
    kind: tar::EntryType,
    content: &[u8],
    mode: u32,
) {
    let mut header = tar::Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_mode(mode);
    tar.append_data(&mut header, path, content).unwrap();
}

/// The digest of `bytes`.
pub fn digest(bytes: &[u8]) -> String {
    let hash = sha2::Sha256::digest(bytes);
    let hex: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha256:{hex}")
}

fn config(layers: &[Vec<u8>], changes: &Value) -> Vec<u8> {
    let ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let mut document = json!({
        "architecture": architecture,
        "os": "linux",
        "config": {"Cmd": ["/busybox", "true"]},
        "rootfs": {"type": "layers", "diff_ids": ids},
    });
    for (key, value) in changes.as_object().into_iter().flatten() {
        document["config"][key] = value.clone();
    }
    document.to_string().into_bytes()
}

/// Writes a docker-archive of an image with these layers, lowest first.
pub fn docker_archive(out: impl Write, tag: &str, layers: &[Vec<u8>]) {
    configured_archive(out, tag, layers, &Value::Null);
}

/// As [`docker_archive`], with these changes to the image's `config`.
pub fn configured_archive(out: impl Write, tag: &str, layers: &[Vec<u8>], changes: &Value) {
    let mut archive = tar::Builder::new(out);
    let mut put = |name: &str, bytes: &[u8]| {
        append(&mut archive, name, tar::EntryType::Regular, bytes, 0o644);
    };
    put("config.json", &config(layers, changes));
    let names: Vec<_> = (0..layers.len()).map(|number| format!("{number}.tar")).collect();
    for (name, layer) in names.iter().zip(layers) {
        put(name, layer);
    }
    let manifest = json!([{"Config": "config.json", "RepoTags": [tag], "Layers": names}]);
    put("manifest.json", manifest.to_string().as_bytes());
    archive.into_inner().unwrap().flush().unwrap();
}

/// Writes an OCI layout of an image with these layers, lowest first, compressed by gzip.
pub fn layout(directory: &Path, tag: &str, layers: &[Vec<u8>]) {
    let blobs = directory.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let put = |media: &str, bytes: &[u8]| -> Value {
        let digest = digest(bytes);
        std::fs::write(blobs.join(&digest["sha256:".len()..]), bytes).unwrap();
        let media = format!("application/vnd.oci.image.{media}");
        json!({"mediaType": media, "digest": digest, "size": bytes.len()})
    };
    let compressed = |layer: &Vec<u8>| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(layer).unwrap();
        put("layer.v1.tar+gzip", &gzip.finish().unwrap())
    };
    let layers_of_manifest: Vec<_> = layers.iter().map(compressed).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": put("config.v1+json", &config(layers, &Value::Null)),
        "layers": layers_of_manifest,
    });
    let mut manifest = put("manifest.v1+json", manifest.to_string().as_bytes());
    manifest["annotations"] = json!({"org.opencontainers.image.ref.name": tag});
    let index = json!({"schemaVersion": 2, "manifests": [manifest]});
    std::fs::write(directory.join("index.json"), index.to_string()).unwrap();
    std::fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}
