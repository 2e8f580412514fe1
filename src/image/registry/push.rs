//! Pushes images: from the store to a registry, with unchanged manifests, so that digests stay the
//! same.
//!
//! Only uncompressed layers, of images that were loaded or built locally, are compressed with gzip
//! and sent under a new manifest, as Docker does: registries and peers expect it. A layer always
//! gives the same bytes.

use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::client::Registry;
use super::connection::Connection;
use super::manifest::{self, Descriptor, Named};
use super::upload::{Outgoing, Sent};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool::{at_portion, digest_of};
use crate::image::store::index::{Index, MEDIA_MANIFEST};
use crate::image::store::{Store, by_reference, document};
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::observe::progress::{Event, Progress, Pushed, Step};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// How many layers are sent concurrently; Docker sends five.
const MAX_CONCURRENT: usize = 3;
const BUFFER: usize = 128 * 1024;
/// The media types of uncompressed layers, and those of gzip.
const PLAIN: [(&str, &str); 2] = [
    ("application/vnd.oci.image.layer.v1.tar", "application/vnd.oci.image.layer.v1.tar+gzip"),
    (
        "application/vnd.docker.image.rootfs.diff.tar",
        "application/vnd.docker.image.rootfs.diff.tar.gzip",
    ),
];

/// An image to push.
struct PushJob {
    store: Store,
    image: Image,
    repository: String,
    /// A repository of the same registry that probably has the layers.
    from: Option<String>,
    layers: Vec<Descriptor>,
    /// The files to which uncompressed layers are compressed.
    files: Vec<Option<File>>,
    next: AtomicUsize,
    /// The descriptor of each sent layer.
    sent: Mutex<Vec<Option<Descriptor>>>,
    progress: Arc<dyn Progress>,
}

