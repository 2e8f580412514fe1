//! Simulated images.

use std::io::{Read, Write};
use std::path::Path;

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::fence::HOST;
use super::state::Dry;
use crate::engine::backend::{CancelToken, Images};
use crate::engine::rules::registries::closed;
use crate::model::container::ContainerSpec;
use crate::model::image::history::History;
use crate::model::image::own::foreign;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions};
use crate::model::image::{Image, ImageConfig, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::introspection::ImageIntrospection;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result, inspect};

impl Images for Dry {
    fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        let error = match self.find_image(reference) {
            Ok(image) if pull != PullPolicy::Always => return Ok(image),
            Ok(image) => {
                self.may_fetch(&reference.parse()?, true)?;
                self.record(format_args!("pull {reference}"));
                return Ok(image);
            }
            Err(error) => error,
        };
        let requested: Reference = reference.parse()?;
        if error.kind() != Kind::NotFound || pull == PullPolicy::Never {
            return Err(error);
        }
        self.may_fetch(&requested, false)?;
        let verb = if is_host(&requested) { "create image" } else { "pull" };
        self.record(format_args!("{verb} {}", requested.familiar()));
        Ok(self.add(&requested))
    }

    fn images(&self) -> Result<Vec<Image>> {
        Ok(self.state().images.clone())
    }

    fn image_ids(&self, names: &[&str]) -> Result<Vec<Option<Digest>>> {
        Ok(names.iter().map(|name| self.find_image(name).ok().map(|image| image.id)).collect())
    }

    fn image_json(&self, reference: &str) -> Result<Value> {
        Ok(inspect::image(&self.image(reference, PullPolicy::Never)?, &[]))
    }

    fn introspect_image(&self, _: &str) -> Result<ImageIntrospection> {
        Err(Error::new(Kind::Unsupported, "cannot inspect images in a dry run"))
    }

    fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image> {
        self.may_take(std::slice::from_ref(reference))?;
        let named = programs.join(", ");
        self.record(format_args!("create image {} from {named}", reference.familiar()));
        Ok(self.add(reference))
    }

    fn load(&self, archive: &Path, _: Option<&Platform>, _: &CancelToken) -> Result<Vec<Loaded>> {
        self.record(format_args!("load the images of {}", archive.display()));
        let name = archive.file_stem().map(|name| name.to_string_lossy().to_lowercase());
        let reference: Reference = format!("{}:loaded", name.unwrap_or_default()).parse()?;
        let image = self.add(&reference);
        Ok(vec![Loaded { id: image.id, tags: image.tags, moved: Vec::new() }])
    }

    fn load_stream(
        &self,
        _: &mut (dyn Read + Send),
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        self.load(Path::new("stdin"), platform, cancel)
    }

    fn save(&self, images: &[&str], _: &SaveOptions, path: &Path, _: &CancelToken) -> Result<()> {
        images.iter().try_for_each(|image| self.find_image(image).map(drop))?;
        self.record(format_args!("save {} to {}", images.join(", "), path.display()));
        Ok(())
    }

    fn save_stream(
        &self,
        images: &[&str],
        options: &SaveOptions,
        _: &mut (dyn Write + Send),
        cancel: &CancelToken,
    ) -> Result<()> {
        self.save(images, options, Path::new("stdout"), cancel)
    }

    fn tag(&self, image: &str, reference: &Reference) -> Result<Image> {
        let mut found = self.find_image(image)?;
        self.may_take(std::slice::from_ref(reference))?;
        self.record(format_args!("tag {} as {}", named(&found), reference.familiar()));
        if !found.tags.contains(reference) {
            found.tags.push(reference.clone());
        }
        Ok(self.take_tags(found))
    }

    fn history(&self, image: &str) -> Result<Vec<History>> {
        self.inner.history(image)
    }

    fn image_usage(&self) -> Result<Vec<ImageUsage>> {
        self.inner.image_usage()
    }

    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned> {
        let pruned = self.inner.prune_images(&PruneOptions { dry_run: true, ..options.clone() })?;
        self.record(format_args!("prune images: {}", pruned.images));
        Ok(pruned)
    }

    fn check(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report> {
        if self.programs.is_some() {
            return self.inner.check(&CheckOptions { repair: false }, cancel);
        }
        // A check reads the whole store under its locks, for minutes.
        self.record(if options.repair {
            "check and repair all images"
        } else {
            "check all images"
        });
        Ok(Report::default())
    }

    fn rmi(&self, image: &str, options: &RemoveImageOptions) -> Result<Vec<Removed>> {
        let found = self.find_image(image)?;
        let mut world = self.state();
        let named = image.parse().ok().filter(|named| found.tags.contains(named));
        let tags = named.clone().map_or_else(|| found.tags.clone(), |named| vec![named]);
        let mut may_delete = true;
        if let Some(fence) = &world.fence {
            fence.may_untag(&found, &tags)?;
            may_delete = fence.may_delete(&found);
            if !may_delete && named.is_none() {
                return Err(foreign(&format!("image `{image}`")));
            }
        }
        if tags.len() < found.tags.len() || !may_delete {
            let kept = world.images.iter_mut().filter(|other| other.id == found.id);
            kept.for_each(|other| other.tags.retain(|tag| !tags.contains(tag)));
            drop(world);
            self.record(format_args!("remove tag {image}"));
            return Ok(tags.into_iter().map(Removed::Untagged).collect());
        }
        let uses = |spec: &ContainerSpec| {
            let mut mounted = spec.host_config.mounts.images();
            spec.image.id == found.id
                || mounted.any(|mount| mount.image.as_ref().is_some_and(|one| one.id == found.id))
        };
        let user = world.containers.iter().find(|entry| uses(&entry.container.spec));
        if let Some(user) = user.filter(|_| !options.force) {
            let name = &user.container.state.name;
            let message = format!("cannot remove image `{image}`: container `{name}` uses it");
            return Err(Error::new(Kind::Refused, message).hint("remove the container first"));
        }
        world.images.retain(|other| other.id != found.id);
        drop(world);
        self.record(format_args!("remove image {image}"));
        let untagged = found.tags.into_iter().map(Removed::Untagged);
        Ok(untagged.chain([Removed::Deleted(found.id)]).collect())
    }

    fn rmi_each(
        &self,
        images: &[&str],
        options: &RemoveImageOptions,
    ) -> Result<Vec<Result<Vec<Removed>>>> {
        Ok(images.iter().map(|image| self.rmi(image, options)).collect())
    }
}

