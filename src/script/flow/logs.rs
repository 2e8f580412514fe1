//! `Logs`: the logs of a container, to loop over.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Instant;

use rhai::Dynamic;

use super::handlers;
use crate::engine::{Backend, CancelToken, LogStream};
use crate::model::observe::log::Stream;
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::script::context::raise::in_loop;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::options::Follow;
use crate::script::values::log_line::LogLine;

/// The lines of a container: those at the time of the call, or with `follow` also later ones.
#[derive(Clone, Debug)]
pub struct Logs {
    source: Source,
    timestamps: bool,
}

#[derive(Clone, Debug)]
enum Source {
    Read(Arc<[LogLine]>),
    Live(Arc<Live>),
}

/// The source of a live stream, which each loop opens anew.
#[derive(Debug)]
struct Live {
    backend: Arc<dyn Backend>,
    id: ContainerId,
    follow: Follow,
    cancel: CancelToken,
}

impl Logs {
    /// Opens the logs of `id`; reads the lines now unless they are followed.
    pub fn open(
        backend: &Arc<dyn Backend>,
        id: &ContainerId,
        follow: Follow,
        cancel: &CancelToken,
    ) -> Result<Logs> {
        let timestamps = follow.timestamps;
        let backend = Arc::clone(backend);
        let live = Live { backend, id: id.clone(), follow, cancel: cancel.clone() };
        // Opened now even if it is live: an error belongs to the call, not to the loop.
        let lines = live.open()?;
        let source = if live.follow.options.follow {
            Source::Live(Arc::new(live))
        } else {
            Source::Read(lines.collect::<Result<_>>()?)
        };
        Ok(Logs { source, timestamps })
    }

    /// Returns all lines; of a live stream, after the container has exited.
    pub fn lines(&self) -> Result<Arc<[LogLine]>> {
        match &self.source {
            Source::Read(lines) => Ok(Arc::clone(lines)),
            Source::Live(live) => live.open()?.collect(),
        }
    }

    /// Returns the text of one stream or of both, with times if requested.
    pub fn text(&self, stream: Option<Stream>) -> Result<String> {
        let mut text = String::new();
        for line in self.lines()?.iter().map(LogLine::line) {
            let is_other = stream.is_some_and(|wanted| wanted != line.stream);
            // One without bytes only says that output is missing.
            if is_other || line.bytes.is_empty() {
                continue;
            }
            if self.timestamps {
                // Docker's `-t`: fixed width, so that columns stay columns.
                let _ = write!(text, "{:.9} ", line.time);
            }
            text.push_str(&line.text());
            if line.bytes.ends_with(b"\n") {
                text.push('\n');
            }
        }
        Ok(text)
    }

    /// Returns the iterator of a `for` loop.
    pub fn iterate(self) -> Box<dyn Iterator<Item = RhaiResultOf<Dynamic>>> {
        let failed = |error: Error| in_loop(&error, "logs");
        match self.source {
            Source::Read(lines) => {
                Box::new((0..lines.len()).map(move |i| Ok(Dynamic::from(lines[i].clone()))))
            }
            Source::Live(live) => match live.open() {
                Ok(lines) => {
                    Box::new(lines.map(move |line| line.map(Dynamic::from).map_err(failed)))
                }
                Err(error) => Box::new(std::iter::once(Err(failed(error)))),
            },
        }
    }
}

impl Live {
    fn open(&self) -> Result<Lines> {
        let stream = self.backend.logs(&self.id, &self.follow.options)?;
        let deadline = self.follow.timeout.and_then(|t| Instant::now().checked_add(t));
        let follows = self.follow.options.follow;
        Ok(Lines { stream, deadline, follows, cancel: self.cancel.clone(), over: false })
    }
}

/// The lines of one opened stream.
#[derive(Debug)]
pub struct Lines {
    stream: Box<dyn LogStream>,
    deadline: Option<Instant>,
    follows: bool,
    cancel: CancelToken,
    over: bool,
}

impl Lines {
    /// Opens a stream of lines.
    pub fn open(
        backend: &Arc<dyn Backend>,
        id: &ContainerId,
        follow: Follow,
        cancel: &CancelToken,
    ) -> Result<Lines> {
        let (backend, cancel) = (Arc::clone(backend), cancel.clone());
        Live { backend, id: id.clone(), follow, cancel }.open()
    }
}

impl Iterator for Lines {
    type Item = Result<LogLine>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let left = self.deadline.map(|end| end.saturating_duration_since(Instant::now()));
        // A container that writes continuously must not delay the timeout.
        if self.follows && left.is_some_and(|left| left.is_zero()) {
            self.over = true;
            return Some(Err(Error::new(Kind::Timeout, "timed out while following the logs")));
        }
        let stream = &mut self.stream;
        let next =
            handlers::next_item(left, &self.cancel, |left, cancel| stream.next_line(left, cancel));
        let next = next.transpose();
        // After an error the stream has ended.
        self.over = !matches!(next, Some(Ok(_)));
        next.map(|line| line.map(LogLine::new))
    }
}
