//! An archive or directory that is an OCI image layout: `index.json`, manifests, blobs by digest.
//!
//! `docker buildx`, `skopeo` and `podman` write it. Newer Docker writes a `manifest.json` as well;
//! then that is read instead, because it names all tags.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::contents::{Contents, Found, FoundLayer};
use crate::image::bytes::spool::digest_of;
use crate::image::store::document;
use crate::image::store::index::MEDIA_CONFIG;
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

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
    size: Option<u64>,
    #[serde(default)]
    platform: Option<Platform>,
}

impl Descriptor {
    fn note(&self, key: &str) -> Option<&String> {
        self.annotations.as_ref()?.get(key)
    }

    fn is_index(&self) -> bool {
        self.media_type.ends_with("image.index.v1+json")
            || self.media_type.ends_with("manifest.list.v2+json")
    }

    /// Returns whether it describes an image; old tools omit the type.
    fn is_image_config(&self) -> bool {
        const TYPES: [&str; 3] =
            ["", MEDIA_CONFIG, "application/vnd.docker.container.image.v1+json"];
        TYPES.contains(&self.media_type.as_str())
    }

    /// Returns whether it is an attestation of BuildKit, which is listed beside the image: tools
    /// that copy a layout may drop the note.
    fn is_attestation(&self) -> bool {
        let unknown =
            |platform: &Platform| platform.os == "unknown" && platform.architecture == "unknown";
        self.note("vnd.docker.reference.type").is_some()
            || self.platform.as_ref().is_some_and(unknown)
    }

    /// Returns whether it is a statement about an image (in-toto), which stands in the place of a
    /// layer.
    fn is_statement(&self) -> bool {
        self.media_type.starts_with("application/vnd.in-toto")
    }

    /// Returns the tag: containerd writes the full reference beside the bare tag.
    fn tag(&self) -> Option<String> {
        let notes = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];
        let tag = notes.iter().find_map(|key| self.note(key))?;
        tag.parse::<Reference>().is_ok().then(|| tag.clone())
    }

    fn member(&self) -> String {
        format!("blobs/sha256/{}", self.digest.hex())
    }
}

/// Manifests by their image: its tag, and what they have in common without one.
type Alternatives = BTreeMap<(Option<String>, String), Vec<Descriptor>>;

/// Returns the manifests that `index.json` lists, by image: the alternatives of one have a tag in
/// common, or an index, or nothing but platforms.
fn alternatives(contents: &Contents) -> Result<Alternatives> {
    let index: Index = typed(&contents.document("index.json")?, "index.json", "manifests")?;
    let mut images = Alternatives::new();
    for descriptor in index.manifests {
        let tag = descriptor.tag();
        let is_single = descriptor.is_index() || descriptor.platform.is_none();
        let group = match &tag {
            None if is_single => descriptor.digest.to_string(),
            _ => String::new(),
        };
        let choices = if descriptor.is_index() {
            // Tools write one level only; a deeper one finds no manifest.
            let bytes = checked(contents, &descriptor)?;
            typed::<Index>(&bytes, &descriptor.member(), "manifests")?.manifests
        } else {
            vec![descriptor]
        };
        let mut choices = choices.into_iter().filter(|choice| !choice.is_attestation()).peekable();
        if choices.peek().is_some() {
            images.entry((tag, group)).or_default().extend(choices);
        }
    }
    match images.is_empty() {
        true => Err(corrupt("its `index.json` lists no image")),
        false => Ok(images),
    }
}

/// Returns the images that `index.json` lists, for `platform` if there is a choice.
pub(super) fn images(contents: &Contents, platform: &Platform) -> Result<Vec<Found>> {
    let (mut artifacts, mut unfit) = (Vec::new(), None);
    let mut found: Vec<Found> = Vec::new();
    // An image with thousands of tags is one image.
    let mut known: HashMap<Digest, usize> = HashMap::new();
    for ((tag, _), choices) in alternatives(contents)? {
        let chosen = match choose(&choices, platform) {
            Ok(chosen) => chosen,
            // Beside an image that has the name, it is that of another platform.
            Err(error) if tag.is_none() => {
                unfit = unfit.or(Some(error));
                continue;
            }
            Err(error) => return Err(error),
        };
        if let Some(number) = known.get(&chosen.digest) {
            found[*number].tags.extend(tag);
            continue;
        }
        let bytes = checked(contents, chosen)?;
        let manifest: Manifest = typed(&bytes, &chosen.member(), "layers")?;
        // Layouts also contain other artifacts, such as signatures and charts.
        let statement = manifest.layers.iter().find(|layer| layer.is_statement());
        if let Some(statement) = statement {
            artifacts.push(statement.media_type.clone());
            continue;
        }
        if !manifest.config.is_image_config() {
            artifacts.push(manifest.config.media_type);
            continue;
        }
        checked(contents, &manifest.config)?;
        let layer = |layer: &Descriptor| FoundLayer {
            member: layer.member(),
            digest: Some(layer.digest.clone()),
        };
        known.insert(chosen.digest.clone(), found.len());
        found.push(Found {
            config: manifest.config.member(),
            layers: manifest.layers.iter().map(layer).collect(),
            manifest: Some(bytes),
            tags: tag.into_iter().collect(),
        });
    }
    if let Some(error) = unfit.filter(|_| found.is_empty()) {
        return Err(error);
    }
    match artifacts.first() {
        Some(kind) if found.is_empty() => Err(Error::new(
            Kind::Unsupported,
            format!("it contains `{kind}`, which is not an image"),
        )),
        _ => Ok(found),
    }
}

fn choose<'a>(choices: &'a [Descriptor], platform: &Platform) -> Result<&'a Descriptor> {
    let offered = choices.iter().filter_map(|choice| Some((choice.platform.as_ref()?, choice)));
    match (choices, platform.choose(offered.clone())) {
        (_, Some(fitting)) => Ok(fitting),
        ([one], None) if one.platform.is_none() => Ok(one),
        _ => {
            let platforms: Vec<_> = offered.map(|(platform, _)| platform.to_string()).collect();
            Err(Error::new(Kind::Unsupported, format!("it has no image for {platform}"))
                .hint(format!("choose a platform with --platform: {}", platforms.join(", "))))
        }
    }
}

/// Reads a document and checks it against its descriptor.
fn checked(contents: &Contents, descriptor: &Descriptor) -> Result<Vec<u8>> {
    let member = descriptor.member();
    let bytes = contents.document(&member)?;
    let right_size = descriptor.size.is_none_or(|size| size == bytes.len() as u64);
    if right_size && digest_of(&bytes) == descriptor.digest {
        Ok(bytes)
    } else {
        Err(corrupt(format!("the member `{member}` does not match its digest")))
    }
}

/// Parses a document that must have `key`. One that is both an index and a manifest would be
/// another image to each reader (CVE-2021-41190).
fn typed<T: DeserializeOwned>(bytes: &[u8], name: &str, key: &str) -> Result<T> {
    let damaged = || format!("its `{name}` is damaged");
    let value: Value = document::parse(bytes).context(damaged)?;
    let is_index = value.get("manifests").is_some();
    let is_manifest = value.get("layers").is_some() || value.get("config").is_some();
    if (is_index && is_manifest) || value.get(key).is_none() {
        return Err(
            corrupt(format!("it must have `{key}`, and not be of another type")).context(damaged())
        );
    }
    serde_json::from_value(value).map_err(|error| corrupt(error.to_string()).context(damaged()))
}

#[cfg(test)]
#[path = "tests/layout.rs"]
mod tests;
