//! An image as data: metadata (id, tags, environment, command, size) and layers.

use std::collections::BTreeMap;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use crate::model::value::digest::Digest;
use crate::model::value::health_check::HealthCheck;
use crate::model::value::json::null_as_default;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind};

/// An image in the store.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The digest of the configuration.
    pub id: Digest,
    /// The tags of the image, sorted; none when it is dangling.
    pub tags: Vec<Reference>,
    /// The names in registries: `repository@sha256:...`, sorted (Docker's `RepoDigests`).
    pub digests: Vec<Reference>,
    /// The digest of the manifest, as received or as the store wrote it.
    pub manifest: Option<Digest>,
    /// The parent image, if this store built the image.
    pub parent: Option<Digest>,
    /// Whether the image is a cached build step without a tag.
    pub intermediate: bool,
    /// When the image was built.
    pub created: Option<Timestamp>,
    /// When the image was last tagged in this store.
    pub tagged: Option<Timestamp>,
    /// The bytes of the files of all layers, unpacked.
    pub size: u64,
    /// The keys of the unpacked layers, lowest first: what the store's `layer_dir` takes. The key
    /// is the diff id, except for a layer whose unpacking depended on those below; the diff ids
    /// themselves are [`Image::diff_ids`].
    pub layers: Vec<Digest>,
    /// Such as `amd64`.
    pub architecture: String,
    /// Such as `linux`.
    pub os: String,
    /// The configuration of containers.
    pub config: ImageConfig,
    /// The whole configuration document as written, for `inspect`.
    pub document: Value,
}

impl Image {
    /// Returns an image with a known id and nothing else, for tests.
    #[cfg(test)]
    pub fn plain(seed: u8) -> Self {
        Image {
            id: Digest::from_bytes(&[seed; 32]),
            tags: Vec::new(),
            digests: Vec::new(),
            manifest: None,
            parent: None,
            intermediate: false,
            created: None,
            tagged: None,
            size: 0,
            layers: Vec::new(),
            architecture: "amd64".to_owned(),
            os: "linux".to_owned(),
            config: ImageConfig::default(),
            document: Value::Null,
        }
    }

    /// Returns what the image is made for.
    pub fn platform(&self) -> Platform {
        let variant = self.document.get("variant").and_then(Value::as_str);
        Platform {
            os: self.os.clone(),
            architecture: self.architecture.clone(),
            variant: variant.unwrap_or_default().to_owned(),
        }
    }

    /// Returns the diff ids of the layers as the configuration names them, lowest first: what
    /// `inspect` prints as `RootFS.Layers`.
    pub fn diff_ids(&self) -> Vec<Digest> {
        let ids = self.document.pointer("/rootfs/diff_ids").and_then(Value::as_array);
        let texts = ids.into_iter().flatten().filter_map(Value::as_str);
        texts.filter_map(|text| text.parse().ok()).collect()
    }

    /// Returns the reference to print: the first tag, or else the short id.
    pub fn display_name(&self) -> String {
        self.tags.first().map_or_else(|| self.id.short().to_owned(), Reference::familiar)
    }
}

/// The `config` of an image configuration (OCI image specification, config.md; Docker's adds
/// `Healthcheck`, `OnBuild` and `Shell`). A `null` is read as absent, as Docker writes many.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ImageConfig {
    /// `user[:group]`.
    #[serde(deserialize_with = "null_as_default")]
    pub user: String,
    /// `port/protocol`, as keys.
    #[serde(deserialize_with = "null_as_default")]
    pub exposed_ports: BTreeMap<String, Value>,
    /// `KEY=VALUE`; an entry without `=` removes the variable.
    #[serde(deserialize_with = "texts")]
    pub env: Vec<String>,
    /// The program that `cmd` is appended to.
    #[serde(deserialize_with = "words")]
    pub entrypoint: Option<Vec<String>>,
    /// The default arguments, or the whole command.
    #[serde(deserialize_with = "words")]
    pub cmd: Option<Vec<String>>,
    /// Mount points, as keys.
    #[serde(deserialize_with = "null_as_default")]
    pub volumes: BTreeMap<String, Value>,
    /// The working directory.
    #[serde(deserialize_with = "null_as_default")]
    pub working_dir: String,
    /// Labels.
    #[serde(deserialize_with = "labels")]
    pub labels: BTreeMap<String, String>,
    /// The signal that `stop` sends, as untrusted text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_signal: Option<String>,
    /// The health check of containers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub healthcheck: Option<HealthCheck>,
}

