//! Bytes on their way: parts of files, compression, copies that heed the free space, and what a
//! stream may become.

pub(crate) mod atomic_file;
pub(crate) mod cancel_check;
pub(crate) mod compression;
pub(crate) mod file_range;
pub(crate) mod limits;
pub(crate) mod source;
pub(crate) mod spool;
pub(crate) mod staging;
