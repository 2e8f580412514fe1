//! Builds: by a Dockerfile, step by step, or of a root file system.

use std::io::{Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use super::build::{BuildParams, BuildState, ImageHold};
use super::handle::Native;
use super::transfer::unpack_root;
use crate::engine::backend::{Builds, CancelToken, RootTarget};
use crate::engine::dockerfile::instructions;
use crate::image::Origin;
use crate::image::build::configure;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{BuildOptions, BuildStep, ImportOptions};
use crate::model::observe::event::EventAction;
use crate::model::observe::progress::Progress;
use crate::model::{Error, Kind, Result};

impl Builds for Native {
    fn step(
        &self,
        image: &str,
        step: &BuildStep,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let parent = self.store()?.find(image)?;
        self.do_step(Some(&parent), step, BuildParams::default(), out, cancel)
            .map(|done| done.image)
    }

    fn build(
        &self,
        context: Option<&Path>,
        options: &BuildOptions,
        progress: &Arc<dyn Progress>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        if let Some(context) = context.filter(|context| !context.is_dir()) {
            let message = format!("the build context `{}` is not a directory", context.display());
            return Err(Error::new(Kind::NotFound, message)
                .hint("name the directory of the Dockerfile, or add -f FILE"));
        }
        self.store()?.check_tags(&options.tags)?;
        self.remove_lost_builds()?;
        let hold = ImageHold::new(self)?;
        let mut build = BuildState::new((self, &hold), (context, options), progress, out, cancel);
        let file = build.read()?;
        build.run(&file)
    }

    fn build_archive(
        &self,
        context: &mut (dyn Read + Send),
        options: &BuildOptions,
        progress: &Arc<dyn Progress>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let unpacked = self.store()?.unpack_context(context, &|| cancel.check());
        let unpacked = unpacked.context(|| "cannot unpack the build context".to_owned())?;
        let directory = unpacked.path();
        let inside = |file: &PathBuf| {
            let parts = file.components().filter(|part| matches!(part, Component::Normal(_)));
            directory.join(parts.collect::<PathBuf>())
        };
        let file = options.file.as_ref().map(inside);
        self.build(
            Some(&directory),
            &BuildOptions { file, ..options.clone() },
            progress,
            out,
            cancel,
        )
    }

    fn write_root(&self, image: &str, to: RootTarget<'_>, cancel: &CancelToken) -> Result<()> {
        let store = self.store()?;
        let image = store.find(image)?;
        let check = || cancel.check();
        match to {
            RootTarget::Tar(out) => store.export_image(&image, out, &check),
            RootTarget::Directory(path) => {
                unpack_root(path, &check, |out| store.export_image(&image, out, &check))
            }
        }
        .context(|| format!("cannot write the files of `{}`", image.id.short()))
    }

    fn import_tar(
        &self,
        archive: &mut (dyn Read + Send),
        options: &ImportOptions,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let store = self.store()?;
        let mut document = store.empty_document();
        if let Some(platform) = &options.platform {
            if platform.os != "linux" {
                let message =
                    format!("cannot import an image for {platform}: only linux is supported");
                return Err(Error::new(Kind::Unsupported, message)
                    .hint("write a platform such as linux/arm64"));
            }
            document["architecture"] = platform.architecture.as_str().into();
            if !platform.variant.is_empty() {
                document["variant"] = platform.variant.as_str().into();
            }
        }
        instructions::change(&mut document, &options.changes)?;
        for step in &options.steps {
            configure::configure(&mut document, step)?;
        }
        let message = match options.message.as_str() {
            "" => "Imported from -",
            message => message,
        };
        let origin =
            Origin { comment: message, reference: options.reference.as_ref(), ..Origin::default() };
        let image = store.import_root(archive, document, &origin, &|| cancel.check())?;
        if let Some(reference) = &options.reference {
            self.emit(EventAction::Tag, &image, Some(reference));
        }
        self.emit(EventAction::Import, &image, None);
        Ok(image)
    }
}
