//! The documentation of the language, read from the registered functions.

mod deprecated;
mod function;
mod library;
mod pages;

pub use deprecated::{current_name, replacement};
#[cfg(test)]
pub use function::first_paragraph;
pub use function::{Function, Role, module_functions};
pub use library::{ApiModule, Library, ModuleDocs, StdModule};
pub use pages::{help_index, help_page};
