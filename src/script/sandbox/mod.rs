//! The sandbox of an untrusted script: its policy, and the backend that enforces it.

pub(super) mod backend;
pub(super) mod policy;
