//! Facts about the host: kernel, processes, users, devices and security modules.

pub(super) mod devices;
pub mod kernel;
pub mod lsm;
pub mod memory;

pub use kernel::{
    boot_id, check_oom_score, check_ulimits, describe, first_child, max_layers, name, random,
    signal_disposition,
};
pub(crate) use kernel::{has_lowerdir_append, kernel_version, start_time};
