//! How things look: model values become text. Pure; nothing here prints or asks the system.

pub mod anatomy;
pub mod cases;
pub mod columns;
pub mod deeds;
pub mod diagram;
pub mod docker;
pub mod error;
pub mod events;
pub mod expression;
pub mod history;
pub mod images;
pub mod info;
pub mod messages;
pub mod page;
pub mod progress;
pub mod ps;
pub mod report;
pub mod resources;
pub mod stats;
pub mod template;
pub mod usage;
pub mod volumes;
pub mod why;

pub use columns::page_of_text;

#[cfg(test)]
mod tests;
