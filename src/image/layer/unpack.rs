//! Unpacks the layers of one image concurrently.
//!
//! Each layer is read once: one thread reads, checks digests and uncompresses, another unpacks the
//! result. A layer whose entries depend on the layers below waits for them; the others do not.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use sha2::{Digest as _, Sha256};

use super::extract::{explain, extract};
use super::overlay_view::{self, Layer};
use super::record::{self, LayerId, Record};
use super::storable::storable;
use super::tar_split::TarSplitWriter;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::{Coding, Compression, decompress};
use crate::image::bytes::file_range::FileRange;
use crate::image::bytes::source::Source;
use crate::image::bytes::spool::{self, write_all};
use crate::image::bytes::staging::Staging;
use crate::image::tar::error::{corrupt, stream_error};
use crate::image::tar::members::TarSource;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::{fs, record_file};

/// The bytes that one thread passes to the other in one part, and how many parts may wait.
const PART: usize = 64 * 1024;
const WAITING: usize = 16;
/// How many layers are unpacked concurrently: more only make the disk seek.
const MAX_THREADS: usize = 4;

/// An unpacked layer, in the store or in the staging directory.
#[derive(Clone, Debug)]
pub(crate) struct Ready {
    pub(crate) key: Digest,
    pub(crate) size: u64,
    /// Its name in the staging directory; `None` if the store has it.
    pub(crate) staged: Option<String>,
    pub(crate) blob: Blob,
}

/// The blob of a layer, as its manifest names it.
#[derive(Clone, Debug)]
pub(crate) struct Blob {
    pub(crate) digest: Digest,
    pub(crate) size: u64,
    pub(crate) compression: Option<Compression>,
    /// The file to keep in the staging directory; `None` if the tar-split rebuilds it, or the store
    /// has it.
    pub(crate) staged: Option<String>,
}

/// The layers of one image, and the directory to unpack them into.
pub(crate) struct Stack<'a> {
    pub(crate) images: PathBuf,
    pub(crate) staging: &'a Staging,
    pub(crate) sources: &'a [Box<dyn Source + 'a>],
    pub(crate) ids: Vec<LayerId>,
    /// What earlier images of the same import have in the staging directory, by key.
    pub(crate) earlier: &'a HashMap<Digest, Ready>,
    /// The prefix of the names of these layers in the staging directory.
    pub(crate) prefix: String,
}

/// The progress of unpacking.
struct Progress {
    done: Vec<Option<Ready>>,
    /// The first failure, and its layer.
    failed: Option<(usize, Error)>,
}

struct Shared {
    next: AtomicUsize,
    progress: Mutex<Progress>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn check(&self) -> Result<()> {
        match self.lock().failed {
            Some(_) => Err(Error::new(Kind::Cancelled, "another layer failed")),
            None => Ok(()),
        }
    }

    fn finish(&self, number: usize, result: Result<Ready>) {
        let mut progress = self.lock();
        match result {
            Ok(ready) => progress.done[number] = Some(ready),
            // A cancelled layer is not a cause.
            Err(error) => {
                let known = progress.failed.as_ref().map(|(_, known)| known.kind());
                if known.is_none() || known == Some(Kind::Cancelled) {
                    progress.failed = Some((number, error));
                }
            }
        }
        drop(progress);
        self.changed.notify_all();
    }
}

