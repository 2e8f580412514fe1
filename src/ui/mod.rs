//! How things look: model values become text. Pure; nothing here prints or asks the system.

pub mod cases;
pub mod columns;
pub mod error;
pub mod events;
pub mod history;
pub mod images;
pub mod info;
pub mod progress;
pub mod ps;
pub mod report;
pub mod stats;
pub mod template;
pub mod usage;
pub mod volumes;
