//! Options: one table of keys, which the reader, `help` and completion share.
//!
//! A map is checked against its table before anything is read from it, so that a typing error is
//! named with the nearest key and never ignored.

mod build;
mod concurrency;
mod convert;
mod create;
mod events;
mod images;
mod parsed;
mod read;
mod stats;
mod table;
mod teaching;
mod update;
mod volumes;
mod wait_for;

pub use build::{build, commit, import};
pub use concurrency::{Retry, retry};
pub use create::{Create, create, create_option};
pub use events::{Watch, events, on, wrong_filter};
pub use images::{check_images, images, prune_images};

pub use read::{
    Filter, Follow, exec, fetch, filter, force, load, logs, pull, remove, save, start, stop,
};
pub use stats::{Sampling, stats};
pub use table::keys;
pub use teaching::{diagram, trace};
pub use update::update;
pub use volumes::{new_volume, prune_volumes, volumes};
pub use wait_for::{Condition, WaitCondition, wait_condition};
