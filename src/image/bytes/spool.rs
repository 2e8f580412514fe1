//! Writes streams to files: counted, hashed, cancellable, and stopped before the disk is full.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};

use sha2::{Digest as _, Sha256};

use super::cancel_check::CancelCheck;
use super::file_range::FileRange;
use super::limits::RESERVE;
use super::source::Source;
use super::staging::Staging;
use crate::image::tar::error::{corrupt, stream_error};
use crate::image::tar::sparse::Sparse;
use crate::model::value::digest::Digest;
use crate::model::{Error, Result};
use crate::sys::fs;

const BUFFER: usize = 64 * 1024;
/// How many bytes are written between two checks of the free space.
const PORTION: u64 = 16 << 20;

/// A file in a staging directory whose content is known.
#[derive(Clone, Debug)]
pub(crate) struct Spooled {
    /// The name in the staging directory.
    pub(crate) name: String,
    /// The length, uncompressed.
    pub(crate) size: u64,
    /// The digest of the content, uncompressed.
    pub(crate) digest: Digest,
}

impl Spooled {
    /// Returns this file as the source of a layer.
    pub(crate) fn source(&self, staging: &Staging) -> Result<Box<dyn Source>> {
        let file = fs::open_file_beneath(staging.directory(), self.name.as_bytes())?;
        let span = FileRange::staged(file.into(), &self.name)?;
        Ok(Box::new(SpooledLayer { range: span, digest: self.digest.clone() }))
    }
}

struct SpooledLayer {
    range: FileRange,
    digest: Digest,
}

impl Source for SpooledLayer {
    fn digest(&self) -> Option<&Digest> {
        Some(&self.digest)
    }

    fn open(&self) -> Result<FileRange> {
        Ok(self.range.clone())
    }
}

/// Returns the digest of `bytes`.
pub(crate) fn digest_of(bytes: &[u8]) -> Digest {
    Digest::from_bytes(&Sha256::digest(bytes).into())
}

/// Copies exactly `length` bytes of `body` to `file`.
pub(crate) fn copy(
    mut body: impl Read,
    file: impl AsFd,
    length: u64,
    check: CancelCheck<'_>,
) -> Result<u64> {
    let mut buffer = [0; BUFFER];
    let mut left = length;
    while left > 0 {
        let part = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER);
        let count = read(&mut body, &mut buffer[..part])?;
        if count == 0 {
            return Err(corrupt("it ends too early"));
        }
        write_all(&file, &buffer[..count])?;
        left -= count as u64;
        at_portion(length - left, count, &file, check)?;
    }
    Ok(length)
}

/// Copies the data of a sparse file to its offsets; the holes stay holes.
pub(crate) fn copy_sparse(
    mut body: impl Read,
    file: &OwnedFd,
    sparse: &Sparse,
    check: CancelCheck<'_>,
) -> Result<u64> {
    let failed = |errno: rustix::io::Errno| Error::from_errno("write", errno.raw_os_error());
    for (offset, length) in &sparse.segments {
        rustix::fs::seek(file, rustix::fs::SeekFrom::Start(*offset)).map_err(failed)?;
        copy(&mut body, file, *length, check)?;
    }
    rustix::fs::ftruncate(file, sparse.length).map_err(failed)?;
    Ok(sparse.length)
}

/// Writes a stream to a new file `name` in `dir`.
pub(crate) fn write_stream(
    dir: impl AsFd,
    name: &str,
    mut body: impl Read,
    check: CancelCheck<'_>,
) -> Result<File> {
    let file = fs::create_file(dir, name.as_bytes())?;
    let mut buffer = [0; BUFFER];
    let mut size = 0;
    loop {
        let count = read(&mut body, &mut buffer)?;
        if count == 0 {
            return Ok(file.into());
        }
        write_all(&file, &buffer[..count])?;
        size += count as u64;
        at_portion(size, count, &file, check)?;
    }
}

/// A file being written and hashed.
pub(crate) struct SpoolWriter {
    name: String,
    file: OwnedFd,
    hash: Sha256,
    size: u64,
}

impl SpoolWriter {
    pub(crate) fn create(dir: impl AsFd, name: &str) -> Result<Self> {
        let file = fs::create_file(dir, name.as_bytes())?;
        Ok(SpoolWriter { name: name.to_owned(), file, hash: Sha256::new(), size: 0 })
    }

    pub(crate) fn finish(self) -> Spooled {
        let digest = Digest::from_bytes(&self.hash.finalize().into());
        Spooled { name: self.name, size: self.size, digest }
    }
}

impl Write for SpoolWriter {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = rustix::io::write(&self.file, bytes)?;
        self.hash.update(&bytes[..count]);
        self.size += count as u64;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Reads once, however often a signal interrupts.
pub(crate) fn read(stream: &mut impl Read, buffer: &mut [u8]) -> Result<usize> {
    loop {
        match stream.read(buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            result => return result.map_err(|error| stream_error(&error)),
        }
    }
}

pub(crate) fn write_all(file: impl AsFd, mut bytes: &[u8]) -> Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&file, bytes) {
            Ok(count) => bytes = &bytes[count..],
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("write", errno.raw_os_error())),
        }
    }
    Ok(())
}

/// Calls `check` when the last `count` bytes of `done` completed a megabyte; when
/// they completed a [`PORTION`], checks the free space.
pub(crate) fn at_portion(
    done: u64,
    count: usize,
    file: impl AsFd,
    check: CancelCheck<'_>,
) -> Result<()> {
    let crossed = |step: u64| done / step != (done - count as u64) / step;
    if crossed(1 << 20) {
        check()?;
    }
    if crossed(PORTION) && fs::free_space(file)? < RESERVE {
        return Err(Error::from_errno("less than 256 MiB are free", libc::ENOSPC));
    }
    Ok(())
}
