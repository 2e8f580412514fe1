//! Simulated builds: the configuration of the image is computed, its files are not.

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;

use serde_json::json;

use super::images::{config_of, named};
use super::state::Dry;
use crate::engine::backend::{Builds, CancelToken, Images as _, RootTarget};
use crate::engine::dockerfile::instructions;
use crate::image::build::configure;
use crate::model::Result;
use crate::model::image::Image;
use crate::model::image::build::{BuildOptions, BuildStep, ImportOptions};
use crate::model::observe::progress::Progress;
use crate::model::value::reference::Reference;

impl Builds for Dry {
    fn step(
        &self,
        image: &str,
        step: &BuildStep,
        _: &mut dyn Write,
        _: &CancelToken,
    ) -> Result<Image> {
        let from = self.find_image(image)?;
        let by = format!("{step:?}");
        let verb = by.split(['(', ' ', '{']).next().unwrap_or_default().to_uppercase();
        let image =
            self.derived(&from, &by, None, |document| configure::configure(document, step))?;
        self.record(format_args!("build {verb} on {}", named(&from)));
        Ok(image)
    }

    fn build(
        &self,
        context: Option<&Path>,
        options: &BuildOptions,
        _: &Arc<dyn Progress>,
        _: &mut dyn Write,
        _: &CancelToken,
    ) -> Result<Image> {
        self.may_take(&options.tags)?;
        let place =
            context.map_or_else(|| "standard input".to_owned(), |c| c.display().to_string());
        self.record(format_args!("build {place}"));
        let built: Reference = "built:latest".parse()?;
        let image = self.add(options.tags.first().unwrap_or(&built));
        options
            .tags
            .iter()
            .skip(1)
            .try_fold(image, |image, tag| self.tag(&image.id.to_string(), tag))
    }

    fn build_archive(
        &self,
        _: &mut (dyn Read + Send),
        options: &BuildOptions,
        progress: &Arc<dyn Progress>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        self.build(None, options, progress, out, cancel)
    }

    fn write_root(&self, image: &str, to: RootTarget<'_>, _: &CancelToken) -> Result<()> {
        let image = self.find_image(image)?;
        let place = match to {
            RootTarget::Tar(_) => "a tar".to_owned(),
            RootTarget::Directory(path) => path.display().to_string(),
        };
        self.record(format_args!("write the files of {} to {place}", named(&image)));
        Ok(())
    }

    fn import_tar(
        &self,
        _: &mut (dyn Read + Send),
        options: &ImportOptions,
        _: &CancelToken,
    ) -> Result<Image> {
        let name = options.reference.clone().map_or_else(|| "imported:latest".parse(), Ok)?;
        let mut document = json!({ "config": {} });
        instructions::change(&mut document, &options.changes)?;
        options.steps.iter().try_for_each(|step| configure::configure(&mut document, step))?;
        self.may_take(std::slice::from_ref(&name))?;
        self.record(format_args!("import {}", name.familiar()));
        Ok(self.add_with_config(&name, config_of(&document)?, document))
    }
}
