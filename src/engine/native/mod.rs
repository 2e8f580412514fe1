//! The native engine: the image store and the runtime of this host behind the contract.

mod build;
mod builds;
mod check;
mod container_paths;
mod containers;
mod creation;
mod damaged_record;
mod events;
mod files;
mod handle;
mod images;
mod in_use;
mod layers;
mod mounted_images;
mod new_id;
mod observe;
mod prepared_volumes;
mod processes;
mod registries;
mod root_dirs;
mod settings;
mod storage;
mod streams;
mod transfer;
mod volumes;

pub(super) use handle::Native;
pub use settings::Settings;
