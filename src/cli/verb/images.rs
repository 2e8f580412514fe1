//! `load`, `save`, `tag` and `rmi`.

use std::io::IsTerminal as _;

use super::context::CommandContext;
use crate::cli::arguments::store::{LoadArguments, RmiArguments, SaveArguments, TagArguments};
use crate::cli::terminal::command_result::{CommandError, CommandResult, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::screen::Terminal;
use crate::engine::stream::{InputStream, OutputStream};
use crate::model::image::usage::RemoveImageOptions;
use crate::model::image::{Image, PullPolicy, Removed, SaveFormat, SaveOptions};
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

/// Carries out `load`.
///
/// # Errors
/// When the archive cannot be loaded.
pub fn load(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &LoadArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let platform = arguments.platform.as_ref();
    let loaded = match arguments.input.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => backend.load(path, platform, context.interruptible()?)?,
        None => {
            if std::io::stdin().is_terminal() {
                let message = "requested load from stdin, but stdin is a terminal";
                return Err(Error::new(Kind::Invalid, message)
                    .hint("name the archive with -i FILE, or redirect it: lifebox load < FILE")
                    .into());
            }
            let cancel = context.interruptible()?;
            let check = || cancel.check();
            backend.load_stream(&mut InputStream::stdin(&check), platform, cancel)?
        }
    };
    for image in loaded {
        for reference in &image.moved {
            let name = reference.familiar();
            terminal.line(format!(
                "The image {name} already exists, renaming the old one to empty string"
            ))?;
        }
        for tag in &image.tags {
            terminal.line(format!("Loaded image: {}", tag.familiar()))?;
        }
        if image.tags.is_empty() {
            terminal.line(format!("Loaded image ID: {}", image.id))?;
        }
    }
    Ok(0)
}

/// Carries out `save`.
///
/// # Errors
/// When the archive cannot be written.
pub fn save(context: &CommandContext, arguments: &SaveArguments) -> CommandResult {
    let compress = arguments.compress.as_deref().map(str::parse).transpose()?;
    let options = SaveOptions { format: arguments.format.parse()?, compress };
    let images: Vec<&str> = arguments.images.iter().map(String::as_str).collect();
    let backend = context.backend()?;
    check_platform(context, arguments.platform.as_ref(), &images)?;
    if let Some(path) = &arguments.output {
        backend.save(&images, &options, path, context.interruptible()?)?;
        return Ok(0);
    }
    let refuse = |why: &str| {
        Err(Error::new(Kind::Invalid, why)
            .hint("name a file with -o FILE, or redirect the output: lifebox save IMAGE > FILE"))
    };
    if options.format == SaveFormat::OciDirectory {
        return Ok(refuse("a directory can't be written to standard output")?);
    }
    if std::io::stdout().is_terminal() {
        return Ok(refuse("cowardly refusing to save to a terminal")?);
    }
    let cancel = context.interruptible()?;
    let check = || cancel.check();
    backend
        .save_stream(&images, &options, &mut OutputStream::stdout(&check), cancel)
        .map_err(CommandError::from_output)?;
    Ok(0)
}

/// Carries out `tag`.
///
/// # Errors
/// When there is no such image, or the reference is invalid.
pub fn tag(context: &CommandContext, arguments: &TagArguments) -> CommandResult {
    let reference: Reference = arguments.reference.parse()?;
    context.backend()?.tag(&arguments.image, &reference)?;
    Ok(0)
}

/// Carries out `rmi`. With `-f` a missing image is not an error.
///
/// # Errors
/// When the list of images or the output cannot be written.
pub fn rmi(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &RmiArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let options = RemoveImageOptions { force: arguments.force };
    let mut code = 0;
    let images: Vec<&str> = arguments.images.iter().map(String::as_str).collect();
    for platform in &arguments.platform {
        check_platform(context, Some(platform), &images)?;
    }
    for result in backend.rmi_each(&images, &options)? {
        match result {
            Ok(removed) => {
                for step in removed {
                    match step {
                        Removed::Untagged(reference) => {
                            terminal.line(format!("Untagged: {}", reference.familiar()))?;
                        }
                        Removed::Deleted(digest) => terminal.line(format!("Deleted: {digest}"))?,
                    }
                }
            }
            Err(error) if arguments.force && error.kind() == Kind::NotFound => {}
            Err(error) => {
                print_error(terminal, &error);
                code = FAILED;
            }
        }
    }
    Ok(code)
}

/// Refuses the platform of `--platform` where an image is for another: each image has one.
///
/// # Errors
/// [`Kind::NotFound`], in Docker's words.
pub fn check_platform(
    context: &CommandContext,
    platform: Option<&Platform>,
    images: &[&str],
) -> Result<()> {
    if platform.is_none() {
        return Ok(());
    }
    for name in images {
        let image = context.backend()?.image(name, PullPolicy::Never)?;
        fit_platform(&image, platform, |platform, _| {
            format!(
                "image with reference {name} was found but does not provide the specified \
                 platform ({platform})"
            )
        })?;
    }
    Ok(())
}

/// Refuses an image for another platform than `wanted`, if given. `why` gets that and the
/// image's own.
///
/// # Errors
/// [`Kind::NotFound`], in Docker's words.
pub fn fit_platform(
    image: &Image,
    wanted: Option<&Platform>,
    why: impl FnOnce(&Platform, &Platform) -> String,
) -> Result<()> {
    let own = image.platform();
    match wanted {
        Some(wanted) if !wanted.accepts(&own) => Err(Error::new(Kind::NotFound, why(wanted, &own))
            .hint(format!("write --platform {own}, or leave it out"))),
        _ => Ok(()),
    }
}
