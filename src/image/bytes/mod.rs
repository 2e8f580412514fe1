//! Bytes in transit: parts of files, compression, copies that watch the free space, and limits of
//! streams.

pub(crate) mod atomic_file;
pub(crate) mod cancel_check;
pub(crate) mod compression;
pub(crate) mod file_range;
pub(crate) mod limits;
pub(crate) mod source;
pub(crate) mod spool;
pub(crate) mod staging;
pub(crate) mod stream;
