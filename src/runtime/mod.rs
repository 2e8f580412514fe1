//! The native runtime: one container = one directory = one monitor process.
//!
//! [`Runtime`] is the client's side: it changes stopped containers and sends requests to the
//! monitors of running ones.

pub mod cancel;
pub mod cgroup;
pub mod client;
pub(crate) mod exec;
pub mod host;
pub mod init;
pub mod log;
pub mod monitor;
pub mod oci;
pub mod plan;
pub mod protocol;
pub mod record;
pub mod roles;
pub mod rootless;
pub mod seccomp;
pub(crate) mod spawn;
pub mod trace;

pub use self::client::{CreationWork, NewContainer, Runtime};
pub use self::host::random;
pub use self::oci::IMAGES;
