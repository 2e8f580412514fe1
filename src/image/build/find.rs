//! Finds the sources of a `COPY`.

use rustix::fs::FileType;

use super::ignore::Ignore;
use super::pattern::{Pattern, is_pattern};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::layer::walk::{Tree, Visit, below, split};
use crate::image::tar::error::{escaped, lossy};
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The most files that a pattern may match.
const MAX_MATCHES: usize = 100_000;

/// A source: its path, its name as written, and its type.
pub(crate) struct Source {
    pub(crate) path: Vec<u8>,
    pub(crate) name: Vec<u8>,
    /// Its path as written, after `/./` where there is one.
    pub(crate) written: Vec<u8>,
    pub(crate) is_directory: bool,
}

/// Finds the files of a source of `COPY` in `tree`, in order; `literal` is for a name that is not a
/// pattern.
pub(crate) fn find(
    tree: &Tree<'_>,
    ignore: &Ignore,
    source: &str,
    literal: bool,
    check: CancelCheck<'_>,
) -> Result<Vec<Source>> {
    let mut found = vec![(Vec::new(), Vec::new(), Vec::new())];
    let left_out = source.rfind("/./").map_or(Ok(0), |at| parts(&source[..at]).map(|it| it.len()));
    let left_out = left_out?;
    for (number, part) in parts(source)?.into_iter().enumerate() {
        let mut next = Vec::new();
        for (holder, _, written) in &found {
            for name in matching(tree, holder, part, literal, check)? {
                // As if the tree were the whole file system: no link leads out of it.
                let written = if number < left_out { Vec::new() } else { below(written, &name) };
                next.push((tree.resolve(&below(holder, &name))?, name, written));
            }
        }
        if next.len() > MAX_MATCHES {
            let message = format!("`{source}` matches more than {MAX_MATCHES} files");
            return Err(Error::new(Kind::Invalid, message));
        }
        found = next;
    }
    let (mut sources, mut ignored) = (Vec::new(), ignore.paths());
    for (path, name, written) in found {
        let left_out = !path.is_empty() && ignored.leaves_out(&lossy(&path));
        let Some(node) = tree.find(&path)? else {
            let message = format!("`{}` is a dangling symbolic link", escaped(&name));
            return Err(Error::new(Kind::NotFound, message)
                .hint("copy its target into the build context: links do not lead out of it"));
        };
        let is_directory = fs::type_of(&node.attributes) == FileType::Directory;
        if !left_out || (is_directory && ignore.takes_back()) {
            sources.push(Source { path, name, written, is_directory });
        }
    }
    Ok(sources)
}

/// Returns the parts of a source. `..` takes back the part before, as text: as in Docker, a link is
/// not followed before.
fn parts(source: &str) -> Result<Vec<&str>> {
    let mut parts = Vec::new();
    for part in source.split('/').filter(|part| !matches!(*part, "" | ".")) {
        if part != ".." {
            parts.push(part);
        } else if parts.pop().is_none() {
            let message = format!("forbidden path outside the build context: {source}");
            return Err(Error::new(Kind::Invalid, message)
                .hint("copy the file into the build context first"));
        }
    }
    Ok(parts)
}

/// Returns the names in a directory that match a part of a path.
fn matching(
    tree: &Tree<'_>,
    holder: &[u8],
    part: &str,
    literal: bool,
    check: CancelCheck<'_>,
) -> Result<Vec<Vec<u8>>> {
    check()?;
    if literal || !is_pattern(part) {
        return Ok(tree
            .find(&below(holder, part.as_bytes()))?
            .map(|_| part.into())
            .into_iter()
            .collect());
    }
    let pattern = Pattern::new(part)?;
    let mut names = Vec::new();
    tree.walk(holder, &mut |node| {
        check()?;
        if node.path == holder {
            return Ok(Visit::Descend);
        }
        let name = split(&node.path).1;
        if pattern.matches(&lossy(name)) {
            names.push(name.to_vec());
        }
        Ok(Visit::Skip)
    })?;
    Ok(names)
}
