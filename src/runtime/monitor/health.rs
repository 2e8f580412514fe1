//! Schedules the container's health checks and records the results.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::Monitor;
use crate::model::observe::event::EventAction;
use crate::model::value::health_check::{Health, HealthCheck, HealthStatus, HealthcheckResult};

impl Monitor {
    /// Starts the checks, after a start of the container.
    pub(super) fn start_checks(&mut self) {
        if self.checker.is_some() {
            self.state.health = Some(Health::starting());
            self.schedule_check();
        }
    }

    /// Stops the checks, before a pause and at the exit. Without checks the health is unknown,
    /// which Docker reports as unhealthy. The caller writes the state.
    pub(super) fn stop_checks(&mut self) {
        let Some(checker) = &mut self.checker else { return };
        checker.next = None;
        if let Some(mut check) = checker.pending.take() {
            check.give_up();
        }
        // No event: Docker emits none here either.
        if let Some(health) = &mut self.state.health {
            health.status = HealthStatus::Unhealthy;
        }
    }

    /// Returns how long the container has run.
    fn ran(&self) -> Duration {
        let since = self.state.started_at.unwrap_or_default();
        Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default()
    }

    /// Schedules the next check one interval from now: after a start, a check or an unpause.
    pub(super) fn schedule_check(&mut self) {
        let ran = self.ran();
        let (Some(checker), Some(health)) = (&mut self.checker, &self.state.health) else { return };
        checker.next = Instant::now().checked_add(checker.check.next_delay(health.status, ran));
    }

    /// Starts a check when it is due, and takes the result of a pending one.
    pub(super) fn run_health_checks(&mut self) {
        // Most containers have no health check, and this is called on every output.
        if self.checker.is_none() {
            return;
        }
        let ran = self.ran();
        let Some(checker) = &mut self.checker else { return };
        let (start, at, (exit_code, output)) = if let Some(check) = &mut checker.pending {
            let Some(result) = check.result() else { return };
            (check.start, check.ran, result)
        } else if checker.next.is_some_and(|next| Instant::now() >= next) {
            checker.next = None;
            match checker.start_check(&self.spec.id, ran) {
                Ok(check) => {
                    checker.pending = Some(check);
                    return;
                }
                Err(error) => (Timestamp::now(), ran, (-1, error.to_string())),
            }
        } else {
            return;
        };
        checker.pending = None;
        let check = checker.check.clone();
        let result = HealthcheckResult { start, end: Timestamp::now(), exit_code, output };
        self.record_result(result, &check, at);
        self.schedule_check();
        // A full disk must not end the container.
        self.record_or_retry();
    }

    /// Updates the container's health by a result.
    fn record_result(&mut self, result: HealthcheckResult, check: &HealthCheck, ran: Duration) {
        let Some(health) = &mut self.state.health else { return };
        let before = health.status;
        health.record(result, check, ran);
        let status = health.status;
        if status != before {
            self.event(EventAction::HealthStatus.of(status.as_str()), &[]);
        }
    }
}