/// Reads a list of words; old tools wrote a single one without the list (moby, `strslice`).
fn words<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<String>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<Option<String>>),
    }
    Ok(Option::deserialize(deserializer)?.map(|words| match words {
        OneOrMany::One(word) => vec![word],
        OneOrMany::Many(words) => words.into_iter().map(Option::unwrap_or_default).collect(),
    }))
}

/// Reads a list of texts, of which some may be `null`: an empty text, as in Go.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    let texts: Vec<Option<String>> = null_as_default(deserializer)?;
    Ok(texts.into_iter().map(Option::unwrap_or_default).collect())
}

/// Reads labels, of which some may be `null`: an empty text, as in Go.
fn labels<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    let labels: BTreeMap<String, Option<String>> = null_as_default(deserializer)?;
    Ok(labels.into_iter().map(|(key, value)| (key, value.unwrap_or_default())).collect())
}

/// When to pull an image, or to create the host image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PullPolicy {
    /// If the image is missing.
    #[default]
    Missing,
    /// Each time.
    Always,
    /// Never.
    Never,
}

/// One image that `load` took from an archive.
#[derive(Clone, Debug, PartialEq)]
pub struct Loaded {
    /// The image.
    pub id: Digest,
    /// The references that now name the image.
    pub tags: Vec<Reference>,
    /// The references that named another image before.
    pub moved: Vec<Reference>,
}

/// How a layer or an archive is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// gzip, RFC 1952.
    Gzip,
    /// Zstandard, RFC 8878.
    Zstd,
}

impl FromStr for Compression {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "gzip" | "gz" => Ok(Compression::Gzip),
            "zstd" | "zst" => Ok(Compression::Zstd),
            _ => Err(Error::new(Kind::Invalid, format!("unknown compression `{text}`"))
                .hint("write gzip or zstd")),
        }
    }
}

/// The format that `save` writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SaveFormat {
    /// What `docker load` reads; also an OCI image layout.
    #[default]
    Docker,
    /// An OCI image layout as a tar.
    Oci,
    /// An OCI image layout as a directory.
    OciDirectory,
}

impl FromStr for SaveFormat {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "docker" | "docker-archive" => Ok(SaveFormat::Docker),
            "oci" | "oci-archive" => Ok(SaveFormat::Oci),
            "oci-dir" => Ok(SaveFormat::OciDirectory),
            _ => Err(Error::new(Kind::Invalid, format!("unknown format `{text}`"))
                .hint("write docker, oci or oci-dir")),
        }
    }
}

/// The options of `save`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SaveOptions {
    /// The format.
    pub format: SaveFormat,
    /// The compression: of the archive in Docker's format, of each uncompressed layer in the OCI
    /// formats.
    pub compress: Option<Compression>,
}

/// A container that uses an image, which `rmi` must respect.
#[derive(Clone, Debug, PartialEq)]
pub struct ImageUser {
    /// The id of the image.
    pub image: Digest,
    /// The keys of the container's layers.
    pub layers: Vec<Digest>,
    /// The container's name, for messages.
    pub container: String,
    /// Whether the container has processes.
    pub live: bool,
}

/// The image that was created from the host.
#[derive(Clone, Debug, PartialEq)]
pub struct HostImage {
    /// The image.
    pub image: Image,
    /// The programs that the host lacks, or whose files could not be found.
    pub missing: Vec<String>,
}

/// One removal of `rmi`, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Removed {
    /// A reference; the image may live on.
    Untagged(Reference),
    /// An image or a layer.
    Deleted(Digest),
}
