//! `build --output`: where the result of a build goes besides the store, or instead of it.

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;

use super::context::CommandContext;
use crate::cli::terminal::command_result::CommandError;
use crate::engine::stream::OutputStream;
use crate::engine::write_atomic;
use crate::engine::{CancelToken, RootTarget};
use crate::model::image::build::tag;
use crate::model::image::{Image, SaveFormat, SaveOptions};
use crate::model::value::reference::Reference;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// One `--output`.
#[derive(Debug, PartialEq)]
pub(super) enum BuildOutput {
    /// The store, under more names.
    Store(Vec<Reference>),
    /// No place: the build is only a test.
    Nowhere,
    /// The files, into a directory.
    Directory(PathBuf),
    /// The files, as a tar; `None` is standard output.
    Tar(Option<PathBuf>),
    /// The image, as an archive; `None` is standard output.
    Archive(SaveFormat, Option<PathBuf>),
}

impl BuildOutput {
    /// Reads all of them; none is the store.
    pub(super) fn parse_all(texts: &[String]) -> Result<Vec<Self>> {
        if texts.is_empty() {
            return Ok(vec![BuildOutput::Store(Vec::new())]);
        }
        let outputs: Vec<_> = texts.iter().map(|text| Self::parse(text)).collect::<Result<_>>()?;
        let to_stdout = outputs.iter().filter(|output| output.takes_stdout()).count();
        if to_stdout > 1 {
            let message = "several values of --output are for standard output";
            return Err(Error::new(Kind::Invalid, message).hint("add dest=FILE to all but one"));
        }
        if to_stdout == 1 && io::stdout().is_terminal() {
            let message = "dest file is required: refusing to write to a terminal";
            return Err(Error::new(Kind::Invalid, message)
                .hint("add dest=FILE, or redirect standard output to a file"));
        }
        Ok(outputs)
    }

    fn parse(text: &str) -> Result<Self> {
        // As buildx: what is not a list of fields is a directory.
        match text {
            "-" => return Ok(BuildOutput::Tar(None)),
            path if !path.is_empty() && !path.contains(',') && !path.starts_with("type=") => {
                return Ok(BuildOutput::Directory(path.into()));
            }
            _ => {}
        }
        let shown = visible::short(text);
        let (mut kind, mut path, mut names) = (None, None, Vec::new());
        for field in text.split(',') {
            match field.split_once('=') {
                Some(("type", value)) => kind = Some(value),
                Some(("dest", value)) => path = Some(value),
                Some(("name", value)) => names.push(tag(value)?),
                Some(("push", "false") | ("tar", "true")) => {}
                _ => {
                    let message = format!(
                        "the field `{}` of --output is not supported",
                        visible::short(field)
                    );
                    return Err(Error::new(Kind::Unsupported, message).hint(
                        "write --output DIR, or --output type=tar,dest=FILE; to push, \
                         lifebox push NAME:TAG",
                    ));
                }
            }
        }
        let file = path.filter(|path| !path.is_empty() && *path != "-").map(PathBuf::from);
        match (kind, path) {
            (Some("local"), _) => file.map(BuildOutput::Directory).ok_or_else(|| {
                let message = format!("--output {shown} has no directory");
                Error::new(Kind::Invalid, message).hint("write --output type=local,dest=DIR")
            }),
            (Some("tar"), _) => Ok(BuildOutput::Tar(file)),
            (Some("docker"), Some(_)) => Ok(BuildOutput::Archive(SaveFormat::Docker, file)),
            (Some("oci"), _) => Ok(BuildOutput::Archive(SaveFormat::Oci, file)),
            (Some("docker" | "image"), None) => Ok(BuildOutput::Store(names)),
            (Some("cacheonly"), None) => Ok(BuildOutput::Nowhere),
            _ => Err(Error::new(Kind::Unsupported, format!("--output {shown} is not supported"))
                .hint("use type=local, tar, docker or oci with dest=PATH")),
        }
    }

    /// Whether the image is kept in the store: its archive has the names that it has there.
    pub(super) fn is_in_store(&self) -> bool {
        matches!(self, BuildOutput::Store(_) | BuildOutput::Archive(..))
    }

    /// Whether it is written to standard output.
    pub(super) fn takes_stdout(&self) -> bool {
        matches!(self, BuildOutput::Tar(None) | BuildOutput::Archive(_, None))
    }

    /// Returns the names of the image besides those of `--tag`.
    pub(super) fn names(&self) -> &[Reference] {
        if let BuildOutput::Store(names) = self { names } else { &[] }
    }
}

/// Writes an image as each output says.
pub(super) fn write(
    context: &CommandContext,
    outputs: &[BuildOutput],
    image: &Image,
    tags: &[Reference],
) -> std::result::Result<(), CommandError> {
    let backend = context.backend()?;
    let cancel = context.interruptible()?;
    let id = image.id.as_str();
    let mut names: Vec<String> = tags.iter().map(Reference::familiar).collect();
    if names.is_empty() {
        names.push(id.to_owned());
    }
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let check = || cancel.check();
    let root = |out: &mut dyn io::Write, cancel: &CancelToken| {
        backend.write_root(id, RootTarget::Tar(out), cancel)
    };
    for output in outputs {
        match output {
            BuildOutput::Store(_) | BuildOutput::Nowhere => {}
            BuildOutput::Directory(path) => {
                backend.write_root(id, RootTarget::Directory(path), cancel)?;
            }
            BuildOutput::Tar(Some(path)) => write_atomic(path, &check, |out| root(out, cancel))?,
            BuildOutput::Tar(None) => {
                let mut out = OutputStream::stdout(&check);
                root(&mut out, cancel).map_err(CommandError::from_output)?;
            }
            BuildOutput::Archive(format, path) => {
                let options = SaveOptions { format: *format, compress: None };
                match path {
                    Some(path) => backend.save(&names, &options, path, cancel)?,
                    None => {
                        let mut out = OutputStream::stdout(&check);
                        let saved = backend.save_stream(&names, &options, &mut out, cancel);
                        saved.map_err(CommandError::from_output)?;
                    }
                }
            }
        }
    }
    Ok(())
}
