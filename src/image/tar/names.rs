//! The names inside a layer: which are refused, and which are whiteouts.
//!
//! A name is bytes. It is split here once; nothing else in this room joins an untrusted
//! name to a path of ours.

use super::error::{corrupt, escaped};
use crate::model::Result;

const MAX_PATH: usize = 4096;
const MAX_NAME: usize = 255;
const MAX_DEPTH: usize = 256;

/// The meaning of the last component of an entry's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LastComponent<'a> {
    /// An entry of this name.
    Plain(&'a [u8]),
    /// `.wh.NAME`: hides the entry of this name in the layers below.
    Whiteout(&'a [u8]),
    /// `.wh..wh..opq`: hides everything that the layers below have in this directory.
    Opaque,
}

/// Splits a name into components. A leading `/` and every `.` are dropped, as in Docker; a
/// `..` is refused, not resolved, because no archiver has a reason to write one.
pub(crate) fn components(name: &[u8]) -> Result<Vec<&[u8]>> {
    let bad = |why: &str| Err(corrupt(format!("the name `{}` {why}", escaped(name))));
    if name.contains(&0) {
        return bad("contains a NUL");
    }
    if name.len() > MAX_PATH {
        return bad("is longer than 4096 bytes");
    }
    let parts: Vec<_> =
        name.split(|byte| *byte == b'/').filter(|part| !matches!(*part, b"" | b".")).collect();
    if parts.contains(&&b".."[..]) {
        return bad("contains `..`");
    }
    if parts.iter().any(|part| part.len() > MAX_NAME) {
        return bad("has a part of more than 255 bytes");
    }
    if parts.len() > MAX_DEPTH {
        return bad("is more than 256 directories deep");
    }
    Ok(parts)
}

/// Returns whether an entry is bookkeeping of AUFS, such as `.wh..wh.plnk`, which Docker skips.
pub(crate) fn is_bookkeeping(parts: &[&[u8]]) -> bool {
    let aufs = |part: &&[u8]| part.starts_with(b".wh..wh.");
    match parts.split_last() {
        Some((leaf, parents)) => {
            parents.iter().any(aufs) || (aufs(leaf) && *leaf != b".wh..wh..opq")
        }
        None => false,
    }
}

/// Splits parents and leaf of an entry that has a name.
pub(crate) fn split<'a, 'b>(parts: &'b [&'a [u8]]) -> Result<(LastComponent<'a>, &'b [&'a [u8]])> {
    let Some((leaf, parents)) = parts.split_last() else {
        return Err(corrupt("an entry has no name"));
    };
    if let Some(parent) = parents.iter().find(|part| part.starts_with(b".wh.")) {
        return Err(corrupt(format!("`{}` is a whiteout and a directory", escaped(parent))));
    }
    let leaf = match leaf.strip_prefix(b".wh.") {
        None => LastComponent::Plain(leaf),
        Some(b".wh..opq") => LastComponent::Opaque,
        // `.wh...` would remove the parent (containerd, validateWhiteout).
        Some(b"" | b"." | b"..") => {
            return Err(corrupt(format!("the whiteout `{}` hides no name", escaped(leaf))));
        }
        Some(hidden) => LastComponent::Whiteout(hidden),
    };
    Ok((leaf, parents))
}

/// Joins components to `a/b/c`.
pub(crate) fn join<T: AsRef<[u8]>>(parts: &[T]) -> Vec<u8> {
    let mut path = Vec::new();
    for part in parts {
        if !path.is_empty() {
            path.push(b'/');
        }
        path.extend_from_slice(part.as_ref());
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_relative_to_the_root() {
        for name in [&b"a/b"[..], b"/a/b", b"./a/b", b"//a/./b/", b"/./a//b"] {
            assert_eq!(components(name).unwrap(), [b"a", b"b"], "{}", escaped(name));
        }
        assert!(components(b"./").unwrap().is_empty());
        assert_eq!(components(b"\xff\xfe").unwrap(), [b"\xff\xfe"]);
    }

    #[test]
    fn names_that_lead_elsewhere_or_nowhere_are_refused() {
        let deep = vec!["d"; 257].join("/");
        let long = "n".repeat(256);
        let path = vec!["n".repeat(100); 41].join("/");
        for name in ["..", "a/../b", "../x", "/..", "a\0b", &deep, &long, &path] {
            assert!(components(name.as_bytes()).is_err(), "{name}");
        }
    }

    #[test]
    fn whiteouts_are_recognised_and_checked() {
        assert_eq!(split(&[b"a", b".wh.b"]).unwrap().0, LastComponent::Whiteout(b"b"));
        assert_eq!(split(&[b".wh..wh..opq"]).unwrap().0, LastComponent::Opaque);
        assert_eq!(split(&[b"wh.b"]).unwrap().0, LastComponent::Plain(b"wh.b"));
        for bad in [&b".wh."[..], b".wh..", b".wh..."] {
            assert!(split(&[bad]).is_err(), "{}", escaped(bad));
        }
        assert!(split(&[b".wh.a", b"b"]).is_err());
        assert!(is_bookkeeping(&[b".wh..wh.plnk", b"1.2"]));
        assert!(is_bookkeeping(&[b"a", b".wh..wh.aufs"]));
        assert!(!is_bookkeeping(&[b"a", b".wh..wh..opq"]));
    }
}
