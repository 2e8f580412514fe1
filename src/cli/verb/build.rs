//! `build`, `commit`, `diff`, `export` and `import`.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::Arc;

use super::context::CommandContext;
use super::create::invalid_flag;
use crate::cli::arguments::build::{
    BuildArguments, BuildVerb, CommitArguments, DiffArguments, ExportArguments, FilesVerb,
    ImportArguments,
};
use crate::cli::terminal::command_result::{CommandError, CommandResult, FAILED};
use crate::cli::terminal::progress;
use crate::cli::terminal::screen::Terminal;
use crate::engine::stream::{InputStream, OutputStream};
use crate::engine::write_atomic;
use crate::model::error::Context;
use crate::model::image::build::{BuildOptions, CommitOptions, ImportOptions, tag};
use crate::model::observe::progress::{NoProgress, Progress};
use crate::model::value::visible::escape_line;
use crate::model::{Error, Kind};

/// Carries out a verb that creates images.
///
/// # Errors
/// The engine's errors, as for all verbs of this file.
pub fn create_image(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &BuildVerb,
) -> CommandResult {
    match verb {
        BuildVerb::Import(arguments) => import(context, terminal, arguments),
        BuildVerb::Build(arguments) => build(context, terminal, arguments),
    }
}

/// Carries out a verb of a container's files.
pub fn files_verb(
    context: &CommandContext,
    terminal: &mut Terminal,
    verb: &FilesVerb,
) -> CommandResult {
    match verb {
        FilesVerb::Diff(arguments) => diff(context, terminal, arguments),
        FilesVerb::Commit(arguments) => commit(context, terminal, arguments),
        FilesVerb::Export(arguments) => export(context, arguments),
    }
}

/// Carries out `diff`.
fn diff(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &DiffArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let changes = backend.diff(&backend.find(&arguments.container)?)?;
    for change in changes {
        terminal.line(format!("{} {}", change.kind.letter(), escape_line(&change.path)))?;
    }
    Ok(0)
}

/// Carries out `commit`.
fn commit(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &CommitArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let reference = arguments.reference.as_deref().map(tag).transpose()?;
    let id = backend.find(&arguments.container)?;
    let options = CommitOptions {
        author: arguments.author.clone().unwrap_or_default(),
        message: arguments.message.clone().unwrap_or_default(),
        changes: arguments.change.clone(),
        pause: arguments.pause && !arguments.no_pause,
    };
    let image = backend.commit(&id, reference.as_ref(), &options, context.interruptible()?)?;
    terminal.line(image.id)?;
    Ok(0)
}

/// Carries out `export`.
fn export(context: &CommandContext, arguments: &ExportArguments) -> CommandResult {
    let backend = context.backend()?;
    let id = backend.find(&arguments.container)?;
    let cancel = context.interruptible()?;
    let check = || cancel.check();
    match &arguments.output {
        Some(path) => write_atomic(path, &check, |out| backend.export(&id, out, cancel))?,
        None => {
            if io::stdout().is_terminal() {
                let message = "cowardly refusing to save to a terminal";
                return Err(Error::new(Kind::Invalid, message)
                    .hint("use the -o flag or redirect")
                    .into());
            }
            let mut out = OutputStream::stdout(&check);
            backend.export(&id, &mut out, cancel).map_err(CommandError::from_output)?;
        }
    }
    Ok(0)
}

