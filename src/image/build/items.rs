//! Copies the sources of a `COPY`, one after the other, to their destinations.

use serde_json::Value;

use super::copy::Copying;
use super::ignore::Ignore;
use super::opened::Opened;
use super::pattern::is_pattern;
use super::{configure, find};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::layer::overlay_view::Layer;
use crate::image::layer::walk::below;
use crate::image::layer::walk::{Form, Tree};
use crate::image::store::Store;
use crate::image::tar::error::lossy;
use crate::model::error::Context;
use crate::model::image::build::{CopyItem, CopySource, CopyStep};
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

impl Store {
    /// Copies the files of a step.
    pub(super) fn copy_step(
        &self,
        copying: &mut Copying<'_, '_>,
        document: &Value,
        copy: &CopyStep,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        match &copy.from {
            CopySource::Directory { path, ignore } => {
                let directory = Layer::Open(fs::open_dir(path)?);
                let tree = Tree::new(Form::Plain, vec![&directory]);
                let ignore = Ignore::new(ignore.iter().map(String::as_str))
                    .context(|| "cannot read `.dockerignore`".to_owned())?;
                copy_items(copying, document, copy, &tree, &ignore, check)
            }
            CopySource::Nothing => {
                let tree = Tree::new(Form::Plain, Vec::new());
                copy_items(copying, document, copy, &tree, &Ignore::default(), check)
            }
            CopySource::Image(id) => {
                let image = self.find(id)?;
                let opened = Opened { upper: None, lowers: self.lowers(&image.layers)? };
                let ignore = Ignore::default();
                copy_items(copying, document, copy, &opened.tree(), &ignore, check)
            }
        }
    }
}

/// A file with its name in the image: one of the tree, or a text that the step brings.
type Item<'a> = (Vec<u8>, Result<find::Source, &'a String>);

/// Returns the files that the sources of a step name.
fn sources<'a>(
    copy: &'a CopyStep,
    tree: &Tree<'_>,
    ignore: &Ignore,
    check: CancelCheck<'_>,
) -> Result<Vec<Item<'a>>> {
    let mut files = Vec::new();
    for item in &copy.sources {
        match item {
            CopyItem::Text { name, content } => {
                files.push((name.as_bytes().to_vec(), Err(content)))
            }
            CopyItem::Path(path) | CopyItem::Name(path) => {
                let literal = matches!(item, CopyItem::Name(_));
                let found = find::find(tree, ignore, path, literal, check)?;
                // As in Docker, of several sources a pattern may match nothing.
                if found.is_empty() && (literal || !is_pattern(path)) {
                    return Err(not_found(copy, path));
                }
                let name = |source: &find::Source| match copy.parents {
                    true => source.written.clone(),
                    false => source.name.clone(),
                };
                files.extend(found.into_iter().map(|source| (name(&source), Ok(source))));
            }
        }
    }
    if let (true, Some(CopyItem::Path(path) | CopyItem::Name(path))) =
        (files.is_empty(), copy.sources.first())
    {
        return Err(not_found(copy, path));
    }
    Ok(files)
}

/// Copies all sources of a step.
fn copy_items(
    copying: &mut Copying<'_, '_>,
    document: &Value,
    copy: &CopyStep,
    tree: &Tree<'_>,
    ignore: &Ignore,
    check: CancelCheck<'_>,
) -> Result<()> {
    let target = copying.resolve(&configure::absolute(document, &copy.to))?;
    let last = copy.to.rsplit('/').next().unwrap_or_default();
    let into = copy.parents || matches!(last, "" | "." | "..") || copying.is_directory(&target)?;
    let excluded = Ignore::new(copy.excludes.iter().map(String::as_str))
        .context(|| "cannot read --exclude".to_owned())?;
    let mut files = sources(copy, tree, ignore, check)?;
    files.retain(|(name, source)| {
        let is_file = source.as_ref().is_ok_and(|source| !source.is_directory);
        !(is_file && excluded.paths().leaves_out(&lossy(name)))
    });
    if files.len() > 1 && !into {
        let message = format!(
            "when using {} with more than one source file, the destination must be a directory \
             and end with a /",
            copy.verb
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    for (name, source) in files {
        let inside = if into { below(&target, &name) } else { target.clone() };
        match source {
            Err(text) => copying.text(&inside, text.as_bytes(), 0o644)?,
            Ok(source) if source.is_directory => {
                let to = if copy.parents { &inside } else { &target };
                let base = if copy.parents { &source.written[..] } else { b"" };
                let left_out = [(ignore, &source.path[..]), (&excluded, base)];
                copying.copy(tree, left_out, &source, to, check)?;
            }
            Ok(source) => {
                let file = tree.find(&source.path)?.filter(|_| copy.unpack);
                let file = file.map(|node| tree.open(&node)).transpose()?.flatten();
                let unpacked = match file {
                    Some(file) => copying.unpack(file, &target)?,
                    None => false,
                };
                if !unpacked {
                    let left_out = [(ignore, &source.path[..]), (&Ignore::default(), b"")];
                    copying.copy(tree, left_out, &source, &inside, check)?;
                }
            }
        }
    }
    Ok(())
}

fn not_found(copy: &CopyStep, path: &str) -> Error {
    let (place, hint) = match copy.from {
        CopySource::Directory { .. } => {
            ("the build context", "check `.dockerignore`, and links that lead out of the context")
        }
        CopySource::Nothing => {
            ("the build context: there is none", "name a directory: lifebox build DIRECTORY")
        }
        CopySource::Image(_) => ("the image", "write a path of the image in --from"),
    };
    Error::new(Kind::NotFound, format!("`{path}` is not in {place}")).hint(hint)
}
