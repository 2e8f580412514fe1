//! Container creation as a pure function: image and options merged into a specification, and the
//! inverse.

pub mod merge;
pub mod overrides;
