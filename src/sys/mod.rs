//! System calls. The only room with unsafe code: thin, safe, one function per call.
//!
//! A wrapper makes no policy. It sets safe defaults (close-on-exec, no-follow), retries `EINTR`
//! where that is right, and names the call with its arguments when it fails.

pub mod bpf;
pub mod clock;
mod errno;
pub mod fs;
pub mod identity;
pub mod inherited;
pub mod kernel_files;
pub mod lock;
pub mod memory;
pub mod mount;
pub mod net;
pub mod place;
pub mod poll;
pub mod process;
pub mod process_state;
mod random;
pub mod record_file;
pub mod seccomp;
pub mod signal;
pub mod store_dir;
pub mod terminal;
pub mod tree;
pub mod try_in_child;
pub mod userns;

pub use random::random;
