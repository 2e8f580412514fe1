//! The sandbox of an untrusted script: its policy, and the backend that enforces it.

pub(super) mod backend;
mod foreign;
pub(super) mod policy;
pub(super) mod rules;
