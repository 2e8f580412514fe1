//! Images that would be there.

use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::state::Dry;
use crate::engine::dockerfile::instructions;
use crate::image::build::configure::configure;
use crate::model::image::build::ImportOptions;
use crate::model::image::{Image, ImageConfig, PullPolicy, Removed};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};

impl Dry {
    /// An image that is here, or would be.
    pub(super) fn find_image(&self, reference: &str) -> Result<Image> {
        let wanted = reference.parse::<Reference>().ok();
        let found = self
            .state()
            .images
            .iter()
            .find(|image| {
                let id = image.id.to_string();
                let begins = reference.len() >= 4 && image.id.hex().starts_with(reference);
                id == reference || begins || wanted.as_ref().is_some_and(|w| image.tags.contains(w))
            })
            .cloned();
        // The real engine knows what else names an image, and how to refuse.
        found.map_or_else(|| self.inner.image(reference, PullPolicy::Never), Ok)
    }

    /// An image that is here; one that is not would be fetched.
    pub(super) fn find_or_pull(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        let error = match self.find_image(reference) {
            Ok(image) if pull != PullPolicy::Always => return Ok(image),
            Ok(image) => {
                self.record(format_args!("pull {reference}"));
                return Ok(image);
            }
            Err(error) => error,
        };
        let wanted: Reference = reference.parse()?;
        if error.kind() != Kind::NotFound || pull == PullPolicy::Never {
            return Err(error);
        }
        let verb = if wanted.familiar() == "host:latest" { "make image" } else { "pull" };
        self.record(format_args!("{verb} {}", wanted.familiar()));
        Ok(self.add(&wanted))
    }

    /// Takes an image of this name to be there. What it runs is not known.
    pub(super) fn add(&self, reference: &Reference) -> Image {
        let cmd = [format!("the command of {}", reference.familiar())];
        let config = ImageConfig { cmd: Some(cmd.to_vec()), ..ImageConfig::default() };
        self.add_with_config(reference, config, json!({ "config": { "Cmd": cmd } }))
    }

    /// The same for one that says how it is run: `document` as `config`.
    fn add_with_config(
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

    /// An image that would be made of another: what `change` says of how it is run, as the store
    /// would write it.
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

    /// An image that would be made of a root file system.
    pub(super) fn imported(&self, options: &ImportOptions) -> Result<Image> {
        let name = options.reference.clone().map_or_else(|| "imported:latest".parse(), Ok)?;
        let mut document = json!({ "config": {} });
        instructions::change(&mut document, &options.changes)?;
        options.steps.iter().try_for_each(|step| configure(&mut document, step))?;
        self.record(format_args!("import {}", name.familiar()));
        Ok(self.add_with_config(&name, config_of(&document)?, document))
    }

    /// Its tags are taken from all others.
    fn take_tags(&self, image: Image) -> Image {
        let mut world = self.state();
        world.images.retain(|other| other.id != image.id);
        for other in &mut world.images {
            other.tags.retain(|tag| !image.tags.contains(tag));
        }
        world.images.insert(0, image.clone());
        image
    }

    pub(super) fn tagged(&self, image: &str, reference: &Reference) -> Result<Image> {
        let mut found = self.find_image(image)?;
        self.record(format_args!("tag {} as {}", named(&found), reference.familiar()));
        if !found.tags.contains(reference) {
            found.tags.push(reference.clone());
        }
        Ok(self.take_tags(found))
    }

    pub(super) fn removed(&self, image: &str, force: bool) -> Result<Vec<Removed>> {
        let found = self.find_image(image)?;
        let mut world = self.state();
        let user = world.containers.iter().find(|entry| entry.container.spec.image.id == found.id);
        if let Some(user) = user.filter(|_| !force && found.tags.len() < 2) {
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
}

/// How the image of a document is run.
fn config_of(document: &Value) -> Result<ImageConfig> {
    let config = document.get("config").filter(|config| !config.is_null());
    let config = config.map(|config| serde_json::from_value(config.clone())).transpose();
    let config = config.map_err(|error| {
        Error::new(Kind::Bug, format!("an image was derived that nobody can read: {error}"))
    })?;
    Ok(config.unwrap_or_default())
}

/// A name of it for people.
pub(super) fn named(image: &Image) -> String {
    let short = || image.id.hex().chars().take(12).collect();
    image.tags.first().map_or_else(short, Reference::familiar)
}

/// An id that is the same in every run.
fn digest_of(text: &str) -> Digest {
    Digest::from_bytes(&Sha256::digest(text).into())
}
