//! Waiting until a container meets a condition.

use super::signature::{Anything, ContainerOrName, Duration};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::wait_for::Waiter;
use crate::script::flow::{handlers, resolve};
use crate::script::values::handle::Container as Handle;
use crate::script::{options, values};
use rhai::Dynamic;
use rhai::plugin::*;
use std::time::Instant;

/// Waiting.
#[export_module]
pub mod waiting {
    /// Waits until a container meets a condition: a status, `"healthy"`, or a map with `log`,
    /// `port`, `http`, `file`, `exec`, `all` or `any`. Throws the kind `died`, with the last lines,
    /// if the container exits first or writes a line that `fail` matches. Returns the container.
    ///
    /// Ports and servers are probed in the container's network namespace, at 127.0.0.1 and then at
    /// `[::1]`: no port needs to be published. `http` is a GET that follows no redirect.
    ///
    /// ```rhai
    /// let web = run("host", ["sh", "-c", "echo ready; sleep 100"]);
    /// web.wait_for(#{ log: "^ready", fail: "(?i)panic|fatal" });
    /// ```
    #[rhai_fn(name = "wait_for", volatile, return_raw)]
    pub fn wait_for(
        ctx: NativeCallContext,
        container: ContainerOrName,
        condition: Anything,
    ) -> RhaiResultOf<Handle> {
        until(&ctx, &container, &condition, None)
    }

    /// As `wait_for(container, condition)`, but throws the kind `timeout` on timeout.
    ///
    /// ```rhai
    /// let job = run("host", "true");
    /// job.wait_for("exited", "10s");
    /// let web = run("host", ["sh", "-c", "sleep 0.1; touch /tmp/ready; sleep 100"]);
    /// web.wait_for(#{ any: [#{ http: "/health", port: 8080, status: 200 }, #{ file: "/tmp/ready" }] }, "10s");
    /// ```
    #[rhai_fn(name = "wait_for", volatile, return_raw)]
    pub fn wait_for_so_long(
        ctx: NativeCallContext,
        container: ContainerOrName,
        condition: Anything,
        timeout: Duration,
    ) -> RhaiResultOf<Handle> {
        until(&ctx, &container, &condition, Some(&timeout))
    }
}

fn until(
    ctx: &NativeCallContext,
    container: &Dynamic,
    condition: &Dynamic,
    timeout: Option<&Dynamic>,
) -> RhaiResultOf<Handle> {
    let container = resolve::container(ctx, container)?;
    let goal = options::wait_condition(condition).or_raise(ctx)?;
    let timeout = timeout.map(|time| values::duration(&time.clone().flatten())).transpose();
    let timeout = values::parameter("timeout", timeout).or_raise(ctx)?;
    let context = ScriptContext::of(ctx)?;
    let waiter = Waiter {
        container: container.clone(),
        backend: context.backend().clone(),
        deadline: timeout.and_then(|timeout| Instant::now().checked_add(timeout)),
    };
    handlers::wait(&context.cancel(), |cancel| waiter.wait(&goal, cancel)).or_raise(ctx)?;
    Ok(container)
}
