//! Follows init while it is traced: reads its notes and adds each step to the trace.

use std::os::fd::OwnedFd;

use rustix::io::Errno;

use crate::model::Result;
use crate::model::script::trace::Span;
use crate::runtime::init::traced::{StepReport, TraceWriter};
use crate::runtime::plan::{Plan, Step};
use crate::runtime::trace;
use crate::sys::process::pipe;

/// The ends of who makes the process.
#[derive(Debug)]
pub(super) struct TraceReader {
    from: OwnedFd,
    gate: Option<OwnedFd>,
}

impl TraceReader {
    /// Init's ends and ours; none where nothing is traced.
    ///
    /// # Errors
    /// When there are no more descriptors.
    pub(super) fn begin() -> Result<(Option<TraceWriter>, Option<Self>)> {
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

    /// Notes each step, until init has become its program or given up.
    pub(super) fn follow(self, plan: &Plan) {
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
