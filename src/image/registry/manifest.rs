//! Manifests and indexes, read as untrusted data, and the choice of a platform.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::image::store::document;
use crate::image::tar::error::corrupt;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::{Error, Kind, Result};

/// The most platforms of an index.
const MAX_PLATFORMS: usize = 1000;
/// The media types of manifests and indexes that are understood.
pub(super) const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";
/// The most layers: as many as overlayfs stacks.
const MAX_LAYERS: usize = 500;
/// Docker's oldest manifests, without a configuration.
const OLD: &str = "application/vnd.docker.distribution.manifest.v1";

const INDEXES: [&str; 2] = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
const MANIFESTS: [&str; 2] = [
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
];
const CONFIGS: [&str; 2] =
    ["application/vnd.oci.image.config.v1+json", "application/vnd.docker.container.image.v1+json"];
const LAYERS: [&str; 9] = [
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
    "application/vnd.oci.image.layer.nondistributable.v1.tar",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+zstd",
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
];

/// A descriptor of a blob or a manifest. Its `urls` are ignored: content comes from the registry of
/// the request.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Descriptor {
    pub(crate) media_type: String,
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    #[serde(default)]
    platform: Option<Offered>,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
struct Offered {
    #[serde(default)]
    os: String,
    #[serde(default)]
    architecture: String,
    #[serde(default)]
    variant: Option<String>,
}

impl Descriptor {
    fn platform(&self) -> Option<Platform> {
        let offered = self.platform.as_ref()?;
        Some(Platform {
            os: offered.os.clone(),
            architecture: offered.architecture.clone(),
            variant: offered.variant.clone().unwrap_or_default(),
        })
    }

    /// Returns whether it is an attestation of BuildKit, which is listed beside the image.
    fn is_attestation(&self) -> bool {
        let key = "vnd.docker.reference.type";
        self.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(key))
    }
}

/// What a registry has under a tag.
#[derive(Debug, PartialEq)]
pub(crate) enum Named {
    /// One image for each of several platforms.
    Index(Vec<Descriptor>),
    /// An image.
    Image {
        /// The configuration.
        config: Descriptor,
        /// The layers, lowest first.
        layers: Vec<Descriptor>,
    },
}

/// Parses a manifest or an index with the media type `media_type`.
///
/// # Errors
/// [`Kind::Corrupt`] if it is damaged, or both: readers would disagree on the image
/// (CVE-2021-41190). [`Kind::Unsupported`] if it is not an image.
pub(crate) fn read(media_type: &str, bytes: &[u8]) -> Result<Named> {
    let value: Value = document::parse(bytes)?;
    let sent = media_type.split(';').next().unwrap_or_default().trim();
    let stated = value.get("mediaType").map(|stated| stated.as_str().unwrap_or_default());
    if sent.starts_with(OLD) || value.get("schemaVersion") == Some(&Value::from(1)) {
        return Err(Error::new(Kind::Unsupported, "its manifest has Docker's oldest format")
            .hint("push it again with a newer tool"));
    }
    let known = |media: &str| INDEXES.contains(&media) || MANIFESTS.contains(&media);
    if let Some(stated) = stated.filter(|stated| known(sent) && *stated != sent) {
        return Err(corrupt(format!("its manifest was sent as `{sent}` but contains `{stated}`")));
    }
    let has = |key: &str| value.get(key).is_some();
    let media = stated.unwrap_or(sent);
    let (index, image) = (has("manifests"), has("layers") || has("config") || has("fsLayers"));
    match (index, image) {
        (true, true) => Err(corrupt("its manifest is both an index and an image")),
        (true, false) if !MANIFESTS.contains(&media) => index_of(value),
        (false, true) if !INDEXES.contains(&media) => image_of(value),
        _ => Err(corrupt("its manifest is neither an index nor an image")),
    }
}

fn index_of(mut value: Value) -> Result<Named> {
    let manifests: Vec<Descriptor> = part(&mut value, "manifests")?;
    if manifests.len() > MAX_PLATFORMS {
        return Err(corrupt(format!("its index lists {} platforms", manifests.len())));
    }
    Ok(Named::Index(manifests))
}

fn image_of(mut value: Value) -> Result<Named> {
    let config: Descriptor = part(&mut value, "config")?;
    let layers: Vec<Descriptor> = part(&mut value, "layers")?;
    if !CONFIGS.contains(&config.media_type.as_str()) {
        let what = value.get("artifactType").and_then(Value::as_str);
        let what = what.unwrap_or(&config.media_type).to_owned();
        return Err(Error::new(Kind::Unsupported, format!("it is not an image but `{what}`")));
    }
    if layers.len() > MAX_LAYERS {
        return Err(corrupt(format!("it has {} layers", layers.len())));
    }
    if let Some(odd) = layers.iter().find(|layer| !LAYERS.contains(&layer.media_type.as_str())) {
        let message = format!("it has a layer of the unknown type `{}`", odd.media_type);
        return Err(Error::new(Kind::Unsupported, message));
    }
    Ok(Named::Image { config, layers })
}

fn part<T: serde::de::DeserializeOwned>(value: &mut Value, key: &str) -> Result<T> {
    let part = value.get_mut(key).map(Value::take).unwrap_or_default();
    serde_json::from_value(part).map_err(|error| corrupt(format!("its `{key}`: {error}")))
}

/// Chooses the manifest of the index for `requested`, or for the host: the first of equally good
/// ones.
///
/// # Errors
/// [`Kind::NotFound`] if there is none, naming the available ones.
pub(crate) fn choose<'a>(
    choices: &'a [Descriptor],
    requested: Option<&Platform>,
) -> Result<&'a Descriptor> {
    let host = Platform::host();
    let images = || choices.iter().filter(|choice| !choice.is_attestation());
    let platforms: Vec<_> =
        images().filter_map(|choice| Some((choice.platform()?, choice))).collect();
    let offered = platforms.iter().map(|(platform, choice)| (platform, *choice));
    if let Some(fitting) = requested.unwrap_or(&host).choose(offered) {
        return Ok(fitting);
    }
    // An index without platforms offers no choice.
    if let (Some(only), None, None) = (images().next(), images().nth(1), requested)
        && only.platform.is_none()
    {
        return Ok(only);
    }
    let mut offered: Vec<String> =
        platforms.iter().map(|(platform, _)| platform.to_string()).collect();
    offered.dedup();
    let message = format!("it has no image for {}", requested.unwrap_or(&host));
    Err(Error::new(Kind::NotFound, message).hint(match offered.is_empty() {
        true => "check the reference: its index lists no image".to_owned(),
        false => format!("choose a platform with --platform: {}", offered.join(", ")),
    }))
}

#[cfg(test)]
#[path = "tests/manifest.rs"]
mod tests;
