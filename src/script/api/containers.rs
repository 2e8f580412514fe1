//! Creating containers: `create`, `run`, and the two functions that are safe to repeat.

use super::signature::{Command, ContainerOrName, ImageOrName, Options};
use crate::engine::{Attach, Backend};
use crate::model::container::Container as Record;
use crate::model::container::exec::AttachOutcome;
use crate::model::container::options::{AttachedStreams, RemoveOptions};
use crate::model::container::status::Status;
use crate::model::image::PullPolicy;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::{ScriptContext, is_lost};
use crate::script::context::thread;
use crate::script::context::thrown::{Ending, RhaiResultOf};
use crate::script::flow::resolve;
use crate::script::host::Output;
use crate::script::options::{self, Create};
use crate::script::sandbox::policy;
use crate::script::values;
use crate::script::values::handle::Container as Handle;
use rhai::plugin::*;
use rhai::{Dynamic, Map};
use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Creating containers.
#[export_module]
pub mod containers {
    /// A live handle of a container.
    pub type Container = Handle;

    /// Creates a container and returns it. Nothing is started: no process, no CPU, no memory.
    ///
    /// ```rhai
    /// let c = create("host");
    /// print(c.status);
    /// ```
    #[rhai_fn(name = "create", volatile, return_raw)]
    pub fn create(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Container> {
        Ok(create_container(&ctx, &image, Map::new(), None)?.0)
    }

    /// As `create(image)`, with options.
    ///
    /// ```rhai
    /// let c = create("host", #{ name: "web", cmd: ["sleep", "100"], env: #{ PORT: 8080 } });
    /// ```
    #[rhai_fn(name = "create", volatile, return_raw)]
    pub fn create_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        options: Options,
    ) -> RhaiResultOf<Container> {
        Ok(create_container(&ctx, &image, options, None)?.0)
    }

    /// Creates a container and starts it in the background. Returns it.
    ///
    /// ```rhai
    /// let c = run("host");
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Container> {
        create_and_start(&ctx, &image, Map::new(), None)
    }

    /// As `run(image)`, with a command: an array, or a string of words (no shell reads it).
    ///
    /// ```rhai
    /// let c = run("host", ["sh", "-c", "echo hello"]);
    /// c.wait();
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run_command(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
    ) -> RhaiResultOf<Container> {
        create_and_start(&ctx, &image, Map::new(), Some(&cmd))
    }

    /// As `run(image)`, with options.
    ///
    /// ```rhai
    /// let c = run("host", #{ name: "web", cmd: "sleep 100" });
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        options: Options,
    ) -> RhaiResultOf<Container> {
        create_and_start(&ctx, &image, options, None)
    }

    /// As `run(image)`, with command and options. With `attach` the call returns when the container
    /// exits.
    ///
    /// ```rhai
    /// let c = run("host", ["echo", "hello"], #{ attach: true });
    /// print(c.exit_code);
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run_command_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
        options: Options,
    ) -> RhaiResultOf<Container> {
        create_and_start(&ctx, &image, options, Some(&cmd))
    }

    /// Returns a running container of this name: starts or unpauses the present one, or creates
    /// one. Safe to repeat, also concurrently. Throws the kind `exists` if the present one is of
    /// another image.
    ///
    /// ```rhai
    /// let c = ensure_running("web", "host", #{ cmd: "sleep 100" });
    /// ```
    #[rhai_fn(name = "ensure_running", volatile, return_raw)]
    pub fn ensure_running(
        ctx: NativeCallContext,
        name: &str,
        image: ImageOrName,
        options: Options,
    ) -> RhaiResultOf<Container> {
        ensure(&ctx, name, &image, options)
    }

    /// Removes the container of this name, running or not. Returns whether there was one.
    ///
    /// ```rhai
    /// ensure_absent("web");
    /// ```
    #[rhai_fn(name = "ensure_absent", volatile, return_raw)]
    pub fn ensure_absent(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<bool> {
        let context = ScriptContext::of(&ctx)?;
        let id = match values::text(&container) {
            Some(name) => context.backend().find(&name),
            None => resolve::container(&ctx, &container).map(|handle| Ok(handle.id().clone()))?,
        };
        let force = RemoveOptions { force: true, ..RemoveOptions::default() };
        let removed = id.and_then(|id| {
            context.note_use(&ctx, &id);
            context.backend().rm(&id, &force, &context.cancel())
        });
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(raise(&ctx, &error)),
        }
    }
}

