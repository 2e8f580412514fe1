//! The native runtime: one container = one directory = one monitor process.

pub mod cancel;
