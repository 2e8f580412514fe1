//! Runs jobs concurrently until one of them decides.

use std::sync::mpsc;

use crate::engine::CancelToken;
use crate::model::{Error, Result};

/// A job that runs concurrently with others, until it is done or cancelled.
pub(super) type Job<'a> = &'a (dyn Fn(&CancelToken) -> Result<()> + Sync);

/// Runs all jobs concurrently. The first result that `decides` accepts cancels the other jobs and
/// is returned. Otherwise the first error is returned when all are done.
pub(super) fn run_concurrently(
    jobs: &[Job<'_>],
    decides: impl Fn(&Result<()>) -> bool,
    cancel: &CancelToken,
) -> Result<()> {
    let child = cancel.child()?;
    let (sender, results) = mpsc::channel();
    std::thread::scope(|scope| {
        for job in jobs {
            let (sender, child) = (sender.clone(), &child);
            std::thread::Builder::new()
                .spawn_scoped(scope, move || {
                    // The receiver is dropped once the first job has ended all.
                    let _ = sender.send(job(child));
                })
                .map_err(|error| Error::from_io("create a thread", &error))?;
        }
        drop(sender);
        let mut first = Ok(());
        for result in results {
            if decides(&result) {
                child.cancel();
                return result;
            }
            first = first.and(result);
        }
        first
    })
    .inspect_err(|_| child.cancel())
}
