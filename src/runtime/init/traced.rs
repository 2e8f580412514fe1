//! The steps of init while they are traced: init writes each to a pipe, and `spawn` reads it.
//!
//! Between clone and exec nothing can be noted in memory that anybody else sees. So each step is a
//! few bytes on a pipe, and where somebody watches, init waits at a second one before it goes on.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::runtime::plan::Step;
use crate::sys::clock;

/// What is told of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) struct StepReport {
    /// Which step of the plan, from 0.
    pub(in crate::runtime) step: u64,
    /// When it was begun, in nanoseconds of the monotonic clock.
    pub(in crate::runtime) start: u64,
    /// How long it took, in nanoseconds, or [`StepReport::AHEAD`].
    pub(in crate::runtime) duration: u64,
    /// The error number with which it failed; 0 where it did not.
    pub(in crate::runtime) errno: u64,
}

impl StepReport {
    /// Shorter than PIPE_BUF, so it always comes whole (pipe(7)).
    pub(in crate::runtime) const SIZE: usize = 32;
    /// The step is not taken yet, and init waits until it may.
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

/// Init's ends.
#[derive(Debug)]
pub struct TraceWriter {
    /// Takes what is told.
    to: OwnedFd,
    /// Gives a byte for each step that may be taken; none where nobody watches.
    gate: Option<OwnedFd>,
}

impl TraceWriter {
    /// Writes to `to`, and waits at `gate` before each step where there is one.
    pub(in crate::runtime) fn new(to: OwnedFd, gate: Option<OwnedFd>) -> Self {
        TraceWriter { to, gate }
    }

    /// The descriptors that are open.
    pub fn descriptors(&self) -> impl Iterator<Item = &OwnedFd> {
        [&self.to].into_iter().chain(&self.gate)
    }

    /// Both, where they are.
    pub fn both(traced: Option<&Self>) -> [Option<&OwnedFd>; 2] {
        [traced.map(|traced| &traced.to), traced.and_then(|traced| traced.gate.as_ref())]
    }

    fn write(&self, number: usize, begun: u64, took: u64, errno: i32) {
        let step = u64::try_from(number).unwrap_or(u64::MAX);
        let errno = u64::from(errno.unsigned_abs());
        let _ = rustix::io::write(
            &self.to,
            &StepReport { step, start: begun, duration: took, errno }.to_bytes(),
        );
    }
}

/// Takes one step in init, and tells of it.
pub fn step(
    traced: Option<&TraceWriter>,
    number: usize,
    step: &Step,
    take: impl FnOnce() -> Result<(), Errno>,
) -> Result<(), Errno> {
    let Some(traced) = traced else { return take() };
    if let Some(gate) = &traced.gate {
        traced.write(number, clock::monotonic(), StepReport::AHEAD, 0);
        // Where nobody answers any more, nobody watches.
        let _ = rustix::io::read(gate, &mut [0; 1]);
    }
    let begun = clock::monotonic();
    if matches!(step, Step::Execute) {
        // Where it succeeds there is nobody left to tell of its end.
        traced.write(number, begun, 0, 0);
    }
    let taken = take();
    let errno = taken.err().map_or(0, Errno::raw_os_error);
    traced.write(number, begun, clock::monotonic().saturating_sub(begun), errno);
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
