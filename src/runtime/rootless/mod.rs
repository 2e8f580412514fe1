//! The engine of an ordinary user: a user namespace in which this user is root.
//!
//! A client enters it before all else and stays: the store, the monitors and all that they start
//! are in it, so the rest of the engine is the same for every user. The user's own id is root
//! inside; the subordinate ids (subuid(5)) are all others. Without them root is the only one.

mod enter;
mod host_check;
pub(super) mod maps;
mod members;
mod orphan;
pub mod processes;

pub(super) use self::enter::register_member;
pub use self::enter::{enter, maps, warnings};
pub use self::maps::Maps;
pub(super) use self::orphan::kill_orphan;
