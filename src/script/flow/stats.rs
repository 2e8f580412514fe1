//! `Samples`: resource usage of a container as a stream of maps.

use super::handlers;
use crate::engine::{Backend, CancelToken};
use crate::model::observe::stats::Stats;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::in_loop;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::options::Sampling;
use rhai::{Dynamic, Map};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time over which processor usage is measured before the first sample.
pub const WATCHED: Duration = Duration::from_millis(100);

/// The resource usage of a container until it exits. Each loop begins anew.
#[derive(Clone, Debug)]
pub struct Samples {
    backend: Arc<dyn Backend>,
    id: ContainerId,
    sampling: Sampling,
    cancel: CancelToken,
}

impl Samples {
    /// Opens the samples of `id`.
    ///
    /// # Errors
    /// When the container is missing, or no controller counts its usage: such an error belongs to
    /// the call, not to the loop.
    pub fn open(
        backend: &Arc<dyn Backend>,
        id: &ContainerId,
        sampling: Sampling,
        cancel: &CancelToken,
    ) -> Result<Samples> {
        backend.stats(id)?;
        let (backend, cancel) = (Arc::clone(backend), cancel.clone());
        Ok(Samples { backend, id: id.clone(), sampling, cancel })
    }

    /// Returns the samples from now on.
    pub fn samples(&self) -> impl Iterator<Item = Result<Map>> + use<> {
        let deadline = self.sampling.timeout.and_then(|time| Instant::now().checked_add(time));
        let (of, mut last, mut over) = (self.clone(), None, false);
        std::iter::from_fn(move || {
            if over {
                return None;
            }
            let sample = |cancel: &CancelToken| of.next(&mut last, deadline, cancel);
            let next = handlers::wait(&of.cancel, sample).transpose();
            over = !matches!(next, Some(Ok(_)));
            next
        })
    }

    /// Returns the iterator of a `for` loop.
    pub fn iterate(&self) -> Box<dyn Iterator<Item = RhaiResultOf<Dynamic>>> {
        let failed = |error: Error| in_loop(&error, "stats");
        Box::new(self.samples().map(move |map| map.map(Dynamic::from).map_err(failed)))
    }

    /// Returns the next sample; `None` after the container has exited.
    fn next(
        &self,
        last: &mut Option<Stats>,
        deadline: Option<Instant>,
        cancel: &CancelToken,
    ) -> Result<Option<Map>> {
        let (before, pause) = match last {
            Some(before) => (Some(*before), self.sampling.interval),
            None => (self.sample()?, WATCHED.min(self.sampling.interval)),
        };
        let Some(before) = before else { return Ok(None) };
        let left = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        let goes_on = self.wait(left.map_or(pause, |left| left.min(pause)), cancel)?;
        if goes_on && left.is_some_and(|left| left < pause) {
            return Err(Error::new(Kind::Timeout, "timed out while following the samples"));
        }
        let Some(now) = self.sample()?.filter(|_| goes_on) else { return Ok(None) };
        *last = Some(now);
        Ok(Some(map_of(&before, &now)))
    }

    /// Returns the current usage; `None` if the container no longer runs.
    fn sample(&self) -> Result<Option<Stats>> {
        if self.has_exited()? {
            return Ok(None);
        }
        match self.backend.stats(&self.id) {
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            stats => stats.map(Some),
        }
    }

    fn has_exited(&self) -> Result<bool> {
        match self.backend.inspect(&self.id) {
            Ok(record) => Ok(!record.state.status.is_live()),
            Err(error) if error.kind() == Kind::NotFound => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Waits for this time. Returns false, early, if the container exits meanwhile.
    fn wait(&self, time: Duration, cancel: &CancelToken) -> Result<bool> {
        let end = Instant::now() + time;
        match self.backend.wait(&self.id, Some(time), cancel) {
            Err(error) if error.kind() == Kind::Timeout => return Ok(true),
            Err(error) if error.kind() == Kind::NotFound => return Ok(false),
            waited => drop(waited?),
        }
        if self.has_exited()? {
            return Ok(false);
        }
        // One run has exited, and the restart policy starts another.
        cancel.sleep(end.saturating_duration_since(Instant::now()))?;
        Ok(true)
    }
}

/// Returns the usage between two samples, and the values of the later one.
pub fn map_of(before: &Stats, now: &Stats) -> Map {
    let number = |value: u64| Dynamic::from(crate::script::values::int(value));
    let optional = |value: Option<u64>| value.map_or(Dynamic::UNIT, number);
    let entries = [
        ("cpu", Dynamic::from(now.cpu_percent(before))),
        ("cpu_time", Dynamic::from(now.cpu_time.as_secs_f64())),
        ("memory", number(now.memory)),
        ("memory_limit", number(now.memory_limit)),
        ("memory_percent", Dynamic::from(now.memory_percent())),
        ("net_in", number(now.network.0)),
        ("net_out", number(now.network.1)),
        ("block_in", optional(now.block.map(|block| block.0))),
        ("block_out", optional(now.block.map(|block| block.1))),
        ("pids", number(now.pids)),
    ];
    entries.into_iter().map(|(key, value)| (key.into(), value)).collect()
}