impl Stack<'_> {
    /// Unpacks the layers that the store lacks, into the staging directory.
    pub(crate) fn unpack(&self, check: CancelCheck<'_>) -> Result<Vec<Ready>> {
        let shared = Shared {
            next: AtomicUsize::new(0),
            progress: Mutex::new(Progress { done: vec![None; self.ids.len()], failed: None }),
            changed: Condvar::new(),
        };
        let threads = thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(MAX_THREADS).min(self.ids.len());
        thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(|| self.work(&shared, check));
            }
            self.work(&shared, check);
        });
        let progress = shared.progress.into_inner().unwrap_or_else(PoisonError::into_inner);
        match progress.failed {
            Some((number, error)) => Err(explain(error, &self.images).context(format!(
                "cannot unpack layer {} of {}",
                number + 1,
                self.ids.len()
            ))),
            None => progress.done.into_iter().map(|done| done.ok_or_else(lost)).collect(),
        }
    }

    fn work(&self, shared: &Shared, check: CancelCheck<'_>) {
        loop {
            let number = shared.next.fetch_add(1, Ordering::Relaxed);
            if number >= self.ids.len() {
                return;
            }
            // A thread that panics must not leave the others waiting.
            let layer = std::panic::AssertUnwindSafe(|| self.layer(number, shared, check));
            let result = std::panic::catch_unwind(layer).unwrap_or_else(|_| Err(lost()));
            shared.finish(number, result);
        }
    }

    fn layer(&self, number: usize, shared: &Shared, check: CancelCheck<'_>) -> Result<Ready> {
        let both = || check().and_then(|()| shared.check());
        both()?;
        let (id, source) = (&self.ids[number], &*self.sources[number]);
        if let Some(ready) = self.staged_before(id, source) {
            return Ok(ready);
        }
        if let Some(ready) = self.known(id, source)? {
            return Ok(ready);
        }
        let name = format!("{}-{number}", self.prefix);
        let span = storable(source, self.staging, &name, &both)?;
        let root = self.staging.make_dir(&name)?;
        let tar_split =
            fs::create_file(self.staging.directory(), format!("{name}.recipe").as_bytes())?;
        let reading = Reading { staging: self.staging, range: &span, name: &name };
        let lowers = || self.lowers(number, shared, check);
        let (poured, extracted) = through(&reading, &both, |stream| {
            let mut recorder = TarSplitWriter::new(stream, File::from(tar_split))?;
            let extracted = extract(&mut recorder, &root, &lowers, &both)?;
            recorder.finish()?;
            Ok(extracted)
        })?;
        poured.check(number, source, id)?;
        let tar = extracted.complete.then_some(poured.length);
        let blob = self.blob(&span, poured, extracted.complete, &name, &both)?;
        let root = extracted.has_root_entry;
        let record = Record { version: 1, size: extracted.size, tar, root };
        let record = serde_json::to_vec(&record).map_err(|error| corrupt(error.to_string()))?;
        write_all(
            fs::create_file(self.staging.directory(), format!("{name}.json").as_bytes())?,
            &record,
        )?;
        let key = if extracted.stands_alone { &id.diff_id } else { &id.above };
        Ok(Ready { key: key.clone(), size: extracted.size, staged: Some(name), blob })
    }

    /// Returns a layer that an earlier image of the same import has brought, as this blob.
    fn staged_before(&self, id: &LayerId, source: &dyn Source) -> Option<Ready> {
        let ready = self.earlier.get(&id.diff_id).or_else(|| self.earlier.get(&id.above))?;
        let is_same = source.digest().is_none_or(|digest| *digest == ready.blob.digest);
        is_same.then(|| ready.clone())
    }

    /// Returns a layer that the store has unpacked, and has or can rebuild as this blob.
    fn known(&self, id: &LayerId, source: &dyn Source) -> Result<Option<Ready>> {
        let Some(key) = record::key(&self.images, id) else { return Ok(None) };
        let digest = source.digest().unwrap_or(&id.diff_id).clone();
        let (size, compression) = match record_file::open(
            &record::blob(&self.images, &digest),
            OpenOptions::new().read(true),
        ) {
            Ok(file) => {
                let span = FileRange::whole(file)?;
                (span.length(), decompress(span.reader())?.1.and_then(Coding::of_layers))
            }
            Err(_) => match record::tar_size(&self.images, &key) {
                Some(length) if digest == id.diff_id => (length, None),
                _ => return Ok(None),
            },
        };
        let blob = Blob { digest, size, compression, staged: None };
        let size = record::size(&self.images, &key);
        Ok(Some(Ready { key, size, staged: None, blob }))
    }

    /// Returns the directories of the layers below `number`, topmost first, when all are unpacked.
    fn lowers(&self, number: usize, shared: &Shared, check: CancelCheck<'_>) -> Result<Vec<Layer>> {
        let mut progress = shared.lock();
        while progress.done[..number].iter().any(Option::is_none) {
            if progress.failed.is_some() {
                return Err(Error::new(Kind::Cancelled, "a layer below failed"));
            }
            check()?;
            let timeout = std::time::Duration::from_millis(100);
            let waited = shared.changed.wait_timeout(progress, timeout);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let path = |ready: &Ready| match &ready.staged {
            Some(name) => self.staging.path().join(name),
            None => record::path(&self.images, &ready.key),
        };
        let below: Vec<_> = progress.done[..number].iter().flatten().rev().map(path).collect();
        drop(progress);
        overlay_view::layers(below)
    }

    /// Returns what is kept of the blob: nothing if the tar-split rebuilds it.
    fn blob(
        &self,
        span: &FileRange,
        poured: StreamedLayer,
        complete: bool,
        name: &str,
        check: CancelCheck<'_>,
    ) -> Result<Blob> {
        let StreamedLayer { digest, compression, diff_id, copied_to: kept, .. } = poured;
        let staged = match (compression, complete) {
            (Some(_), _) => kept.or_else(|| span.staged_name().map(str::to_owned)),
            (None, true) => None,
            (None, false) => {
                let raw = format!("{name}.tar");
                let file = fs::create_file(self.staging.directory(), raw.as_bytes())?;
                spool::copy(span.reader(), file, span.length(), check)?;
                Some(raw)
            }
        };
        if !complete {
            fs::unlink(self.staging.directory(), format!("{name}.recipe").as_bytes())?;
        }
        let digest = digest.unwrap_or(diff_id);
        Ok(Blob { digest, size: span.length(), compression, staged })
    }
}

fn lost() -> Error {
    Error::new(Kind::Bug, "a thread that unpacks a layer has exited early")
}

/// The result of the reading thread.
struct StreamedLayer {
    diff_id: Digest,
    /// The bytes of the tar.
    length: u64,
    compression: Option<Compression>,
    /// The digest of a compressed blob.
    digest: Option<Digest>,
    /// The file that a compressed blob was copied to.
    copied_to: Option<String>,
}

