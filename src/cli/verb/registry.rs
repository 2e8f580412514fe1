//! `pull`, `push`, `login` and `logout`.

use std::io::{IsTerminal as _, Read as _};
use std::sync::Arc;

use super::client_config::platform;
use super::context::CommandContext;
use super::create::invalid_flag;
use super::images::check_platform;
use crate::cli::arguments::registry::{
    LoginArguments, LogoutArguments, PullArguments, PushArguments,
};
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::cli::terminal::{progress, prompt};
use crate::engine::Backend;
use crate::model::error::Context as _;
use crate::model::error::credentials;
use crate::model::observe::progress::{NoProgress, Progress, PullOptions};
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::ui::table::progress::default_tag;

/// The maximum length of a password on standard input.
const MAX_PASSWORD: u64 = 64 * 1024;

/// Carries out `pull`.
///
/// # Errors
/// When the image cannot be pulled.
pub fn pull(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PullArguments,
) -> CommandResult {
    arguments.trust.check().map_err(invalid_flag)?;
    let (typed, quiet) = (arguments.reference.as_str(), arguments.quiet);
    let named = match arguments.all_tags {
        true => whole_repository(typed)?,
        false => typed.parse()?,
    };
    let platform = platform(arguments.platform.as_deref())?;
    let options = PullOptions { platform, access: arguments.transport.access() };
    let (backend, cancel) = (context.backend()?, context.interruptible()?);
    let references = match arguments.all_tags {
        true => backend.tags(&named, options.access, cancel)?,
        false => vec![named.clone()],
    };
    let shown = shown(&named, arguments.all_tags);
    let mut newer = false;
    for reference in &references {
        let progress =
            progress_output(context, terminal, quiet, (typed, arguments.all_tags), reference)?;
        let pulled = backend.pull(reference, &options, &progress, cancel)?;
        newer |= pulled.newer;
        if !quiet {
            terminal.line(format!("Digest: {}", pulled.digest))?;
        }
    }
    if !quiet && !references.is_empty() {
        let what = if newer { "Downloaded newer image" } else { "Image is up to date" };
        terminal.line(format!("Status: {what} for {}", shown.0))?;
    }
    terminal.line(shown.1)?;
    Ok(0)
}

/// Returns what is printed of a reference, or with `-a` of its repository: as users write it, and
/// whole.
fn shown(named: &Reference, all_tags: bool) -> (String, String) {
    match all_tags {
        true => (named.repository(), format!("{}/{}", named.domain(), named.path())),
        false => (named.familiar(), named.to_string()),
    }
}

/// Reads a name without tag and digest, as `-a` needs it.
fn whole_repository(typed: &str) -> Result<Reference> {
    let reference: Reference = typed.parse()?;
    // A name alone can be given a tag.
    match format!("{typed}:latest").parse::<Reference>() {
        Ok(named) if named == reference => Ok(reference),
        _ => Err(Error::new(Kind::Invalid, "tag can't be used with --all-tags/-a")
            .hint(format!("write the repository alone: {}", reference.repository()))),
    }
}

/// Carries out `push`.
///
/// # Errors
/// When the image cannot be pushed.
pub fn push(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &PushArguments,
) -> CommandResult {
    arguments.trust.check().map_err(invalid_flag)?;
    let (typed, quiet) = (arguments.reference.as_str(), arguments.quiet);
    let named = match arguments.all_tags {
        true => whole_repository(typed)?,
        false => typed.parse()?,
    };
    let (backend, cancel) = (context.backend()?, context.interruptible()?);
    let shown = shown(&named, arguments.all_tags);
    let references = match arguments.all_tags {
        true => local_tags(backend.as_ref(), &named)?,
        false => vec![named],
    };
    let access = arguments.transport.access();
    for reference in &references {
        let familiar = reference.familiar();
        check_platform(context, arguments.platform.as_ref(), &[familiar.as_str()])?;
        let progress =
            progress_output(context, terminal, quiet, (typed, arguments.all_tags), reference)?;
        let pushed = backend.push(&familiar, reference, access, &progress, cancel)?;
        if !quiet {
            let tag = reference.tag().unwrap_or_default();
            terminal.line(format!("{tag}: digest: {} size: {}", pushed.digest, pushed.size))?;
        }
    }
    if quiet {
        terminal.line(shown.1)?;
    }
    Ok(0)
}

