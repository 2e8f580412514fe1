//! OCI runtime specification -> [`Plan`]: every step that init will take, as printable data.
//!
//! Pure: it makes no system call, so a test can snapshot a plan, and an error can name its step
//! ("step 7 of 31: mount overlay on /: operation not permitted"). `init` only walks it.

mod bind_mounts;
mod builder;
mod capability;
mod describe;
mod device;
mod inputs;
mod limit;
mod namespaces;
mod read;
mod root;
mod stack;
mod step;
#[cfg(test)]
mod tests;
mod volume_mounts;

pub(super) use self::bind_mounts::{UserMounts, user_mounts};
pub use self::builder::{join, plan};
pub use self::capability::all as all_capabilities;
pub use self::inputs::{PlanInputs, StandardInput};
pub use self::limit::resource;
pub(super) use self::root::{is_stacked, root};
pub use self::step::{
    BindSource, CopyUp, Credentials, DeviceNode, FileStep, MountStep, Plan, Root, Step, VolumeMount,
};
