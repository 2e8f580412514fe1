//! Processes of containers, and their streams for the runtime.

use super::handle::Native;
use crate::engine::backend::{Attach, CancelToken, Processes};
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;
use crate::runtime::client::attach::AttachMode;
use crate::runtime::client::streams::Streams;

impl Processes for Native {
    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        let mode = if attach.start { AttachMode::Start } else { AttachMode::Running };
        self.runtime.attach(id, mode, attach.into(), cancel)
    }

    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        self.runtime.exec(id, options, attach.into(), cancel)
    }

    fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        self.runtime.top(id)
    }

    fn probe(&self, id: &ContainerId, probe: &Probe, cancel: &CancelToken) -> Result<ProbeResult> {
        self.runtime.probe(id, probe, cancel)
    }
}

impl<'a> From<Attach<'a>> for Streams<'a> {
    fn from(attach: Attach<'a>) -> Self {
        let Attach { stdin, stdout, stderr, forward_signals, detach_keys, terminal, .. } = attach;
        Streams { stdin, stdout, stderr, forward_signals, detach_keys, terminal }
    }
}
