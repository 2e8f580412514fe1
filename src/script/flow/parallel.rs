//! Closures that run at the same time, each on a thread of its own.

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

/// How many run at once where nobody says so.
pub const MAX_CONCURRENT: usize = 256;

/// A call to be made.
#[derive(Debug)]
pub struct Job {
    function: FnPtr,
    arguments: Vec<Dynamic>,
}

impl Job {
    /// A call with these values.
    pub fn new(function: FnPtr, arguments: Vec<Dynamic>) -> Self {
        Job { function: callback::with_cloned_handles(function), arguments }
    }
}

/// What the threads share.
#[derive(Debug)]
struct Shared<'a> {
    jobs: &'a [Job],
    next: AtomicUsize,
    results: Mutex<Vec<Dynamic>>,
    /// The first error, in time.
    failed: Mutex<Option<Box<EvalAltResult>>>,
    cancel: CancelToken,
}

/// Makes all calls, at most `limit` at once. Their results, in the order of `jobs`; the first
/// error ends the calls that still run.
pub fn run(ctx: &NativeCallContext, jobs: &[Job], limit: usize) -> RhaiResultOf<Vec<Dynamic>> {
    let stage = ScriptContext::of(ctx)?;
    let shared = Shared {
        jobs,
        next: AtomicUsize::new(0),
        results: Mutex::new(vec![Dynamic::UNIT; jobs.len()]),
        failed: Mutex::new(None),
        cancel: stage.cancel().child().or_raise(ctx)?,
    };
    let (scope, tidying) = (thread::scope(), thread::is_in_cleanup());
    std::thread::scope(|threads| {
        for _ in 0..limit.min(jobs.len()) {
            let (shared, scope) = (&shared, scope.clone());
            let work = move || {
                thread::on_thread(shared.cancel.clone(), scope, tidying, || work(ctx, shared))
            };
            if let Err(error) = stack::thread().spawn_scoped(threads, work) {
                let made = Err::<(), _>(error).context(|| "make a thread".to_owned());
                shared.fails(made.or_raise(ctx).err());
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

/// Takes one job after the other, until there is none or one has failed.
fn work(ctx: &NativeCallContext, shared: &Shared<'_>) {
    loop {
        let index = shared.next.fetch_add(1, Ordering::Relaxed);
        let Some(job) = shared.jobs.get(index) else { return };
        // One that fails has its error in `failed` before it raises the flag.
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
