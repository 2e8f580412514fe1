//! Rules that every engine follows: seccomp profiles, shared namespaces, mounts and volumes in use.

pub(super) mod mounts;
pub(super) mod namespaces;
pub(super) mod path;
pub(super) mod profile;
pub(super) mod volumes;
