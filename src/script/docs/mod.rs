//! The documentation of the language, read from the registered functions.

mod function;
mod library;
mod pages;

#[cfg(test)]
pub use function::first_paragraph;
pub use function::{Function, Role, module_functions};
pub use library::{ApiModule, Library, ModuleDocs, StdModule};
pub use pages::{help_index, help_page};
