//! `build`, `commit`, `diff`, `export` and `import`.

use std::io::{self, IsTerminal as _, Read as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::Arc;

use super::build_output::{self, BuildOutput};
use super::client_config::{ClientConfig, platform};
use super::context::CommandContext;
use super::create::invalid_flag;
use super::environment;
use crate::cli::arguments::InvalidFlag;
use crate::cli::arguments::build::{
    BuildArguments, BuildVerb, CommitArguments, DiffArguments, ExportArguments, FilesVerb,
    ImportArguments,
};
use crate::cli::terminal::command_result::{CommandError, CommandResult, ENGINE_FAILED, FAILED};
use crate::cli::terminal::progress;
use crate::cli::terminal::screen::Terminal;
use crate::engine::stream::{InputStream, OutputStream};
use crate::engine::write_atomic;
use crate::model::container::options::EnvEntry;
use crate::model::error::Context;
use crate::model::error::credentials;
use crate::model::image::build::{BuildOptions, BuildSecret, CommitOptions, ImportOptions, tag};
use crate::model::observe::progress::{NoProgress, Progress};
use crate::model::value::visible::{self, escape_line};
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
        platform: platform(arguments.platform.as_deref())?,
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
///
/// # Errors
/// As [`create_image`].
pub fn build(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &BuildArguments,
) -> CommandResult {
    arguments.fixed.check(platform(None)?.as_ref()).map_err(invalid_flag)?;
    let outputs = BuildOutput::parse_all(&arguments.output)?;
    let quiet = is_quiet(arguments)?;
    check_names(arguments).map_err(invalid_flag)?;
    let backend = context.backend()?;
    let place = arguments.context.as_str();
    check_place(place)?;
    let cancel = context.interruptible()?;
    let check = || cancel.check();
    let (text, archive) = match of_stdin(arguments, &check)? {
        Some(Stdin::Dockerfile(text)) => (Some(text), None),
        Some(Stdin::Archive(archive)) => (None, Some(archive)),
        None => (None, None),
    };
    let tags = arguments.tag.iter().map(|text| tag(text)).collect::<Result<Vec<_>, _>>();
    let mut tags = tags.map_err(CommandError::with_code(ENGINE_FAILED))?;
    tags.extend(outputs.iter().flat_map(BuildOutput::names).cloned());
    let options = BuildOptions {
        file: arguments.file.clone().filter(|file| text.is_none() && !file.as_os_str().is_empty()),
        text,
        tags,
        arguments: build_arguments(&arguments.build_arg, context.config(terminal))?,
        labels: arguments.label.iter().map(|text| label(text)).collect(),
        target: arguments.target.clone(),
        no_cache: arguments.no_cache,
        pull: arguments.pull,
        run: arguments.run.options().map_err(invalid_flag)?,
        secrets: secrets(&arguments.secret, &check)?,
        unlisted: !outputs.iter().any(BuildOutput::is_in_store),
        output_visible: !quiet,
    };
    let directory = (place != "-").then(|| Path::new(place));
    let progress: Arc<dyn Progress> = match quiet {
        true => Arc::new(NoProgress),
        false => progress::on_stderr(cancel),
    };
    let mut silent = io::sink();
    let mut shown = terminal.err()?;
    let out: &mut dyn io::Write = if quiet { &mut silent } else { &mut shown };
    let built = match archive {
        Some(mut archive) => backend.build_archive(&mut archive, &options, &progress, out, cancel),
        None => backend.build(directory, &options, &progress, out, cancel),
    };
    // As Docker: the exit code of the command that failed.
    let image = built.map_err(|error: Error| {
        let code = error.exit_code().unwrap_or(FAILED);
        CommandError::Failed(error, code)
    })?;
    build_output::write(context, &outputs, &image, &options.tags)?;
    if quiet && !outputs.iter().any(BuildOutput::takes_stdout) {
        terminal.line(&image.id)?;
    }
    if let Some(path) = arguments.iidfile.as_ref().filter(|path| !path.as_os_str().is_empty()) {
        write_atomic(path, &|| cancel.check(), |out| {
            out.write_all(image.id.as_str().as_bytes()).context(|| "write the id".to_owned())
        })?;
    }
    Ok(0)
}

/// Refuses build arguments and labels without a name.
fn check_names(arguments: &BuildArguments) -> Result<(), InvalidFlag> {
    for (flag, list) in [("build-arg", &arguments.build_arg), ("label", &arguments.label)] {
        let nameless = list.iter().find(|text| text.is_empty() || text.starts_with('='));
        if let Some(text) = nameless {
            let message = format!("invalid argument `{text}` for `--{flag}`: the name is empty");
            let error = Error::new(Kind::Invalid, message).hint("write KEY=VALUE");
            return Err(InvalidFlag { error, by_client: true });
        }
    }
    Ok(())
}

/// Reads what standard input has of a build: its context, or its Dockerfile.
fn of_stdin<'a>(
    arguments: &BuildArguments,
    check: &'a (dyn Fn() -> Result<(), Error> + Sync),
) -> Result<Option<Stdin<'a>>, Error> {
    let is_context = arguments.context == "-";
    let is_file = arguments.file.as_deref().is_some_and(|file| file.as_os_str() == "-");
    if is_context && is_file {
        let message = "invalid argument: can't use stdin for both build context and dockerfile";
        return Err(Error::new(Kind::Invalid, message));
    }
    match (is_context || is_file).then(|| Stdin::read(check)).transpose()? {
        Some(Stdin::Archive(_)) if is_file => {
            let message = "the Dockerfile on standard input is an archive";
            Err(Error::new(Kind::Invalid, message)
                .hint("write `-` in place of the directory: lifebox build -"))
        }
        read => Ok(read),
    }
}

