//! The life cycle of a container as a diagram, in text and as SVG, drawn from the table of states.

mod layout;
mod svg;
mod text;

pub use layout::Position;
pub use svg::svg;
pub use text::{diagram, picture};