impl Dry {
    /// Finds an image, real or simulated.
    pub(super) fn find_image(&self, reference: &str) -> Result<Image> {
        let requested = reference.parse::<Reference>().ok();
        let found = self
            .state()
            .images
            .iter()
            .find(|image| {
                let id = image.id.to_string();
                let matches = reference.len() >= 4 && image.id.hex().starts_with(reference);
                id == reference
                    || matches
                    || requested.as_ref().is_some_and(|w| image.tags.contains(w))
            })
            .cloned();
        // The real engine knows other names of images, and the right error.
        found.map_or_else(|| self.inner.image(reference, PullPolicy::Never), Ok)
    }

    /// Adds a simulated image of this name. Its command is not known.
    pub(super) fn add(&self, reference: &Reference) -> Image {
        let cmd = [format!("the command of {}", reference.familiar())];
        let config = ImageConfig { cmd: Some(cmd.to_vec()), ..ImageConfig::default() };
        self.add_with_config(reference, config, json!({ "config": { "Cmd": cmd } }))
    }

    /// As [`Dry::add`], with a configuration: `document` as `config`.
    pub(super) fn add_with_config(
        &self,
        reference: &Reference,
        config: ImageConfig,
        document: Value,
    ) -> Image {
        self.take_tags(Image {
            id: digest_of(&reference.to_string()),
            tags: vec![reference.clone()],
            digests: Vec::new(),
            manifest: None,
            parent: None,
            intermediate: false,
            created: Some(Timestamp::now()),
            tagged: Some(Timestamp::now()),
            size: 0,
            layers: Vec::new(),
            architecture: std::env::consts::ARCH.to_owned(),
            os: "linux".to_owned(),
            config,
            document,
        })
    }

    /// Derives an image from another: `change` changes the configuration, as the store would write
    /// it.
    pub(super) fn derived(
        &self,
        from: &Image,
        by: &str,
        tag: Option<&Reference>,
        change: impl FnOnce(&mut Value) -> Result<()>,
    ) -> Result<Image> {
        let mut document = from.document.clone();
        change(&mut document)?;
        let config = config_of(&document)?;
        let id: Digest = digest_of(&format!("{} {by}", from.id));
        let tags = tag.cloned().into_iter().collect();
        Ok(self.take_tags(Image { id, tags, config, document, ..from.clone() }))
    }

    /// Checks that a run that is not trusted may give these tags.
    pub(super) fn may_take(&self, tags: &[Reference]) -> Result<()> {
        let world = self.state();
        world.fence.as_ref().map_or(Ok(()), |fence| fence.may_take(&world.images, tags))
    }

    /// Checks that a run that is not trusted may get an image from a registry. The image of the
    /// host's programs is created where it is missing; the run does not own it.
    pub(super) fn may_fetch(&self, reference: &Reference, exists: bool) -> Result<()> {
        let is_fenced = self.state().fence.is_some();
        match is_host(reference) {
            true if exists => self.may_take(std::slice::from_ref(reference)),
            false if is_fenced => Err(closed(reference)),
            _ => Ok(()),
        }
    }

    /// Adds an image; all others lose its tags.
    fn take_tags(&self, image: Image) -> Image {
        let mut world = self.state();
        let is_new = world.images.iter().all(|other| other.id != image.id);
        let gave: Vec<Reference> = {
            let had = world.images.iter().find(|other| other.id == image.id);
            let had = had.map_or(&[][..], |other| &other.tags);
            image.tags.iter().filter(|tag| !had.contains(tag) && !is_host(tag)).cloned().collect()
        };
        if let Some(fence) = &mut world.fence {
            fence.note(&image, &gave, is_new);
        }
        world.images.retain(|other| other.id != image.id);
        for other in &mut world.images {
            other.tags.retain(|tag| !image.tags.contains(tag));
        }
        world.images.insert(0, image.clone());
        image
    }
}

/// Whether a reference means the image of the host's programs.
fn is_host(reference: &Reference) -> bool {
    reference.familiar() == HOST
}

/// Returns the configuration of the image of a document.
pub(super) fn config_of(document: &Value) -> Result<ImageConfig> {
    let config = document.get("config").filter(|config| !config.is_null());
    let config = config.map(|config| serde_json::from_value(config.clone())).transpose();
    let config = config
        .map_err(|error| Error::new(Kind::Bug, format!("cannot read a derived image: {error}")))?;
    Ok(config.unwrap_or_default())
}

/// Returns a name of the image for messages.
pub(super) fn named(image: &Image) -> String {
    let short = || image.id.hex().chars().take(12).collect();
    image.tags.first().map_or_else(short, Reference::familiar)
}

/// Returns an id that is stable across runs.
fn digest_of(text: &str) -> Digest {
    Digest::from_bytes(&Sha256::digest(text).into())
}
