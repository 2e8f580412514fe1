//! Making containers: `create`, `run`, and the two that are safe to repeat.

use super::signature::{Command, ContainerOrName, ImageOrName, Options};
use crate::engine::{Attach, Backend};
use crate::model::container::Container as Record;
use crate::model::container::exec::AttachOutcome;
use crate::model::container::options::RemoveOptions;
use crate::model::container::status::Status;
use crate::model::image::PullPolicy;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::RhaiResultOf;
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

/// Making containers.
#[export_module]
pub mod containers {
    /// A container: a live handle on it.
    pub type Container = Handle;

    /// Makes a container and starts nothing: no process, no CPU, no memory.
    ///
    /// ```rhai
    /// let c = create("host");
    /// print(c.status);
    /// ```
    #[rhai_fn(name = "create", volatile, return_raw)]
    pub fn create(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Container> {
        Ok(create_container(&ctx, &image, Map::new(), None)?.0)
    }

    /// Makes a container with options, and starts nothing.
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

    /// Makes a container and starts it; it runs in the background.
    ///
    /// ```rhai
    /// let c = run("host");
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Container> {
        create_and_start(&ctx, &image, Map::new(), None)
    }

    /// The same, with a command: an array, or a string of words (no shell reads it).
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

    /// The same, with options.
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

    /// The same, with command and options. With `attach` it stays until the container ends.
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

    /// A running container of this name: the present one, started or thawed where it is not
    /// running, or else a new one. Safe to repeat, also by several at once.
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
        let stage = ScriptContext::of(&ctx)?;
        let id = match values::text(&container) {
            Some(name) => stage.backend().find(&name),
            None => resolve::container(&ctx, &container).map(|handle| Ok(handle.id().clone()))?,
        };
        let force = RemoveOptions { force: true, ..RemoveOptions::default() };
        let removed = id.and_then(|id| {
            stage.note_use(&ctx, &id);
            stage.backend().rm(&id, &force, &stage.cancel())
        });
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(raise(&ctx, &error)),
        }
    }
}

/// Makes a container from what a script gave.
fn create_container(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<(Handle, Create)> {
    try_create(ctx, image, options, cmd)?.or_raise(ctx)
}

/// The same; what the engine says against it is not thrown.
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
    ScriptContext::of(ctx)?.check_creation(&wanted.options).or_raise(ctx)?;
    if let Some(cmd) = cmd {
        let cmd = cmd.clone().flatten();
        wanted.options.cmd = Some(values::command("a command", &cmd).or_raise(ctx)?);
    }
    // As `docker create` does: an image that is missing is fetched first.
    let image = resolve::image(ctx, image, PullPolicy::Missing)?;
    let stage = ScriptContext::of(ctx)?;
    let scope = thread::scope().filter(|scope| scope.owns());
    let owner = scope.as_ref().map(|_| stage.session()).transpose().or_raise(ctx)?;
    if let Some(owner) = owner {
        owner.created().or_raise(ctx)?;
        wanted.options.session = Some(owner.token().to_owned());
    }
    let handle = match stage.backend().create(image.reference(), &wanted.options) {
        Ok(id) => Handle::new(stage.backend(), id),
        Err(error) => {
            owner.into_iter().for_each(|owner| owner.removed());
            return Ok(Err(error));
        }
    };
    // A container made with `rm` may be gone before anybody asks for its name.
    handle.remember();
    stage.note_use(ctx, handle.id());
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
        let stage = ScriptContext::of(ctx)?;
        stage.backend().start(handle.id()).or_raise(ctx)?;
        // One made with `rm` may have gone before the next call.
        stage.refresh(handle.id());
    }
    Ok(handle)
}

/// Stays with a container until it ends or is left; starts it first with `start`.
pub fn attach(
    ctx: &NativeCallContext,
    handle: &Handle,
    start: bool,
    interactive: bool,
) -> RhaiResultOf<()> {
    let stage = ScriptContext::of(ctx)?;
    let input = io::stdin();
    let (mut stdout, mut stderr) = OutputForwarder::both(&stage.host().output);
    let terminal = interactive && input.is_terminal();
    let attach = Attach {
        start,
        stdin: interactive.then(|| input.as_fd()),
        terminal: terminal.then(|| input.as_fd()),
        ..Attach::to_output(&mut stdout, &mut stderr)
    };
    let left = stage.backend().attach(handle.id(), attach, &stage.cancel()).or_raise(ctx)?;
    if let AttachOutcome::Exited(code) = left {
        handle.note_exit(code);
    }
    Ok(())
}

/// Passes what a container writes on to the output.
struct OutputForwarder<'a> {
    output: &'a Arc<dyn Output>,
    write: fn(&dyn Output, &[u8]) -> io::Result<()>,
}

