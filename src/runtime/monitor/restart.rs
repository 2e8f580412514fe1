//! Restarts by the policy, and changes of limits while the container runs.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::held::HeldNamespaces;
use super::launch::launch;
use super::record::{self, RETRY};
use super::state::Monitor;
use super::usage_meter::UsageMeter;
use crate::model::Result;
use crate::model::container::Changes;
use crate::model::container::resources::Resources;
use crate::model::container::status::Status;
use crate::model::container::supervision::restart_delay;
use crate::model::observe::event::EventAction;
use crate::model::observe::log::Stream;
use crate::runtime::{host, oci};

impl Monitor {
    /// Runs the program and records the start.
    pub(super) fn run_program(&mut self) -> Result<()> {
        // The setup counts as usage of the container.
        self.meter = UsageMeter::start();
        let container = (&self.spec, &self.state);
        let run =
            launch(&self.directory, &self.hierarchies, &self.cgroup, container, self.window_size)?;
        let before = self.state.clone();
        self.state.status = Status::Running;
        self.state.pid = run.child.pid;
        self.state.pid_start = host::start_time(run.child.pid);
        self.state.exit_code = 0;
        self.state.oom_killed = false;
        (self.state.stopped, self.state.exit_signal, self.state.memory_peak) = (None, None, 0);
        self.state.error.clear();
        self.state.started_at = Some(Timestamp::now());
        self.state.finished_at = None;
        self.state.boot_id = host::boot_id();
        self.run = Some(run);
        self.restart_state.run_started = Instant::now();
        self.start_checks();
        if before.status == Status::Restarting {
            self.record_or_retry();
        } else {
            self.write_state().inspect_err(|_| self.state = before)?;
        }
        self.emit_start();
        Ok(())
    }

    /// Restarts the container after a run, if the restart policy requires it; returns whether it
    /// has. Waits for the delay before the restart, in which a stop or a kill ends the container.
    pub(super) fn try_restart(&mut self) -> bool {
        let Some((code, _)) = self.exited else { return false };
        let policy = self.spec.host_config.supervision.restart;
        if self.restart_state.stopping || !policy.restarts(code, self.state.restart_count) {
            return false;
        }
        self.finish_run(code);
        let oom_killed = self.state.oom_killed;
        let mut delay =
            restart_delay(self.restart_state.delay, self.restart_state.run_started.elapsed());
        self.restart_state.delay = delay;
        loop {
            if !self.wait_for_restart(delay, code) {
                self.exited = Some((code, Instant::now()));
                self.state.oom_killed = oom_killed;
                return false;
            }
            self.state.restart_count += 1;
            match self.run_program() {
                Ok(()) => return true,
                // The policy outlives a full disk: the container is still restarting.
                Err(error) if record::may_pass(&error) => {
                    self.kill_run();
                    let _ = self.cgroup.remove();
                    self.state.restart_count -= 1;
                    delay = RETRY;
                }
                Err(error) => {
                    self.kill_run();
                    self.exited = Some((error.exit_code().map_or(128, i32::from), Instant::now()));
                    self.state.error = error.to_string();
                    return false;
                }
            }
        }
    }

    /// Waits for the delay before a restart, in which a stop or a kill ends the container; returns
    /// whether the container is restarted.
    fn wait_for_restart(&mut self, delay: Duration, code: i32) -> bool {
        let at = Instant::now() + delay;
        self.wake_at = Some(at);
        while !self.restart_state.stopping && Instant::now() < at {
            let ready = self.poll();
            self.handle(ready);
        }
        self.wake_at = None;
        let policy = self.spec.host_config.supervision.restart;
        !self.restart_state.stopping && policy.restarts(code, self.state.restart_count)
    }

    /// Records the end of a run that is not the last, and answers the clients that wait for it.
    fn finish_run(&mut self, code: i32) {
        drop(self.close_log());
        self.exited = None;
        self.state.oom_killed = self.cgroup.oom_kills() > 0;
        self.state.memory_peak = self.cgroup.memory_peak();
        self.measure(Status::Running);
        let removed = self.cgroup.remove();
        self.state = self.state.clone().exited(code, Timestamp::now());
        self.state.status = Status::Restarting;
        if let Err(error) = removed {
            self.state.error = error.to_string();
        }
        self.record_or_retry();
        self.emit_exit(code);
        self.reply_exited(code);
    }

    /// Writes the rest of unfinished lines. Returns the namespaces that are still there.
    pub(super) fn close_log(&mut self) -> Option<HeldNamespaces> {
        let mut run = self.run.take()?;
        run.write_log(Stream::Stdout, &[]);
        run.write_log(Stream::Stderr, &[]);
        Some(run.held)
    }

    /// Changes limits and restart policy; if the change cannot be recorded or the kernel refuses,
    /// nothing changes.
    pub(super) fn update(&mut self, changes: &Changes) -> Result<()> {
        let updated = changes.resolve(&self.spec.host_config)?;
        let limits = changes.resources != Resources::default() && self.run.is_some();
        // Recorded first: a limit of the kernel's cannot always be taken back.
        let before = std::mem::replace(&mut self.state.updated, updated.clone());
        if let Err(error) = self.write_state() {
            self.state.updated = before;
            return Err(error);
        }
        if let Some(resources) = updated.resources.as_deref().filter(|_| limits)
            && let Err(error) = self.set_limits(resources)
        {
            self.state.updated = before;
            self.record_or_retry();
            return Err(error);
        }
        updated.apply(&mut self.spec.host_config);
        self.event(EventAction::Update, &[]);
        Ok(())
    }

    /// Sets other limits; if the kernel refuses one, the present ones stay.
    fn set_limits(&self, resources: &Resources) -> Result<()> {
        let (old, new) = (&self.spec.host_config.resources, oci::resources::limits(resources)?);
        let changed = self.cgroup.extend(&new).and_then(|()| self.cgroup.update_limits(&new));
        if let Err(error) = changed {
            let _ = self.cgroup.update_limits(&oci::resources::limits(old)?);
            return Err(error);
        }
        Ok(())
    }
}
