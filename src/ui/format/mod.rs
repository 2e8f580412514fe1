//! Formatting of text: aligned columns, and the Go templates of `--format`.

pub mod columns;
pub mod template;
