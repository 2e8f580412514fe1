//! The contract about the processes of containers: attach, exec, top, probes.

use super::contract::contract;
use super::{Attach, CancelToken};
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;

contract! {
    /// What runs in containers.
    pub trait Processes, passed on by processes($) {
        /// Connects the caller's streams to a container, starting it first where `attach.start`
        /// says so, until it ends or is left.
        fn attach(
            &self,
            id: &ContainerId,
            attach: Attach<'_>,
            cancel: &CancelToken,
        ) -> Result<AttachOutcome>;
        /// Runs a further program in a container that runs, connected to the caller's streams.
        fn exec(
            &self,
            id: &ContainerId,
            options: &ExecOptions,
            attach: Attach<'_>,
            cancel: &CancelToken,
        ) -> Result<AttachOutcome>;
        /// Its processes, in the order in which they were made.
        fn top(&self, id: &ContainerId) -> Result<Vec<Process>>;
        /// Whether it shows a sign of being ready: a port, an answer, a file.
        fn probe(
            &self,
            id: &ContainerId,
            probe: &Probe,
            cancel: &CancelToken,
        ) -> Result<ProbeResult>;
    }
}
