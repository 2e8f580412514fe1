//! Limits and usage of a container, on the client's side: the check at creation, `update` and
//! `stats`.

use std::path::Path;
use std::time::Instant;

use super::permitted;
use super::runtime::Runtime;
use crate::model::container::resources::Resources;
use crate::model::container::status;
use crate::model::container::status::{Action, Status};
use crate::model::container::{Changes, State};
use crate::model::observe::event;
use crate::model::observe::stats::Stats;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cgroup::{self, Cgroup, Hierarchies};
use crate::runtime::oci;
use crate::runtime::protocol::Request;

impl Runtime {
    /// Refuses limits that the host cannot enforce, before anything is created.
    pub(crate) fn check_limits(&self, resources: &Resources) -> Result<()> {
        if *resources == Resources::default() {
            return Ok(());
        }
        permitted::check_ulimits(&resources.ulimits)?;
        permitted::check_oom_score(resources.oom_score_adj)?;
        let parent = Path::new(&self.cgroup_parent);
        let parent = Cgroup::at(&Hierarchies::of_host()?.delegated(parent), parent);
        parent.check(&oci::resources::limits(resources)?, resources)
    }

    /// Changes limits and restart policy: immediately if the container runs, and for later starts.
    ///
    /// # Errors
    /// [`crate::model::Kind::Invalid`] or [`crate::model::Kind::Unsupported`]; then nothing
    /// changes.
    pub fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        self.check_limits(&changes.resources)?;
        let directory = self.directory(id);
        let request = Request::Update { changes: Box::new(changes.clone()) };
        self.request_or(
            id,
            &request,
            None,
            |_| (),
            |_lock, state| {
                status::check(state.name.as_str(), state.status, Action::Update)?;
                let mut host = directory.read_spec()?.host_config;
                state.updated.apply(&mut host);
                directory.write_state(&State { updated: changes.resolve(&host)?, ..state })?;
                self.event(id, event::EventAction::Update, &[]);
                Ok(())
            },
        )?;
        directory.sync(&["state.json"])
    }

    /// Returns the current usage of a container; zeros if it has no process.
    ///
    /// # Errors
    /// When its record cannot be read; [`Kind::Unsupported`] if it has no cgroup.
    pub fn stats(&self, id: &ContainerId) -> Result<Stats> {
        let state = self.inspect(id)?.state;
        let at = Some(Instant::now());
        if !matches!(state.status, Status::Running | Status::Paused) {
            return Ok(Stats { at, ..Stats::default() });
        }
        let cgroup = self.cgroup(id)?;
        if cgroup.has_no_hierarchy() {
            let message = format!("cannot read the usage of `{}`: it has no cgroup", state.name);
            return Err(
                Error::new(Kind::Unsupported, message).hint(cgroup::delegation_hint(None, false))
            );
        }
        let network = network_bytes(state.pid);
        Ok(Stats { at, network, ..cgroup.usage() })
    }
}

/// Returns the bytes received and sent in the network namespace of a process (proc_pid_net(5)).
fn network_bytes(pid: i32) -> (u64, u64) {
    let text = std::fs::read_to_string(format!("/proc/{pid}/net/dev")).unwrap_or_default();
    let mut total = (0, 0);
    for line in text.lines() {
        let Some((name, counts)) = line.split_once(':') else { continue };
        if name.trim() == "lo" {
            continue;
        }
        let counts: Vec<u64> =
            counts.split_whitespace().filter_map(|count| count.parse().ok()).collect();
        total.0 += counts.first().copied().unwrap_or_default();
        total.1 += counts.get(8).copied().unwrap_or_default();
    }
    total
}