/// Returns whether only the id is printed: with `-q`, and with `--progress quiet`.
fn is_quiet(arguments: &BuildArguments) -> Result<bool, Error> {
    match arguments.progress.as_deref() {
        Some("quiet") => Ok(true),
        Some(other) if arguments.quiet && other != "auto" => {
            let message = format!("progress={other} and quiet cannot be used together");
            Err(Error::new(Kind::Invalid, message).hint("leave out -q or --progress"))
        }
        _ => Ok(arguments.quiet),
    }
}

/// Returns the build arguments: the proxies of `config.json`, then those given. `KEY` alone takes
/// the caller's value; without one the Dockerfile's stays.
fn build_arguments(
    flags: &[String],
    config: &ClientConfig,
) -> Result<Vec<(String, String)>, Error> {
    let given = environment::of_flags(flags)?;
    let all = config.proxies_beside(&given).into_iter().chain(given);
    let set = all.filter_map(|entry| match entry {
        EnvEntry::Set { key, value } => Some((key, value)),
        EnvEntry::Unset { .. } => None,
    });
    Ok(set.collect())
}

/// Returns the key and the value of a label; a key alone has an empty value.
fn label(text: &str) -> (String, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key.to_owned(), value.to_owned())
}

/// Refuses contexts that are neither a directory nor `-`.
fn check_place(place: &str) -> Result<(), Error> {
    let git = place.starts_with("git@") || place.starts_with("git://") || place.ends_with(".git");
    let is_there = Path::new(place).exists();
    let remote = place.contains("://") || git || place.starts_with("github.com/");
    if !remote || is_there {
        return Ok(());
    }
    let shown = credentials::mask(place);
    let message = format!("cannot build `{shown}`: only local directories are supported");
    let hint = match git || place.contains("github.com/") {
        true => "clone it and build the directory: git clone URL DIR && lifebox build DIR",
        false => "download it: curl -L URL | lifebox build -",
    };
    Err(Error::new(Kind::Unsupported, message).hint(hint))
}

/// What standard input brings for a build.
enum Stdin<'a> {
    Dockerfile(String),
    /// A tar archive, plain or compressed.
    Archive(Box<dyn io::Read + Send + 'a>),
}

impl<'a> Stdin<'a> {
    fn read(check: &'a (dyn Fn() -> Result<(), Error> + Sync)) -> Result<Self, Error> {
        const LIMIT: u64 = 4 << 20;
        const BLOCK: u64 = 512;
        let what = || "read the Dockerfile".to_owned();
        let mut stdin = InputStream::stdin(check);
        let mut bytes = Vec::new();
        stdin.by_ref().take(BLOCK).read_to_end(&mut bytes).context(what)?;
        if is_archive(&bytes) {
            return Ok(Stdin::Archive(Box::new(io::Cursor::new(bytes).chain(stdin))));
        }
        stdin.take(LIMIT).read_to_end(&mut bytes).context(what)?;
        let text = String::from_utf8(bytes);
        text.map(Stdin::Dockerfile)
            .map_err(|_| Error::new(Kind::Invalid, "the Dockerfile on standard input is not UTF-8"))
    }
}

/// Returns whether an input that begins so is a tar, plain or compressed: no text has a zero byte.
fn is_archive(start: &[u8]) -> bool {
    let magics: [&[u8]; 4] = [b"\x1f\x8b", b"\xfd7zXZ\0", b"BZh", b"\x28\xb5\x2f\xfd"];
    start.contains(&0) || magics.iter().any(|magic| start.starts_with(magic))
}

/// Reads the secrets of `--secret`.
fn secrets(
    texts: &[String],
    check: &(dyn Fn() -> Result<(), Error> + Sync),
) -> Result<Vec<BuildSecret>, Error> {
    /// As in BuildKit.
    const LIMIT: u64 = 500 << 10;
    let mut secrets = Vec::new();
    for text in texts {
        let (mut id, mut file, mut variable, mut is_variable) = (None, None, None, false);
        for field in text.split(',') {
            match field.split_once('=') {
                Some(("id", value)) => id = Some(value.to_owned()),
                Some(("src" | "source", value)) => file = Some(value.to_owned()),
                Some(("env", value)) => variable = Some(value.to_owned()),
                Some(("type", kind @ ("file" | "env"))) => is_variable = kind == "env",
                _ => {
                    let message = format!("invalid field in --secret: {}", visible::short(field));
                    return Err(Error::new(Kind::Invalid, message)
                        .hint("write --secret id=ID,src=FILE or --secret id=ID,env=NAME"));
                }
            }
        }
        // As with buildx, which has one field for both.
        if is_variable && variable.is_none() {
            variable = file.take();
        }
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(Kind::Invalid, "--secret needs an id").hint("write --secret id=ID,src=FILE")
        })?;
        // As with buildx: an id alone is a variable of the caller, or else a file.
        if file.is_none() && variable.is_none() && std::env::var_os(&id).is_some() {
            variable = Some(id.clone());
        }
        let content = match (variable, file) {
            (Some(name), _) => std::env::var_os(&name).map(|value| value.as_bytes().to_vec()),
            (None, file) => {
                let path = file.unwrap_or_else(|| id.clone());
                let what = || format!("cannot read the secret `{}`", visible::short(&id));
                let mut content = Vec::new();
                let stream = InputStream::open(path.as_ref(), check).context(what)?;
                stream.take(LIMIT + 1).read_to_end(&mut content).context(what)?;
                if content.len() as u64 > LIMIT {
                    return Err(
                        Error::new(Kind::Refused, what()).cause("it is longer than 500 KiB")
                    );
                }
                Some(content)
            }
        };
        secrets.extend(content.map(|content| BuildSecret { id, content }));
    }
    Ok(secrets)
}
