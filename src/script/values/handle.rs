//! Handles: values that name a container or an image. Copies name the same thing.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::engine::{Backend, CancelToken};
use crate::model::container::Container as Record;
use crate::model::image::usage::ImageUsage;
use crate::model::image::{Image as Metadata, PullPolicy};
use crate::model::observe::event::{self, EventOptions};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};

/// A container. The handle is live: its properties are read at each access.
#[derive(Clone)]
pub struct Container {
    id: ContainerId,
    backend: Arc<dyn Backend>,
    last: Arc<Mutex<LastKnown>>,
}

/// The last known name and exit code, for a removed container.
#[derive(Debug, Default)]
struct LastKnown {
    name: Option<String>,
    exit_code: Option<i32>,
}

impl Container {
    /// Creates the handle of `id`.
    pub fn new(backend: &Arc<dyn Backend>, id: ContainerId) -> Self {
        Container { id, backend: Arc::clone(backend), last: Arc::default() }
    }

    /// Creates the handle of a container from its record.
    pub fn of(backend: &Arc<dyn Backend>, record: &Record) -> Self {
        let container = Container::new(backend, record.spec.id.clone());
        container.last().name = Some(record.state.name.to_string());
        container
    }

    fn last(&self) -> MutexGuard<'_, LastKnown> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the id.
    pub fn id(&self) -> &ContainerId {
        &self.id
    }

    /// Returns the current record.
    pub fn now(&self) -> Result<Record> {
        let record = self.backend.inspect(&self.id)?;
        self.last().name = Some(record.state.name.to_string());
        Ok(record)
    }

    /// Remembers the name, in case the container is removed.
    pub fn remember(&self) {
        let _ = self.now();
    }

    /// Remembers the exit code, which is lost with a container created with `rm`.
    pub fn note_exit(&self, exit_code: i32) {
        self.last().exit_code = Some(exit_code);
    }

    /// Returns the exit code of the last run; `None` while the container runs or before its first
    /// run.
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

    /// Returns the exit code of the last run from the events: a container created with `rm` may be
    /// removed, with its record, before its exit code is read.
    fn exit_code_from_events(&self) -> Option<i32> {
        let mut events = self.backend.events(&EventOptions::ends_of(&self.id)).ok()?;
        let never = CancelToken::new().ok()?;
        let events = std::iter::from_fn(|| events.next_event(None, &never).ok().flatten());
        event::last_exit_code(&self.id, events)
    }

    /// Returns the current name, or the last known one, or the short id.
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

/// Prints the name.
impl fmt::Display for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name())
    }
}

/// An image. Its content never changes; its tags are read at each access.
#[derive(Clone)]
pub struct Image {
    metadata: Arc<Metadata>,
    reference: Arc<str>,
    backend: Arc<dyn Backend>,
}

impl Image {
    /// Creates the handle of an image that was requested as `reference`.
    pub fn new(backend: &Arc<dyn Backend>, metadata: Metadata, reference: &str) -> Self {
        Image {
            metadata: Arc::new(metadata),
            reference: reference.into(),
            backend: Arc::clone(backend),
        }
    }

    /// Creates the handle of an image of a list.
    pub fn listed(backend: &Arc<dyn Backend>, metadata: Metadata) -> Self {
        let reference = match metadata.tags.first() {
            Some(tag) => tag.familiar(),
            None => metadata.id.to_string(),
        };
        Image::new(backend, metadata, &reference)
    }

    /// Returns the metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Returns the reference as requested, which containers of the image show as their image.
    pub fn reference(&self) -> &str {
        &self.reference
    }

    /// Returns the current metadata.
    pub fn now(&self) -> Result<Metadata> {
        self.backend.image(&self.metadata.id.to_string(), PullPolicy::Never)
    }

    /// Returns the current disk usage.
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

/// Prints the reference.
impl fmt::Display for Image {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reference)
    }
}
