//! Paths inside a container, as they read.

use std::path::{Component, Path, PathBuf};

/// An absolute path without `.` and `..`, as it reads.
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
