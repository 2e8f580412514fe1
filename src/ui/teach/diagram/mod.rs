//! The life cycle of a container as a diagram, in text and as SVG, drawn from the table of states.

pub(crate) mod svg;
pub mod text;

pub use svg::svg;
pub use text::{diagram, picture};
