//! The native runtime: one container = one directory = one monitor process.

pub mod cancel;
pub mod init;
pub mod oci;
pub mod passwd;
pub mod plan;
