//! The bases of stages, and the sources of `COPY --from`: earlier stages, and images.

use super::flags::unknown_flag;
use super::state::{BuildState, Stage, Stages};
use crate::engine::backend::Registries as _;
use crate::engine::dockerfile::words::Expander;
use crate::model::image::{Image, PullPolicy};
use crate::model::observe::progress::PullOptions;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

impl BuildState<'_> {
    /// Returns the base name of a stage, with its arguments expanded.
    pub(super) fn base_name(&self, stage: &Stage<'_>) -> Result<String> {
        let lookup = |name: &str| self.global.get(name);
        Expander { escape: self.escape, lookup: &lookup }
            .word(stage.image)
            .map_err(|error| self.at(stage.from, error))
    }

    /// Returns the base image of a stage; `None` for `scratch`.
    pub(super) fn base(&self, stages: &Stages<'_>, number: usize) -> Result<Option<Image>> {
        let stage = &stages.list[number];
        let mut platform_option = None;
        for (name, value) in stage.flags {
            match (name.as_str(), value) {
                ("platform", Some(platform)) => {
                    let lookup = |name: &str| self.global.get(name);
                    let expander = Expander { escape: self.escape, lookup: &lookup };
                    platform_option = Some(expander.word(platform)?.parse::<Platform>()?);
                }
                _ => return Err(unknown_flag("FROM", name)),
            }
        }
        let name = self.base_name(stage)?;
        if name.is_empty() {
            return Err(Error::new(Kind::Invalid, format!("`{}` names no image", stage.image))
                .hint("give the argument a default: ARG NAME=VALUE"));
        }
        if let Some(earlier) = stages.find(number, &name) {
            return Ok(self.stage_images[earlier].clone().flatten());
        }
        if name == "scratch" {
            return Ok(None);
        }
        let policy = if self.options.pull { PullPolicy::Always } else { PullPolicy::Missing };
        let image = self.fetch(&name, policy, platform_option.as_ref())?;
        let offered = image.platform();
        if let Some(platform) = platform_option.filter(|platform| !platform.accepts(&offered)) {
            let message = format!("`{name}` is for {offered}, not {platform}");
            return Err(Error::new(Kind::Unsupported, message));
        }
        Ok(Some(image))
    }

    /// Finds or pulls an image, by its name or full id.
    pub(super) fn fetch(
        &self,
        name: &str,
        policy: PullPolicy,
        platform: Option<&Platform>,
    ) -> Result<Image> {
        let options = PullOptions { platform: platform.cloned(), ..PullOptions::default() };
        let id = name.strip_prefix("sha256:").unwrap_or(name);
        let is_id = id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        // A name with its tag cannot be the beginning of an id.
        let name = match is_id {
            true => name.to_owned(),
            false => name.parse::<Reference>()?.familiar(),
        };
        let found =
            self.engine.ensure_image(&name, policy, &options, self.progress, self.cancel)?;
        // Looked up again: another command may have removed it.
        let _use = self.engine.share_images()?;
        let image = self.engine.store()?.find(found.id.as_str())?;
        self.hold.add(&image)?;
        Ok(image)
    }
}

/// Returns the earlier stage that `--from` names, by name or number; `None` for an image.
pub(super) fn copied_stage(
    stages: &Stages<'_>,
    before: usize,
    name: &str,
) -> Result<Option<usize>> {
    if let Some(stage) = stages.find(before, name) {
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
    match stages.find(stages.list.len(), name) {
        Some(index) if index == before => invalid("it is the stage itself"),
        Some(_) => invalid("the stage comes later"),
        None => Ok(None),
    }
}