impl Store {
    /// Pushes the image that `query` names to the registry, under `reference`.
    ///
    /// # Errors
    /// [`Kind::NotFound`] if there is no such local image; [`Kind::Denied`] or [`Kind::Network`],
    /// naming the registry and the repository.
    pub fn push(
        &self,
        query: &str,
        reference: &Reference,
        connection: &Connection,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Pushed> {
        let Some(tag) = reference.tag().filter(|_| reference.digest().is_none()) else {
            let message = format!("cannot push to `{}`", reference.familiar());
            return Err(Error::new(Kind::Invalid, message).hint("push it by a tag: NAME:TAG"));
        };
        let mut image = self.find(query)?;
        let index = Index::read(self.images())?;
        if let Some(entry) = by_reference(&index, reference).filter(|entry| entry.id == image.id) {
            image.manifest = Some(entry.manifest.clone());
        }
        self.push_to(image, reference, tag, connection, progress, check).map_err(
            |error| match error.kind() {
                Kind::Cancelled => error,
                _ => error.context(format!("cannot push `{}`", reference.familiar())),
            },
        )
    }

    fn push_to(
        &self,
        image: Image,
        reference: &Reference,
        tag: &str,
        connection: &Connection,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Pushed> {
        let (domain, repository) = (reference.domain(), reference.path());
        progress.report(&Event::Pushing { repository: format!("{domain}/{repository}") });
        let id = image.id.clone();
        let bytes = self.read_blob(image.manifest.as_ref().ok_or_else(no_manifest)?)?;
        let Named::Image { config, layers } = manifest::read("", &bytes)? else {
            return Err(no_manifest());
        };
        let staging = self.staging()?;
        let file = |(number, layer): (usize, &Descriptor)| {
            let name = format!("push-{number}");
            let create = || fs::create_file(staging.directory(), name.as_bytes());
            compressed_type(layer).map(|_| create().map(File::from)).transpose()
        };
        let files = layers.iter().enumerate().map(file).collect::<Result<Vec<_>>>()?;
        let registry = connection.open(domain, repository, progress, check)?;
        let sent = Mutex::new(vec![None; layers.len()]);
        let parcel = Arc::new(PushJob {
            store: self.clone(),
            from: mountable_repository(&image, reference),
            image,
            repository: repository.to_owned(),
            layers,
            files,
            next: AtomicUsize::new(0),
            sent,
            progress: progress.clone(),
        });
        let tag = tag.to_owned();
        let pushed = registry
            .run_cancellable(check, move |registry| parcel.send(registry, &tag, &config, &bytes))?;
        let known = format!("{domain}/{repository}@{}", pushed.digest).parse::<Reference>()?;
        self.remember(&id, &[known])?;
        Ok(pushed)
    }

    /// Adds references to an image.
    fn remember(&self, id: &Digest, references: &[Reference]) -> Result<()> {
        let lock = self.lock()?;
        let mut index = Index::read(self.images())?;
        // The image may have been removed meanwhile, which is not an error of the push.
        let entry = index.of(id).next().cloned();
        if let Some(entry) = entry {
            index.put(&entry, references);
            index.write(self.images())?;
        }
        drop(lock);
        Ok(())
    }
}

fn no_manifest() -> Error {
    corrupt("the image has no manifest").hint("load or pull it again")
}

/// Returns another repository of the same registry that this image is known from.
fn mountable_repository(image: &Image, to: &Reference) -> Option<String> {
    let known = image.digests.iter().filter(|known| known.domain() == to.domain());
    known.map(|known| known.path().to_owned()).find(|path| path != to.path())
}

fn compressed_type(layer: &Descriptor) -> Option<&'static str> {
    PLAIN.iter().find(|(plain, _)| *plain == layer.media_type).map(|(_, gzip)| *gzip)
}

impl PushJob {
    /// Sends layers, configuration and manifest, in this order: a registry refuses a manifest
    /// whose blobs it lacks.
    fn send(
        self: &Arc<Self>,
        registry: &Registry,
        tag: &str,
        config: &Descriptor,
        bytes: &[u8],
    ) -> Result<Pushed> {
        for layer in &self.layers {
            self.report(layer, Step::Preparing);
        }
        std::thread::scope(|scope| {
            let threads: Vec<_> = (1..MAX_CONCURRENT.min(self.layers.len()))
                .map(|_| scope.spawn(|| self.work(registry)))
                .collect();
            let first = self.work(registry);
            let panicked = |_| Err(Error::new(Kind::Bug, "a thread of a push panicked"));
            let results = threads.into_iter().map(|thread| thread.join().unwrap_or_else(panicked));
            // All threads are joined before an error is returned.
            std::iter::once(first).chain(results.collect::<Vec<_>>()).collect::<Result<()>>()
        })?;
        let document = self.store.read_blob(&config.digest)?;
        let open = || Ok(Box::new(std::io::Cursor::new(document.clone())) as Box<dyn Read + Send>);
        let size = document.len() as u64;
        let blob = Outgoing { digest: &config.digest, size, from: None, open: &open };
        registry.send_blob(&self.repository, &blob)?;
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let manifest = rewritten(bytes, &sent)?;
        let value: Value = document::parse(&manifest)?;
        let media_type = value.get("mediaType").and_then(Value::as_str).unwrap_or(MEDIA_MANIFEST);
        registry.put_manifest(&self.repository, tag, media_type, &manifest)?;
        Ok(Pushed { digest: digest_of(&manifest), size: manifest.len() as u64 })
    }

    fn report(&self, layer: &Descriptor, step: Step) {
        self.progress.report(&Event::Layer(layer.digest.clone(), step));
    }

    /// Sends layers until none is left, or one fails.
    fn work(&self, registry: &Registry) -> Result<()> {
        loop {
            let number = self.next.fetch_add(1, Ordering::SeqCst);
            let Some(layer) = self.layers.get(number) else { return Ok(()) };
            match self.send_layer(registry, number, layer) {
                Ok(descriptor) => {
                    let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
                    sent[number] = Some(descriptor);
                }
                Err(error) => {
                    self.next.store(self.layers.len(), Ordering::SeqCst);
                    return Err(error);
                }
            }
        }
    }

