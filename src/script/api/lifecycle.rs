//! The verbs of a container's life cycle. Most return the container, so calls chain.

use super::signature::{ContainerOrName, Duration, DurationOrOptions, Options, Signal};
use crate::engine::{Backend, CancelToken};
use crate::model::container::options::{RemoveOptions, StopOptions};
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal as Number;
use crate::model::{Kind, Result};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::{handlers, resolve};
use crate::script::values::handle::Container as Handle;
use crate::script::{options, values};
use rhai::plugin::*;
use rhai::{Dynamic, INT};

/// The life cycle of a container.
#[export_module]
pub mod lifecycle {
    /// Starts a stopped container, and returns it when its program runs. A running container stays
    /// as it is.
    ///
    /// ```rhai
    /// let c = create("host", #{ cmd: "sleep 100" });
    /// c.start();
    /// ```
    #[rhai_fn(name = "start", volatile, return_raw)]
    pub fn start(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.start(id))
    }

    /// As `start(container)`. With `attach` the call forwards output until the container exits, as
    /// `docker start -a` and `-i`.
    ///
    /// ```rhai
    /// let c = create("host", #{ cmd: "echo hello" });
    /// c.start(#{ attach: true });
    /// ```
    #[rhai_fn(name = "start", volatile, return_raw)]
    pub fn start_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Handle> {
        let (attach, interactive) = options::start(options).or_raise(&ctx)?;
        if !attach {
            return act(&ctx, &container, |backend, id, _| backend.start(id));
        }
        let handle = resolve::container(&ctx, &container)?;
        super::super::containers::attach(&ctx, &handle, true, interactive)?;
        Ok(handle)
    }

    /// Stops a running container: sends its stop signal, and SIGKILL after its stop timeout, ten
    /// seconds by default. Returns the container.
    ///
    /// ```rhai
    /// stop("web");
    /// ```
    #[rhai_fn(name = "stop", volatile, return_raw)]
    pub fn stop(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act_with_handlers(&ctx, &container, |backend, id, cancel| {
            backend.stop(id, &StopOptions::default(), cancel)
        })
    }

    /// As `stop(container)`, with another timeout or signal.
    ///
    /// ```rhai
    /// stop("web", 2);
    /// stop("web", #{ time: "500ms", signal: "INT" });
    /// ```
    #[rhai_fn(name = "stop", volatile, return_raw)]
    pub fn stop_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        time: DurationOrOptions,
    ) -> RhaiResultOf<Handle> {
        let options = options::stop("stop", time).or_raise(&ctx)?;
        act_with_handlers(&ctx, &container, |backend, id, cancel| {
            backend.stop(id, &options, cancel)
        })
    }

    /// Kills a running container with SIGKILL. Returns the container.
    ///
    /// ```rhai
    /// kill("web");
    /// ```
    #[rhai_fn(name = "kill", volatile, return_raw)]
    pub fn kill(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.kill(id, Number::KILL))
    }

    /// Sends a signal to the main process of a container. Returns the container.
    ///
    /// ```rhai
    /// kill("web", "HUP");
    /// ```
    #[rhai_fn(name = "kill", volatile, return_raw)]
    pub fn kill_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        signal: Signal,
    ) -> RhaiResultOf<Handle> {
        let signal = values::signal(&signal.flatten()).or_raise(&ctx)?;
        act(&ctx, &container, |backend, id, _| backend.kill(id, signal))
    }

    /// Pauses all processes within a container: they keep their memory and use no CPU. Returns the
    /// container.
    ///
    /// ```rhai
    /// pause("web");
    /// print(container("web").status);
    /// unpause("web");
    /// ```
    #[rhai_fn(name = "pause", volatile, return_raw)]
    pub fn pause(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.pause(id))
    }

    /// Unpauses all processes within a container. Returns the container.
    ///
    /// ```rhai
    /// unpause("web");
    /// ```
    #[rhai_fn(name = "unpause", volatile, return_raw)]
    pub fn unpause(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.unpause(id))
    }

    /// Restarts a container: stops it as `stop` does, and starts it again. Returns the container.
    ///
    /// ```rhai
    /// restart("web");
    /// ```
    #[rhai_fn(name = "restart", volatile, return_raw)]
    pub fn restart(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act_with_handlers(&ctx, &container, |backend, id, cancel| {
            backend.restart(id, &StopOptions::default(), cancel)
        })
    }

    /// As `restart(container)`, with another timeout or signal.
    ///
    /// ```rhai
    /// restart("web", 2);
    /// ```
    #[rhai_fn(name = "restart", volatile, return_raw)]
    pub fn restart_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        time: DurationOrOptions,
    ) -> RhaiResultOf<Handle> {
        let options = options::stop("restart", time).or_raise(&ctx)?;
        act_with_handlers(&ctx, &container, |backend, id, cancel| {
            backend.restart(id, &options, cancel)
        })
    }

    /// Removes a container with its files and logs. A running container must be stopped first.
    /// Returns the handle.
    ///
    /// ```rhai
    /// stop("web");
    /// rm("web");
    /// ```
    #[rhai_fn(name = "rm", volatile, return_raw)]
    pub fn rm(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, cancel| {
            backend.rm(id, &RemoveOptions::default(), cancel)
        })
    }

    /// As `rm(container)`. `force` kills the container first; `volumes` also removes its anonymous
    /// volumes.
    ///
    /// ```rhai
    /// rm("web", #{ force: true, volumes: true });
    /// ```
    #[rhai_fn(name = "rm", volatile, return_raw)]
    pub fn rm_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Handle> {
        let options = options::remove(options).or_raise(&ctx)?;
        act(&ctx, &container, |backend, id, cancel| backend.rm(id, &options, cancel))
    }

    /// Renames a container, and returns it. Throws the kind `exists` if the name is taken.
    ///
    /// ```rhai
    /// rename("web", "web-old");
    /// ```
    #[rhai_fn(name = "rename", volatile, return_raw)]
    pub fn rename(
        ctx: NativeCallContext,
        container: ContainerOrName,
        name: &str,
    ) -> RhaiResultOf<Handle> {
        let name = name.parse().or_raise(&ctx)?;
        let handle = act(&ctx, &container, |backend, id, _| backend.rename(id, &name))?;
        handle.remember();
        Ok(handle)
    }

    /// Blocks until a container stops, and returns its exit code; immediately for an exited
    /// container.
    ///
    /// ```rhai
    /// let code = run("host", "true").wait();
    /// ```
    #[rhai_fn(name = "wait", volatile, return_raw)]
    pub fn wait(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<INT> {
        exited(&ctx, &container, None)
    }

    /// As `wait(container)`, but throws the kind `timeout` on timeout.
    ///
    /// ```rhai
    /// let code = run("host", "true").wait("10s");
    /// ```
    #[rhai_fn(name = "wait", volatile, return_raw)]
    pub fn wait_for_so_long(
        ctx: NativeCallContext,
        container: ContainerOrName,
        timeout: Duration,
    ) -> RhaiResultOf<INT> {
        let timeout = values::duration(&timeout.flatten());
        let timeout = values::parameter("timeout", timeout).or_raise(&ctx)?;
        exited(&ctx, &container, Some(timeout))
    }
}