/// Creates a container with the options of a script.
fn create_container(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<(Handle, Create)> {
    try_create(ctx, image, options, cmd)?.or_raise(ctx)
}

/// Creates a container; an error of the engine is returned, not thrown.
fn try_create(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<Result<(Handle, Create)>> {
    if ScriptContext::of(ctx)?.host().sandbox.is_some() {
        policy::deny_host_env(&options).or_raise(ctx)?;
    }
    let mut wanted = options::create(ctx.fn_name(), options).or_raise(ctx)?;
    if ctx.fn_name() != "create" && !wanted.attach {
        wanted.options.attached = Some(AttachedStreams::default());
    }
    ScriptContext::of(ctx)?.check_creation(&wanted.options).or_raise(ctx)?;
    if let Some(cmd) = cmd {
        let cmd = cmd.clone().flatten();
        let words = values::parameter("cmd", values::command(&cmd)).or_raise(ctx)?;
        wanted.options.cmd = Some(words);
    }
    // As `docker create` does: a missing image is pulled first.
    let image = resolve::image(ctx, image, PullPolicy::Missing)?;
    let context = ScriptContext::of(ctx)?;
    let scope = thread::scope().filter(|scope| scope.owns());
    let owner = scope.as_ref().map(|_| context.session()).transpose().or_raise(ctx)?;
    if let Some(owner) = owner {
        owner.created().or_raise(ctx)?;
        wanted.options.session = Some(owner.token().to_owned());
    }
    let handle = match context.backend().create(image.reference(), &wanted.options) {
        Ok(id) => Handle::new(context.backend(), id),
        Err(error) => {
            owner.into_iter().for_each(|owner| owner.removed());
            return Ok(Err(error));
        }
    };
    // A container created with `rm` may be removed before its name is read.
    handle.remember();
    context.note_use(ctx, handle.id());
    if let Some(scope) = scope {
        scope.adopt(&handle);
    }
    Ok(Ok((handle, wanted)))
}

fn create_and_start(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<Handle> {
    let (handle, wanted) = create_container(ctx, image, options, cmd)?;
    if wanted.attach {
        attach(ctx, &handle, true, wanted.interactive)?;
    } else {
        let context = ScriptContext::of(ctx)?;
        context.backend().start(handle.id()).or_raise(ctx)?;
        // A container created with `rm` may be removed before the next call.
        context.refresh(handle.id());
    }
    Ok(handle)
}

/// Attaches to a container until it exits or the client detaches; `start` starts it first.
pub fn attach(
    ctx: &NativeCallContext,
    handle: &Handle,
    start: bool,
    interactive: bool,
) -> RhaiResultOf<()> {
    let context = ScriptContext::of(ctx)?;
    let input = io::stdin();
    let (mut stdout, mut stderr) = OutputForwarder::both(&context.host().output);
    let terminal = interactive && input.is_terminal();
    let attach = Attach {
        start,
        stdin: interactive.then(|| input.as_fd()),
        terminal: terminal.then(|| input.as_fd()),
        ..Attach::to_output(&mut stdout, &mut stderr)
    };
    let left = context.backend().attach(handle.id(), attach, &context.cancel());
    if stdout.failed || stderr.failed {
        context.end(Ending::Closed);
        return Err(Ending::Closed.at(ctx.call_position()));
    }
    let left = left.or_raise(ctx)?;
    if let AttachOutcome::Exited(code) = left {
        handle.note_exit(code);
    }
    Ok(())
}

/// Forwards the output of a container.
struct OutputForwarder<'a> {
    output: &'a Arc<dyn Output>,
    write: fn(&dyn Output, &[u8]) -> io::Result<()>,
    failed: bool,
}

impl<'a> OutputForwarder<'a> {
    fn both(output: &'a Arc<dyn Output>) -> (Self, Self) {
        (
            OutputForwarder {
                output,
                write: |output, bytes| output.write_out(bytes),
                failed: false,
            },
            OutputForwarder {
                output,
                write: |output, bytes| output.write_err(bytes),
                failed: false,
            },
        )
    }
}

impl Write for OutputForwarder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = (self.write)(self.output.as_ref(), bytes);
        self.failed |= written.as_ref().is_err_and(is_lost);
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long `ensure_running` retries when other processes keep changing the container.
const RACE_TIMEOUT: Duration = Duration::from_secs(10);

/// Checks the container and does what is missing. Another process may create, start, pause or
/// remove it in between; then it is checked again. Names are unique, so there is never more than
/// one container.
fn ensure(
    ctx: &NativeCallContext,
    name: &str,
    image: &Dynamic,
    mut options: Map,
) -> RhaiResultOf<Handle> {
    let context = ScriptContext::of(ctx)?;
    options.insert("name".into(), name.into());
    let deadline = Instant::now() + RACE_TIMEOUT;
    let mut pause = Duration::from_micros(200);
    loop {
        let ensured = match by_exact_name(context.backend().as_ref(), name).or_raise(ctx)? {
            Some(record) => bring_up(ctx, &record, image)?,
            None => create_new(ctx, image, options.clone())?,
        };
        match ensured {
            Ok(handle) => return Ok(handle),
            Err(EnsureError::Failed(error)) => return Err(raise(ctx, &error)),
            Err(EnsureError::Raced(error)) if Instant::now() >= deadline => {
                return Err(raise(ctx, &error));
            }
            Err(EnsureError::Raced(_)) => context.cancel().sleep(pause).or_raise(ctx)?,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Why a container does not run yet.
enum EnsureError {
    /// It cannot run.
    Failed(Error),
    /// Another process has changed it meanwhile.
    Raced(Error),
}

impl EnsureError {
    /// Classifies an error of `start` or `unpause`.
    fn from_verb(error: Error) -> Self {
        match error.kind() {
            // A missing program is `NotFound` too; a failed start has an exit code.
            Kind::NotFound if error.exit_code().is_some() => EnsureError::Failed(error),
            Kind::NotFound | Kind::Refused => EnsureError::Raced(error),
            _ => EnsureError::Failed(error),
        }
    }
}

/// Returns the container of exactly this name; a prefix of an id does not count.
fn by_exact_name(backend: &dyn Backend, name: &str) -> Result<Option<Record>> {
    let found = backend.find(name).and_then(|id| backend.inspect(&id));
    match found {
        Ok(record) => {
            let is_it = record.state.name.as_str() == name || record.spec.id.as_str() == name;
            Ok(is_it.then_some(record))
        }
        // `Invalid`: several ids begin so.
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Creates and starts the container.
fn create_new(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
) -> RhaiResultOf<std::result::Result<Handle, EnsureError>> {
    let (handle, wanted) = match try_create(ctx, image, options, None)? {
        Ok(created) => created,
        Err(error) if error.kind() == Kind::Exists => return Ok(Err(EnsureError::Raced(error))),
        Err(error) => return Ok(Err(EnsureError::Failed(error))),
    };
    if wanted.attach {
        attach(ctx, &handle, true, wanted.interactive)?;
        return Ok(Ok(handle));
    }
    let started = ScriptContext::of(ctx)?.backend().start(handle.id());
    Ok(started.map(|()| handle).map_err(EnsureError::from_verb))
}

/// Starts or unpauses the container.
fn bring_up(
    ctx: &NativeCallContext,
    record: &Record,
    image: &Dynamic,
) -> RhaiResultOf<std::result::Result<Handle, EnsureError>> {
    let context = ScriptContext::of(ctx)?;
    let (backend, id) = (context.backend(), &record.spec.id);
    let image = resolve::image(ctx, image, PullPolicy::Missing)?;
    if record.spec.image.id != image.metadata().id {
        let name = record.state.name.as_str();
        let message = format!("`{name}` exists and is of another image");
        let error = Error::new(Kind::Exists, message)
            .hint(format!("remove it first: ensure_absent(\"{name}\")"))
            .container(name, Some(record.state.status.as_str()));
        return Ok(Err(EnsureError::Failed(error)));
    }
    let moved = match record.state.status {
        Status::Paused => backend.unpause(id).map_err(EnsureError::from_verb),
        Status::Running | Status::Restarting => Ok(()),
        Status::Created | Status::Exited => backend.start(id).map_err(EnsureError::from_verb),
        // A dead container stays dead.
        Status::Dead => backend.start(id).map_err(EnsureError::Failed),
    };
    Ok(moved.map(|()| Handle::of(backend, record)))
}
