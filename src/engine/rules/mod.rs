//! Rules that every engine follows: seccomp profiles, shared namespaces, mounts, volumes in use and
//! registries that are closed.

pub(super) mod mounts;
pub(super) mod namespaces;
pub(super) mod path;
pub(super) mod profile;
pub(super) mod registries;
pub(super) mod volumes;
