//! Containers as data: the options of a user, the record that is kept, and the rules of the life
//! cycle.

pub mod block_io;
pub mod device_rule;
pub mod exec;
pub mod logging;
pub mod marks;
pub mod mounts;
pub mod namespaces;
pub mod options;
pub mod phase;
pub mod record;
pub mod resources;
pub mod security;
pub mod status;
pub mod status_reason;
pub mod storage;
pub mod supervision;

pub use record::{Changes, Config, Container, ContainerSpec, HostConfig, ImageUse, State, VERSION};
