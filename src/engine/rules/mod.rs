//! Rules that every engine follows: seccomp profiles, shared namespaces, mounts and volumes in use.

pub(crate) mod namespaces;
pub(crate) mod profile;
