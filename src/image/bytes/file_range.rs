//! A part of a file that several threads can read concurrently.
//!
//! A layer is a range of an archive, of a file that a stream was written to, or of a download.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::image::tar::error::corrupt;
use crate::image::tar::members::TarSource;
use crate::model::Result;
use crate::model::error::Context;
use crate::sys::fs;

/// `length` bytes of a file from `offset` on.
#[derive(Clone, Debug)]
pub(crate) struct FileRange {
    content: Content,
    offset: u64,
    length: u64,
    /// The name in the staging directory, if the range is a complete file of it.
    staged: Option<String>,
}

#[derive(Clone, Debug)]
enum Content {
    Open(Arc<File>),
    /// A file of a directory, opened when it is read: an image may have more layers than a process
    /// may have open files.
    Named(Arc<OwnedFd>, String),
}

impl Content {
    fn open(&self) -> Result<Arc<File>> {
        match self {
            Content::Open(file) => Ok(file.clone()),
            Content::Named(directory, name) => {
                Ok(Arc::new(fs::open_file_beneath(directory, name.as_bytes())?.into()))
            }
        }
    }
}

impl FileRange {
    /// Returns the range of a complete file, with its present length.
    pub(crate) fn whole(file: File) -> Result<FileRange> {
        let length = file.metadata().context(|| "stat a file".to_owned())?.len();
        Ok(FileRange { content: Content::Open(Arc::new(file)), offset: 0, length, staged: None })
    }

    /// Returns the range of the file `name` of `directory`, with its present length. Keeps nothing
    /// open.
    pub(crate) fn named(directory: &Arc<OwnedFd>, name: &str) -> Result<FileRange> {
        let span = FileRange::whole(fs::open_file_beneath(directory, name.as_bytes())?.into())?;
        Ok(FileRange { content: Content::Named(directory.clone(), name.to_owned()), ..span })
    }

    /// As [`FileRange::named`], in a staging directory, so that the file may become a blob of the
    /// store.
    pub(crate) fn named_staged(directory: &Arc<OwnedFd>, name: &str) -> Result<FileRange> {
        Ok(FileRange { staged: Some(name.to_owned()), ..FileRange::named(directory, name)? })
    }

    /// Returns the range of a file of the staging directory, which may become a blob of the store.
    pub(crate) fn staged(file: File, name: &str) -> Result<FileRange> {
        Ok(FileRange { staged: Some(name.to_owned()), ..FileRange::whole(file)? })
    }

    /// Returns a part of this range.
    pub(crate) fn part(&self, offset: u64, length: u64) -> Result<FileRange> {
        let fits = offset.checked_add(length).is_some_and(|end| end <= self.length);
        if !fits {
            return Err(corrupt("it ends too early"));
        }
        let content = self.content.clone();
        Ok(FileRange { content, offset: self.offset + offset, length, staged: None })
    }

    /// Returns the length in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// Returns the name in the staging directory, if the range is a complete file of it.
    pub(crate) fn staged_name(&self) -> Option<&str> {
        self.staged.as_deref()
    }

    /// Returns a reader of the range.
    pub(crate) fn reader(&self) -> FileRangeReader {
        FileRangeReader { range: self.clone(), file: None, position: 0 }
    }

    /// Reads all of it, if it is not longer than `limit`.
    pub(crate) fn bytes(&self, limit: u64) -> Result<Vec<u8>> {
        if self.length > limit {
            return Err(corrupt(format!("it is longer than {limit} bytes")));
        }
        let mut bytes = Vec::new();
        self.reader().read_to_end(&mut bytes).context(|| "read it".to_owned())?;
        Ok(bytes)
    }
}

/// A reader of a [`FileRange`].
#[derive(Debug)]
pub(crate) struct FileRangeReader {
    range: FileRange,
    /// The open file, after the first read.
    file: Option<Arc<File>>,
    position: u64,
}

impl FileRangeReader {
    /// Returns how many bytes were read.
    pub(crate) fn position(&self) -> u64 {
        self.position
    }
}

impl Read for FileRangeReader {
    /// Reads. A file that has become shorter since is an early end, not an end.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.length - self.position;
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        if part == 0 {
            return Ok(0);
        }
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(self.range.content.open().map_err(io::Error::other)?),
        };
        let count = file.read_at(&mut buffer[..part], self.range.offset + self.position)?;
        if count == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.position += count as u64;
        Ok(count)
    }
}

impl TarSource for FileRangeReader {
    fn pass(&mut self, count: u64) -> io::Result<()> {
        let end = self.position.checked_add(count).filter(|end| *end <= self.range.length);
        self.position = end.ok_or(io::ErrorKind::UnexpectedEof)?;
        Ok(())
    }
}
