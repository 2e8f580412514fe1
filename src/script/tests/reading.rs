//! The logs of the engine in memory.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::memory::Entry;
use crate::engine::{Cancel, LogStream};
use crate::model::id::ContainerId;
use crate::model::log::{LogLine, LogOptions, Stream};
use crate::model::{Error, Kind, Result};

#[derive(Debug)]
pub struct Reading {
    pub world: Arc<Mutex<HashMap<ContainerId, Entry>>>,
    pub id: ContainerId,
    pub options: LogOptions,
    pub next: usize,
    pub counted: usize,
}

impl LogStream for Reading {
    fn next_line(&mut self, timeout: Option<Duration>, cancel: &Cancel) -> Result<Option<LogLine>> {
        let begin = Instant::now();
        loop {
            let Some(entry) = self.world.lock().unwrap().get(&self.id).cloned() else {
                return Ok(None);
            };
            while let Some(line) = entry.lines.get(self.next) {
                self.next += 1;
                if self.options.stream.is_none_or(|stream| stream == line.stream) {
                    return Ok(Some(line.clone()));
                }
            }
            if !self.options.follow || !entry.container.state.status.is_live() {
                return Ok(None);
            }
            if entry.container.spec.config.argv() == ["count"] {
                self.counted += 1;
                let bytes = format!("{}\n", self.counted).into_bytes();
                let time = Timestamp::UNIX_EPOCH;
                return Ok(Some(LogLine { time, stream: Stream::Stdout, bytes }));
            }
            if timeout.is_some_and(|timeout| begin.elapsed() >= timeout) {
                return Err(Error::new(Kind::Timeout, "no line came"));
            }
            cancel.sleep(Duration::from_millis(1))?;
        }
    }
}
