//! A build that is under way, and its stages.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use super::pairs::platform;
use crate::engine::backend::CancelToken;
use crate::engine::dockerfile::{Flag, Line};
use crate::engine::native::handle::Native;
use crate::model::image::Image;
use crate::model::image::build::BuildOptions;
use crate::model::observe::progress::Progress;
use crate::model::{Error, Kind};

/// A stage: from one `FROM` to the next.
pub(crate) struct Stage<'a> {
    pub(crate) image: &'a str,
    pub(crate) flags: &'a [Flag],
    pub(crate) name: Option<&'a str>,
    pub(crate) from: &'a Line,
    pub(crate) lines: &'a [Line],
}

/// A build that is under way.
pub(crate) struct BuildState<'a> {
    pub(crate) engine: &'a Native,
    pub(crate) context: Option<&'a Path>,
    pub(crate) ignore: Vec<String>,
    pub(crate) options: &'a BuildOptions,
    /// The Dockerfile's name in errors.
    pub(crate) file: String,
    pub(crate) cancel: &'a CancelToken,
    /// Told of images that are pulled.
    pub(crate) progress: &'a Arc<dyn Progress>,
    pub(crate) out: &'a mut dyn Write,
    pub(crate) escape: char,
    /// Arguments before the first `FROM`.
    pub(crate) global: Vec<(String, String)>,
    pub(crate) used: BTreeSet<String>,
    /// The image of each stage that was built.
    pub(crate) stage_images: Vec<Option<Option<Image>>>,
    /// The number of the instruction that is done now.
    pub(crate) step: usize,
    /// How many instructions are to be done.
    pub(crate) steps: usize,
}

impl<'a> BuildState<'a> {
    pub(crate) fn new(
        engine: &'a Native,
        (context, options): (Option<&'a Path>, &'a BuildOptions),
        progress: &'a Arc<dyn Progress>,
        out: &'a mut dyn Write,
        cancel: &'a CancelToken,
    ) -> Self {
        BuildState {
            engine,
            context,
            ignore: Vec::new(),
            options,
            file: "Dockerfile".to_owned(),
            cancel,
            progress,
            out,
            escape: '\\',
            global: platform(),
            used: BTreeSet::new(),
            stage_images: Vec::new(),
            step: 0,
            steps: 0,
        }
    }

    pub(crate) fn at(&self, line: &Line, error: Error) -> Error {
        if error.kind() == Kind::Cancelled {
            return error;
        }
        error.context(format!("{}:{}: {}", self.file, line.number, line.text))
    }
}
