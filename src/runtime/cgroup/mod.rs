//! Control groups: v2, v1 and hybrid hosts behind one interface.

pub(crate) mod delegation;
mod devices;
pub mod group;
mod hierarchies;
mod limits;
mod usage;

pub use group::{Cgroup, Hierarchies};
