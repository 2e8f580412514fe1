//! Watches the process of the engine that this one waits for, where the wait has no bound of its
//! own: a container may run as long as it likes, but a monitor that is stopped ends the wait.

use std::time::{Duration, Instant};

use super::request_timeout::ANSWER_TIMEOUT;
use crate::runtime::host;
use crate::sys::lock;
use crate::sys::process_state::ProcessState;

/// The time between two looks: what does not move from one to the next is stuck. Two are a little
/// longer than a wait for an answer, so that a process which gives up by itself can say why.
const PERIOD: Duration = Duration::from_millis(ANSWER_TIMEOUT.as_secs() * 1000 / 2 + 200);

/// What the watched process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Work {
    /// It starts a program, and uses processor time until that runs.
    Start,
    /// It sleeps until the program does something.
    Run,
}

/// A watch over the process at the other end of a connection.
#[derive(Debug)]
pub(super) struct Watch {
    peer: Option<i32>,
    work: Work,
    next_look: Instant,
    /// What kept the wait at the last look, and the processor time used until then.
    last: Option<(i32, u64)>,
}

impl Watch {
    /// Returns a watch that looks for the first time after half of the time for an answer.
    pub(super) fn new(peer: Option<i32>, work: Work) -> Self {
        Watch { peer, work, next_look: Instant::now() + PERIOD, last: None }
    }

    /// Returns when to look next.
    pub(super) fn next_look(&self) -> Instant {
        self.next_look
    }

    /// Looks, if it is time. Returns the process that has not moved since the last look.
    pub(super) fn look(&mut self) -> Option<ProcessState> {
        if Instant::now() < self.next_look {
            return None;
        }
        self.next_look = Instant::now() + PERIOD;
        let awaited = self.awaited();
        let used = awaited.iter().map(|process| process.cpu).sum();
        let found = self.obstacle(awaited);
        let now = found.as_ref().map(|process| (process.pid, used));
        let before = std::mem::replace(&mut self.last, now);
        found.filter(|_| before == now)
    }

    /// Returns the processes that are waited for: each waits for the next.
    fn awaited(&self) -> Vec<ProcessState> {
        let mut chain: Vec<_> = self.peer.and_then(ProcessState::of).into_iter().collect();
        if self.work == Work::Start {
            let child = |of: &ProcessState| host::first_child(of.pid).and_then(ProcessState::of);
            chain.extend(chain.last().and_then(child));
            let holder = |of: &ProcessState| lock::awaited_by(of.pid).and_then(ProcessState::of);
            chain.extend(chain.last().and_then(holder));
        }
        chain
    }

    /// Returns the process that keeps the wait.
    fn obstacle(&self, mut awaited: Vec<ProcessState>) -> Option<ProcessState> {
        if let Some(held) = awaited.iter().position(ProcessState::is_held) {
            return Some(awaited.swap_remove(held));
        }
        // One that holds a lock for another container is at work.
        let is_stuck = |process: &ProcessState| match self.work {
            Work::Start => process.letter != 'R',
            Work::Run => process.letter == 'D',
        };
        awaited.pop().filter(is_stuck)
    }
}
