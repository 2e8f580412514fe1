//! `--format`: Go's templates (text/template) with the functions that Docker adds. Text is cut into
//! tokens, parsed to a tree, and evaluated with JSON as data.

mod evaluate;
mod functions;
mod lexer;
mod literal;
mod parser;
mod print;
mod syntax;
mod text;
mod types;
mod value;

#[cfg(test)]
mod tests;

pub use text::Template;
