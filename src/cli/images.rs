//! `load` and `rmi`.

use std::io::IsTerminal as _;

use super::arguments::{LoadArguments, RmiArguments};
use super::outcome::{FAILED, Outcome, complain};
use super::screen::Screen;
use super::shell::Shell;
use crate::model::image::Removed;
use crate::model::platform::Platform;
use crate::model::{Error, Kind};

/// `load`
///
/// # Errors
/// Why the archive was not taken.
pub fn load(shell: &Shell, screen: &mut Screen, arguments: &LoadArguments) -> Outcome {
    let backend = shell.backend()?;
    let platform = arguments.platform.clone().unwrap_or_else(Platform::host);
    let loaded = match arguments.input.as_deref().filter(|path| path.as_os_str() != "-") {
        Some(path) => backend.load(path, &platform, shell.interruptible()?)?,
        None => {
            let mut stdin = std::io::stdin();
            if stdin.is_terminal() {
                let message = "requested load from stdin, but stdin is a terminal";
                return Err(Error::new(Kind::Invalid, message)
                    .hint("name the archive with -i FILE, or redirect it: lifebox load < FILE")
                    .into());
            }
            backend.load_stream(&mut stdin, &platform, shell.interruptible()?)?
        }
    };
    for image in loaded {
        for reference in &image.moved {
            let name = reference.familiar();
            screen.line(format!(
                "The image {name} already exists, renaming the old one to empty string"
            ))?;
        }
        for tag in &image.tags {
            screen.line(format!("Loaded image: {}", tag.familiar()))?;
        }
        if image.tags.is_empty() {
            screen.line(format!("Loaded image ID: {}", image.id))?;
        }
    }
    Ok(0)
}

/// `rmi`. With `-f` an image that is not there is what was wanted.
///
/// # Errors
/// When the output can't be written.
pub fn rmi(shell: &Shell, screen: &mut Screen, arguments: &RmiArguments) -> Outcome {
    let backend = shell.backend()?;
    let mut code = 0;
    for image in &arguments.images {
        match backend.rmi(image, arguments.force) {
            Ok(removed) => {
                for step in removed {
                    match step {
                        Removed::Untagged(reference) => {
                            screen.line(format!("Untagged: {}", reference.familiar()))?;
                        }
                        Removed::Deleted(digest) => screen.line(format!("Deleted: {digest}"))?,
                    }
                }
            }
            Err(error) if arguments.force && error.kind() == Kind::NotFound => {}
            Err(error) => {
                complain(screen, &error);
                code = FAILED;
            }
        }
    }
    Ok(code)
}
