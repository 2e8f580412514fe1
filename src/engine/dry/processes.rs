//! Simulated processes: nothing runs, and every probe succeeds.

use super::state::Dry;
use crate::engine::backend::{Attach, CancelToken, Processes};
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::status::{Action, check};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;

impl Processes for Dry {
    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        _: &CancelToken,
    ) -> Result<AttachOutcome> {
        if attach.start {
            self.act(id, Action::Start, "")?;
        }
        self.exited(id).map(AttachOutcome::Exited)
    }

    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        _: Attach<'_>,
        _: &CancelToken,
    ) -> Result<AttachOutcome> {
        let state = self.container(id)?.state;
        check(state.name.as_str(), state.status, Action::Exec)?;
        self.record(format_args!("exec in {}: {}", state.name, options.cmd.join(" ")));
        Ok(AttachOutcome::Exited(0))
    }

    fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        if self.is_real(id) { self.inner.top(id) } else { Ok(Vec::new()) }
    }

    fn probe(&self, _: &ContainerId, _: &Probe, _: &CancelToken) -> Result<ProbeResult> {
        Ok(ProbeResult::Ready)
    }
}
