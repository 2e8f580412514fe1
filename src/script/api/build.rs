//! Images built step by step.

use super::files::BuildOutput;
use super::signature::{Command, ImageOrName, Signal};
use crate::engine::Backend;
use crate::model::error::Context;
use crate::model::image::build::{BuildStep, CommandLine, CopyItem, CopySource, CopyStep, RunStep};
use crate::model::image::{Image as Metadata, PullPolicy};
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::values;
use crate::script::values::handle::Image as ImageHandle;
use rhai::Dynamic;
use rhai::plugin::*;
use std::path::Path;

/// Building images. Each function returns a new image; steps are cached.
#[export_module]
pub mod build {
    /// Returns the image with an environment variable.
    ///
    /// ```rhai
    /// let img = image("host").with_env("PORT", 8080);
    /// ```
    #[rhai_fn(name = "with_env", volatile, return_raw)]
    pub fn with_env(
        ctx: NativeCallContext,
        image: ImageOrName,
        key: &str,
        value: Dynamic,
    ) -> RhaiResultOf<ImageHandle> {
        let value = one_text(&value, "a variable").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Env(vec![(key.to_owned(), value)]))
    }

    /// Returns the image with a label.
    ///
    /// ```rhai
    /// let img = image("host").with_label("stage", "test");
    /// ```
    #[rhai_fn(name = "with_label", volatile, return_raw)]
    pub fn with_label(
        ctx: NativeCallContext,
        image: ImageOrName,
        key: &str,
        value: Dynamic,
    ) -> RhaiResultOf<ImageHandle> {
        let value = one_text(&value, "a label").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Label(vec![(key.to_owned(), value)]))
    }

    /// Returns the image with a text file. Missing parent directories are created.
    ///
    /// ```rhai
    /// let img = image("host").with_file("/etc/motd", "hello\n");
    /// ```
    #[rhai_fn(name = "with_file", volatile, return_raw)]
    pub fn with_file(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
        text: &str,
    ) -> RhaiResultOf<ImageHandle> {
        add_file(&ctx, &image, path, text, 0o644)
    }

    /// As `with_file(image, path, text)`, with the mode of the file: `0o755` or `"755"`.
    ///
    /// ```rhai
    /// let img = image("host").with_file("/bin/hello", "#!/bin/sh\necho hello\n", 0o755);
    /// ```
    #[rhai_fn(name = "with_file", volatile, return_raw)]
    pub fn with_file_of_mode(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
        text: &str,
        mode: Dynamic,
    ) -> RhaiResultOf<ImageHandle> {
        let mode = file_mode(&mode).or_raise(&ctx)?;
        add_file(&ctx, &image, path, text, mode)
    }

    /// Returns the image with files copied from the host: a file, or the content of a directory. A
    /// target that ends in `/` is a directory.
    ///
    /// ```rhai
    /// let img = image("host").with_copy("/etc/hostname", "/etc/built-on");
    /// ```
    #[rhai_fn(name = "with_copy", volatile, return_raw)]
    pub fn with_copy(
        ctx: NativeCallContext,
        image: ImageOrName,
        from: &str,
        to: &str,
    ) -> RhaiResultOf<ImageHandle> {
        let context = ScriptContext::of(&ctx)?;
        let step = copy_step(from, &context.path(from).or_raise(&ctx)?, to).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Copy(step))
    }

    /// Returns the image with the changes that a command makes when it runs in the image. The
    /// image's shell runs a string; an array runs without a shell.
    ///
    /// ```rhai
    /// let img = image("host").with_run("echo built > /built");
    /// ```
    #[rhai_fn(name = "with_run", volatile, return_raw)]
    pub fn with_run(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
    ) -> RhaiResultOf<ImageHandle> {
        let command = line_or_words(&cmd).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Run(RunStep { command, ..RunStep::default() }))
    }

    /// Returns the image with another working directory, which is created if it is missing.
    ///
    /// ```rhai
    /// let img = image("host").with_workdir("/srv");
    /// ```
    #[rhai_fn(name = "with_workdir", volatile, return_raw)]
    pub fn with_workdir(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
    ) -> RhaiResultOf<ImageHandle> {
        take(&ctx, &image, &BuildStep::Workdir(path.to_owned()))
    }

    /// Returns the image with another user for its programs.
    ///
    /// ```rhai
    /// let img = image("host").with_user("nobody");
    /// ```
    #[rhai_fn(name = "with_user", volatile, return_raw)]
    pub fn with_user(
        ctx: NativeCallContext,
        image: ImageOrName,
        user: Dynamic,
    ) -> RhaiResultOf<ImageHandle> {
        let user = one_text(&user, "a user").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::User(user))
    }

    /// Returns the image with a default command: an array, or a string of words (no shell reads
    /// it).
    ///
    /// ```rhai
    /// let img = image("host").with_cmd(["sleep", "100"]);
    /// ```
    #[rhai_fn(name = "with_cmd", volatile, return_raw)]
    pub fn with_cmd(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
    ) -> RhaiResultOf<ImageHandle> {
        let words = values::parameter("cmd", values::command(&cmd.flatten())).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Cmd(CommandLine::Exec(words)))
    }

    /// Returns the image with an entrypoint, to which the command is appended. A command of the
    /// base image is dropped, because it was written for another program; a command that this chain
    /// has set stays.
    ///
    /// ```rhai
    /// let img = image("host").with_entrypoint(["echo", "it says"]).with_cmd(["hello"]);
    /// ```
    #[rhai_fn(name = "with_entrypoint", volatile, return_raw)]
    pub fn with_entrypoint(
        ctx: NativeCallContext,
        image: ImageOrName,
        entrypoint: Command,
    ) -> RhaiResultOf<ImageHandle> {
        let words = values::command(&entrypoint.flatten());
        let words = values::parameter("entrypoint", words).or_raise(&ctx)?;
        let handle = resolve::image(&ctx, &image, PullPolicy::Missing)?;
        let backend = ScriptContext::of(&ctx)?;
        let keep_cmd = has_own_cmd(backend.backend().as_ref(), handle.metadata());
        let command = CommandLine::Exec(words);
        take(&ctx, &Dynamic::from(handle), &BuildStep::Entrypoint { command, keep_cmd })
    }

    /// Returns the image with an exposed port: a number, `"53/udp"` or `"8000-8010"`.
    ///
    /// ```rhai
    /// let img = image("host").with_expose(8080);
    /// ```
    #[rhai_fn(name = "with_expose", volatile, return_raw)]
    pub fn with_expose(
        ctx: NativeCallContext,
        image: ImageOrName,
        port: Dynamic,
    ) -> RhaiResultOf<ImageHandle> {
        let port = one_text(&port, "a port").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Expose(vec![port]))
    }

    /// Returns the image with a declared mount point.
    ///
    /// ```rhai
    /// let img = image("host").with_volume("/data");
    /// ```
    #[rhai_fn(name = "with_volume", volatile, return_raw)]
    pub fn with_volume(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
    ) -> RhaiResultOf<ImageHandle> {
        take(&ctx, &image, &BuildStep::Volume(vec![path.to_owned()]))
    }

    /// Returns the image with the signal that stops its containers.
    ///
    /// ```rhai
    /// let img = image("host").with_stop_signal("QUIT");
    /// ```
    #[rhai_fn(name = "with_stop_signal", volatile, return_raw)]
    pub fn with_stop_signal(
        ctx: NativeCallContext,
        image: ImageOrName,
        signal: Signal,
    ) -> RhaiResultOf<ImageHandle> {
        let signal = values::signal(&signal.flatten()).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::StopSignal(signal.to_string()))
    }
}

