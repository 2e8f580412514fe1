//! How things look: model values become text. Pure; nothing here prints or asks the system.

pub mod docker;
pub mod error;
pub mod expression;
pub mod format;
pub mod messages;
pub mod page;
pub mod report;
pub mod table;
pub mod teach;

pub use format::columns::page_of_text;
