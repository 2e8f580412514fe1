//! The tar-split of an unpacked layer, from which its tar is rebuilt byte for byte.
//!
//! An image must leave the store unchanged: its layers are named by digests of tars. Keeping the
//! tar beside the unpacked files would double the disk usage of an image and the time of an import.
//! So only what the files do not contain is kept: headers, padding, the order. The idea is Docker's
//! tar-split; the format is lifebox's own.
//!
//! A tar-split is a zstd stream of instructions: `0 LENGTH BYTES` to write these bytes, `1 LENGTH
//! LENGTH-OF-PATH PATH` to write that many bytes of a file of the layer, `2` at the end. Numbers
//! are 8 bytes, little endian.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::fd::OwnedFd;

use crate::image::tar::error::{corrupt, stream_error};
use crate::image::tar::members::TarSource;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::sys::fs;

const BYTES: u8 = 0;
const PART: u8 = 1;
const END: u8 = 2;
/// How many bytes are buffered before they become an instruction.
const GATHERED: usize = 32 * 1024;
const MAX_PATH: u64 = 4096;

/// Passes a tar stream on to the unpacker, and writes its tar-split.
pub(crate) struct TarSplitWriter<R> {
    stream: R,
    tar_split: zstd::stream::write::Encoder<'static, BufWriter<File>>,
    gathered: Vec<u8>,
    /// How many of the next bytes the unpacked file will contain.
    claimed: u64,
}

impl<R: Read> TarSplitWriter<R> {
    pub(crate) fn new(stream: R, tar_split: File) -> Result<Self> {
        let tar_split = zstd::stream::write::Encoder::new(BufWriter::new(tar_split), 1)
            .context(|| "start a tar-split".to_owned())?;
        Ok(TarSplitWriter { stream, tar_split, gathered: Vec::with_capacity(GATHERED), claimed: 0 })
    }

    /// Reads to the end of the stream, where padding may be, and completes the tar-split.
    pub(crate) fn finish(mut self) -> Result<()> {
        io::copy(&mut self, &mut io::sink()).map_err(|error| stream_error(&error))?;
        self.flush().and_then(|()| self.tar_split.write_all(&[END])).context(writing)?;
        let buffer = self.tar_split.finish().context(writing)?;
        buffer.into_inner().map_err(io::IntoInnerError::into_error).context(writing)?;
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.gathered.is_empty() {
            self.tar_split.write_all(&[BYTES])?;
            self.tar_split.write_all(&(self.gathered.len() as u64).to_le_bytes())?;
            self.tar_split.write_all(&self.gathered)?;
            self.gathered.clear();
        }
        Ok(())
    }
}

fn writing() -> String {
    "write the tar-split of a layer".to_owned()
}

impl<R: Read> Read for TarSplitWriter<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.claimed > 0 {
            let part = usize::try_from(self.claimed).unwrap_or(usize::MAX).min(buffer.len());
            let count = self.stream.read(&mut buffer[..part])?;
            self.claimed -= count as u64;
            return Ok(count);
        }
        let count = self.stream.read(buffer)?;
        for part in buffer[..count].chunks(GATHERED) {
            if self.gathered.len() + part.len() > GATHERED {
                self.flush()?;
            }
            self.gathered.extend_from_slice(part);
        }
        Ok(count)
    }
}

impl<R: Read> TarSource for TarSplitWriter<R> {
    fn claim(&mut self, path: &[u8], length: u64) -> Result<()> {
        let mut write = || {
            self.flush()?;
            self.tar_split.write_all(&[PART])?;
            self.tar_split.write_all(&length.to_le_bytes())?;
            self.tar_split.write_all(&(path.len() as u64).to_le_bytes())?;
            self.tar_split.write_all(path)
        };
        write().context(writing)?;
        self.claimed = length;
        Ok(())
    }
}

/// A reader of the rebuilt tar of an unpacked layer. The files may have changed: the caller checks
/// the digest.
pub(crate) struct TarAssembler {
    tar_split: zstd::stream::read::Decoder<'static, io::BufReader<File>>,
    layer: OwnedFd,
    now: Now,
}

enum Now {
    Between,
    Bytes(u64),
    Part(File, u64),
    End,
}

