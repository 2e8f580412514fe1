//! The native engine: the image store and the runtime of this host behind the contract.

mod build;
mod builds;
mod container_files;
mod containers;
mod creation;
mod events;
mod files;
mod handle;
mod images;
mod in_use;
mod layers;
mod observe;
mod prepared_volumes;
mod processes;
mod records;
mod registries;
mod settings;
mod storage;
mod streams;
mod transfer;
mod volumes;

pub(super) use handle::Native;
pub use settings::Settings;
