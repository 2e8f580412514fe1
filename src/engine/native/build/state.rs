//! The state of a build, and its stages.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::hold::ImageHold;
use super::pairs::{Arguments, platform, table};
use crate::engine::backend::CancelToken;
use crate::engine::dockerfile::{Flag, Line};
use crate::engine::native::handle::Native;
use crate::model::image::Image;
use crate::model::image::build::BuildOptions;
use crate::model::observe::progress::Progress;
use crate::model::{Error, Kind};

/// A stage: from one `FROM` to the next.
pub(super) struct Stage<'a> {
    pub(super) image: &'a str,
    pub(super) flags: &'a [Flag],
    pub(super) name: Option<&'a str>,
    pub(super) from: &'a Line,
    pub(super) lines: &'a [Line],
}

/// The stages of a Dockerfile.
pub(super) struct Stages<'a> {
    pub(super) list: Vec<Stage<'a>>,
    /// The stages of each name, in small letters.
    named: HashMap<String, Vec<usize>>,
}

impl<'a> Stages<'a> {
    pub(super) fn new(list: Vec<Stage<'a>>) -> Self {
        let mut named: HashMap<String, Vec<usize>> = HashMap::new();
        for (number, stage) in list.iter().enumerate() {
            if let Some(name) = stage.name {
                named.entry(name.to_ascii_lowercase()).or_default().push(number);
            }
        }
        Stages { list, named }
    }

    /// Returns the last stage before `before` of this name.
    pub(super) fn find(&self, before: usize, name: &str) -> Option<usize> {
        let numbers = self.named.get(&name.to_ascii_lowercase())?;
        let earlier = numbers.partition_point(|number| *number < before);
        numbers[..earlier].last().copied()
    }
}

/// The state of a build.
pub(in crate::engine::native) struct BuildState<'a> {
    pub(super) engine: &'a Native,
    /// Keeps the images of this build from being removed.
    pub(super) hold: &'a ImageHold,
    pub(super) context: Option<&'a Path>,
    pub(super) ignore: Vec<String>,
    pub(super) options: &'a BuildOptions,
    /// The Dockerfile's name in errors.
    pub(super) file: String,
    pub(super) cancel: &'a CancelToken,
    /// Gets the progress of pulls.
    pub(super) progress: &'a Arc<dyn Progress>,
    pub(super) out: &'a mut dyn Write,
    pub(super) escape: char,
    /// Arguments before the first `FROM`.
    pub(super) global: Arguments,
    /// The user's arguments.
    pub(super) given: HashMap<String, String>,
    pub(super) used: BTreeSet<String>,
    /// The image of each stage that was built.
    pub(super) stage_images: Vec<Option<Option<Image>>>,
    /// The number of the present instruction.
    pub(super) step: usize,
    /// The number of instructions.
    pub(super) steps: usize,
}

impl<'a> BuildState<'a> {
    pub(in crate::engine::native) fn new(
        (engine, hold): (&'a Native, &'a ImageHold),
        (context, options): (Option<&'a Path>, &'a BuildOptions),
        progress: &'a Arc<dyn Progress>,
        out: &'a mut dyn Write,
        cancel: &'a CancelToken,
    ) -> Self {
        BuildState {
            engine,
            hold,
            context,
            ignore: Vec::new(),
            options,
            file: "Dockerfile".to_owned(),
            cancel,
            progress,
            out,
            escape: '\\',
            global: platform(),
            given: table(options.arguments.iter().cloned()),
            used: BTreeSet::new(),
            stage_images: Vec::new(),
            step: 0,
            steps: 0,
        }
    }

    pub(super) fn at(&self, line: &Line, error: Error) -> Error {
        if error.kind() == Kind::Cancelled {
            return error;
        }
        error.context(format!("{}:{}: {}", self.file, line.number, line.text))
    }
}
