//! The documentation of the language, read from the registered functions.

pub(super) mod function;

pub use function::{
    Function, ModuleDocs, Role, all_functions, help_index, help_page, is_function,
    module_functions, modules, own_functions, properties,
};
