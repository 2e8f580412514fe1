//! How far a learner is: a small file of the learner's.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::write_atomic;
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};

const VERSION: u32 = 1;

/// What a learner has done, by lesson.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    version: u32,
    /// Who it is.
    pub learner: String,
    /// By the lesson's id.
    pub lessons: BTreeMap<String, Record>,
}

/// What a learner has done in a lesson.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// When it was finished; `None` while it is not.
    #[serde(default)]
    pub done: Option<Timestamp>,
    /// How long it took, in seconds.
    #[serde(default)]
    pub seconds: u64,
    /// Whether the guess was right; `None` before there is one.
    #[serde(default)]
    pub guess: Option<bool>,
    /// How many hints were given.
    #[serde(default)]
    pub hints: u32,
    /// How many steps were skipped.
    #[serde(default)]
    pub skipped: u32,
}

impl Progress {
    /// Of somebody who begins.
    pub fn new(learner: &str) -> Self {
        Progress { version: VERSION, learner: learner.to_owned(), lessons: BTreeMap::new() }
    }

    /// What is written in a file; `None` where there is none yet.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] where it is damaged or of another version.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.context(|| format!("read `{}`", path.display()))?,
        };
        let damaged = |why: String| {
            Error::new(
                Kind::Corrupt,
                format!("`{}` is no progress of lessons: {why}", path.display()),
            )
            .hint("lifebox learn --restart begins anew")
        };
        let progress: Progress =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        match progress.version {
            VERSION => Ok(Some(progress)),
            other => Err(damaged(format!("it has version {other}, not {VERSION}"))),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn write(&self, path: &Path) -> Result<()> {
        let what = || format!("keep your progress in `{}`", path.display());
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).context(what)?;
        }
        let text = serde_json::to_string_pretty(self).unwrap_or_default();
        write_atomic(path, |out| out.write_all(text.as_bytes()).context(what))
    }

    /// Whether a lesson is finished.
    pub fn is_done(&self, lesson: &str) -> bool {
        self.lessons.get(lesson).is_some_and(|record| record.done.is_some())
    }

    /// What is known of a lesson, to be changed.
    pub fn record(&mut self, lesson: &str) -> &mut Record {
        self.lessons.entry(lesson.to_owned()).or_default()
    }
}

/// Where progress is kept.
#[derive(Clone, Debug)]
pub struct ProgressFile {
    /// The progress.
    pub progress: Progress,
    /// The file; nowhere where `None`.
    pub path: Option<PathBuf>,
}

impl ProgressFile {
    /// Writes it, where it is kept.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self) -> Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| self.progress.write(path))
    }
}
