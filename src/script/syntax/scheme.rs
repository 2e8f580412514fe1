//! The names of the standard modules in errors and reports: `std:wait`.

/// Returns the name of a module in errors and reports.
pub fn source(name: &str) -> String {
    format!("{SCHEME}{name}")
}

/// The prefix of these names, with which no path begins.
const SCHEME: &str = "std:";

/// Returns the module of a source; `None` if the source is not a standard module.
pub fn module(source: &str) -> Option<&str> {
    source.strip_prefix(SCHEME)
}

/// Returns whether a source is a standard module.
pub fn is_source(name: &str) -> bool {
    name.starts_with(SCHEME)
}
