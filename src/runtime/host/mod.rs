//! Facts about the host: kernel, processes, users, devices and security modules.

pub(super) mod devices;
pub mod inherited;
mod kernel;
pub mod lock;
pub mod lsm;
pub mod memory;
pub mod owner;
mod process;
pub mod record_file;
pub mod store_dir;
pub(crate) mod user;

pub use kernel::{boot_id, max_layers, name, random};
pub(crate) use kernel::{has_lowerdir_append, has_volatile_overlay, kernel_version};
pub use process::{children, first_child, signal_disposition};
pub(crate) use process::{start_time, with_name};
