//! Loads the images of an archive into the store.

use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::contents::{Contents, Found, FoundLayer, INDEX};
use super::layout;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::file_range::FileRange;
use crate::image::bytes::source::Source;
use crate::image::bytes::staging::Staging;
use crate::image::bytes::stream::InputStream;
use crate::image::layer::extract::explain;
use crate::image::store::import::Incoming;
use crate::image::store::{self, Store, document};
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::image::Loaded;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

const MANIFEST: &str = "manifest.json";
const MAX_IMAGES: usize = 1000;
const HOW: &str = "write one with `docker save -o FILE IMAGE`";

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// A member that is a layer.
struct MemberLayer {
    range: FileRange,
    digest: Option<Digest>,
}

impl Source for MemberLayer {
    fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    fn open(&self) -> Result<FileRange> {
        Ok(self.range.clone())
    }
}

impl Store {
    /// Loads the images of an archive in the format of `docker save` or an OCI image layout, plain
    /// or compressed, from a stream. Of an image for several platforms it loads the one for
    /// `platform`, or for the host. The stream is read to its end before its first image becomes
    /// visible.
    pub fn load(
        &self,
        archive: &mut (dyn Read + Send),
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let load = || {
            let staging = self.staging()?;
            let contents = Contents::of_stream(archive, &staging, check)?;
            self.load_contents(&contents, &staging, platform, check)
        };
        load().map_err(|error| self.refuse("the archive", error))
    }

    /// Loads the images of an archive file, or of a directory with an OCI image layout.
    pub fn load_file(
        &self,
        path: &Path,
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let load = || {
            let how = "write the path of an image archive";
            let archive = InputStream::open(path, check).map_err(|error| error.hint(how))?;
            let staging = self.staging()?;
            let contents = match archive.into_file() {
                Ok(file) => Contents::of_file(file, &staging, check)?,
                Err(stream) => Contents::of_stream(stream, &staging, check)?,
            };
            self.load_contents(&contents, &staging, platform, check)
        };
        load().map_err(|error| self.refuse(&format!("`{}`", path.display()), error))
    }

    fn refuse(&self, name: &str, error: Error) -> Error {
        let error = explain(error, self.images());
        let hint = match error.kind() {
            Kind::Corrupt => "write or copy it again: it is damaged or incomplete",
            _ => HOW,
        };
        let silent = matches!(error.kind(), Kind::Cancelled | Kind::Bug | Kind::System);
        let error = if silent || error.hint_text().is_some() { error } else { error.hint(hint) };
        error.context(format!("cannot load {name}"))
    }

    fn load_contents(
        &self,
        contents: &Contents,
        staging: &Staging,
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let found = images(contents, platform)?;
        let mut configs = Vec::with_capacity(found.len());
        let mut others = Vec::with_capacity(found.len());
        for image in &found {
            let config = contents.document(&image.config)?;
            if let Some(platform) = platform {
                check_platform(&config, platform)?;
            }
            let source = |layer: &FoundLayer| -> Result<Box<dyn Source>> {
                let span = contents.member(&layer.member)?;
                Ok(Box::new(MemberLayer { range: span, digest: layer.digest.clone() }))
            };
            let layers = image.layers.iter().map(source).collect::<Result<Vec<_>>>()?;
            configs.push(config);
            others.push((image.manifest.as_deref(), layers, tags(&image.tags)?));
        }
        let incoming = configs.iter().zip(others).map(|(config, (manifest, layers, tags))| {
            Incoming { manifest, ..Incoming::new(config, layers, tags) }
        });
        self.import_all(staging, &incoming.collect::<Vec<_>>(), check)
    }
}

/// Returns the images that an archive lists.
fn images(contents: &Contents, platform: Option<&Platform>) -> Result<Vec<Found>> {
    if contents.member(MANIFEST).is_err() {
        if contents.member(INDEX).is_ok() {
            let found = layout::images(contents, platform.unwrap_or(&Platform::host()))?;
            check_count(found.len())?;
            return Ok(found);
        }
        let message = format!("it has no `{MANIFEST}`, so it is not an image archive");
        return Err(Error::new(Kind::Invalid, message).hint(HOW));
    }
    let listed: Vec<Listed> = document::parse(&contents.document(MANIFEST)?)
        .context(|| format!("its `{MANIFEST}` is damaged"))?;
    if listed.is_empty() {
        return Err(corrupt(format!("its `{MANIFEST}` lists no image")));
    }
    check_count(listed.len())?;
    let layer = |member| FoundLayer { member, digest: None };
    let found = listed.into_iter().map(|image| Found {
        config: image.config,
        manifest: None,
        layers: image.layers.unwrap_or_default().into_iter().map(layer).collect(),
        tags: image.repo_tags.unwrap_or_default(),
    });
    Ok(found.collect())
}

fn check_count(count: usize) -> Result<()> {
    if count <= MAX_IMAGES {
        return Ok(());
    }
    let message = format!("it lists {count} images, more than {MAX_IMAGES}");
    Err(Error::new(Kind::Unsupported, message).hint("save them to several archives"))
}

fn tags(texts: &[String]) -> Result<Vec<Reference>> {
    let mut tags = Vec::with_capacity(texts.len());
    for text in texts {
        let tag: Reference = text.parse()?;
        if tag.digest().is_some() {
            return Err(Error::new(Kind::Invalid, format!("the tag `{text}` contains a digest")));
        }
        if store::as_reference(text).is_none() || tag.repository() == "sha256" {
            return Err(Error::new(
                Kind::Invalid,
                format!("the tag `{text}` looks like an image id"),
            ));
        }
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

/// Checks the platform of a single image, which is not always known before.
fn check_platform(config: &[u8], requested: &Platform) -> Result<()> {
    let found: Platform = document::parse(config)?;
    if requested.accepts(&found) {
        return Ok(());
    }
    Err(Error::new(Kind::Unsupported, format!("it has no image for {requested}"))
        .hint(format!("choose its platform: --platform {found}")))
}

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
