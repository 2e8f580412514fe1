//! Tar streams: a reader of untrusted archives that agrees with Go's `archive/tar`, and a writer.

pub(crate) mod error;
pub(crate) mod member;
pub(crate) mod members;
pub(crate) mod names;
pub(crate) mod numeric;
pub(crate) mod pack;
pub(crate) mod pax;
pub(crate) mod sparse;
