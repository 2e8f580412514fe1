//! `Logs`: what a container wrote, to loop over.

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

/// Lines of a container: those that were there when they were asked for, or with `follow` also
/// those still to come.
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

/// What a live stream is opened with, each time somebody loops over it.
#[derive(Debug)]
struct Live {
    backend: Arc<dyn Backend>,
    id: ContainerId,
    follow: Follow,
    cancel: CancelToken,
}

impl Logs {
    /// The lines of `id`; reads them now unless they are followed.
    pub fn open(
        backend: &Arc<dyn Backend>,
        id: &ContainerId,
        follow: Follow,
        cancel: &CancelToken,
    ) -> Result<Logs> {
        let timestamps = follow.timestamps;
        let backend = Arc::clone(backend);
        let live = Live { backend, id: id.clone(), follow, cancel: cancel.clone() };
        // Opened now even where it is live: an error belongs to the call, not to the loop.
        let lines = live.open()?;
        let source = if live.follow.options.follow {
            Source::Live(Arc::new(live))
        } else {
            Source::Read(lines.collect::<Result<_>>()?)
        };
        Ok(Logs { source, timestamps })
    }

    /// All lines; of a live stream, when the container has ended.
    pub fn lines(&self) -> Result<Arc<[LogLine]>> {
        match &self.source {
            Source::Read(lines) => Ok(Arc::clone(lines)),
            Source::Live(live) => live.open()?.collect(),
        }
    }

    /// What was written, of one stream or of both, with times where they are wanted.
    pub fn text(&self, stream: Option<Stream>) -> Result<String> {
        let mut text = String::new();
        for line in self.lines()?.iter().map(LogLine::line) {
            if stream.is_some_and(|wanted| wanted != line.stream) {
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

    /// For a `for` loop.
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
    /// Opens a stream.
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
        // One who writes without end must not keep us from the time.
        if self.follows && left.is_some_and(|left| left.is_zero()) {
            self.over = true;
            return Some(Err(Error::new(Kind::Timeout, "the time for following is over")));
        }
        let stream = &mut self.stream;
        let next =
            handlers::next_item(left, &self.cancel, |left, cancel| stream.next_line(left, cancel));
        let next = next.transpose();
        // After an error the stream says nothing new.
        self.over = !matches!(next, Some(Ok(_)));
        next.map(|line| line.map(LogLine::new))
    }
}
