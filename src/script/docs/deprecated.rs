//! Old names of functions, which scripts may still use.

/// The old names, each with the name that replaces it.
const DEPRECATED: &[(&str, &str)] = &[
    ("absolute", "absolute_path"),
    ("moves", "actions"),
    ("rmv", "remove_volume"),
    ("test::gone", "test::removed"),
];

/// Returns the name that replaces an old one; `None` if `name` is not deprecated.
pub fn replacement(name: &str) -> Option<&'static str> {
    DEPRECATED.iter().find(|(old, _)| *old == name).map(|(_, new)| *new)
}

/// Returns the name in use now of a function: `name` itself unless it is deprecated.
pub fn current_name(name: &str) -> &str {
    replacement(name).unwrap_or(name)
}