/// Carries out `import`.
fn import(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &ImportArguments,
) -> CommandResult {
    let backend = context.backend()?;
    let source = arguments.source.as_str();
    if source.starts_with("http://") || source.starts_with("https://") {
        let message = format!("cannot import `{source}`: URLs are not supported");
        return Err(Error::new(Kind::Unsupported, message)
            .hint(format!("download it: curl -L {source} | lifebox import -"))
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
        platform: arguments.platform.as_deref().map(str::parse).transpose()?,
    };
    let cancel = context.interruptible()?;
    let check = || cancel.check();
    let mut archive = match source {
        "-" => InputStream::stdin(&check),
        path => InputStream::open(path.as_ref(), &check)?,
    };
    let image = backend.import_tar(&mut archive, &options, cancel);
    let image = image.context(|| format!("cannot import `{source}`"))?;
    terminal.line(image.id)?;
    Ok(0)
}

/// Carries out `build`. Progress goes to standard error, so that `-q` prints only the id.
fn build(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &BuildArguments,
) -> CommandResult {
    arguments.fixed.check().map_err(invalid_flag)?;
    let backend = context.backend()?;
    let place = arguments.context.as_str();
    let reads_stdin = arguments.file.as_deref().is_some_and(|file| file.as_os_str() == "-");
    if place.contains("://") || place.starts_with("git@") {
        let message = format!("cannot build `{place}`: only local directories are supported");
        return Err(Error::new(Kind::Unsupported, message)
            .hint("download it and name its directory")
            .into());
    }
    if place == "-" && reads_stdin {
        let message = "invalid argument: can't use stdin for both build context and dockerfile";
        return Err(Error::new(Kind::Invalid, message).into());
    }
    let pairs = |list: &[String]| list.iter().map(|text| pair(text)).collect::<Vec<_>>();
    let options = BuildOptions {
        file: arguments.file.clone().filter(|_| !reads_stdin),
        text: if place == "-" || reads_stdin { Some(dockerfile_of_stdin()?) } else { None },
        tags: arguments.tag.iter().map(|text| tag(text)).collect::<Result<_, _>>()?,
        arguments: pairs(&arguments.build_arg),
        labels: pairs(&arguments.label),
        target: arguments.target.clone(),
        no_cache: arguments.no_cache,
        pull: arguments.pull,
        output_visible: !arguments.quiet,
    };
    let directory = (place != "-").then(|| Path::new(place));
    let cancel = context.interruptible()?;
    let silent: Arc<dyn Progress> = Arc::new(NoProgress);
    // As Docker: the exit code of the command that failed.
    let failed = |error: Error| {
        let code = error.exit_code().unwrap_or(FAILED);
        CommandError::Failed(error, code)
    };
    let image = if arguments.quiet {
        let built = backend.build(directory, &options, &silent, &mut io::sink(), cancel);
        let image = built.map_err(failed)?;
        terminal.line(&image.id)?;
        image
    } else {
        let progress = progress::on_stderr(cancel);
        let built = backend.build(directory, &options, &progress, &mut terminal.err()?, cancel);
        built.map_err(failed)?
    };
    if let Some(path) = &arguments.iidfile {
        write_atomic(path, &|| cancel.check(), |out| {
            out.write_all(image.id.as_str().as_bytes()).context(|| "write the id".to_owned())
        })?;
    }
    Ok(0)
}

/// Splits `KEY=VALUE`. `KEY` alone takes the caller's value, as with Docker.
fn pair(text: &str) -> (String, String) {
    match text.split_once('=') {
        Some((key, value)) => (key.to_owned(), value.to_owned()),
        None => (text.to_owned(), std::env::var(text).unwrap_or_default()),
    }
}

fn dockerfile_of_stdin() -> Result<String, Error> {
    const LIMIT: u64 = 4 << 20;
    let mut bytes = Vec::new();
    io::stdin().take(LIMIT).read_to_end(&mut bytes).context(|| "read the Dockerfile".to_owned())?;
    let tar = bytes.get(257..262) == Some(b"ustar");
    if tar || bytes.starts_with(b"\x1f\x8b") {
        let message = "a build context in an archive is not supported";
        return Err(Error::new(Kind::Unsupported, message)
            .hint("unpack it and name the directory; `-` reads only a Dockerfile"));
    }
    String::from_utf8(bytes)
        .map_err(|_| Error::new(Kind::Invalid, "the Dockerfile on standard input is not UTF-8"))
}