impl<'a> OutputForwarder<'a> {
    fn both(output: &'a Arc<dyn Output>) -> (Self, Self) {
        (
            OutputForwarder { output, write: |output, bytes| output.write_out(bytes) },
            OutputForwarder { output, write: |output, bytes| output.write_err(bytes) },
        )
    }
}

impl Write for OutputForwarder<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.write)(self.output.as_ref(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// How long others may be ahead of `ensure_running` with each look.
const RACE_TIMEOUT: Duration = Duration::from_secs(10);

/// Looks, and does what is missing. Others may be faster between the two: who makes it, starts it,
/// pauses it or removes it has it another way than it was seen, so it is looked at again. That a
/// name can be taken once is what keeps it one container.
fn ensure(
    ctx: &NativeCallContext,
    name: &str,
    image: &Dynamic,
    mut options: Map,
) -> RhaiResultOf<Handle> {
    let stage = ScriptContext::of(ctx)?;
    options.insert("name".into(), name.into());
    let deadline = Instant::now() + RACE_TIMEOUT;
    let mut pause = Duration::from_micros(200);
    loop {
        let tried = match by_exact_name(stage.backend().as_ref(), name).or_raise(ctx)? {
            Some(record) => bring_up(ctx, &record, image)?,
            None => begin(ctx, image, options.clone())?,
        };
        match tried {
            Ok(handle) => return Ok(handle),
            Err(EnsureError::Failed(error)) => return Err(raise(ctx, &error)),
            Err(EnsureError::Raced(error)) if Instant::now() >= deadline => {
                return Err(raise(ctx, &error));
            }
            Err(EnsureError::Raced(_)) => stage.cancel().sleep(pause).or_raise(ctx)?,
        }
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

/// Why a container does not run yet.
enum EnsureError {
    /// It can't.
    Failed(Error),
    /// Somebody else has changed it meanwhile.
    Raced(Error),
}

impl EnsureError {
    /// What a start or a thaw says.
    fn moving(error: Error) -> Self {
        match error.kind() {
            // A program that is not there is not found either; a start that failed has a code.
            Kind::NotFound if error.exit_code().is_some() => EnsureError::Failed(error),
            Kind::NotFound | Kind::Refused => EnsureError::Raced(error),
            _ => EnsureError::Failed(error),
        }
    }
}

/// The container of just this name: the beginning of an id is none.
fn by_exact_name(backend: &dyn Backend, name: &str) -> Result<Option<Record>> {
    let found = backend.find(name).and_then(|id| backend.inspect(&id));
    match found {
        Ok(record) => {
            let is_it = record.state.name.as_str() == name || record.spec.id.as_str() == name;
            Ok(is_it.then_some(record))
        }
        // The second: several ids begin so.
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Invalid) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes what is not there, and starts it.
fn begin(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
) -> RhaiResultOf<std::result::Result<Handle, EnsureError>> {
    let (handle, wanted) = match try_create(ctx, image, options, None)? {
        Ok(made) => made,
        Err(error) if error.kind() == Kind::Exists => return Ok(Err(EnsureError::Raced(error))),
        Err(error) => return Ok(Err(EnsureError::Failed(error))),
    };
    if wanted.attach {
        attach(ctx, &handle, true, wanted.interactive)?;
        return Ok(Ok(handle));
    }
    let started = ScriptContext::of(ctx)?.backend().start(handle.id());
    Ok(started.map(|()| handle).map_err(EnsureError::moving))
}

/// Starts or thaws what is there.
fn bring_up(
    ctx: &NativeCallContext,
    record: &Record,
    image: &Dynamic,
) -> RhaiResultOf<std::result::Result<Handle, EnsureError>> {
    let stage = ScriptContext::of(ctx)?;
    let (backend, id) = (stage.backend(), &record.spec.id);
    let image = resolve::image(ctx, image, PullPolicy::Missing)?;
    if record.spec.image.id != image.metadata().id {
        let name = record.state.name.as_str();
        let message = format!("`{name}` exists and was made from another image");
        let error = Error::new(Kind::Exists, message)
            .hint(format!("ensure_absent(\"{name}\") makes room for a new one"))
            .container(name, Some(record.state.status.as_str()));
        return Ok(Err(EnsureError::Failed(error)));
    }
    let moved = match record.state.status {
        Status::Paused => backend.unpause(id).map_err(EnsureError::moving),
        Status::Running | Status::Restarting => Ok(()),
        Status::Created | Status::Exited => backend.start(id).map_err(EnsureError::moving),
        // That stays so.
        Status::Dead => backend.start(id).map_err(EnsureError::Failed),
    };
    Ok(moved.map(|()| Handle::of(backend, record)))
}
