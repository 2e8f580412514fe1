//! The contract about the processes of containers: attach, exec, top, probes.

use super::contract_macro::contract;
use super::{Attach, CancelToken};
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;

contract! {
    /// The processes of containers.
    pub trait Processes, passed on by processes($) {
        /// Connects the caller's streams to a container until it exits or the caller detaches. With
        /// `attach.start` it is started first.
        fn attach(
            &self,
            id: &ContainerId,
            attach: Attach<'_>,
            cancel: &CancelToken,
        ) -> Result<AttachOutcome>;
        /// Runs another process in a running container, connected to the caller's streams.
        fn exec(
            &self,
            id: &ContainerId,
            options: &ExecOptions,
            attach: Attach<'_>,
            cancel: &CancelToken,
        ) -> Result<AttachOutcome>;
        /// Returns a container's processes, in the order in which they were created.
        fn top(&self, id: &ContainerId) -> Result<Vec<Process>>;
        /// Probes whether a container is ready: a port, an answer, a file.
        fn probe(
            &self,
            id: &ContainerId,
            probe: &Probe,
            cancel: &CancelToken,
        ) -> Result<ProbeResult>;
    }
}
