//! The native engine: the image store and the runtime of this host behind the contract.

pub(crate) mod backend;
pub(crate) mod build;
pub(crate) mod check;
pub(crate) mod creation;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod host;
pub(crate) mod in_use;
pub(crate) mod introspection;
pub(crate) mod records;
pub(crate) mod registry;
pub(crate) mod settings;
pub(crate) mod storage;
pub(crate) mod streams;
pub(crate) mod transfer;
pub(crate) mod volumes;

pub(crate) use backend::Native;