    fn send_layer(
        &self,
        registry: &Registry,
        number: usize,
        layer: &Descriptor,
    ) -> Result<Descriptor> {
        let sent = match &self.files[number] {
            Some(file) => self.compress(registry, number, layer, file)?,
            None => layer.clone(),
        };
        let open = || -> Result<Box<dyn Read + Send>> {
            let stream: Box<dyn Read + Send> = match &self.files[number] {
                Some(file) => {
                    let file = file.try_clone().context(|| "read a layer".to_owned())?;
                    Box::new(FromStart { file, position: 0 })
                }
                None => self.store.open_blob(&self.image, number)?.1,
            };
            let (progress, digest) = (self.progress.clone(), layer.digest.clone());
            Ok(Box::new(Counted { stream, done: 0, size: sent.size, progress, digest }))
        };
        let from = self.from.as_deref();
        let blob = Outgoing { digest: &sent.digest, size: sent.size, from, open: &open };
        let step = match registry.send_blob(&self.repository, &blob)? {
            Sent::Known => Step::AlreadyExists,
            Sent::Mounted => Step::Mounted(self.from.clone().unwrap_or_default()),
            Sent::Uploaded => Step::Pushed,
        };
        self.report(layer, step);
        Ok(sent)
    }

    /// Compresses a layer into its file, without name and time, so that a layer always gives the
    /// same bytes.
    fn compress(
        &self,
        registry: &Registry,
        number: usize,
        layer: &Descriptor,
        file: &File,
    ) -> Result<Descriptor> {
        let mut stream = self.store.open_blob(&self.image, number)?.1;
        let mut writer = Hashed { file, hash: Sha256::new(), length: 0 };
        let mut gzip = flate2::GzBuilder::new().write(&mut writer, flate2::Compression::default());
        let mut buffer = vec![0; BUFFER];
        let mut done = 0;
        let what = || format!("cannot compress layer {}", number + 1);
        loop {
            let count = stream.read(&mut buffer).context(what)?;
            if count == 0 {
                break;
            }
            done += count as u64;
            gzip.write_all(&buffer[..count]).context(what)?;
            at_portion(done, count, file, &|| registry.check())?;
        }
        gzip.finish().context(what)?;
        let mut sent = layer.clone();
        sent.media_type = compressed_type(layer).unwrap_or(&layer.media_type).to_owned();
        sent.digest = Digest::from_bytes(&writer.hash.finalize().into());
        sent.size = writer.length;
        Ok(sent)
    }
}

/// Returns the manifest with the compressed layers; the unchanged bytes if there are none.
fn rewritten(bytes: &[u8], sent: &[Option<Descriptor>]) -> Result<Vec<u8>> {
    let mut value: Value = document::parse(bytes)?;
    let mut changed = false;
    let layers = value.get_mut("layers").and_then(Value::as_array_mut).ok_or_else(no_manifest)?;
    for (layer, sent) in layers.iter_mut().zip(sent) {
        let (Some(layer), Some(sent)) = (layer.as_object_mut(), sent) else { continue };
        if layer.get("digest").and_then(Value::as_str) != Some(sent.digest.as_str()) {
            changed = true;
            layer.insert("mediaType".to_owned(), sent.media_type.as_str().into());
            layer.insert("digest".to_owned(), sent.digest.as_str().into());
            layer.insert("size".to_owned(), sent.size.into());
        }
    }
    if !changed {
        return Ok(bytes.to_owned());
    }
    serde_json::to_vec(&value).map_err(|error| corrupt(error.to_string()))
}

struct Hashed<'a> {
    file: &'a File,
    hash: Sha256,
    length: u64,
}

impl Write for Hashed<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.file.write(bytes)?;
        self.hash.update(&bytes[..count]);
        self.length += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A reader of a file from its beginning, independent of its other readers.
struct FromStart {
    file: File,
    position: u64,
}

impl Read for FromStart {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.file.read_at(buffer, self.position)?;
        self.position += count as u64;
        Ok(count)
    }
}

/// A reader that reports its progress.
struct Counted {
    stream: Box<dyn Read + Send>,
    done: u64,
    size: u64,
    progress: Arc<dyn Progress>,
    digest: Digest,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.done += count as u64;
        let step = Step::Uploading(self.done, self.size);
        self.progress.report(&Event::Layer(self.digest.clone(), step));
        Ok(count)
    }
}
