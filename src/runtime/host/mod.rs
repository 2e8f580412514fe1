//! Facts about the host: kernel, processes, users, devices and security modules.

pub(super) mod devices;
pub mod kernel;
pub mod lsm;
pub mod memory;

pub use kernel::{
    boot_id, check_oom_score, check_ulimits, describe, first_child, most_layers, name, treats,
};
pub(crate) use kernel::{kernel_version, one_by_one, start_time};
