//! Expressions as source text of the language. Quotes, backslashes and invisible characters in a
//! string are escaped, so that a hostile string stays a string.

mod text;

pub use text::{lines, quoted, text};
