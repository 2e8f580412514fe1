//! An image made from this machine's own programs, so that the first container needs no network.
//!
//! It has a shell and the usual small programs, with the libraries that their ELF headers ask
//! for, at the paths where the host has them. Nothing of the host is run, and nothing of it
//! comes along that was not asked for: no accounts, no configuration, no host name.

mod elf;
mod image;
mod libraries;
mod tree;
