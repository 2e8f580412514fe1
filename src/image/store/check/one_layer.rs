//! Checks one layer: its blobs by their digests, its files against a fresh copy.

use std::fs::File;
use std::io::Read;

use super::checking::Checking;
use super::compare;
use super::damage::{Fault, is_of_host};
use super::unpack::{UnpackedCopy, unpack};
use crate::image::bytes::compression::decompress;
use crate::image::layer::tar_split::Verified;
use crate::image::layer::{self, LayerId, overlay_view};
use crate::image::store::index::Descriptor;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::store_dir;

/// The result of checking a layer.
pub(super) struct LayerCheck {
    pub(super) fault: Option<Fault>,
    /// The unavailable compressed blobs, and why: the content of the manifests that name them may
    /// still be intact.
    pub(super) missing: Vec<(Digest, String)>,
}

impl Checking<'_> {
    /// Checks layer `number` of a stack; `blobs` are its names in manifests.
    pub(super) fn layer(
        &mut self,
        ids: &[LayerId],
        number: usize,
        blobs: &[&Descriptor],
    ) -> Result<LayerCheck> {
        let id = &ids[number];
        let (mut good, mut bad_tar, mut missing) = (None, None, Vec::new());
        let mut tar = None;
        for blob in blobs {
            let is_tar = blob.digest == id.diff_id;
            match self.blob(blob)? {
                Ok(true) => good = Some(&blob.digest),
                // Only the tar-split can rebuild it.
                Ok(false) if is_tar => tar = Some(blob.digest.clone()),
                Ok(false) => missing
                    .push((blob.digest.clone(), format!("its blob {} is missing", blob.digest))),
                // The content exists; its compressed form does not.
                Err(why) if !is_tar => missing.push((blob.digest.clone(), why)),
                Err(why) => bad_tar = Some((blob.digest.clone(), why)),
            }
        }
        let mut fault = self.files(ids, number, good)?;
        if fault.is_none() && !self.has_tar_split(id) {
            let why = || "it has neither a blob nor a tar-split".to_owned();
            missing.extend(tar.map(|digest| (digest, why())));
        }
        if let (Some((digest, why)), None) = (bad_tar, &fault) {
            fault = Some(match self.has_tar_split(id) {
                true => Fault::Blob { why, digest },
                false => Fault::Lost(why),
            });
        }
        Ok(LayerCheck { fault, missing })
    }

    /// Returns whether a blob exists; `Err` describes what is wrong with it.
    fn blob(&mut self, blob: &Descriptor) -> Result<std::result::Result<bool, String>> {
        if self.healthy_blobs.contains(&blob.digest) {
            return Ok(Ok(true));
        }
        let file = match self.open_blob(&blob.digest) {
            Ok(file) => file,
            Err(error) if error.kind() == Kind::NotFound => return Ok(Ok(false)),
            Err(error) if is_of_host(&error) => return Err(error),
            Err(error) => return Ok(Err(format!("its blob {}: {error}", blob.digest))),
        };
        let length = file.metadata().map(|found| found.len()).unwrap_or_default();
        let mut stream = Verified::new(file, blob.digest.clone());
        let mut buffer = vec![0; 128 * 1024];
        let wrong = loop {
            (self.cancelled)()?;
            match stream.read(&mut buffer) {
                Ok(0) => break length != blob.size,
                Ok(_) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break true,
            }
        };
        if wrong {
            return Ok(Err(format!("its blob {} has other content", blob.digest)));
        }
        self.healthy_blobs.insert(blob.digest.clone());
        Ok(Ok(true))
    }

    fn open_blob(&self, blob: &Digest) -> Result<File> {
        self.store.open_blob_file(blob).context(|| "open a blob".to_owned())
    }

    fn has_tar_split(&self, id: &LayerId) -> bool {
        let images = self.store.images();
        layer::key(images, id).is_some_and(|key| layer::tar_size(images, &key).is_some())
    }

    /// Checks the unpacked files, with the tar-split or with an intact blob.
    fn files(
        &mut self,
        ids: &[LayerId],
        number: usize,
        blob: Option<&Digest>,
    ) -> Result<Option<Fault>> {
        let id = &ids[number];
        let images = self.store.images();
        let key = layer::key(images, id);
        if key.as_ref().is_some_and(|key| self.healthy.contains(key)) {
            return Ok(None);
        }
        let mut why = match &key {
            Some(key) if layer::record(images, key).ok().flatten().is_none() => {
                Some("its record is missing or damaged".to_owned())
            }
            Some(_) => None,
            None => Some("its files are missing".to_owned()),
        };
        let mut fresh = None;
        if let Some(key) = key.as_ref().filter(|key| layer::tar_split(images, key).exists()) {
            let stream = self.store.unpacked_tar(key);
            match stream.and_then(|stream| self.unpack_again(ids, number, stream)) {
                Ok(copy) => fresh = Some(copy),
                Err(error) if is_of_host(&error) => return Err(error),
                Err(error) => why = Some(first_cause(&error)),
            }
        } else if blob.is_none() {
            let why = why.unwrap_or_else(|| "it has neither a blob nor a tar-split".to_owned());
            return Ok(Some(Fault::Lost(why)));
        }
        if let (None, Some(blob)) = (&fresh, blob) {
            let stream = self.open_blob(blob);
            let stream = stream.and_then(|file| Ok(decompress(file)?.0));
            match stream.and_then(|stream| self.unpack_again(ids, number, stream)) {
                Ok(copy) => fresh = Some(copy),
                Err(error) if is_of_host(&error) => return Err(error),
                Err(error) => return Ok(Some(Fault::Lost(first_cause(&error)))),
            }
        }
        let Some(fresh) = fresh else {
            return Ok(Some(Fault::Lost(why.unwrap_or_default())));
        };
        self.compare_with(key.as_ref(), fresh, why)
    }

    fn compare_with(
        &mut self,
        key: Option<&Digest>,
        fresh: UnpackedCopy,
        mut why: Option<String>,
    ) -> Result<Option<Fault>> {
        if let Some(key) = key {
            match store_dir::open(&self.store.layer_dir(key)) {
                Ok(there) => {
                    let different = compare::difference(&fresh.root, &there, self.cancelled)?;
                    why = different.map(|what| format!("in its files {what}")).or(why);
                }
                Err(error) if error.kind() == Kind::Corrupt => why = Some(first_cause(&error)),
                Err(error) => return Err(error),
            }
        }
        match (key, why) {
            (Some(key), None) => {
                self.healthy.insert(key.clone());
                self.report.layers += 1;
                self.discard(&fresh.name);
                Ok(None)
            }
            (_, why) => Ok(Some(Fault::Files { why: why.unwrap_or_default(), fresh })),
        }
    }

    /// Unpacks a layer again.
    fn unpack_again(
        &mut self,
        ids: &[LayerId],
        number: usize,
        stream: impl Read,
    ) -> Result<UnpackedCopy> {
        self.unpacked += 1;
        let name = format!("layer-{}", self.unpacked);
        let images = self.store.images();
        let lowers = || {
            let below = ids[..number].iter().rev().map(|id| {
                let missing = || Error::new(Kind::Corrupt, "a layer below it is missing");
                let key = layer::key(images, id).ok_or_else(missing)?;
                Ok(layer::path(images, &key))
            });
            overlay_view::layers(below.collect::<Result<Vec<_>>>()?)
        };
        let stream = Verified::new(stream, ids[number].diff_id.clone());
        unpack(&self.staging, &name, stream, &lowers, self.cancelled)
            .inspect_err(|_| self.discard(&name))
    }
}

fn first_cause(error: &Error) -> String {
    error.causes().last().cloned().unwrap_or_else(|| error.message().to_owned())
}