impl StreamedLayer {
    /// Checks the content against the configuration and the manifest.
    fn check(&self, number: usize, source: &dyn Source, id: &LayerId) -> Result<()> {
        let found = self.digest.as_ref().unwrap_or(&self.diff_id);
        if let Some(promised) = source.digest().filter(|promised| *promised != found) {
            return Err(corrupt(format!("its content is not `{promised}`, it is `{found}`")));
        }
        if self.diff_id != id.diff_id {
            return Err(corrupt(format!(
                "layer {number} is not what the configuration says: `{}` instead of `{}`",
                self.diff_id.short(),
                id.diff_id.short()
            )));
        }
        Ok(())
    }
}

struct Reading<'a> {
    staging: &'a Staging,
    range: &'a FileRange,
    name: &'a str,
}

/// Reads a blob on another thread while `consume` takes its content.
fn through<T>(
    reading: &Reading<'_>,
    check: CancelCheck<'_>,
    consume: impl FnOnce(Stream) -> Result<T>,
) -> Result<(StreamedLayer, T)> {
    let (sender, receiver) = sync_channel(WAITING);
    let (poured, consumed) = thread::scope(|scope| {
        let reader = scope.spawn(move || reading.stream(&sender, check));
        let consumed = consume(Stream { receiver, part: Vec::new(), position: 0 });
        (reader.join().unwrap_or_else(|_| Err(lost())), consumed)
    });
    match (poured, consumed) {
        (Ok(Some(poured)), Ok(consumed)) => Ok((poured, consumed)),
        // The reader's own error is the cause of an early end.
        (Err(error), _) | (_, Err(error)) => Err(error),
        (Ok(None), Ok(_)) => Err(lost()),
    }
}

impl Reading<'_> {
    /// Sends the stream; `None` if the receiver has hung up.
    fn stream(
        &self,
        sender: &SyncSender<Vec<u8>>,
        check: CancelCheck<'_>,
    ) -> Result<Option<StreamedLayer>> {
        let compressed = decompress(self.range.reader())?.1.is_some();
        let mut blob = Hashing::new(self.range.reader(), compressed);
        let mut kept = None;
        if compressed && self.range.staged_name().is_none() {
            let name = format!("{}.blob", self.name);
            blob.copy = Some(fs::create_file(self.staging.directory(), name.as_bytes())?.into());
            kept = Some(name);
        }
        let mut diff = Sha256::new();
        let (mut stream, coding) = decompress(&mut blob)?;
        let compression = coding.and_then(Coding::of_layers);
        let mut done = 0;
        loop {
            let mut part = vec![0; PART];
            let count = fill(&mut stream, &mut part)?;
            if count == 0 {
                break;
            }
            part.truncate(count);
            diff.update(&part);
            done += count as u64;
            spool::at_portion(done, count, self.staging.directory(), check)?;
            if sender.send(part).is_err() {
                return Ok(None);
            }
        }
        drop(stream);
        let digest = blob.finish()?;
        let diff_id = Digest::from_bytes(&diff.finalize().into());
        Ok(Some(StreamedLayer { diff_id, length: done, compression, digest, copied_to: kept }))
    }
}

/// Reads until `part` is full or the stream ends.
fn fill(stream: &mut impl Read, part: &mut [u8]) -> Result<usize> {
    let mut filled = 0;
    while filled < part.len() {
        match stream.read(&mut part[filled..]) {
            Ok(0) => break,
            Ok(count) => filled += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(stream_error(&error)),
        }
    }
    Ok(filled)
}

/// A compressed blob in transit to the decoder: hashed, and copied if it is kept.
struct Hashing<R> {
    stream: R,
    hash: Option<Sha256>,
    copy: Option<File>,
}

impl<R: Read> Hashing<R> {
    fn new(stream: R, with_hash: bool) -> Self {
        Hashing { stream, hash: with_hash.then(Sha256::new), copy: None }
    }

    /// Returns the digest of the blob, including bytes after the compressed content.
    fn finish(mut self) -> Result<Option<Digest>> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| stream_error(&error))?;
        Ok(self.hash.map(|hash| Digest::from_bytes(&hash.finalize().into())))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        if let Some(hash) = &mut self.hash {
            hash.update(&buffer[..count]);
        }
        if let Some(copy) = &mut self.copy {
            io::Write::write_all(copy, &buffer[..count])?;
        }
        Ok(count)
    }
}

/// The receiving end, as a stream of bytes.
struct Stream {
    receiver: Receiver<Vec<u8>>,
    part: Vec<u8>,
    position: usize,
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.position == self.part.len() {
            // The sender hangs up at the end of the blob, or after an error, which it reports
            // itself.
            let Ok(part) = self.receiver.recv() else { return Ok(0) };
            self.part = part;
            self.position = 0;
        }
        let count = buffer.len().min(self.part.len() - self.position);
        buffer[..count].copy_from_slice(&self.part[self.position..self.position + count]);
        self.position += count;
        Ok(count)
    }
}

impl TarSource for Stream {}
