//! A container of the engine in memory, its program and its output.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::memory::Memory;
use crate::engine::{CancelToken, LogStream};
use crate::model::container::options::{CreateOptions, EnvEntry};
use crate::model::container::status::Status;
use crate::model::container::{Config, Container, ContainerSpec, HostConfig, ImageUse, VERSION};
use crate::model::image::Image;
use crate::model::observe::log::{LogLine, LogOptions, Stream};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

#[derive(Clone, Debug)]
pub struct Entry {
    pub container: Container,
    pub lines: Vec<LogLine>,
}

impl Entry {
    pub fn write(&mut self, stream: Stream, text: &str) {
        let bytes = format!("{text}\n").into_bytes();
        self.lines.push(LogLine { time: Timestamp::UNIX_EPOCH, stream, bytes });
    }

    pub fn run(&mut self) -> Result<()> {
        let argv = self.container.spec.config.argv();
        let words: Vec<&str> = argv.iter().map(String::as_str).collect();
        let state = &mut self.container.state;
        (state.status, state.pid) = (Status::Running, 4242);
        (state.started_at, state.finished_at) = (Some(Timestamp::now()), None);
        match words.as_slice() {
            ["missing", ..] => {
                (self.container.state.status, self.container.state.pid) = (Status::Created, 0);
                let message = format!("cannot start `{}`", self.container.state.name);
                return Err(Error::new(Kind::NotFound, message)
                    .cause("`missing`: executable file not found")
                    .with_exit_code(127));
            }
            ["panic", ..] => panic!("the engine tripped"),
            ["echo", words @ ..] => {
                self.write(Stream::Stdout, &words.join(" "));
                self.write(Stream::Stderr, "done");
                Memory::end(self, 0);
            }
            ["exit", code] => Memory::end(self, code.parse().unwrap()),
            _ => {}
        }
        Ok(())
    }
}

#[derive(Debug)]
pub struct Reading {
    pub world: Arc<Mutex<HashMap<ContainerId, Entry>>>,
    pub id: ContainerId,
    pub options: LogOptions,
    pub next: usize,
    pub counted: usize,
}

impl LogStream for Reading {
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
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

/// Returns the spec of a container with these options.
pub fn spec(id: ContainerId, image: Image, options: &CreateOptions) -> ContainerSpec {
    let env = options.env.iter().filter_map(|entry| match entry {
        EnvEntry::Set { key, value } => Some(format!("{key}={value}")),
        EnvEntry::Unset { .. } => None,
    });
    ContainerSpec {
        version: VERSION,
        id,
        created: Timestamp::now(),
        image: ImageUse { reference: image.tags[0].familiar(), id: image.id, layers: Vec::new() },
        config: Config {
            env: env.collect(),
            cmd: options.cmd.clone().or(image.config.cmd),
            labels: options.labels.clone(),
            ..Config::default()
        },
        host: HostConfig { auto_remove: options.auto_remove, ..HostConfig::default() },
        session: options.session.clone(),
    }
}
