//! Follows init while it is traced: reads its step reports and adds each step to the trace.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::model::Result;
use crate::model::script::trace::Span;
use crate::runtime::init::traced::{StepReport, TraceWriter};
use crate::runtime::plan::{Plan, Step};
use crate::runtime::trace;
use crate::sys::process::pipe;

/// The monitor's ends of the pipes to init.
#[derive(Debug)]
pub(super) struct TraceReader {
    from: OwnedFd,
    gate: Option<OwnedFd>,
}

impl TraceReader {
    /// Opens the pipes: init's ends and the monitor's; none if tracing is off.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub(super) fn start() -> Result<(Option<TraceWriter>, Option<Self>)> {
        if !trace::is_on() {
            return Ok((None, None));
        }
        let (from, to) = pipe()?;
        let (wait, open) = match trace::is_watched() {
            true => pipe().map(|(wait, open)| (Some(wait), Some(open)))?,
            false => (None, None),
        };
        Ok((Some(TraceWriter::new(to, wait)), Some(TraceReader { from, gate: open })))
    }

    /// Adds each step, until init has executed its program or failed.
    pub(super) fn follow(self, plan: &Plan) {
        let mut bytes = [0; StepReport::SIZE];
        loop {
            match rustix::io::read(&self.from, &mut bytes) {
                Ok(StepReport::SIZE) => {}
                Err(Errno::INTR) => continue,
                _ => return,
            }
            let StepReport { step, start, duration, errno } = StepReport::from_bytes(&bytes);
            let step = usize::try_from(step).ok().and_then(|step| plan.steps.get(step));
            let Some(mut step) = step.map(Step::describe) else { continue };
            if duration == StepReport::AHEAD {
                trace::before(&step);
                let _ = self.gate.as_ref().map(|gate| rustix::io::write(gate, b"g"));
                continue;
            }
            step.span = Some(Span { start, duration });
            step.failure = i32::try_from(errno).ok().filter(|errno| *errno != 0).map(reason);
            match step.failure.is_some() {
                // The watcher has already reported the last step.
                true => trace::replace(step),
                false => trace::add(vec![step]),
            }
        }
    }
}

/// Describes an error number.
fn reason(errno: i32) -> String {
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}
