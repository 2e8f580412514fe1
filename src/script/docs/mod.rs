//! The documentation of the language, read from the registered functions.

pub(super) mod function;

pub use function::{
    Function, ModuleDocs, Role, all, is_function, modules, of_part, ours, overview, page,
    properties,
};
