//! The names of the modules that lifebox brings, as errors and reports show them: `std:wait`.

/// What errors and reports call the module of this name.
pub fn source(name: &str) -> String {
    format!("{SCHEME}{name}")
}

/// How the sources of these modules begin. No path does.
const SCHEME: &str = "std:";

/// Whether a source is one of these modules.
pub fn is_source(name: &str) -> bool {
    name.starts_with(SCHEME)
}