/// Returns the local tags of a repository, sorted.
fn local_tags(backend: &dyn Backend, repository: &Reference) -> Result<Vec<Reference>> {
    let name = repository.repository();
    let images = backend.images()?.into_iter();
    let mut tags: Vec<Reference> =
        images.flat_map(|image| image.tags).filter(|tag| tag.repository() == name).collect();
    tags.sort();
    match tags.is_empty() {
        true => Err(Error::new(
            Kind::NotFound,
            format!("an image does not exist locally with the tag: {name}"),
        )
        .hint(format!("tag one: lifebox tag IMAGE {name}:TAG"))),
        false => Ok(tags),
    }
}

/// Prints the lines before the progress, and returns where progress is shown.
fn progress_output(
    context: &CommandContext,
    terminal: &mut Terminal,
    quiet: bool,
    (typed, all_tags): (&str, bool),
    reference: &Reference,
) -> std::io::Result<Arc<dyn Progress>> {
    if quiet {
        return Ok(Arc::new(NoProgress));
    }
    if let Some(line) = default_tag(typed, reference).filter(|_| !all_tags) {
        terminal.line(line)?;
    }
    terminal.flush()?;
    Ok(progress::on_stdout(context.cancel()))
}

/// Carries out `login`.
///
/// # Errors
/// [`Kind::Denied`] if the registry refuses name and password.
pub fn login(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &LoginArguments,
) -> CommandResult {
    if arguments.password.is_some() {
        let warning = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.";
        terminal.notice(warning)?;
    }
    terminal.flush()?;
    let (user, password) = credentials(context, arguments)?;
    let access = arguments.transport.access();
    let cancel = context.interruptible()?;
    let file = context.backend()?.login(&arguments.registry, &user, &password, access, cancel)?;
    if let Some(file) = file {
        let file = file.display();
        terminal
            .notice(format!("WARNING! Your credentials are stored unencrypted in '{file}'."))?;
        terminal.notice("Configure a credential helper to remove this warning.")?;
    }
    terminal.line("Login Succeeded")?;
    Ok(0)
}

/// Reads name and password from the flags, standard input or the terminal.
fn credentials(context: &CommandContext, arguments: &LoginArguments) -> Result<(String, String)> {
    if arguments.password_stdin {
        let Some(user) = arguments.username.clone() else {
            return Err(Error::new(Kind::Invalid, "must provide --username with --password-stdin"));
        };
        let mut password = String::new();
        let read = std::io::stdin().lock().take(MAX_PASSWORD).read_to_string(&mut password);
        read.context(|| "read the password from standard input".to_owned())?;
        let password = password.trim_end_matches('\n').trim_end_matches('\r').to_owned();
        return Ok((user, password));
    }
    if let (Some(user), Some(password)) = (&arguments.username, &arguments.password) {
        return Ok((user.clone(), password.clone()));
    }
    if !std::io::stdin().is_terminal() {
        let message = "cannot ask for the password: standard input is not a terminal";
        return Err(Error::new(Kind::Invalid, message)
            .hint("use `login -u NAME --password-stdin REGISTRY < FILE`"));
    }
    let cancel = context.interruptible()?;
    let user = match &arguments.username {
        Some(user) => user.clone(),
        None => prompt::ask("Username: ", cancel)?,
    };
    let password = match &arguments.password {
        Some(password) => password.clone(),
        None => prompt::ask_secret("Password: ", cancel)?,
    };
    Ok((user, password))
}

/// Carries out `logout`.
///
/// # Errors
/// When the credential file cannot be read or written.
pub fn logout(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &LogoutArguments,
) -> CommandResult {
    let registry = &arguments.registry;
    let shown = credentials::mask(registry);
    if context.backend()?.logout(registry)? {
        terminal.line(format!("Removing login credentials for {shown}"))?;
    } else {
        terminal.line(format!("Not logged in to {shown}"))?;
    }
    Ok(0)
}
