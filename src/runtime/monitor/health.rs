//! Asks the container again and again whether it is well, and records the answers.

use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::state::Monitor;
use crate::model::observe::event::Action;
use crate::model::value::health_check::{Health, HealthCheck, HealthStatus, HealthcheckResult};

impl Monitor {
    /// After a start: it is to be asked from now on.
    pub(super) fn start_checks(&mut self) {
        if self.checker.is_some() {
            self.state.health = Some(Health::starting());
            self.schedule_check();
        }
    }

    /// Before a pause and at the end: it is not asked any more. Nobody knows then whether it is
    /// well, and Docker calls that unhealthy. The caller records it.
    pub(super) fn stop_checks(&mut self) {
        let Some(checker) = &mut self.checker else { return };
        checker.next = None;
        if let Some(mut asked) = checker.pending.take() {
            asked.give_up();
        }
        // Nothing has happened to it: Docker tells of no event here either.
        if let Some(health) = &mut self.state.health {
            health.status = HealthStatus::Unhealthy;
        }
    }

    /// How long the container has run.
    fn ran(&self) -> Duration {
        let since = self.state.started_at.unwrap_or_default();
        Duration::try_from(Timestamp::now().duration_since(since)).unwrap_or_default()
    }

    /// From now on, or again after a pause: it is asked when the time for the next has passed.
    pub(super) fn schedule_check(&mut self) {
        let ran = self.ran();
        let (Some(checker), Some(health)) = (&mut self.checker, &self.state.health) else { return };
        checker.next = Instant::now().checked_add(checker.check.next_delay(health.status, ran));
    }

    /// Asks when it is time, and takes the answer when it is there.
    pub(super) fn run_health_checks(&mut self) {
        // Most containers are not asked: this is called whenever one writes.
        if self.checker.is_none() {
            return;
        }
        let ran = self.ran();
        let Some(checker) = &mut self.checker else { return };
        let (start, at, (exit_code, output)) = if let Some(asked) = &mut checker.pending {
            let Some(answer) = asked.result() else { return };
            (asked.start, asked.ran, answer)
        } else if checker.next.is_some_and(|next| Instant::now() >= next) {
            checker.next = None;
            match checker.start_check(&self.spec.id, ran) {
                Ok(asked) => {
                    checker.pending = Some(asked);
                    return;
                }
                Err(error) => (Timestamp::now(), ran, (-1, error.to_string())),
            }
        } else {
            return;
        };
        checker.pending = None;
        let check = checker.check.clone();
        let answer = HealthcheckResult { start, end: Timestamp::now(), exit_code, output };
        self.record_result(answer, &check, at);
        self.schedule_check();
        // A full disk must not end a container; the next answer is recorded again.
        let _ = self.directory.write_state(&self.state);
    }

    /// Takes an answer into what is known of its health.
    fn record_result(&mut self, answer: HealthcheckResult, check: &HealthCheck, ran: Duration) {
        let Some(health) = &mut self.state.health else { return };
        let before = health.status;
        health.record(answer, check, ran);
        let status = health.status;
        if status != before {
            self.event(Action::HealthStatus.of(status.as_str()), &[]);
        }
    }
}
