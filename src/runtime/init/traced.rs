//! The steps of init while they are traced: init writes each to a pipe, and `spawn` reads it.
//!
//! Between clone and exec init shares no memory with another process. So each step is a few bytes
//! on a pipe, and with a watcher, init waits at a second pipe before it continues.

use std::os::fd::OwnedFd;

use rustix::io::{Errno, retry_on_intr};

use crate::runtime::plan::Step;
use crate::sys::clock;

/// The report of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct StepReport {
    /// The index of the step in the plan.
    pub(in crate::runtime) step: u64,
    /// When it started, in nanoseconds of the monotonic clock.
    pub(in crate::runtime) start: u64,
    /// How long it took, in nanoseconds, or [`StepReport::AHEAD`].
    pub(in crate::runtime) duration: u64,
    /// The error number if it failed; otherwise 0.
    pub(in crate::runtime) errno: u64,
}

impl StepReport {
    /// Shorter than PIPE_BUF, so it is read and written atomically (pipe(7)).
    pub(in crate::runtime) const SIZE: usize = 32;
    /// The duration of a step that has not started: init waits for permission.
    pub(in crate::runtime) const AHEAD: u64 = u64::MAX;

    fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let numbers = [self.step, self.start, self.duration, self.errno];
        for (part, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            part.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }

    pub(in crate::runtime) fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        let number = |at: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[8 * at..8 * at + 8]);
            u64::from_ne_bytes(part)
        };
        StepReport { step: number(0), start: number(1), duration: number(2), errno: number(3) }
    }
}

/// Init's ends of the pipes.
#[derive(Debug)]
pub struct TraceWriter {
    /// Takes the reports.
    to: OwnedFd,
    /// Yields a byte for each step that may start; `None` without a watcher.
    gate: Option<OwnedFd>,
}

impl TraceWriter {
    /// Returns a writer to `to`, which waits at `gate` before each step, if there is one.
    pub(in crate::runtime) fn new(to: OwnedFd, gate: Option<OwnedFd>) -> Self {
        TraceWriter { to, gate }
    }

    /// Returns the open descriptors.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        [&self.to].into_iter().chain(&self.gate)
    }

    /// Returns both descriptors, if they are open.
    pub fn both(traced: Option<&Self>) -> [Option<&OwnedFd>; 2] {
        [traced.map(|traced| &traced.to), traced.and_then(|traced| traced.gate.as_ref())]
    }

    fn write(&self, number: usize, start: u64, duration: u64, errno: i32) {
        let step = u64::try_from(number).unwrap_or(u64::MAX);
        let errno = u64::from(errno.unsigned_abs());
        let report = StepReport { step, start, duration, errno }.to_bytes();
        let _ = retry_on_intr(|| rustix::io::write(&self.to, &report));
    }
}

/// Carries out one step in init, and reports it.
pub fn step(
    traced: Option<&TraceWriter>,
    number: usize,
    step: &Step,
    take: impl FnOnce() -> Result<(), Errno>,
) -> Result<(), Errno> {
    let Some(traced) = traced else { return take() };
    if let Some(gate) = &traced.gate {
        traced.write(number, clock::monotonic(), StepReport::AHEAD, 0);
        // A watcher that has exited no longer answers.
        let _ = retry_on_intr(|| rustix::io::read(gate, &mut [0; 1]));
    }
    let start = clock::monotonic();
    if matches!(step, Step::Execute) {
        // If it succeeds, init is no longer there to report its end.
        traced.write(number, start, 0, 0);
    }
    let taken = take();
    let errno = taken.err().map_or(0, Errno::raw_os_error);
    traced.write(number, start, clock::monotonic().saturating_sub(start), errno);
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_out_as_it_went_in() {
        let note = StepReport { step: 7, start: 1 << 40, duration: StepReport::AHEAD, errno: 2 };
        assert_eq!(StepReport::from_bytes(&note.to_bytes()), note);
    }
}
