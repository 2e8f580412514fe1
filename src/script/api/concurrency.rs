//! Concurrency, retries and cleanup.

use super::signature::{Anything, ContainerOrName, Options};
use crate::model::{Error, Kind};
use crate::script::bounded;
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thread;
use crate::script::context::thrown::{RhaiResultOf, innermost};
use crate::script::flow::parallel::{Job, MAX_CONCURRENT};
use crate::script::flow::{cleanup, handlers, parallel, resolve};
use crate::script::options::{self, Retry};
use crate::script::values;
use crate::script::values::handle::Container;
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, INT, Map};
use std::time::Duration as Time;

/// Concurrency and cleanup.
#[export_module]
pub mod concurrency {
    /// Calls functions concurrently, and returns their results in order. The first error cancels
    /// the other calls and is thrown.
    ///
    /// ```rhai
    /// let codes = parallel([|| run("host", "true").wait(), || run("host", "true").wait()]);
    /// ```
    #[rhai_fn(name = "parallel", volatile, return_raw)]
    pub fn parallel(ctx: NativeCallContext, functions: Array) -> RhaiResultOf<Array> {
        run_functions(&ctx, functions, MAX_CONCURRENT)
    }

    /// As `parallel(functions)`, with at most `limit` concurrent calls.
    ///
    /// ```rhai
    /// let codes = parallel(2, [|| run("host", "true").wait(), || run("host", "true").wait()]);
    /// ```
    #[rhai_fn(name = "parallel", volatile, return_raw)]
    pub fn parallel_limited(
        ctx: NativeCallContext,
        limit: INT,
        functions: Array,
    ) -> RhaiResultOf<Array> {
        let limit = concurrency_limit(&ctx, limit)?;
        run_functions(&ctx, functions, limit)
    }

    /// Calls a function with each value of an array, concurrently, and returns the results in
    /// order.
    ///
    /// ```rhai
    /// let codes = parallel(["true", "true"], |cmd| run("host", cmd).wait());
    /// ```
    #[rhai_fn(name = "parallel", volatile, return_raw)]
    pub fn parallel_each(
        ctx: NativeCallContext,
        values: Array,
        function: FnPtr,
    ) -> RhaiResultOf<Array> {
        run_each(&ctx, values, &function, MAX_CONCURRENT)
    }

    /// As `parallel(values, function)`, with at most `limit` concurrent calls.
    ///
    /// ```rhai
    /// let codes = parallel(2, ["true", "true", "true"], |cmd| run("host", cmd).wait());
    /// ```
    #[rhai_fn(name = "parallel", volatile, return_raw)]
    pub fn parallel_each_limited(
        ctx: NativeCallContext,
        limit: INT,
        values: Array,
        function: FnPtr,
    ) -> RhaiResultOf<Array> {
        let limit = concurrency_limit(&ctx, limit)?;
        run_each(&ctx, values, &function, limit)
    }

    /// Calls a function until it throws no error, at most `times` times, and returns its result.
    /// Throws the last error.
    ///
    /// ```rhai
    /// let code = retry(3, || run("host", "true").wait());
    /// ```
    #[rhai_fn(name = "retry", volatile, return_raw)]
    pub fn retry(ctx: NativeCallContext, times: INT, function: FnPtr) -> RhaiResultOf<Anything> {
        let times = u64::try_from(times).ok().filter(|times| *times > 0).ok_or_else(|| {
            raise(&ctx, &Error::new(Kind::Invalid, "retry(): `times` must be at least 1"))
        })?;
        retry_loop(&ctx, &Retry { times, ..Retry::default() }, &function)
    }

    /// As `retry(times, function)`, with a delay between the calls that grows by the factor
    /// `backoff`, and only after errors of the kinds in `on`.
    ///
    /// ```rhai
    /// let slow = #{ times: 3, delay: "100ms", backoff: 2, on: ["timeout", "network"] };
    /// let code = retry(slow, || run("host", "true").wait("10s"));
    /// ```
    #[rhai_fn(name = "retry", volatile, return_raw)]
    pub fn retry_with(
        ctx: NativeCallContext,
        options: Options,
        function: FnPtr,
    ) -> RhaiResultOf<Anything> {
        let retry = options::retry(options).or_raise(&ctx)?;
        retry_loop(&ctx, &retry, &function)
    }

