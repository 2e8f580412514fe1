//! The verbs that move a container through its life. Each returns its subject, so calls chain.

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

/// The life of a container.
#[export_module]
pub mod lifecycle {
    /// Runs its program. Returns when it really runs; one that runs already stays as it is.
    ///
    /// ```rhai
    /// let c = create("host", #{ cmd: "sleep 100" });
    /// c.start();
    /// ```
    #[rhai_fn(name = "start", volatile, return_raw)]
    pub fn start(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.start(id))
    }

    /// Runs its program and stays with it until it ends: `docker start -a` and `-i`.
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

    /// Asks it to end, and kills it after ten seconds.
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

    /// Asks it to end, and kills it after a grace time.
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

    /// Ends it at once, by SIGKILL.
    ///
    /// ```rhai
    /// kill("web");
    /// ```
    #[rhai_fn(name = "kill", volatile, return_raw)]
    pub fn kill(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.kill(id, Number::KILL))
    }

    /// Sends a signal to its first process.
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

    /// Freezes all its processes: they keep their memory and use no CPU.
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

    /// Thaws it: its processes go on where they were.
    ///
    /// ```rhai
    /// unpause("web");
    /// ```
    #[rhai_fn(name = "unpause", volatile, return_raw)]
    pub fn unpause(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Handle> {
        act(&ctx, &container, |backend, id, _| backend.unpause(id))
    }

    /// Stops it and starts it again.
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

    /// Stops it within a grace time and starts it again.
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

    /// Removes it with its files and logs. One that runs must be stopped first.
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

    /// Removes it; with `force`, kills it first, with `volumes`, removes the volumes that nobody
    /// named as well.
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

    /// Gives it another name.
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

    /// Waits until it has ended and returns its exit code; at once for one that has ended.
    ///
    /// ```rhai
    /// let code = run("host", "true").wait();
    /// ```
    #[rhai_fn(name = "wait", volatile, return_raw)]
    pub fn wait(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<INT> {
        exited(&ctx, &container, None)
    }

    /// The same, but throws the kind `timeout` when the time is over.
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
        let timeout = values::duration(&timeout.flatten()).or_raise(&ctx)?;
        exited(&ctx, &container, Some(timeout))
    }
}

/// Does one thing with a container and returns its handle.
fn act(
    ctx: &NativeCallContext,
    container: &Dynamic,
    verb: impl FnOnce(&dyn Backend, &ContainerId, &CancelToken) -> Result<()>,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let stage = ScriptContext::of(ctx)?;
    if ctx.fn_name() == "rm" {
        handle.remember();
    }
    verb(stage.backend().as_ref(), handle.id(), &stage.cancel()).or_raise(ctx)?;
    Ok(handle)
}

/// The same for what may take long: handlers are called meanwhile.
fn act_with_handlers(
    ctx: &NativeCallContext,
    container: &Dynamic,
    verb: impl FnOnce(&dyn Backend, &ContainerId, &CancelToken) -> Result<()> + Send,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let stage = ScriptContext::of(ctx)?;
    let (backend, id) = (stage.backend().as_ref(), handle.id());
    handlers::wait(&stage.cancel(), |cancel| verb(backend, id, cancel)).or_raise(ctx)?;
    Ok(handle)
}

fn exited(
    ctx: &NativeCallContext,
    container: &Dynamic,
    timeout: Option<std::time::Duration>,
) -> RhaiResultOf<INT> {
    let handle = resolve::container(ctx, container)?;
    let stage = ScriptContext::of(ctx)?;
    let (backend, id) = (stage.backend(), handle.id());
    let wait = |cancel: &CancelToken| backend.wait(id, timeout, cancel);
    let code = match handlers::wait(&stage.cancel(), wait) {
        // It has ended and is gone; events still tell how.
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
