//! Facts about the host: kernel, processes, users, devices and security modules.

pub(super) mod devices;
mod kernel;
pub mod lsm;
pub mod memory;
mod process;
pub(crate) mod user;

pub use kernel::{boot_id, max_layers, name, random};
pub(crate) use kernel::{has_lowerdir_append, kernel_version};
pub(crate) use process::start_time;
pub use process::{first_child, signal_disposition};