impl TarAssembler {
    /// Rebuilds by the tar-split `tar_split`, from the files in the directory `layer`.
    pub(crate) fn new(tar_split: File, layer: OwnedFd) -> Result<Self> {
        let tar_split = zstd::stream::read::Decoder::new(tar_split)
            .context(|| "read the tar-split of a layer".to_owned())?;
        Ok(TarAssembler { tar_split, layer, now: Now::Between })
    }

    fn number(&mut self) -> io::Result<u64> {
        let mut bytes = [0; 8];
        self.tar_split.read_exact(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn instruction(&mut self) -> io::Result<Now> {
        let mut kind = [0];
        self.tar_split.read_exact(&mut kind)?;
        match kind[0] {
            BYTES => Ok(Now::Bytes(self.number()?)),
            PART => {
                let length = self.number()?;
                let path = self.number()?;
                if path > MAX_PATH {
                    return Err(io::Error::other("a path is too long"));
                }
                let mut path = vec![0; usize::try_from(path).unwrap_or(0)];
                self.tar_split.read_exact(&mut path)?;
                let file = fs::open_file_beneath(&self.layer, &path).map_err(io::Error::other)?;
                Ok(Now::Part(file.into(), length))
            }
            END => Ok(Now::End),
            _ => Err(io::Error::other("an instruction is unknown")),
        }
    }
}

impl Read for TarAssembler {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let (count, left) = match &mut self.now {
                Now::End => return Ok(0),
                Now::Between | Now::Bytes(0) | Now::Part(_, 0) => {
                    self.now = self.instruction()?;
                    continue;
                }
                Now::Bytes(left) => (self.tar_split.read(limited(buffer, *left))?, left),
                Now::Part(file, left) => (file.read(limited(buffer, *left))?, left),
            };
            if count == 0 && !buffer.is_empty() {
                return Err(io::Error::other("an unpacked file is shorter than it was"));
            }
            *left -= count as u64;
            return Ok(count);
        }
    }
}

fn limited(buffer: &mut [u8], left: u64) -> &mut [u8] {
    let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
    &mut buffer[..part]
}

/// A stream that fails at its end if the content has another digest than expected.
pub(crate) struct Verified<R> {
    stream: R,
    hash: Option<sha2::Sha256>,
    expected: Digest,
}

impl<R: Read> Verified<R> {
    pub(crate) fn new(stream: R, expected: Digest) -> Self {
        Verified { stream, hash: Some(sha2::Digest::new()), expected }
    }
}

impl<R: Read> Read for Verified<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        if count > 0 || buffer.is_empty() {
            if let Some(hash) = &mut self.hash {
                sha2::Digest::update(hash, &buffer[..count]);
            }
            return Ok(count);
        }
        if let Some(hash) = self.hash.take() {
            let found = Digest::from_bytes(&sha2::Digest::finalize(hash).into());
            if found != self.expected {
                let message =
                    format!("the content of layer `{}` has changed", self.expected.short());
                return Err(io::Error::other(corrupt(message)));
            }
        }
        Ok(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_claimed_is_read_from_the_files() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("a"), "content of a").unwrap();
        let stream = b"HEADcontent of aTAIL and more".to_vec();
        let path = directory.path().join("recipe");
        let mut recorder = TarSplitWriter::new(&stream[..], File::create(&path).unwrap()).unwrap();
        let mut buffer = [0; 4];
        recorder.read_exact(&mut buffer).unwrap();
        recorder.claim(b"a", 12).unwrap();
        let mut body = [0; 12];
        recorder.read_exact(&mut body).unwrap();
        recorder.finish().unwrap();

        let assemble = || {
            let layer = fs::open_dir(directory.path()).unwrap();
            let assembly = TarAssembler::new(File::open(&path).unwrap(), layer).unwrap();
            let mut bytes = Vec::new();
            let digest = crate::image::bytes::spool::digest_of(&stream);
            Verified::new(assembly, digest).read_to_end(&mut bytes).map(|_| bytes)
        };
        assert_eq!(assemble().unwrap(), stream);
        std::fs::write(directory.path().join("a"), "content of b").unwrap();
        assert!(assemble().unwrap_err().to_string().contains("has changed"));
        std::fs::write(directory.path().join("a"), "short").unwrap();
        assert!(assemble().unwrap_err().to_string().contains("shorter"));
        std::fs::remove_file(directory.path().join("a")).unwrap();
        assert!(assemble().is_err());
    }
}
