//! Waits for a registry that is busy or has failed, and reports the wait.

use std::time::Duration;

use super::address::Url;
use super::client::Registry;
use super::failure::subject;
use super::response::{RegistryResponse, header};
use super::retry::retry_delay;
use crate::model::Result;
use crate::model::observe::progress::Event;

/// How often a request is repeated because the registry is busy.
const MAX_WAITS: u32 = 4;
/// How often a request is repeated because the registry failed.
const MAX_FAILURES: u32 = 3;

impl Registry {
    /// Waits, if the answer says that the registry is busy or failed. Returns whether to send
    /// again.
    pub(super) fn should_retry(
        &self,
        answer: &RegistryResponse,
        url: &Url,
        waits: &mut u32,
    ) -> Result<bool> {
        let status = answer.status().as_u16();
        let most = match status {
            429 => MAX_WAITS,
            500 | 502 | 503 | 504 => MAX_FAILURES,
            _ => 0,
        };
        if *waits >= most {
            return Ok(false);
        }
        *waits += 1;
        let stated = header(answer, "retry-after");
        let Some(time) = retry_delay(stated.as_deref(), *waits) else { return Ok(false) };
        let why = match status {
            429 => "gets too many requests".to_owned(),
            _ => format!("failed with status {status}"),
        };
        let subject = subject(&url.path);
        let subject =
            subject.map_or(String::new(), |subject| format!(" at the request for {subject}"));
        self.report_waiting(format!("{} {why}{subject}", self.name()), time);
        self.pause(time)?;
        Ok(true)
    }

    /// Reports that the next attempt starts after `time`.
    pub(super) fn report_waiting(&self, reason: String, time: Duration) {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.0.progress.report(&Event::Waiting { reason, seconds });
    }
}
