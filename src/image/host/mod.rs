//! An image created from the host's own programs, so that the first container needs no network.
//!
//! The image has a shell and the usual small programs, with the libraries that their ELF headers
//! name, at the host's paths. No program of the host is executed, and nothing else is copied: no
//! accounts, no configuration, no host name.

mod elf;
mod image;
mod libraries;
mod presence;
mod tree;
