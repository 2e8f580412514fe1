//! Runs jobs at the same time until one of them decides.

use std::sync::mpsc;

use crate::engine::CancelToken;
use crate::model::{Error, Result};

/// What runs beside others, until it is done or cancelled.
pub(super) type Job<'a> = &'a (dyn Fn(&CancelToken) -> Result<()> + Sync);

/// Does all at the same time. The first result that `decides` takes ends the others and is the
/// result of all; else it is the first error, when all are done.
pub(super) fn run_concurrently(
    jobs: &[Job<'_>],
    decides: impl Fn(&Result<()>) -> bool,
    cancel: &CancelToken,
) -> Result<()> {
    let part = cancel.child()?;
    let (tell, told) = mpsc::channel();
    std::thread::scope(|scope| {
        for job in jobs {
            let (tell, part) = (tell.clone(), &part);
            std::thread::Builder::new()
                .spawn_scoped(scope, move || {
                    // Nobody listens any more once the first has ended all.
                    let _ = tell.send(job(part));
                })
                .map_err(|error| Error::from_io("make a thread", &error))?;
        }
        drop(tell);
        let mut first = Ok(());
        for result in told {
            if decides(&result) {
                part.cancel();
                return result;
            }
            first = first.and(result);
        }
        first
    })
    .inspect_err(|_| part.cancel())
}
