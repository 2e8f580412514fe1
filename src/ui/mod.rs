//! Turns values of the model into text. Pure: nothing here prints or calls the system.

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
