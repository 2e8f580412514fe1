//! Limits against decompression bombs.
//!
//! The disk limits the size of a layer, as in Docker: extraction stops before the file system is
//! full. The compression ratio of an archive is limited too, so that a bomb is recognised before it
//! has filled the disk. The number of members, the length of a header, of a name and of a map are
//! limited where they are read (`members`, `names`, `sparse`).

use std::io::Read;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::image::tar::error::corrupt;
use crate::model::{Error, Result};
use crate::sys::fs;

/// The uncompressed size that any archive may have: an image of a disk full of zeros must pass.
const ALLOWANCE: u64 = 1 << 30;
/// The largest compression ratio beyond that. gzip reaches 1032 with nothing but zeros and zstd 30
/// 000; archives of programs and data reach 3 to 50. node-tar and Podman Desktop have the limit
/// 1000 too; Docker, containerd and containers-storage have none.
const RATIO: u64 = 1000;

/// How many bytes are written between two checks of the file system; an entry counts as some.
const PORTION: u64 = 16 << 20;
const ENTRIES: u32 = 4096;
/// The bytes that are left to the host: an engine that fills the disk takes everything else down.
pub(crate) const RESERVE: u64 = 256 << 20;
/// The inodes that are left to the host.
const INODES: u64 = 4096;

/// A compressed stream that counts what is taken from it.
#[derive(Debug)]
pub(crate) struct Counted<R> {
    stream: R,
    taken: Arc<AtomicU64>,
}

/// An uncompressed stream that fails when its compression ratio exceeds the limit.
#[derive(Debug)]
pub(crate) struct Guarded<R> {
    stream: R,
    taken: Arc<AtomicU64>,
    given: u64,
    allowance: u64,
}

/// Uncompresses `stream` with the `decoder` for it, within limits.
pub(crate) fn guarded<C, D: Read>(
    stream: C,
    decoder: impl FnOnce(Counted<C>) -> std::io::Result<D>,
) -> std::io::Result<Guarded<D>> {
    let taken = Arc::new(AtomicU64::new(0));
    let stream = decoder(Counted { stream, taken: taken.clone() })?;
    Ok(Guarded { stream, taken, given: 0, allowance: ALLOWANCE })
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

impl<R: Read> Read for Guarded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.given = self.given.saturating_add(count as u64);
        let allowed = self.taken.load(Ordering::Relaxed).saturating_mul(RATIO);
        if self.given > self.allowance.max(allowed) {
            let message = format!("it uncompresses to more than {RATIO} times its length");
            return Err(std::io::Error::other(corrupt(message)));
        }
        Ok(count)
    }
}

/// A watch on the free space of the file system that a layer is written to.
#[derive(Debug, Default)]
pub(crate) struct DiskBudget {
    bytes: u64,
    entries: u32,
}

impl DiskBudget {
    /// Counts an entry with `bytes`, and checks the free space regularly.
    pub(crate) fn take(&mut self, bytes: u64, fd: impl AsFd) -> Result<()> {
        self.bytes = self.bytes.saturating_add(bytes);
        self.entries += 1;
        if self.bytes < PORTION && self.entries < ENTRIES {
            return Ok(());
        }
        *self = DiskBudget::default();
        if fs::free_space(&fd)? < RESERVE {
            return Err(Error::from_errno("less than 256 MiB are free", libc::ENOSPC));
        }
        if fs::free_inodes(fd)?.is_some_and(|free| free < INODES) {
            return Err(Error::from_errno("fewer than 4096 inodes are free", libc::ENOSPC));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::tar::error::stream_error;
    use crate::model::Kind;

    /// The uncompressed length of `archive`, with an allowance of one megabyte.
    fn inflated(archive: &[u8]) -> std::io::Result<u64> {
        let mut guarded = guarded(archive, zstd::stream::read::Decoder::new)?;
        guarded.allowance = 1 << 20;
        std::io::copy(&mut guarded, &mut std::io::sink())
    }

    #[test]
    fn a_small_archive_may_not_become_a_huge_one() {
        let bomb = zstd::encode_all(std::io::repeat(0).take(100 << 20), 1).unwrap();
        let error = stream_error(&inflated(&bomb).unwrap_err());
        assert_eq!(error.kind(), Kind::Corrupt);
        assert!(error.to_string().contains("1000 times"), "{error}");
    }

    #[test]
    fn each_decoder_is_watched() {
        let bomb = zstd::encode_all(std::io::repeat(0).take(ALLOWANCE + (1 << 20)), 1).unwrap();
        let (mut stream, _) = crate::image::bytes::compression::decompress(&bomb[..]).unwrap();
        let error = std::io::copy(&mut stream, &mut std::io::sink()).unwrap_err();
        assert!(stream_error(&error).to_string().contains("1000 times"), "{error}");
    }

    #[test]
    fn much_may_be_compressed_well() {
        let zeros = zstd::encode_all(std::io::repeat(0).take(1 << 20), 1).unwrap();
        assert_eq!(inflated(&zeros).unwrap(), 1 << 20);
        let text: String = (0..200_000).map(|n| format!("line {n}\n")).collect();
        let text = zstd::encode_all(text.as_bytes(), 1).unwrap();
        assert!(inflated(&text).unwrap() > 2 << 20);
    }

    #[test]
    fn a_file_system_with_room_takes_many_entries() {
        let directory = tempfile::tempdir().unwrap();
        let fd = fs::open_dir(directory.path()).unwrap();
        let mut room = DiskBudget::default();
        for _ in 0..3 * ENTRIES {
            room.take(1000, &fd).unwrap();
        }
        assert!(room.entries < ENTRIES);
    }
}
