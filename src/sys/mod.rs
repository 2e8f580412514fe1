//! How to ask the kernel. The only room with unsafe code: thin, safe, one function per call.
//!
//! A wrapper makes no policy. It sets safe defaults (close-on-exec, no-follow), retries `EINTR`
//! where that is right, and names the call with its arguments when it fails.

pub mod bpf;
pub mod event;
pub mod identity;
pub mod mount;
pub mod net;
pub mod process;
pub mod signal;
