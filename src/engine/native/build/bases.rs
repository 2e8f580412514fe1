//! What stages begin with and copy from: earlier stages, and images.

use super::flags::unknown_flag;
use super::pairs::get;
use super::state::{BuildState, Stage};
use crate::engine::backend::Registries as _;
use crate::engine::dockerfile::words::Expander;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::PullOptions;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

impl BuildState<'_> {
    /// What a stage begins with, its arguments put in.
    pub(super) fn base_name(&self, stage: &Stage<'_>) -> Result<String> {
        let lookup = |name: &str| get(&self.global, name);
        Expander { escape: self.escape, lookup: &lookup }
            .word(stage.image)
            .map_err(|error| self.at(stage.from, error))
    }

    /// The image that a stage begins with; `None` for `scratch`.
    pub(super) fn base(&self, stages: &[Stage<'_>], number: usize) -> Result<Option<Image>> {
        let stage = &stages[number];
        let mut wanted = None;
        for (name, value) in stage.flags {
            match (name.as_str(), value) {
                ("platform", Some(platform)) => {
                    let lookup = |name: &str| get(&self.global, name);
                    let expander = Expander { escape: self.escape, lookup: &lookup };
                    wanted = Some(expander.word(platform)?.parse::<Platform>()?);
                }
                _ => return Err(unknown_flag("FROM", name)),
            }
        }
        let name = self.base_name(stage)?;
        if name.is_empty() {
            return Err(Error::new(Kind::Invalid, format!("`{}` names no image", stage.image))
                .hint("give the argument a default: ARG NAME=VALUE"));
        }
        if let Some(earlier) = find_stage(stages, number, &name) {
            return Ok(self.stage_images[earlier].clone().flatten());
        }
        if name == "scratch" {
            return Ok(None);
        }
        let policy = if self.options.pull { PullPolicy::Always } else { PullPolicy::Missing };
        let image = self.fetch(&name, policy, wanted.as_ref())?;
        let offered = Platform {
            os: image.os.clone(),
            architecture: image.architecture.clone(),
            variant: String::new(),
        };
        if let Some(wanted) = wanted.filter(|wanted| !wanted.accepts(&offered)) {
            let message = format!("`{name}` is for {offered}, not {wanted}");
            return Err(Error::new(Kind::Unsupported, message));
        }
        Ok(Some(image))
    }

    /// An image of the store, or of a registry: by its name or whole id.
    pub(super) fn fetch(
        &self,
        name: &str,
        policy: PullPolicy,
        platform: Option<&Platform>,
    ) -> Result<Image> {
        let options = PullOptions { platform: platform.cloned(), ..PullOptions::default() };
        let id = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        // With its tag no name is the beginning of an id.
        let name = match is_id {
            true => name.to_owned(),
            false => name.parse::<Reference>()?.familiar(),
        };
        self.engine.ensure_image(&name, policy, &options, self.progress, self.cancel)
    }
}

/// The last stage before `before` that has this name.
pub(super) fn find_stage(stages: &[Stage<'_>], before: usize, name: &str) -> Option<usize> {
    let named = |stage: &Stage<'_>| stage.name.is_some_and(|own| own.eq_ignore_ascii_case(name));
    stages[..before].iter().rposition(named)
}

/// The earlier stage that `--from` names, by name or number; `None` where it is an image.
pub(super) fn copied_stage(
    stages: &[Stage<'_>],
    before: usize,
    name: &str,
) -> Result<Option<usize>> {
    if let Some(stage) = find_stage(stages, before, name) {
        return Ok(Some(stage));
    }
    let invalid = |why: &str| {
        Err(Error::new(Kind::Invalid, format!("invalid from flag value {name}: {why}")))
    };
    if !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()) {
        return match name.parse::<usize>().ok().filter(|number| *number < before) {
            Some(number) => Ok(Some(number)),
            None => invalid("index out of bounds"),
        };
    }
    match find_stage(stages, stages.len(), name) {
        Some(own) if own == before => invalid("it is the stage itself"),
        Some(_) => invalid("the stage comes later"),
        None => Ok(None),
    }
}
