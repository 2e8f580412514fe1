//! An archive that is an OCI image layout: `index.json`, manifests and blobs by digest.
//!
//! `docker buildx`, `skopeo` and `podman` write it. What it says is turned into the list that a
//! `manifest.json` of Docker would have had. Newer Docker writes both; then `manifest.json` is
//! read and this is not.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::archive::{Contents, Listed};
use super::document;
use super::members::corrupt;
use super::staging::Staging;
use crate::model::digest::Digest;
use crate::model::error::Context;
use crate::model::reference::Reference;
use crate::model::{Error, Kind, Result};

/// What Docker calls this machine, as far as images are made for it.
pub(super) fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        "x86" => "386",
        "powerpc64" => "ppc64le",
        "loongarch64" => "loong64",
        other => other,
    }
}

#[derive(Deserialize)]
struct Index {
    manifests: Vec<Descriptor>,
}

#[derive(Deserialize)]
struct Manifest {
    config: Descriptor,
    layers: Vec<Descriptor>,
}

#[derive(Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor {
    #[serde(default)]
    media_type: String,
    digest: Digest,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
    #[serde(default)]
    platform: Option<Platform>,
}

#[derive(Clone, Default, Deserialize)]
struct Platform {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
}

impl Descriptor {
    fn note(&self, key: &str) -> Option<&String> {
        self.annotations.as_ref()?.get(key)
    }

    fn is_index(&self) -> bool {
        self.media_type.ends_with("image.index.v1+json")
            || self.media_type.ends_with("manifest.list.v2+json")
    }

    /// BuildKit lists what it attests about an image beside the image.
    fn is_attestation(&self) -> bool {
        self.note("vnd.docker.reference.type").is_some()
    }

    /// The tag: containerd writes the whole reference beside the bare tag.
    fn tag(&self) -> Option<String> {
        let notes = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
        let tag = notes.iter().find_map(|key| self.note(key))?;
        tag.parse::<Reference>().is_ok().then(|| tag.clone())
    }

    fn member(&self) -> String {
        format!("blobs/sha256/{}", self.digest.hex())
    }
}

/// The images that `index.json` lists, for this machine where there is a choice.
pub(super) fn listed(contents: &Contents, staging: &Staging) -> Result<Vec<Listed>> {
    let index: Index = typed(contents.document(staging, "index.json")?, "index.json", "manifests")?;
    let mut images: BTreeMap<Option<String>, Vec<Descriptor>> = BTreeMap::new();
    for descriptor in index.manifests {
        let tag = descriptor.tag();
        let choices = if descriptor.is_index() {
            // One level is all that tools write; a deeper one finds no manifest.
            read::<Index>(contents, staging, &descriptor, "manifests")?.manifests
        } else {
            vec![descriptor]
        };
        let choices = choices.into_iter().filter(|choice| !choice.is_attestation());
        images.entry(tag).or_default().extend(choices);
    }
    if images.is_empty() {
        return Err(corrupt("its `index.json` lists no image"));
    }
    let listed = images.into_iter().map(|(tag, choices)| {
        let chosen = choose(&choices)?;
        let manifest: Manifest = read(contents, staging, chosen, "layers")?;
        check_digest(contents, &manifest.config)?;
        Ok(Listed {
            config: manifest.config.member(),
            repo_tags: Some(tag.into_iter().collect()),
            layers: Some(manifest.layers.iter().map(Descriptor::member).collect()),
        })
    });
    listed.collect()
}

fn choose(choices: &[Descriptor]) -> Result<&Descriptor> {
    let fits = |choice: &&Descriptor| {
        choice.platform.as_ref().is_some_and(|platform| {
            platform.os == "linux" && platform.architecture == architecture()
        })
    };
    match (choices, choices.iter().find(fits)) {
        (_, Some(fitting)) => Ok(fitting),
        ([one], None) => Ok(one),
        _ => {
            let platforms: Vec<_> = choices
                .iter()
                .filter_map(|choice| choice.platform.as_ref())
                .map(|platform| format!("{}/{}", platform.os, platform.architecture))
                .collect();
            let message = format!("it has no image for linux/{}", architecture());
            Err(Error::new(Kind::Unsupported, message)
                .hint(format!("it has images for: {}", platforms.join(", "))))
        }
    }
}

/// The content must be what the digest says. A layer is checked by its diff id instead, which
/// is that of its uncompressed content.
fn check_digest(contents: &Contents, descriptor: &Descriptor) -> Result<()> {
    let member = descriptor.member();
    if contents.file(&member)?.digest == descriptor.digest {
        Ok(())
    } else {
        Err(corrupt(format!("the member `{member}` is not what its name says")))
    }
}

fn read<T: DeserializeOwned>(
    contents: &Contents,
    staging: &Staging,
    descriptor: &Descriptor,
    key: &str,
) -> Result<T> {
    check_digest(contents, descriptor)?;
    let member = descriptor.member();
    typed(contents.document(staging, &member)?, &member, key)
}

/// Reads a document that must have `key`. One that is an index and a manifest at once would be
/// another image to each reader (CVE-2021-41190).
fn typed<T: DeserializeOwned>(bytes: Vec<u8>, name: &str, key: &str) -> Result<T> {
    let damaged = || format!("its `{name}` is damaged");
    let value: Value = document::parse(&bytes).context(damaged)?;
    let is_index = value.get("manifests").is_some();
    let is_manifest = value.get("layers").is_some() || value.get("config").is_some();
    if (is_index && is_manifest) || value.get(key).is_none() {
        return Err(corrupt(format!("it must have `{key}` and be nothing else")).context(damaged()));
    }
    serde_json::from_value(value).map_err(|error| corrupt(error.to_string()).context(damaged()))
}

#[cfg(test)]
#[path = "tests/layout.rs"]
mod tests;
