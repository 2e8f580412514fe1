//! What `cp` copies, and how.

use std::fmt;
use std::io::{Read, Write};
use std::path::Path;

/// How files are copied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CopyOptions {
    /// Keep owners.
    pub archive: bool,
    /// Copy what a link at the source leads to, and not the link.
    pub follow: bool,
}

/// What is copied where. A `path` is one inside the container.
pub enum Transfer<'a> {
    /// From this machine, by the rules of `docker cp`.
    In {
        /// A file or directory.
        from: &'a Path,
        /// Where to.
        path: &'a str,
    },
    /// To this machine, by the same rules.
    Out {
        /// A file or directory.
        path: &'a str,
        /// Where to.
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
        /// Gets it.
        content: &'a mut Vec<u8>,
    },
    /// A new content of a file.
    Write {
        /// The file.
        path: &'a str,
        /// Its content.
        content: &'a [u8],
    },
}

impl Transfer<'_> {
    /// The path inside the container.
    pub(in crate::engine) fn path(&self) -> &str {
        match self {
            Transfer::In { path, .. }
            | Transfer::Out { path, .. }
            | Transfer::Pack { path, .. }
            | Transfer::Unpack { path, .. }
            | Transfer::Read { path, .. }
            | Transfer::Write { path, .. } => path,
        }
    }
}

impl fmt::Debug for Transfer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transfer").finish_non_exhaustive()
    }
}
