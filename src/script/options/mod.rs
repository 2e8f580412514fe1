//! Options: one table of keys, which the reader, `help` and completion share.
//!
//! A map is checked against its table before anything is read from it, so that a typing error is
//! named with the nearest key and never ignored.

mod build;
mod concurrency;
mod convert;
mod events;
mod health_check;
mod images;
mod key;
mod mounts;
mod namespaces;
mod parsed;
mod read;
mod resources;
mod security;
mod stats;
mod supervision;
mod table;
mod teaching;
mod wait_for;

pub use build::{build, commit, import};
pub use concurrency::{Retry, retry};
pub use events::{Watch, events, on, wrong_filter};
pub use images::{check_images, images, prune_images};
pub use key::{OptionSpec, ValueType};
pub use mounts::{new_volume, prune_volumes, volumes};
pub use read::{
    Create, Filter, Follow, create, exec, fetch, filter, force, load, logs, pull, remove, save,
    start, stop,
};
pub use resources::update;
pub use stats::{Sampling, stats};
pub use table::keys;
pub use teaching::{diagram, trace};
pub use wait_for::{Condition, WaitCondition, wait_condition};