/// Runs a verb on a container and returns its handle.
fn act(
    ctx: &NativeCallContext,
    container: &Dynamic,
    verb: impl FnOnce(&dyn Backend, &ContainerId, &CancelToken) -> Result<()>,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    if ctx.fn_name() == "rm" {
        handle.remember();
    }
    verb(context.backend().as_ref(), handle.id(), &context.cancel()).or_raise(ctx)?;
    Ok(handle)
}

/// Runs a verb that may take long; handlers are called meanwhile.
fn act_with_handlers(
    ctx: &NativeCallContext,
    container: &Dynamic,
    verb: impl FnOnce(&dyn Backend, &ContainerId, &CancelToken) -> Result<()> + Send,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    let (backend, id) = (context.backend().as_ref(), handle.id());
    handlers::wait(&context.cancel(), |cancel| verb(backend, id, cancel)).or_raise(ctx)?;
    Ok(handle)
}

fn exited(
    ctx: &NativeCallContext,
    container: &Dynamic,
    timeout: Option<std::time::Duration>,
) -> RhaiResultOf<INT> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    let (backend, id) = (context.backend(), handle.id());
    let wait = |cancel: &CancelToken| backend.wait(id, timeout, cancel);
    let code = match handlers::wait(&context.cancel(), wait) {
        // The container has exited and was removed; the events have its exit code.
        Err(error) if error.kind() == Kind::NotFound => match handle.exit_code() {
            Ok(Some(code)) => Ok(code),
            _ => Err(error),
        },
        waited => waited,
    };
    let code = code.or_raise(ctx)?;
    handle.note_exit(code);
    Ok(INT::from(code))
}
