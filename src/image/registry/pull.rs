//! Pulls images: from a registry into the store, what a reference names, for one platform.
//!
//! Three layers are downloaded concurrently, as in Docker, each into a file of the staging
//! directory. The import waits for each and unpacks it while the next ones are downloaded; a layer
//! in the store is not fetched. Nothing has a final name before it is complete and verified.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::client::Registry;
use super::connection::Connection;
use super::manifest::{self, Descriptor, Named};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::file_range::FileRange;
use crate::image::bytes::source::Source;
use crate::image::bytes::spool::{at_portion, digest_of};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::image::store::document::{Document, MAX_DOCUMENT};
use crate::image::store::import::Incoming;
use crate::image::store::index::Index;
use crate::image::store::{Store, by_reference};
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::observe::progress::{Event, Progress, Pulled, Step};
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// How many layers are downloaded concurrently, as in Docker.
const MAX_CONCURRENT: usize = 3;
/// How deep indexes may be nested.
const MAX_NESTING: usize = 2;
/// How often a waiting import checks whether it was interrupted.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// What a registry has under a reference, for one platform.
struct Found {
    /// The digest of what the reference names: of the index, if it is one.
    named: Digest,
    manifest: Vec<u8>,
    config: Vec<u8>,
    layers: Vec<Descriptor>,
}

