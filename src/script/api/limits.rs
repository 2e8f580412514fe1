//! What a container uses, and what it may use.

use super::signature::{Anything, ContainerOrName, Options};
use crate::model::Result;
use crate::script::context::callback;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::flow::stats::{Samples as Stream, WATCHED, map_of};
use crate::script::options::{self, Sampling};
use crate::script::values::handle::Container as Handle;
use rhai::plugin::*;
use rhai::{Dynamic, FnPtr, ImmutableString, Map};
use std::any::TypeId;

/// Returns the functions, with the iterator of `Samples`.
pub fn module() -> Module {
    let mut module = exported_module!(limits);
    module.set_iter_result(TypeId::of::<Stream>(), |samples: Dynamic| {
        match samples.try_cast::<Stream>() {
            Some(samples) => samples.iterate(),
            None => Box::new(std::iter::empty()),
        }
    });
    module
}

/// What a container uses, and what it may use.
#[export_module]
pub mod limits {
    /// A stream of samples of resource usage, to loop over: maps.
    pub type Samples = Stream;

    /// Updates limits and the restart policy of a container: immediately if it runs, and for every
    /// later start. Returns the container.
    ///
    /// ```rhai
    /// update("web", #{ pids: 50, memory: "64m", restart: "on-failure:3" });
    /// ```
    #[rhai_fn(name = "update", volatile, return_raw)]
    pub fn update(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Handle> {
        let changes = options::update(options).or_raise(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let context = ScriptContext::of(&ctx)?;
        context.backend().update(handle.id(), &changes).or_raise(&ctx)?;
        Ok(handle)
    }

    /// Returns current resource usage as a map: `cpu` (per cent of a processor), `memory` (bytes),
    /// `memory_limit`, `pids` and more.
    ///
    /// ```rhai
    /// let now = stats("web");
    /// print(now.memory < now.memory_limit || now.pids == 0);
    /// ```
    #[rhai_fn(name = "stats", volatile, return_raw)]
    pub fn stats(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Map> {
        let handle = resolve::container(&ctx, &container)?;
        let context = ScriptContext::of(&ctx)?;
        now(&context, &handle).or_raise(&ctx)
    }

    /// As `stats(container)`, with options. With `follow` the result is a stream of samples, one
    /// each second or each `interval`, until the container exits. Loop over it; `break` ends the
    /// loop, and the kind `timeout` is thrown on timeout.
    ///
    /// ```rhai
    /// for s in stats("web", #{ follow: true, interval: "500ms", timeout: "30s" }) {
    ///     print(`${s.cpu} % ${s.memory}`);
    ///     if s.memory < 100 * 1024 * 1024 { break; }
    /// }
    /// ```
    #[rhai_fn(name = "stats", volatile, return_raw)]
    pub fn stats_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Anything> {
        let sampling = options::stats(options).or_raise(&ctx)?;
        let handle = resolve::container(&ctx, &container)?;
        let context = ScriptContext::of(&ctx)?;
        if !sampling.follow {
            return now(&context, &handle).map(Dynamic::from).or_raise(&ctx);
        }
        open(&context, &handle, sampling).map(Dynamic::from).or_raise(&ctx)
    }

    /// Calls a function with a sample about each second, until the container exits or the function
    /// returns false. In a closure `this` is the container. Returns the container.
    ///
    /// ```rhai
    /// stats("web", |s| { print(`${this.name}: ${s.pids}`); s.pids > 10 });
    /// ```
    #[rhai_fn(name = "stats", volatile, return_raw)]
    pub fn stats_each(
        ctx: NativeCallContext,
        container: ContainerOrName,
        each: FnPtr,
    ) -> RhaiResultOf<Handle> {
        follow(&ctx, &container, Sampling::default(), &each)
    }

    /// As `stats(container, each)`, with options.
    ///
    /// ```rhai
    /// stats("web", #{ interval: "100ms", timeout: "30s" }, |s| s.cpu < 50.0);
    /// ```
    #[rhai_fn(name = "stats", volatile, return_raw)]
    pub fn stats_each_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
        each: FnPtr,
    ) -> RhaiResultOf<Handle> {
        let sampling = options::stats(options).or_raise(&ctx)?;
        follow(&ctx, &container, sampling, &each)
    }

    /// Returns the name of the type; loop over a value for its samples.
    #[rhai_fn(name = "to_string", name = "to_debug")]
    pub fn show(_samples: Samples) -> ImmutableString {
        "Samples".into()
    }
}

fn now(context: &ScriptContext, handle: &Handle) -> Result<Map> {
    let read = || context.backend().stats(handle.id());
    let before = read()?;
    if before.pids > 0 {
        context.cancel().sleep(WATCHED)?;
    }
    Ok(map_of(&before, &read()?))
}

fn open(context: &ScriptContext, handle: &Handle, sampling: Sampling) -> Result<Stream> {
    Stream::open(context.backend(), handle.id(), sampling, &context.cancel())
}

/// Calls the closure with each sample, until the container exits or the closure returns false.
fn follow(
    ctx: &NativeCallContext,
    container: &Dynamic,
    sampling: Sampling,
    each: &FnPtr,
) -> RhaiResultOf<Handle> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    for sample in open(&context, &handle, sampling).or_raise(ctx)?.samples() {
        let sample = Dynamic::from(sample.or_raise(ctx)?);
        let answer = callback::call(ctx, each, handle.clone(), sample)?;
        if callback::says_stop(&answer) {
            break;
        }
    }
    Ok(handle)
}
