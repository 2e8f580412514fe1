//! Tables and listings: containers, images, volumes, history, usage, events and progress, with Docker's columns.

pub mod events;
pub mod history;
pub mod images;
pub mod info;
pub mod progress;
pub mod ps;
pub mod resources;
pub mod stats;
pub mod usage;
pub mod volumes;
