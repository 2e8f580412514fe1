//! Tar streams: reading what anybody wrote, as Go's `archive/tar` does, and writing our own.

pub(crate) mod error;
pub(crate) mod member;
pub(crate) mod members;
pub(crate) mod names;
pub(crate) mod numeric;
pub(crate) mod pack;
pub(crate) mod pax;
pub(crate) mod sparse;
