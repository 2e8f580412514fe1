//! The log of a container: writing, rotating and reading it.

mod gap;
mod line;
pub(super) mod line_reader;
pub mod reader;
pub(super) mod rotation;
pub(super) mod segment;
pub mod writer;

pub use writer::Writer;
