//! The end of a run: records it, reports it, and releases everything.

use std::fs;
use std::path::Path;
use std::time::Instant;

use jiff::Timestamp;
use rustix::event::{PollFd, PollFlags, Timespec};

use super::state::Monitor;
use super::usage_meter::UsageMeter;
use crate::model::Error;
use crate::model::container::phase::{UsagePhase, add_phase};
use crate::model::container::status::Status;
use crate::model::script::trace::ProcessRole;
use crate::runtime::protocol::Reply;
use crate::runtime::protocol::client::ClientConnection;
use crate::runtime::record::container_store::RemovedContainer;
use crate::runtime::trace;
use crate::runtime::trace::operation::Operation;
use crate::sys::tree;

/// What keeps an overlay that left out syncs from being mounted again (overlayfs.rst).
const VOLATILE: &str = "work/work/incompat";

/// Deletes the files of a container that was taken away. What fails is for `system check`.
fn delete(removed: Option<RemovedContainer>) {
    let _ = removed.map(RemovedContainer::delete);
}

/// How long a client that is stopped keeps this process from exiting. One that runs may be slow.
const STOPPED_CLIENT: Timespec = Timespec { tv_sec: 10, tv_nsec: 0 };

impl Monitor {
    /// Records a start that failed: the container keeps its status, with the reason.
    pub(super) fn give_up(&mut self, error: &Error) {
        self.kill_run();
        let _ = self.cgroup.remove();
        self.state.exit_code = error.exit_code().map_or(128, i32::from);
        self.state.error = error.to_string();
        if !self.is_auto_removed() {
            // Without it the record is still true: the container keeps its status.
            let _ = self.write_state();
        }
        delete(self.release());
    }

    /// Records the exit, releases everything, and only then answers the clients that wait. What is
    /// left of a container that was created with `--rm` goes after the answer.
    pub(super) fn finish(&mut self) {
        let code = self.exited.map_or(255, |(code, _)| code);
        let ran = self.run.is_some();
        let held = self.close_log().filter(|_| self.is_auto_removed());
        self.state.oom_killed |= self.cgroup.oom_kills() > 0;
        // The usage of a container that is removed now is not needed.
        if ran && !self.is_auto_removed() {
            self.state.memory_peak = self.cgroup.memory_peak();
            self.measure(self.state.status);
        }
        let removed = trace::traced(
            ProcessRole::Monitor,
            || Operation::RemoveCgroup,
            || self.cgroup.remove(),
        );
        self.state = self.state.clone().exited(code, Timestamp::now());
        if let Err(error) = removed {
            self.state.error = error.to_string();
        }
        // Recorded before it is reported: a client may act on the answer immediately.
        if !self.is_auto_removed() {
            self.record_end(code);
        }
        if ran {
            self.emit_exit(code);
        }
        let removed = self.release();
        // Where steps are watched, all of them come before the answer.
        let (now, later) = if trace::is_on() { (removed, None) } else { (None, removed) };
        delete(now);
        self.reply_exited(code);
        drop(held);
        delete(later);
        self.flush_replies();
    }

    /// Sends what clients have not taken yet.
    fn flush_replies(&mut self) {
        while self.clients.iter().any(ClientConnection::has_unsent) {
            let mut fds: Vec<_> = self
                .clients
                .iter()
                .filter(|client| client.has_unsent())
                .map(|client| PollFd::new(&client.stream, PollFlags::OUT))
                .collect();
            let taken = rustix::event::poll(&mut fds, Some(&STOPPED_CLIENT));
            drop(fds);
            if taken == Ok(0) {
                self.clients.retain(|client| !client.is_held());
            }
            self.clients.iter_mut().for_each(ClientConnection::send);
            self.clients.retain(|client| !client.closed);
        }
    }

    /// Returns whether the container is removed at its exit (`--rm`).
    fn is_auto_removed(&self) -> bool {
        self.spec.host_config.auto_remove && !self.keep_container
    }

    /// Answers the clients that wait for the exit.
    pub(super) fn reply_exited(&mut self, code: i32) {
        for client in &mut self.clients {
            if client.attached || client.awaits_exit {
                (client.attached, client.awaits_exit) = (false, false);
                client.feeds_stdin = false;
                client.reply(&Reply::Exited { code });
            }
        }
    }

    /// Unlocks the container for other processes, or takes one away that was created with `--rm`.
    /// The files of that one remain, so that no client waits until they are deleted.
    fn release(&mut self) -> Option<RemovedContainer> {
        let _ = fs::remove_file("monitor.sock");
        if self.is_auto_removed() {
            return self.containers.take_away(&self.spec.id, Some(&self.state.name)).ok();
        }
        if self.spec.host_config.auto_remove {
            let _ = tree::remove_any_at(Path::new(VOLATILE));
        }
        self.lock = None;
        None
    }

    /// Adds the usage since the last call to this status.
    pub(super) fn measure(&mut self, status: Status) {
        let (now, usage) = (Instant::now(), self.cgroup.usage());
        let phase = UsagePhase {
            status,
            duration: now.saturating_duration_since(self.meter.since),
            cpu: usage.cpu_time.saturating_sub(self.meter.cpu),
            memory: usage.memory,
        };
        add_phase(&mut self.state.phases, phase);
        self.meter = UsageMeter { since: now, cpu: usage.cpu_time };
    }
}
