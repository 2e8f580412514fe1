//! Images, registries and builds of the engine in memory.

use std::io::{Read, Write};
use std::path::Path;

use std::sync::Arc;

use serde_json::Value;

use super::memory::{Memory, image};

use crate::engine::{Builds, CancelToken, Images, Registries};

use crate::model::image::build::{BuildOptions, BuildStep, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::inspect;
use crate::model::observe::check_report::{CheckOptions, Finding, Problem, Report, Resolution};

use crate::model::observe::introspection::ImageIntrospection;

use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};

use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;

use crate::model::{Error, Kind, Result};

impl Images for Memory {
    fn image(&self, reference: &str, _pull: PullPolicy) -> Result<Image> {
        let found = self.images()?.into_iter().find(|image| {
            image.id.to_string() == reference
                || image.tags.iter().any(|tag| {
                    tag.familiar() == reference || tag.familiar() == format!("{reference}:latest")
                })
        });
        found.ok_or_else(|| Error::new(Kind::NotFound, format!("no such image: {reference}")))
    }

    fn images(&self) -> Result<Vec<Image>> {
        Ok(vec![image("host:latest", 1), image("alpine:3", 2)])
    }

    fn image_json(&self, reference: &str) -> Result<Value> {
        Ok(inspect::image(&self.image(reference, PullPolicy::Never)?, &[]))
    }

    fn introspect_image(&self, _: &str) -> Result<ImageIntrospection> {
        Err(Error::new(Kind::Unsupported, "this engine has no images to look into"))
    }

    fn image_from_host(&self, _: &[&str], reference: &Reference) -> Result<Image> {
        let message = format!("cannot make `{}`: no images are made here", reference.familiar());
        Err(Error::new(Kind::Unsupported, message))
    }

    fn load(
        &self,
        archive: &Path,
        _: Option<&Platform>,
        _cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        if archive == Path::new("alpine.tar") {
            let image = image("alpine:3", 2);
            return Ok(vec![Loaded { id: image.id, tags: image.tags, moved: Vec::new() }]);
        }
        Err(Error::from_errno(format!("open `{}`", archive.display()), 2))
    }

    fn load_stream(
        &self,
        _: &mut (dyn Read + Send),
        _: Option<&Platform>,
        _: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        Ok(Vec::new())
    }

    fn save(&self, _: &[&str], _: &SaveOptions, _: &Path, _: &CancelToken) -> Result<()> {
        Ok(())
    }

    fn save_stream(
        &self,
        _: &[&str],
        _: &SaveOptions,
        _: &mut (dyn std::io::Write + Send),
        _: &CancelToken,
    ) -> Result<()> {
        Ok(())
    }

    fn tag(&self, image: &str, reference: &Reference) -> Result<Image> {
        let image = self.image(image, PullPolicy::Never)?;
        Ok(Image { tags: vec![reference.clone()], ..image })
    }

    fn history(&self, image: &str) -> Result<Vec<History>> {
        let image = self.image(image, PullPolicy::Never)?;
        Ok(crate::model::image::history::history(&image, &[image.size], &[]))
    }

    fn image_usage(&self) -> Result<Vec<ImageUsage>> {
        let images = self.images()?.into_iter();
        let usage = |image: Image| ImageUsage {
            id: image.id,
            size: image.size,
            shared: 500,
            containers: 0,
        };
        Ok(images.map(usage).collect())
    }

    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned> {
        let gone = self.images()?.into_iter().filter(|i| options.all && options.filter.matches(i));
        let removed: Vec<_> = gone.map(|image| Removed::Deleted(image.id)).collect();
        Ok(Pruned { images: removed.len() as u64, bytes: 42, removed })
    }

    fn check(&self, options: &CheckOptions, _cancel: &CancelToken) -> Result<Report> {
        let finding = Finding {
            problem: Problem::Damage,
            what: "its layer is gone".to_owned(),
            image: Some("alpine:3".to_owned()),
            containers: vec!["web".to_owned()],
            resolution: if options.repair { Resolution::Removed } else { Resolution::Found },
        };
        Ok(Report { images: 2, layers: 3, findings: vec![finding] })
    }

    fn rmi(&self, image: &str, _: &RemoveImageOptions) -> Result<Vec<Removed>> {
        let image = self.image(image, PullPolicy::Never)?;
        Ok(vec![Removed::Untagged(image.tags[0].clone()), Removed::Deleted(image.id)])
    }
}

impl Registries for Memory {
    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Image> {
        self.image(reference, pull)
    }

    fn pull(
        &self,
        reference: &Reference,
        _: &PullOptions,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pulled> {
        let image = self.image(&reference.familiar(), PullPolicy::Never)?;
        Ok(Pulled { digest: image.id.clone(), image, newer: false })
    }

    fn push(
        &self,
        image: &str,
        _: &Reference,
        _: Access,
        _: &Arc<dyn Progress>,
        _: &CancelToken,
    ) -> Result<Pushed> {
        Ok(Pushed { digest: self.image(image, PullPolicy::Never)?.id, size: 1 })
    }

    fn login(
        &self,
        _: &str,
        _: &str,
        _: &str,
        _: Access,
        _: &CancelToken,
    ) -> Result<Option<std::path::PathBuf>> {
        Ok(None)
    }

    fn logout(&self, _: &str) -> Result<bool> {
        Ok(false)
    }
}

impl Builds for Memory {
    fn step(
        &self,
        _image: &str,
        _step: &BuildStep,
        _out: &mut dyn Write,
        _cancel: &CancelToken,
    ) -> Result<Image> {
        Err(Error::new(Kind::Unsupported, "nothing is built here"))
    }

    fn build(
        &self,
        _context: Option<&Path>,
        _options: &BuildOptions,
        _progress: &Arc<dyn Progress>,
        _out: &mut dyn Write,
        _cancel: &CancelToken,
    ) -> Result<Image> {
        Err(Error::new(Kind::Unsupported, "nothing is built here"))
    }

    fn import_tar(
        &self,
        _archive: &mut (dyn Read + Send),
        _options: &ImportOptions,
        _cancel: &CancelToken,
    ) -> Result<Image> {
        Err(Error::new(Kind::Unsupported, "nothing is imported here"))
    }
}
