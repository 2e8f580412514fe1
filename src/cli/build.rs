//! `diff`, `commit`, `export`, `import`: containers as files, and images made of them.

use std::fs::File;
use std::io::{self, IsTerminal as _};

use super::build_arguments::{CommitArguments, DiffArguments, ExportArguments, ImportArguments};
use super::outcome::Outcome;
use super::screen::Screen;
use super::shell::Shell;
use crate::engine::write_whole;
use crate::model::build::{CommitOptions, ImportOptions, tag};
use crate::model::error::Context;
use crate::model::{Error, Kind};

/// `diff`
///
/// # Errors
/// Why the container can't be compared; so for all verbs of this file.
pub fn diff(shell: &Shell, screen: &mut Screen, arguments: &DiffArguments) -> Outcome {
    let backend = shell.backend()?;
    let changes = backend.diff(&backend.find(&arguments.container)?)?;
    for change in changes {
        screen.line(format!("{} {}", change.kind.letter(), change.path))?;
    }
    Ok(0)
}

/// `commit`
pub fn commit(shell: &Shell, screen: &mut Screen, arguments: &CommitArguments) -> Outcome {
    let backend = shell.backend()?;
    let reference = arguments.reference.as_deref().map(tag).transpose()?;
    let id = backend.find(&arguments.container)?;
    let options = CommitOptions {
        author: arguments.author.clone().unwrap_or_default(),
        message: arguments.message.clone().unwrap_or_default(),
        changes: arguments.change.clone(),
        pause: arguments.pause && !arguments.no_pause,
    };
    let image = backend.commit(&id, reference.as_ref(), &options, shell.interruptible()?)?;
    screen.line(image.id)?;
    Ok(0)
}

/// `export`
pub fn export(shell: &Shell, arguments: &ExportArguments) -> Outcome {
    let backend = shell.backend()?;
    let id = backend.find(&arguments.container)?;
    let cancel = shell.interruptible()?;
    match &arguments.output {
        Some(path) => write_whole(path, |out| backend.export(&id, out, cancel))?,
        None => {
            let mut out = io::stdout();
            if out.is_terminal() {
                let message = "cowardly refusing to save to a terminal";
                return Err(Error::new(Kind::Invalid, message)
                    .hint("use the -o flag or redirect")
                    .into());
            }
            backend.export(&id, &mut out, cancel)?;
        }
    }
    Ok(0)
}

/// `import`
pub fn import(shell: &Shell, screen: &mut Screen, arguments: &ImportArguments) -> Outcome {
    let backend = shell.backend()?;
    let source = arguments.source.as_str();
    if source.starts_with("http://") || source.starts_with("https://") {
        let message = format!("cannot import `{source}`: only files are read");
        return Err(Error::new(Kind::Unsupported, message)
            .hint(format!("curl -L {source} | lifebox import -"))
            .into());
    }
    let message = match &arguments.message {
        Some(message) => message.clone(),
        None => format!("Imported from {source}"),
    };
    let options = ImportOptions {
        reference: arguments.reference.as_deref().map(tag).transpose()?,
        message,
        changes: arguments.change.clone(),
        steps: Vec::new(),
        platform: arguments.platform.clone(),
    };
    let cancel = shell.interruptible()?;
    let image = if source == "-" {
        backend.import_tar(&mut io::stdin(), &options, cancel)
    } else {
        let mut file = File::open(source).context(|| format!("open `{source}`"))?;
        backend.import_tar(&mut file, &options, cancel)
    };
    let image = image.context(|| format!("cannot import `{source}`"))?;
    screen.line(image.id)?;
    Ok(0)
}
