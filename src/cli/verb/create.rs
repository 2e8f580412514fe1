//! `create`, `run` and `start`.

use super::client_config::platform;
use super::context::CommandContext;
use super::environment;
use super::exec::{ALL_OUTPUTS, AttachSettings, attach_to, keys, outputs};
use super::images::fit_platform;
use crate::cli::arguments::{
    CreateArguments, InvalidFlag, NewContainerArguments, Pull, RunArguments, StartArguments,
};
use crate::cli::terminal::command_result::{CommandError, CommandResult, ENGINE_FAILED, FAILED};
use crate::cli::terminal::finish::print_error;
use crate::cli::terminal::progress;
use crate::cli::terminal::screen::Terminal;
use crate::model::container::options::{AttachedStreams, CreateOptions, EnvEntry, RemoveOptions};
use crate::model::error::{Context as _, credentials};
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::{NoProgress, Progress, PullOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

/// Carries out `create`.
///
/// # Errors
/// When the container cannot be created.
pub fn create(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &CreateArguments,
) -> CommandResult {
    outputs(&arguments.new.attach).map_err(invalid_flag)?;
    let id = create_container(context, terminal, &arguments.new, false)?;
    terminal.line(id)?;
    Ok(0)
}

/// Carries out `run`: `create`, then `start` or `start -a`. The exit code is the container's.
///
/// # Errors
/// With 125 if the engine failed, 126 or 127 if the program cannot be executed.
pub fn run(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &RunArguments,
) -> CommandResult {
    let failed = CommandError::with_code(ENGINE_FAILED);
    let backend = context.backend().map_err(CommandError::with_code(ENGINE_FAILED))?.as_ref();
    let connection = AttachSettings {
        stdin: arguments.new.options.has("interactive") && !arguments.detach,
        tty: arguments.new.options.has("tty") && !arguments.detach,
        forward_signals: arguments.sig_proxy,
        detach_keys: keys(context, terminal, arguments.detach_keys.as_deref())
            .map_err(CommandError::with_code(ENGINE_FAILED))?,
        start: true,
        outputs: outputs(&arguments.new.attach).map_err(invalid_flag)?,
    };
    if arguments.detach && !arguments.new.attach.is_empty() {
        let message = "conflicting options: cannot specify both --attach and --detach";
        return Err(Error::new(Kind::Invalid, message).hint("leave out one of them").into());
    }
    connection.check()?;
    let id = create_container(context, terminal, &arguments.new, arguments.detach);
    let id = id.map_err(|error| match error {
        CommandError::Failed(error, _) => failed(error),
        CommandError::ClosedPipe => error,
    })?;
    let outcome = match arguments.detach {
        true => backend.start(&id).map(|()| 0),
        false => attach_to(context, terminal, &id, connection),
    };
    if arguments.detach {
        // Also if the start failed: the container stays.
        terminal.line(&id)?;
    }
    match outcome {
        Ok(code) => Ok(code),
        Err(error) => {
            if arguments.new.options.has("rm") && error.kind() != Kind::Cancelled {
                // The container never ran, so no monitor removes it. Another process may have.
                let force = RemoveOptions { force: true, ..RemoveOptions::default() };
                let _ = backend.rm(&id, &force, context.cancel());
            }
            let code = error.exit_code().unwrap_or(ENGINE_FAILED);
            Err(CommandError::Failed(error, code))
        }
    }
}

/// Carries out `start`: in the order given, so that a container may depend on an earlier one.
///
/// # Errors
/// When a container cannot be attached to, or the output cannot be written.
pub fn start(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &StartArguments,
) -> CommandResult {
    let backend = context.backend()?.as_ref();
    if arguments.attach || arguments.interactive {
        let [name] = arguments.names.as_slice() else {
            let message = "you cannot start and attach multiple containers at once";
            return Err(Error::new(Kind::Invalid, message).into());
        };
        let id = backend.find(name)?;
        let connection = AttachSettings {
            stdin: arguments.interactive,
            tty: backend.inspect(&id)?.spec.config.tty,
            forward_signals: arguments.sig_proxy,
            detach_keys: keys(context, terminal, arguments.detach_keys.as_deref())?,
            start: true,
            outputs: ALL_OUTPUTS,
        };
        return Ok(attach_to(context, terminal, &id, connection)?);
    }
    let mut failed = Vec::new();
    for name in &arguments.names {
        match backend.find(name).and_then(|id| backend.start(&id)) {
            Ok(()) => terminal.line(name)?,
            Err(error) => {
                print_error(terminal, &error);
                failed.push(name.as_str());
            }
        }
    }
    if failed.is_empty() {
        return Ok(0);
    }
    let message = format!("failed to start containers: {}", failed.join(", "));
    Err(CommandError::Failed(Error::new(Kind::System, message), FAILED))
}

/// Creates a container and the file of `--cidfile`.
fn create_container(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &NewContainerArguments,
    detached: bool,
) -> Result<ContainerId, CommandError> {
    let (reference, command) = match arguments.image_and_command.as_slice() {
        [reference, command @ ..] => (reference, command),
        [] => {
            return Err(Error::new(Kind::Invalid, "requires an image")
                .hint("usage: lifebox run IMAGE [COMMAND...]")
                .into());
        }
    };
    let flags = environment::of_flags(arguments.options.values("env"));
    let files = environment::of_files(&arguments.env_file, context.cancel());
    let env = files.and_then(|files| Ok([files, flags?].concat()));
    let given = env.map_err(CommandError::with_code(ENGINE_FAILED))?;
    let env = [context.config(terminal).proxies_beside(&given), given].concat();
    let labels = environment::labels_of_files(&arguments.label_file, context.cancel());
    let mut labels = labels.map_err(CommandError::with_code(ENGINE_FAILED))?;
    let mut options = options(arguments, command, env).map_err(invalid_flag)?;
    options.attached = attached(&arguments.attach, detached, options.interactive);
    labels.append(&mut options.labels);
    options.labels = labels;
    let backend = context.backend()?.as_ref();
    let platform = platform(arguments.platform.as_deref())?;
    let cidfile = arguments.cidfile.as_deref().filter(|path| !path.as_os_str().is_empty());
    let cidfile = cidfile.map(|path| reserve(path).map(|file| (path, file)));
    let cidfile = cidfile.transpose()?;
    let pull = match arguments.pull {
        Pull::Missing => PullPolicy::Missing,
        Pull::Always => PullPolicy::Always,
        Pull::Never => PullPolicy::Never,
    };
    let created = ensure_image(context, reference, pull, platform, arguments.quiet)
        .map_err(|error| missing_image(reference, error))
        .and_then(|_| backend.create(reference, &options));
    if let (Ok(_), Some(warning)) = (&created, arguments.fixed.kernel.warning()) {
        terminal.notice(warning)?;
    }
    match (cidfile, created) {
        (Some((path, mut file)), Ok(id)) => {
            let written = file.write_all(id.as_str().as_bytes());
            written.context(|| format!("write the id to `{}`", path.display()))?;
            Ok(id)
        }
        (Some((path, _)), Err(error)) => {
            let _ = std::fs::remove_file(path);
            Err(error.into())
        }
        (None, created) => Ok(created?),
    }
}

/// Returns the streams of the first client, where they are not those of `create`.
fn attached(streams: &[String], detached: bool, input: bool) -> Option<AttachedStreams> {
    let has = |name: &str| streams.iter().any(|stream| stream.eq_ignore_ascii_case(name));
    match detached {
        true => Some(AttachedStreams::default()),
        false if streams.is_empty() => None,
        false => Some(AttachedStreams {
            stdin: input || has("stdin"),
            stdout: has("stdout"),
            stderr: has("stderr"),
        }),
    }
}

/// Gives a wrong value of a flag Docker's exit code.
pub fn invalid_flag(invalid: InvalidFlag) -> CommandError {
    let code = if invalid.by_client { ENGINE_FAILED } else { FAILED };
    CommandError::Failed(invalid.error, code)
}

/// Finds or pulls the image. Ctrl-C is caught only during a pull.
fn ensure_image(
    context: &CommandContext,
    reference: &str,
    pull: PullPolicy,
    platform: Option<Platform>,
    quiet: bool,
) -> Result<Image> {
    let backend = context.backend()?;
    let mut pull = pull;
    if pull != PullPolicy::Always {
        match backend.image(reference, pull) {
            Ok(image) => match check_fits(reference, &image, platform.as_ref()) {
                // Another platform may be in the registry.
                Err(_) if pull == PullPolicy::Missing && !is_host(reference) => {
                    pull = PullPolicy::Always;
                }
                checked => return checked.map(|()| image),
            },
            Err(error) if error.kind() == Kind::NotFound && pull == PullPolicy::Missing => {}
            result => return result,
        }
    }
    let fetch = PullOptions { platform, ..PullOptions::default() };
    let progress: Arc<dyn Progress> = match quiet {
        true => Arc::new(NoProgress),
        false => progress::on_stderr(context.cancel()),
    };
    let wanted = fetch.platform.clone();
    let image =
        backend.ensure_image(reference, pull, &fetch, &progress, context.interruptible()?)?;
    check_fits(reference, &image, wanted.as_ref())?;
    Ok(image)
}

/// Returns whether the image is that of the host's programs, which no registry has.
fn is_host(reference: &str) -> bool {
    reference.parse::<Reference>().is_ok_and(|reference| reference.familiar() == "host:latest")
}

/// Refuses an image of another platform than that of `--platform`.
fn check_fits(reference: &str, image: &Image, wanted: Option<&Platform>) -> Result<()> {
    let reference = credentials::mask_reference(reference);
    fit_platform(image, wanted, |wanted, own| {
        format!(
            "image with reference {reference} was found but does not match the specified \
             platform: wanted {wanted}, actual: {own}"
        )
    })
}

/// Creates the file of `--cidfile` first, so that two commands never share one.
fn reserve(path: &Path) -> Result<File> {
    let what = || format!("create the container ID file `{}`", path.display());
    File::create_new(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            let message = format!("container ID file found: `{}`", path.display());
            Error::new(Kind::Exists, message)
                .hint("make sure the other container isn't running, or delete the file")
        }
        _ => Error::from_io(what(), &error),
    })
}

fn missing_image(reference: &str, error: Error) -> Error {
    if error.kind() != Kind::NotFound || error.hint_text().is_some() {
        return error;
    }
    let reference = credentials::mask_reference(reference);
    error.hint(format!(
        "load `{reference}` with `lifebox load -i FILE`, or use `host`, the image of the host's \
         programs"
    ))
}

/// Converts flags into options; `env` are the environment variables.
///
/// # Errors
/// [`Kind::Invalid`] for an invalid value; [`Kind::Unsupported`] for named networks.
pub fn options(
    arguments: &NewContainerArguments,
    command: &[String],
    env: Vec<EnvEntry>,
) -> Result<CreateOptions, InvalidFlag> {
    arguments.fixed.check()?;
    Ok(CreateOptions {
        cmd: Some(command.to_vec()).filter(|command| !command.is_empty()),
        env,
        ..arguments.options.options()?
    })
}
