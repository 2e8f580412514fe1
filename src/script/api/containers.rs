//! Making containers: `create`, `run`, and the two that are safe to repeat.

use std::io::{self, IsTerminal as _, Write};
use std::os::fd::AsFd;
use std::sync::Arc;

use rhai::plugin::*;
use rhai::{Dynamic, Map};

use super::super::error::{OrRaise, raise};
use super::super::handle::Container as Handle;
use super::super::options::{self, Create};
use super::super::stage::Stage;
use super::super::{Output, fence, here, subject, values};
use super::{Command, ContainerOrName, ImageOrName, Options, RhaiResultOf};
use crate::engine::Attach;
use crate::model::exec::Left;
use crate::model::image::PullPolicy;
use crate::model::status::Status;
use crate::model::{Error, Kind};

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
        Ok(make(&ctx, &image, Map::new(), None)?.0)
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
        Ok(make(&ctx, &image, options, None)?.0)
    }

    /// Makes a container and starts it; it runs in the background.
    ///
    /// ```rhai
    /// let c = run("host");
    /// ```
    #[rhai_fn(name = "run", volatile, return_raw)]
    pub fn run(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Container> {
        make_and_start(&ctx, &image, Map::new(), None)
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
        make_and_start(&ctx, &image, Map::new(), Some(&cmd))
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
        make_and_start(&ctx, &image, options, None)
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
        make_and_start(&ctx, &image, options, Some(&cmd))
    }

    /// A running container of this name: the present one, started or thawed where it is not
    /// running, or else a new one. Safe to repeat.
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
        let stage = Stage::of(&ctx)?;
        let id = match values::text(&container) {
            Some(name) => stage.backend().find(&name),
            None => subject::container(&ctx, &container).map(|handle| Ok(handle.id().clone()))?,
        };
        let removed = id.and_then(|id| {
            stage.touches(&ctx, &id);
            stage.backend().rm(&id, true, &stage.cancel())
        });
        match removed {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == Kind::NotFound => Ok(false),
            Err(error) => Err(raise(&ctx, &error)),
        }
    }
}

/// Makes a container from what a script gave.
fn make(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<(Handle, Create)> {
    if Stage::of(ctx)?.host().fence.is_some() {
        fence::own_variables(&options).or_raise(ctx)?;
    }
    let mut wanted = options::create(ctx.fn_name(), options).or_raise(ctx)?;
    Stage::of(ctx)?.may_make(&wanted.options).or_raise(ctx)?;
    if let Some(cmd) = cmd {
        let cmd = cmd.clone().flatten();
        wanted.options.cmd = Some(values::command("a command", &cmd).or_raise(ctx)?);
    }
    // As `docker create` does: an image that is missing is fetched first.
    let image = subject::image(ctx, image, PullPolicy::Missing)?;
    let stage = Stage::of(ctx)?;
    let scope = here::scope().filter(|scope| scope.owns());
    let owner = scope.as_ref().map(|_| stage.owner()).transpose().or_raise(ctx)?;
    if let Some(owner) = owner {
        owner.gains().or_raise(ctx)?;
        wanted.options.owner = Some(owner.token().to_owned());
    }
    let made = stage.backend().create(image.reference(), &wanted.options);
    let id = made.inspect_err(|_| owner.into_iter().for_each(|owner| owner.loses()));
    let handle = Handle::new(stage.backend(), id.or_raise(ctx)?);
    // A container made with `rm` may be gone before anybody asks for its name.
    handle.remember();
    stage.touches(ctx, handle.id());
    if let Some(scope) = scope {
        scope.made(&handle);
    }
    Ok((handle, wanted))
}

fn make_and_start(
    ctx: &NativeCallContext,
    image: &Dynamic,
    options: Map,
    cmd: Option<&Dynamic>,
) -> RhaiResultOf<Handle> {
    let (handle, wanted) = make(ctx, image, options, cmd)?;
    if wanted.attach {
        attach(ctx, &handle, true, wanted.interactive)?;
    } else {
        let stage = Stage::of(ctx)?;
        stage.backend().start(handle.id()).or_raise(ctx)?;
        // One made with `rm` may have gone before the next call.
        stage.looks(handle.id());
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
    let stage = Stage::of(ctx)?;
    let input = io::stdin();
    let (mut stdout, mut stderr) = Pass::both(&stage.host().output);
    let terminal = interactive && input.is_terminal();
    let attach = Attach {
        start,
        stdin: interactive.then(|| input.as_fd()),
        terminal: terminal.then(|| input.as_fd()),
        ..Attach::to_output(&mut stdout, &mut stderr)
    };
    let left = stage.backend().attach(handle.id(), attach, &stage.cancel()).or_raise(ctx)?;
    if let Left::Exited(code) = left {
        handle.ended(code);
    }
    Ok(())
}

/// Passes what a container writes on to the output.
struct Pass<'a> {
    output: &'a Arc<dyn Output>,
    write: fn(&dyn Output, &[u8]) -> io::Result<()>,
}

impl<'a> Pass<'a> {
    fn both(output: &'a Arc<dyn Output>) -> (Self, Self) {
        (
            Pass { output, write: |output, bytes| output.write_out(bytes) },
            Pass { output, write: |output, bytes| output.write_err(bytes) },
        )
    }
}

impl Write for Pass<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.write)(self.output.as_ref(), bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn ensure(
    ctx: &NativeCallContext,
    name: &str,
    image: &Dynamic,
    mut options: Map,
) -> RhaiResultOf<Handle> {
    let stage = Stage::of(ctx)?;
    let backend = stage.backend();
    let found = match backend.find(name) {
        Ok(id) => id,
        Err(error) if error.kind() == Kind::NotFound => {
            options.insert("name".into(), name.into());
            return make_and_start(ctx, image, options, None);
        }
        Err(error) => return Err(raise(ctx, &error)),
    };
    stage.touches(ctx, &found);
    let record = backend.inspect(&found).or_raise(ctx)?;
    let image = subject::image(ctx, image, PullPolicy::Missing)?;
    if record.spec.image.id != image.metadata().id {
        let message = format!("`{name}` exists and was made from another image");
        let error = Error::new(Kind::Exists, message)
            .hint(format!("ensure_absent(\"{name}\") makes room for a new one"))
            .container(name, Some(record.state.status.as_str()));
        return Err(raise(ctx, &error));
    }
    match record.state.status {
        Status::Paused => backend.unpause(&found).or_raise(ctx)?,
        Status::Running | Status::Restarting => {}
        Status::Created | Status::Exited | Status::Dead => backend.start(&found).or_raise(ctx)?,
    }
    Ok(Handle::of(backend, &record))
}
