//! The source, the destination and the options of `cp`.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

use crate::model::{Error, Kind, Result};

/// The options of a copy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Keep owners.
    pub archive: bool,
    /// Copy the target of a link at the source, and not the link.
    pub follow: bool,
}

/// Where the files of an image go.
pub enum RootTarget<'a> {
    /// As a tar, with their owners.
    Tar(&'a mut dyn Write),
    /// Into a directory of the host, which is created if it is missing: the caller's files, and
    /// without power, as `cp` copies. No link in it is followed.
    Directory(&'a Path),
}

impl fmt::Debug for RootTarget<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RootTarget").finish_non_exhaustive()
    }
}

/// A copy into a container or out of it. A `path` is one inside the container.
pub enum Transfer<'a> {
    /// From the host, by the rules of `docker cp`.
    In {
        /// A file or directory.
        from: &'a Path,
        /// The destination.
        path: &'a str,
    },
    /// To the host, by the rules of `docker cp`.
    Out {
        /// A file or directory.
        path: &'a str,
        /// The destination.
        to: &'a Path,
    },
    /// As a tar.
    Pack {
        /// A file or directory.
        path: &'a str,
        /// Gets the tar.
        out: &'a mut dyn Write,
    },
    /// From a tar.
    Unpack {
        /// The tar.
        tar: &'a mut (dyn Read + Send),
        /// A directory.
        path: &'a str,
    },
    /// The content of a file, up to 8 MiB.
    Read {
        /// The file.
        path: &'a str,
        /// Gets the content.
        content: &'a mut Vec<u8>,
    },
    /// New content of a file.
    Write {
        /// The file.
        path: &'a str,
        /// Its content.
        content: &'a [u8],
    },
}

impl Transfer<'_> {
    /// Returns the path inside the container, which an empty text does not name.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub(in crate::engine) fn path(&self) -> Result<&str> {
        let path = match self {
            Transfer::In { path, .. }
            | Transfer::Out { path, .. }
            | Transfer::Pack { path, .. }
            | Transfer::Unpack { path, .. }
            | Transfer::Read { path, .. }
            | Transfer::Write { path, .. } => path,
        };
        match path.is_empty() {
            true => Err(Error::new(Kind::Invalid, "the path in the container is empty")
                .hint("write / for its root")),
            false => Ok(path),
        }
    }
}

impl fmt::Debug for Transfer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer").finish_non_exhaustive()
    }
}
