//! Lexical paths inside a container.

use std::path::{Component, Path, PathBuf};

/// Returns an absolute path without `.` and `..`, without following links.
pub(in crate::engine) fn lexical(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => {
                clean.pop();
            }
            _ => {}
        }
    }
    clean
}
