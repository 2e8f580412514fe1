//! Errors of the language: explained, normalized where a script catches them, and drawn.

pub(super) mod caught;
pub(super) mod explain;
pub(super) mod render;
mod rhai_text;
pub(super) mod words;
