//! `LearnerProgress`: a learner's progress, kept in a small file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::engine::write_atomic;
use crate::model::error::Context as _;
use crate::model::{Error, Kind, Result};

const VERSION: u32 = 1;

/// The progress of a learner, by lesson.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct LearnerProgress {
    version: u32,
    /// The name of the learner.
    pub learner: String,
    /// The lessons by id.
    pub lessons: BTreeMap<String, Record>,
}

/// The progress in one lesson.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The time of completion; `None` before it.
    #[serde(default)]
    pub done: Option<Timestamp>,
    /// The duration, in seconds.
    #[serde(default)]
    pub seconds: u64,
    /// Whether the guess was right; `None` before it.
    #[serde(default)]
    pub guess: Option<bool>,
    /// How many hints were given.
    #[serde(default)]
    pub hints: u32,
    /// How many steps were skipped.
    #[serde(default)]
    pub skipped: u32,
}

impl LearnerProgress {
    /// Creates the progress of a new learner.
    pub fn new(learner: &str) -> Self {
        LearnerProgress { version: VERSION, learner: learner.to_owned(), lessons: BTreeMap::new() }
    }

    /// Reads a file; `None` if it does not exist yet.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if the file is damaged or of another version.
    pub fn read(path: &Path) -> Result<Option<Self>> {
        let text = match std::fs::read_to_string(path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            read => read.context(|| format!("read `{}`", path.display()))?,
        };
        let damaged = |why: String| {
            Error::new(
                Kind::Corrupt,
                format!("`{}` is not a progress file of lessons: {why}", path.display()),
            )
            .hint("start over with `lifebox learn --restart`")
        };
        let progress: LearnerProgress =
            serde_json::from_str(&text).map_err(|error| damaged(error.to_string()))?;
        match progress.version {
            VERSION => Ok(Some(progress)),
            other => Err(damaged(format!("expected version {VERSION}, got {other}"))),
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

    /// Returns whether a lesson is finished.
    pub fn is_done(&self, lesson: &str) -> bool {
        self.lessons.get(lesson).is_some_and(|record| record.done.is_some())
    }

    /// Returns the progress of a lesson, for changes.
    pub fn record(&mut self, lesson: &str) -> &mut Record {
        self.lessons.entry(lesson.to_owned()).or_default()
    }
}

/// A progress and its file.
#[derive(Clone, Debug)]
pub struct ProgressFile {
    /// The progress.
    pub progress: LearnerProgress,
    /// The file; `None` keeps the progress in memory.
    pub path: Option<PathBuf>,
}

impl ProgressFile {
    /// Writes the file, if there is one.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn save(&self) -> Result<()> {
        self.path.as_deref().map_or(Ok(()), |path| self.progress.write(path))
    }
}