    /// Calls a function and removes the containers created in it, however it ends: by its return,
    /// an error, `exit`, Ctrl-C, or the death of this process. Returns the result of the function.
    ///
    /// ```rhai
    /// scope(|| {
    ///     let c = run("host", "sleep 100");
    ///     print(c.status);
    /// });
    /// ```
    #[rhai_fn(name = "scope", volatile, return_raw)]
    pub fn scope(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<Anything> {
        let scope = Scope::inside(thread::scope());
        let call = || function.call_within_context::<Dynamic>(&ctx, ());
        let ended = thread::in_scope(scope.clone(), call);
        cleanup::end(&scope, ctx.engine(), &ScriptContext::of(&ctx)?, ended)
    }

    /// Releases a container from its scopes, so that it is not removed at their end. Returns the
    /// container.
    ///
    /// ```rhai
    /// let c = scope(|| keep(run("host", "true")));
    /// print(c.wait());
    /// ```
    #[rhai_fn(name = "keep", volatile, return_raw)]
    pub fn keep(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Container> {
        let handle = resolve::container(&ctx, &container)?;
        if thread::scope().is_some_and(|scope| scope.release(&handle)) {
            let context = ScriptContext::of(&ctx)?;
            context.session().and_then(|owner| owner.keep(handle.id())).or_raise(&ctx)?;
        }
        Ok(handle)
    }

    /// Defers a call to the end of the scope, or of the script where there is no scope. Calls run
    /// however it ends, the latest first. At the prompt each input is a script.
    ///
    /// ```rhai
    /// let c = run("host", "sleep 100");
    /// defer(|| rm(c, #{ force: true }));
    /// ```
    #[rhai_fn(name = "defer", volatile, return_raw)]
    pub fn defer(ctx: NativeCallContext, function: FnPtr) -> RhaiResultOf<()> {
        let scope = thread::scope().ok_or_else(|| {
            raise(&ctx, &Error::new(Kind::Bug, "defer(): called outside of a script"))
        })?;
        scope.defer(&ctx, function);
        Ok(())
    }

    /// Calls a function and returns its result. If the call does not complete, because of an error,
    /// `exit`, Ctrl-C or a time limit, `undo` is called first.
    ///
    /// ```rhai
    /// let c = ensure_running("web", "host", #{ cmd: "sleep 100" });
    /// attempt(|| { c.pause(); sleep("10ms"); c.unpause() }, || if c.status == "paused" { c.unpause() });
    /// ```
    #[rhai_fn(name = "attempt", volatile, return_raw)]
    pub fn attempt(ctx: NativeCallContext, function: FnPtr, undo: FnPtr) -> RhaiResultOf<Anything> {
        let context = ScriptContext::of(&ctx)?;
        let ended = function.call_within_context::<Dynamic>(&ctx, ());
        // A call that has swallowed the ending of the script has not completed either.
        if ended.is_ok() && context.ending().is_none() {
            return ended;
        }
        let back = Scope::detached();
        back.defer(&ctx, undo);
        cleanup::end(&back, ctx.engine(), &context, ended)
    }
}

fn concurrency_limit(ctx: &NativeCallContext, limit: INT) -> RhaiResultOf<usize> {
    usize::try_from(limit).ok().filter(|limit| *limit > 0).ok_or_else(|| {
        let message = format!("parallel(): `limit` must be at least 1, not {limit}");
        raise(ctx, &Error::new(Kind::Invalid, message))
    })
}

fn run_functions(ctx: &NativeCallContext, functions: Array, limit: usize) -> RhaiResultOf<Array> {
    let job = |value: Dynamic| {
        let value = value.flatten();
        let kind = values::type_of(&value);
        value.try_cast::<FnPtr>().map(|function| Job::new(function, Vec::new())).ok_or_else(|| {
            let message = format!("parallel(): expected an array of functions, got {kind} in it");
            let hint = "write parallel([|| ..., || ...]), or parallel(values, |value| ...)";
            raise(ctx, &Error::new(Kind::Invalid, message).hint(hint))
        })
    };
    let jobs = functions.into_iter().map(job).collect::<RhaiResultOf<Vec<Job>>>()?;
    parallel::run(ctx, &jobs, limit)
}

fn run_each(
    ctx: &NativeCallContext,
    values: Array,
    function: &FnPtr,
    limit: usize,
) -> RhaiResultOf<Array> {
    let job = |value: Dynamic| Job::new(function.clone(), vec![value.flatten()]);
    let jobs: Vec<Job> = values.into_iter().map(job).collect();
    parallel::run(ctx, &jobs, limit)
}

fn retry_loop(ctx: &NativeCallContext, retry: &Retry, function: &FnPtr) -> RhaiResultOf<Dynamic> {
    let cancel = ScriptContext::of(ctx)?.cancel();
    let mut pause = retry.delay;
    let mut time = 1;
    loop {
        let mut error = match function.call_within_context::<Dynamic>(ctx, ()) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !innermost(&error).is_catchable() || !is_retryable(retry, innermost(&error)) {
            return Err(error);
        }
        if time == retry.times {
            note(&mut error, time);
            return Err(error);
        }
        time += 1;
        handlers::wait(&cancel, |cancel| cancel.sleep(pause)).or_raise(ctx)?;
        pause = Time::try_from_secs_f64(pause.as_secs_f64() * retry.backoff)
            .unwrap_or(retry.longest)
            .min(retry.longest);
    }
}

/// Returns whether an error is of a kind to retry.
fn is_retryable(retry: &Retry, error: &EvalAltResult) -> bool {
    let kind = match error {
        EvalAltResult::ErrorRuntime(value, _) => match value.read_lock::<Map>() {
            Some(map) => map.get("kind").map(bounded::text_of),
            None => Some("thrown".to_owned()),
        },
        // The kind that `catch` gives it.
        _ => Some(Kind::Invalid.as_str().to_owned()),
    };
    retry.on.is_empty() || kind.is_some_and(|kind| retry.on.contains(&kind))
}

/// Adds the number of tries to the last error.
fn note(error: &mut EvalAltResult, times: u64) {
    match error {
        EvalAltResult::ErrorInFunctionCall(_, _, inner, _)
        | EvalAltResult::ErrorInModule(_, inner, _) => note(inner, times),
        EvalAltResult::ErrorRuntime(value, _) if times > 1 => {
            let Some(mut map) = value.write_lock::<Map>() else { return };
            let said = Dynamic::from(format!("gave up after {times} tries"));
            if let Some(mut causes) =
                map.get_mut("causes").and_then(|causes| causes.write_lock::<Array>())
            {
                causes.push(said);
            }
        }
        _ => {}
    }
}