impl Store {
    /// Pulls what `reference` names in its registry, under this reference and its digest.
    ///
    /// # Errors
    /// [`Kind::NotFound`], [`Kind::Denied`], [`Kind::Network`] or [`Kind::Corrupt`], naming the
    /// registry and the repository.
    pub fn pull(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
        connection: &Connection,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Pulled> {
        let pulled = self.pull_from(reference, platform, connection, progress, check);
        pulled.map_err(|error| match error.kind() {
            Kind::Cancelled => error,
            _ => error.context(format!("cannot pull `{}`", reference.familiar())),
        })
    }

    fn pull_from(
        &self,
        reference: &Reference,
        platform: Option<&Platform>,
        connection: &Connection,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Pulled> {
        let (domain, repository) = (reference.domain(), reference.path());
        let registry = connection.open(domain, repository, progress, check)?;
        let name = match (reference.digest(), reference.tag()) {
            (Some(digest), _) => digest.to_string(),
            (None, tag) => tag.unwrap_or("latest").to_owned(),
        };
        let pulling = Event::Pulling { name: name.clone(), repository: repository.to_owned() };
        let (from, platform, store) = (repository.to_owned(), platform.cloned(), self.clone());
        let found = registry.run_cancellable(check, move |registry| {
            find(registry, &store, &from, &name, platform.as_ref())
        })?;
        progress.report(&pulling);
        let by_digest = format!("{domain}/{repository}@{}", found.named).parse::<Reference>()?;
        let references = match reference.digest() {
            Some(_) => vec![by_digest],
            None => vec![reference.clone(), by_digest],
        };
        let before = self.under(&references)?;
        let id = self.fetch(&registry, repository, &found, references.clone(), progress, check)?;
        let newer = before != self.under(&references)?;
        let image = self.find(id.as_str())?;
        Ok(Pulled { image, digest: found.named, newer })
    }

    /// Returns the images that these references name.
    fn under(&self, references: &[Reference]) -> Result<Vec<Option<Digest>>> {
        let index = Index::read(self.images())?;
        let id = |reference| by_reference(&index, reference).map(|entry| entry.id.clone());
        Ok(references.iter().map(id).collect())
    }

    /// Fetches the layers that are missing and imports the image.
    fn fetch(
        &self,
        registry: &Registry,
        repository: &str,
        found: &Found,
        references: Vec<Reference>,
        progress: &Arc<dyn Progress>,
        check: CancelCheck<'_>,
    ) -> Result<Digest> {
        let staging = self.staging()?;
        let document = Document::parse(&found.config)?;
        if document.diff_ids.len() != found.layers.len() {
            return Err(corrupt("its manifest is of another image"));
        }
        let downloads = Downloads::new(&found.layers, progress.clone());
        let ids = layer::ids(&document.diff_ids);
        for (descriptor, id) in found.layers.iter().zip(&ids) {
            let step = if self.has(descriptor, id) {
                Step::Exists
            } else {
                downloads.want(&staging, &descriptor.digest)?;
                Step::Waiting
            };
            progress.report(&Event::Layer(descriptor.digest.clone(), step));
        }
        for _ in 0..MAX_CONCURRENT.min(found.layers.len()) {
            let (registry, repository) = (registry.clone(), repository.to_owned());
            let shared = downloads.shared.clone();
            registry.clone().spawn(move || shared.work(&registry, &repository))?;
        }
        let layer = |descriptor: &Descriptor| {
            let layer = Layer {
                downloads: &downloads,
                staging: &staging,
                descriptor: descriptor.clone(),
                check,
            };
            Box::new(layer) as Box<dyn Source>
        };
        let mut incoming =
            Incoming::new(&found.config, found.layers.iter().map(layer).collect(), references);
        incoming.manifest = Some(&found.manifest);
        let imported = self.import(&staging, &incoming, check);
        let failure = downloads.close();
        registry.stop();
        match (imported, failure) {
            (Ok(loaded), _) => {
                downloads.report_done();
                Ok(loaded.id)
            }
            // The failed download is the cause of the failed import.
            (Err(error), Some(failure)) if error.kind() != Kind::Cancelled => Err(failure),
            (Err(error), _) => Err(error),
        }
    }

    /// Returns whether the store has unpacked this layer, and has or can rebuild its blob.
    fn has(&self, descriptor: &Descriptor, id: &layer::LayerId) -> bool {
        layer::key(self.images(), id).is_some_and(|key| {
            self.blob(&descriptor.digest).exists()
                || descriptor.digest == id.diff_id && layer::tar_size(self.images(), &key).is_some()
        })
    }
}

/// Fetches manifest and configuration, through an index if there is one.
fn find(
    registry: &Registry,
    store: &Store,
    repository: &str,
    name: &str,
    platform: Option<&Platform>,
) -> Result<Found> {
    let (mut media_type, mut bytes) = registry.manifest(repository, name)?;
    let named = digest_of(&bytes);
    for _ in 0..=MAX_NESTING {
        let with_request = |error: Error| {
            error.cause(format!(
                "the request to `{}` was for `{repository}/manifests/{name}`",
                registry.name()
            ))
        };
        match manifest::read(&media_type, &bytes).map_err(with_request)? {
            Named::Image { config, layers } => {
                let config = match store.read_blob(&config.digest) {
                    Ok(known) => known,
                    Err(_) => registry.small_blob(repository, &config, MAX_DOCUMENT)?,
                };
                check_platform(&config, platform)?;
                return Ok(Found { named, manifest: bytes, config, layers });
            }
            Named::Index(choices) => {
                let chosen = manifest::choose(&choices, platform)?;
                (media_type, bytes) = registry.manifest(repository, chosen.digest.as_str())?;
                if bytes.len() as u64 != chosen.size {
                    let (expected, found) = (chosen.size, bytes.len());
                    return Err(corrupt(format!(
                        "a manifest has {found} bytes instead of {expected}"
                    )));
                }
            }
        }
    }
    Err(corrupt(format!("its indexes are nested more than {MAX_NESTING} deep")))
}

/// Checks the platform of a tag without an index.
fn check_platform(config: &[u8], requested: Option<&Platform>) -> Result<()> {
    let Some(requested) = requested else { return Ok(()) };
    let document = Document::parse(config)?;
    let variant = document.value.get("variant").and_then(serde_json::Value::as_str);
    let offered = Platform {
        os: document.os,
        architecture: document.architecture,
        variant: variant.unwrap_or_default().to_owned(),
    };
    if requested.accepts(&offered) {
        return Ok(());
    }
    Err(Error::new(Kind::NotFound, format!("it has no image for {requested}"))
        .hint(format!("choose its platform: --platform {offered}")))
}

/// The layers to download, each blob once.
struct Downloads {
    shared: Arc<Shared>,
    places: HashMap<Digest, usize>,
}

struct Shared {
    layers: Vec<Descriptor>,
    state: Mutex<State>,
    changed: Condvar,
    progress: Arc<dyn Progress>,
}

#[derive(Default)]
struct State {
    /// The file of each requested layer.
    files: HashMap<usize, Arc<File>>,
    queue: VecDeque<usize>,
    done: Vec<usize>,
    failure: Option<Error>,
    closed: bool,
}

impl Downloads {
    fn new(all: &[Descriptor], progress: Arc<dyn Progress>) -> Self {
        let mut places = HashMap::new();
        let mut layers: Vec<Descriptor> = Vec::new();
        for descriptor in all {
            places.entry(descriptor.digest.clone()).or_insert_with(|| {
                layers.push(descriptor.clone());
                layers.len() - 1
            });
        }
        let (state, changed) = (Mutex::default(), Condvar::new());
        Downloads { shared: Arc::new(Shared { layers, state, changed, progress }), places }
    }

    /// Requests a layer, once.
    fn want(&self, staging: &Staging, digest: &Digest) -> Result<usize> {
        let place = *self.places.get(digest).ok_or_else(|| corrupt("a layer is missing"))?;
        let mut state = self.shared.lock();
        let known = state.files.contains_key(&place);
        if !known {
            let file = fs::create_file(staging.directory(), file_name(digest).as_bytes())?;
            state.files.insert(place, Arc::new(file.into()));
            state.queue.push_back(place);
            self.shared.changed.notify_all();
        }
        Ok(place)
    }

    /// Waits until a layer is complete.
    fn wait(&self, place: usize, check: CancelCheck<'_>) -> Result<()> {
        let mut state = self.shared.lock();
        while !state.done.contains(&place) {
            if let Some(failure) = &state.failure {
                return Err(failure.clone());
            }
            check()?;
            let waited = self.shared.changed.wait_timeout(state, POLL_INTERVAL);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// Ends the downloads. Returns the error of a failed one.
    fn close(&self) -> Option<Error> {
        let mut state = self.shared.lock();
        state.closed = true;
        self.shared.changed.notify_all();
        state.failure.take()
    }

    fn report_done(&self) {
        let complete = std::mem::take(&mut self.shared.lock().done);
        for (place, layer) in self.shared.layers.iter().enumerate() {
            if complete.contains(&place) {
                self.shared.report(layer, Step::Done);
            }
        }
    }
}

impl Drop for Downloads {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn report(&self, layer: &Descriptor, step: Step) {
        self.progress.report(&Event::Layer(layer.digest.clone(), step));
    }

    /// Fetches layers, one after the other, until no more are requested.
    fn work(&self, registry: &Registry, repository: &str) {
        while let Some((place, file)) = self.next() {
            let layer = &self.layers[place];
            self.report(layer, Step::Downloading(0, layer.size));
            let progress = |done: u64, count: usize| {
                self.report(layer, Step::Downloading(done, layer.size));
                at_portion(done, count, &*file, &|| Ok(()))
            };
            let result = registry.blob(repository, layer, &file, &progress);
            // The import reads the file through this descriptor.
            let result = result.and_then(|()| {
                (&*file).seek(SeekFrom::Start(0)).context(|| "read a layer".to_owned()).map(drop)
            });
            let mut state = self.lock();
            match result {
                Ok(()) => {
                    state.done.push(place);
                    drop(state);
                    self.report(layer, Step::Downloaded);
                }
                Err(error) => {
                    state.failure.get_or_insert(error);
                    state.closed = true;
                }
            }
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<(usize, Arc<File>)> {
        let mut state = self.lock();
        while !state.closed {
            if let Some(place) = state.queue.pop_front() {
                return state.files.get(&place).map(|file| (place, file.clone()));
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        None
    }
}

/// One layer, as a source for the import.
struct Layer<'a> {
    downloads: &'a Downloads,
    staging: &'a Staging,
    descriptor: Descriptor,
    check: CancelCheck<'a>,
}

impl Source for Layer<'_> {
    fn digest(&self) -> Option<&Digest> {
        Some(&self.descriptor.digest)
    }

    fn open(&self) -> Result<FileRange> {
        let place = self.downloads.want(self.staging, &self.descriptor.digest)?;
        self.downloads.wait(place, self.check)?;
        self.downloads.shared.report(&self.descriptor, Step::Unpacking);
        let name = file_name(&self.descriptor.digest);
        let file = fs::open_file_beneath(self.staging.directory(), name.as_bytes())?;
        FileRange::staged(file.into(), &name)
    }
}

fn file_name(digest: &Digest) -> String {
    format!("download-{}", digest.hex())
}
