//! Runs closures concurrently, each on its own thread.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rhai::{Dynamic, EvalAltResult, FnPtr, NativeCallContext};

use super::handlers;
use crate::engine::CancelToken;
use crate::model::error::Context;
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::context::{callback, stack, thread};

/// The default limit of concurrent calls.
pub const MAX_CONCURRENT: usize = 256;

/// A call to make.
#[derive(Debug)]
pub struct Job {
    function: FnPtr,
    arguments: Vec<Dynamic>,
}

impl Job {
    /// Creates a call with these arguments.
    pub fn new(function: FnPtr, arguments: Vec<Dynamic>) -> Self {
        Job { function: callback::with_cloned_handles(function), arguments }
    }
}

/// The state that the threads share.
#[derive(Debug)]
struct Shared<'a> {
    jobs: &'a [Job],
    next: AtomicUsize,
    results: Mutex<Vec<Dynamic>>,
    /// The first error, in time.
    failed: Mutex<Option<Box<EvalAltResult>>>,
    cancel: CancelToken,
}

/// Makes all calls, at most `limit` concurrently. Returns the results in the order of `jobs`; the
/// first error cancels the calls that still run.
pub fn run(ctx: &NativeCallContext, jobs: &[Job], limit: usize) -> RhaiResultOf<Vec<Dynamic>> {
    let context = ScriptContext::of(ctx)?;
    let shared = Shared {
        jobs,
        next: AtomicUsize::new(0),
        results: Mutex::new(vec![Dynamic::UNIT; jobs.len()]),
        failed: Mutex::new(None),
        cancel: context.cancel().child().or_raise(ctx)?,
    };
    let (scope, in_cleanup) = (thread::scope(), thread::is_in_cleanup());
    std::thread::scope(|threads| {
        for _ in 0..limit.min(jobs.len()) {
            let (shared, scope) = (&shared, scope.clone());
            let work = move || {
                thread::on_thread(shared.cancel.clone(), scope, in_cleanup, || work(ctx, shared))
            };
            if let Err(error) = stack::thread().spawn_scoped(threads, work) {
                let failed = Err::<(), _>(error).context(|| "create a thread".to_owned());
                shared.fails(failed.or_raise(ctx).err());
                break;
            }
        }
    });
    match shared.failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(error) => Err(error),
        None => Ok(shared.results.into_inner().unwrap_or_else(PoisonError::into_inner)),
    }
}

impl Shared<'_> {
    fn fails(&self, error: Option<Box<EvalAltResult>>) {
        let mut failed = lock(&self.failed);
        if failed.is_none() {
            *failed = error;
        }
        self.cancel.cancel();
    }
}

/// Takes jobs one by one, until there is none left or one has failed.
fn work(ctx: &NativeCallContext, shared: &Shared<'_>) {
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = shared.jobs.get(index) else { return };
        // A failing job stores its error in `failed` before it cancels the others.
        if shared.cancel.is_cancelled() {
            return shared.fails(Some(
                crate::script::context::thrown::Ending::Interrupted.at(ctx.call_position()),
            ));
        }
        let call = || job.function.call_within_context::<Dynamic>(ctx, job.arguments.clone());
        let whole = || handlers::with_handlers(call, || shared.cancel.clone());
        let result = stack::without_panic(whole).unwrap_or_else(|bug| Err(raise(ctx, &bug)));
        match result {
            Ok(value) => lock(&shared.results)[index] = value.flatten(),
            Err(error) => return shared.fails(Some(error)),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
