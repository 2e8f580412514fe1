//! Container creation as a pure function: the table of options, image and options merged into a
//! specification, and the inverse.

pub mod merge;
pub mod options;
pub mod overrides;
