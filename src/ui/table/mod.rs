//! Tables and listings with Docker's columns: containers, images, volumes, history, usage, events
//! and progress.

pub mod contexts;
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
