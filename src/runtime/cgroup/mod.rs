//! Control groups: v2, v1 and hybrid hosts behind one interface.

mod block_io;
mod delegation;
mod devices;
mod file;
pub mod group;
mod hierarchies;
mod limit;
mod limits;
mod processors;
mod usage;

pub use delegation::{cgroup_parent, delegation_hint};
pub use group::Cgroup;
pub use hierarchies::Hierarchies;
