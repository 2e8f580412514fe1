//! The steps of init while they are traced: told by init over a pipe, noted by who made it.
//!
//! Between clone and exec nothing can be noted in memory that anybody else sees. So each step is a
//! few bytes on a pipe, and where somebody watches, init waits at a second one before it goes on.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::model::script::trace::Span;
use crate::runtime::plan::{Plan, Step};
use crate::runtime::spawn::pipe;
use crate::runtime::trace;
use crate::sys::clock;

/// What is told of one step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StepReport {
    /// Which step of the plan, from 0.
    step: u64,
    /// When it was begun, in nanoseconds of the monotonic clock.
    start: u64,
    /// How long it took, in nanoseconds, or [`Note::AHEAD`].
    duration: u64,
    /// The error number with which it failed; 0 where it did not.
    errno: u64,
}

impl StepReport {
    /// Shorter than PIPE_BUF, so it always comes whole (pipe(7)).
    const SIZE: usize = 32;
    /// The step is not taken yet, and init waits until it may.
    const AHEAD: u64 = u64::MAX;

    fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        let numbers = [self.step, self.start, self.duration, self.errno];
        for (part, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            part.copy_from_slice(&number.to_ne_bytes());
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
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

/// The ends of who makes the process.
#[derive(Debug)]
pub struct TraceReader {
    from: OwnedFd,
    gate: Option<OwnedFd>,
}

impl TraceReader {
    /// Init's ends and ours; none where nothing is traced.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub fn begin() -> crate::model::Result<(Option<TraceWriter>, Option<Self>)> {
        if !trace::is_on() {
            return Ok((None, None));
        }
        let (from, to) = pipe()?;
        let (wait, open) = match trace::is_watched() {
            true => pipe().map(|(wait, open)| (Some(wait), Some(open)))?,
            false => (None, None),
        };
        Ok((Some(TraceWriter { to, gate: wait }), Some(TraceReader { from, gate: open })))
    }

    /// Notes each step, until init has become its program or given up.
    pub fn follow(self, plan: &Plan) {
        let mut bytes = [0; StepReport::SIZE];
        loop {
            match rustix::io::read(&self.from, &mut bytes) {
                Ok(StepReport::SIZE) => {}
                Err(Errno::INTR) => continue,
                _ => return,
            }
            let StepReport { step, start: begun, duration: took, errno } =
                StepReport::from_bytes(&bytes);
            let step = usize::try_from(step).ok().and_then(|step| plan.steps.get(step));
            let Some(mut deed) = step.map(Step::describe) else { continue };
            if took == StepReport::AHEAD {
                trace::before(&deed);
                let _ = self.gate.as_ref().map(|gate| rustix::io::write(gate, b"g"));
                continue;
            }
            deed.span = Some(Span { start: begun, duration: took });
            deed.failure = i32::try_from(errno).ok().filter(|errno| *errno != 0).map(reason);
            match deed.failure.is_some() {
                // The last step was told before it was taken.
                true => trace::replace(deed),
                false => trace::add(vec![deed]),
            }
        }
    }
}

/// An error number in words.
fn reason(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
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
