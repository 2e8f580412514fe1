//! Handles: values that name a container or an image. Copies name the same thing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{Backend, CancelToken};
use crate::model::container::Container as Record;
use crate::model::image::usage::ImageUsage;
use crate::model::image::{Image as Metadata, PullPolicy};
use crate::model::observe::event::{Action, EventFilter, EventOptions};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// A container. It is live: what it tells is asked when it is asked for.
#[derive(Clone)]
pub struct Container {
    id: ContainerId,
    backend: Arc<dyn Backend>,
    last: Arc<Mutex<LastKnown>>,
}

/// What was last known, for a container that is gone.
#[derive(Debug, Default)]
struct LastKnown {
    name: Option<String>,
    exit_code: Option<i32>,
}

impl Container {
    /// The handle of `id`.
    pub fn new(backend: &Arc<dyn Backend>, id: ContainerId) -> Self {
        Container { id, backend: Arc::clone(backend), last: Arc::default() }
    }

    /// The handle of a container that was just read.
    pub fn of(backend: &Arc<dyn Backend>, record: &Record) -> Self {
        let container = Container::new(backend, record.spec.id.clone());
        container.last().name = Some(record.state.name.to_string());
        container
    }

    fn last(&self) -> MutexGuard<'_, LastKnown> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Its id.
    pub fn id(&self) -> &ContainerId {
        &self.id
    }

    /// How it is now.
    pub fn now(&self) -> Result<Record> {
        let record = self.backend.inspect(&self.id)?;
        self.last().name = Some(record.state.name.to_string());
        Ok(record)
    }

    /// Remembers its name, before somebody takes it away.
    pub fn remember(&self) {
        let _ = self.now();
    }

    /// Remembers how it ended, which a container made with `rm` takes with it.
    pub fn note_exit(&self, exit_code: i32) {
        self.last().exit_code = Some(exit_code);
    }

    /// The exit code of its last run; `None` while it runs or before it has run.
    pub fn exit_code(&self) -> Result<Option<i32>> {
        match self.now() {
            Ok(record) => {
                let failed_to_start = record.state.exit_code != 0;
                let ended = record.state.finished_at.is_some() || failed_to_start;
                Ok((ended && !record.state.status.is_live()).then_some(record.state.exit_code))
            }
            Err(error) if error.kind() == Kind::NotFound => {
                let known = self.last().exit_code;
                known.or_else(|| self.exit_code_from_events()).map(Some).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }

    /// How its last run ended, as events tell it: a container made with `rm` takes its record with
    /// it, and may be gone before anybody asks.
    fn exit_code_from_events(&self) -> Option<i32> {
        let mut filter = EventFilter::default();
        filter.add("container", self.id.as_str()).ok()?;
        filter.add("event", Action::Die.as_str()).ok()?;
        let options = EventOptions { filter, ..EventOptions::default() };
        let (mut events, never) = (self.backend.events(&options).ok()?, CancelToken::new().ok()?);
        let mut code = None;
        while let Ok(Some(event)) = events.next_event(None, &never) {
            code = event.attributes.get("exitCode").and_then(|code| code.parse().ok());
        }
        code
    }

    /// Its name now, or the last one known, or its short id.
    pub fn name(&self) -> String {
        let now = self.now().ok().map(|record| record.state.name.to_string());
        now.or_else(|| self.last().name.clone()).unwrap_or_else(|| self.id.short().to_owned())
    }
}

/// `Container("web", running)`.
impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let status = self.now().map_or("removed", |record| record.state.status.as_str());
        write!(f, "Container({:?}, {status})", self.name())
    }
}

/// Its name.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// An image. Its content never changes; its tags are asked when they are asked for.
#[derive(Clone)]
pub struct Image {
    metadata: Arc<Metadata>,
    reference: Arc<str>,
    backend: Arc<dyn Backend>,
}

impl Image {
    /// The handle of an image that was asked for as `reference`.
    pub fn new(backend: &Arc<dyn Backend>, metadata: Metadata, reference: &str) -> Self {
        Image {
            metadata: Arc::new(metadata),
            reference: reference.into(),
            backend: Arc::clone(backend),
        }
    }

    /// The handle of an image of a list.
    pub fn listed(backend: &Arc<dyn Backend>, metadata: Metadata) -> Self {
        let reference = match metadata.tags.first() {
            Some(tag) => tag.familiar(),
            None => metadata.id.to_string(),
        };
        Image::new(backend, metadata, &reference)
    }

    /// What it is.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// How it was asked for: what containers made from it show as their image.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// What it is now.
    pub fn now(&self) -> Result<Metadata> {
        self.backend.image(&self.metadata.id.to_string(), PullPolicy::Never)
    }

    /// What it takes of the disk now.
    pub fn usage(&self) -> Result<ImageUsage> {
        let usage = self.backend.image_usage()?.into_iter();
        let mut mine = usage.filter(|usage| usage.id == self.metadata.id);
        mine.next().ok_or_else(|| {
            Error::new(Kind::NotFound, format!("no such image: `{}`", self.reference))
        })
    }
}

/// `Image("alpine:3", 3f2a…)`.
impl fmt::Debug for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Image({:?}, {})", self.reference, self.metadata.id.short())
    }
}

/// Its reference.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reference)
    }
}