/// Runs a build step on an image.
fn take(ctx: &NativeCallContext, image: &Dynamic, step: &BuildStep) -> RhaiResultOf<ImageHandle> {
    let image = resolve::image(ctx, image, PullPolicy::Missing)?;
    let context = ScriptContext::of(ctx)?;
    let mut out = BuildOutput(context.host().output.as_ref());
    let id = image.metadata().id.as_str();
    let built = context.backend().step(id, step, &mut out, &context.cancel()).or_raise(ctx)?;
    let id = built.id.to_string();
    Ok(ImageHandle::new(context.backend(), built, &id))
}

fn add_file(
    ctx: &NativeCallContext,
    image: &Dynamic,
    path: &str,
    text: &str,
    mode: u32,
) -> RhaiResultOf<ImageHandle> {
    let content = text.as_bytes().to_vec();
    take(ctx, image, &BuildStep::File { path: path.to_owned(), content, mode })
}

fn one_text(value: &Dynamic, what: &str) -> Result<String> {
    let value = value.clone().flatten();
    values::scalar(&value).ok_or_else(|| {
        let kind = values::type_of(&value);
        Error::new(
            Kind::Invalid,
            format!("expected {what} as a string, a number or a boolean, got {kind}"),
        )
    })
}

/// Parses the mode of a file: a number as it is, a text as octal digits.
fn file_mode(value: &Dynamic) -> Result<u32> {
    let value = value.clone().flatten();
    let mode = match (value.as_int(), values::text(&value)) {
        (Ok(number), _) => u32::try_from(number).ok(),
        (_, Some(text)) => u32::from_str_radix(&text, 8).ok(),
        _ => None,
    };
    mode.filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        let given = values::quoted(&value);
        Error::new(Kind::Invalid, format!("`{given}` is not the mode of a file"))
            .hint("write 0o644 or \"644\"; 644 without 0o is a decimal number")
    })
}

fn line_or_words(cmd: &Dynamic) -> Result<CommandLine> {
    let cmd = cmd.clone().flatten();
    match values::text(&cmd) {
        Some(line) => Ok(CommandLine::Shell(line)),
        None => values::parameter("cmd", values::command(&cmd)).map(CommandLine::Exec),
    }
}

/// Returns the step of a copy from the host: its build context is the directory of the source.
fn copy_step(from: &str, own: &Path, to: &str) -> Result<CopyStep> {
    let requested = Path::new(from);
    let real = own.canonicalize().context(|| format!("cannot copy `{from}`"))?;
    let (path, item) = match (real.is_dir(), real.parent(), real.file_name()) {
        (false, Some(parent), Some(name)) => {
            (parent.to_owned(), name.to_string_lossy().into_owned())
        }
        _ => (real.clone(), String::new()),
    };
    // The target has the requested name, also if the source is a link.
    let name = requested.file_name().filter(|_| !item.is_empty() && to.ends_with('/'));
    let to = name.map_or_else(|| to.to_owned(), |name| format!("{to}{}", name.to_string_lossy()));
    Ok(CopyStep {
        verb: "COPY",
        from: CopySource::Directory { path, ignore: Vec::new() },
        sources: vec![CopyItem::Name(item)],
        to,
        owner: None,
        mode: None,
        unpack: false,
        parents: false,
        excludes: Vec::new(),
    })
}

/// Returns whether a step of this chain has set the command.
fn has_own_cmd(backend: &dyn Backend, image: &Metadata) -> bool {
    let mut below = image.clone();
    while let (true, Some(parent)) = (below.intermediate, &below.parent) {
        match backend.image(parent.as_str(), PullPolicy::Never) {
            Ok(parent) => below = parent,
            Err(_) => break,
        }
    }
    below.config.cmd != image.config.cmd
}
