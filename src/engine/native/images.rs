//! Images: of the store, of archives and of the host's own programs.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::Value;

use super::handle::{HOST, Native};
use crate::engine::backend::{CancelToken, Images, Observe as _};
use crate::image::Store;
use crate::model::image::history::History;
use crate::model::image::own::foreign;
use crate::model::image::stacking::topmost_once;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::event::EventAction;
use crate::model::observe::introspection::ImageIntrospection;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Kind, Result, inspect};

impl Images for Native {
    fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image> {
        let is_host = reference.parse::<Reference>().is_ok_and(|r| r.familiar() == HOST);
        let store = self.store()?;
        if is_host && pull == PullPolicy::Always {
            if self.own_images.is_some() && store.find(HOST).is_ok() {
                return Err(foreign(&format!("image `{HOST}`")));
            }
            return self.create_host_image();
        }
        match self.find_image(&store, reference).map(|(image, _)| image) {
            Err(error)
                if error.kind() == Kind::NotFound && is_host && pull != PullPolicy::Never =>
            {
                self.create_host_image()
            }
            result => result,
        }
    }

    fn images(&self) -> Result<Vec<Image>> {
        self.store()?.list()
    }

    fn image_ids(&self, names: &[&str]) -> Result<Vec<Option<Digest>>> {
        self.store()?.ids_of(names)
    }

    fn image_json(&self, reference: &str) -> Result<Value> {
        let store = self.store()?;
        let image = store.find(reference)?;
        let stacked = topmost_once(&image.layers);
        let layers: Vec<_> = stacked
            .iter()
            .rev()
            .map(|layer| store.layer_dir(layer).display().to_string())
            .collect();
        Ok(inspect::image(&image, &layers))
    }

    fn introspect_image(&self, reference: &str) -> Result<ImageIntrospection> {
        let image = self.image(reference, PullPolicy::Missing)?;
        let users = self.ps()?.into_iter().filter(|container| container.spec.image.id == image.id);
        Ok(ImageIntrospection {
            layers: self.layers_of(&image.layers)?,
            history: self.history(image.id.as_str())?,
            users: users.map(|container| container.state.name.to_string()).collect(),
            image,
        })
    }

    fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image> {
        let created = self.store()?.image_from_host(programs, programs, reference, &|| Ok(()))?;
        self.emit(EventAction::Import, &created.image, Some(reference));
        Ok(created.image)
    }

    fn load(
        &self,
        archive: &Path,
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        let store = self.store()?;
        let loaded = store.load_file(archive, platform, &|| cancel.check())?;
        self.emit_loaded(&store, &loaded);
        Ok(loaded)
    }

    fn load_stream(
        &self,
        archive: &mut (dyn Read + Send),
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>> {
        let store = self.store()?;
        let loaded = store.load(archive, platform, &|| cancel.check())?;
        self.emit_loaded(&store, &loaded);
        Ok(loaded)
    }

    fn save(
        &self,
        images: &[&str],
        options: &SaveOptions,
        path: &Path,
        cancel: &CancelToken,
    ) -> Result<()> {
        self.host_image_among(images)?;
        let store = self.store()?;
        store.save_file(images, options, path, &|| cancel.check())?;
        self.emit_saved(&store, images);
        Ok(())
    }

    fn save_stream(
        &self,
        images: &[&str],
        options: &SaveOptions,
        out: &mut (dyn Write + Send),
        cancel: &CancelToken,
    ) -> Result<()> {
        self.host_image_among(images)?;
        let store = self.store()?;
        store.save(images, options, out, &|| cancel.check())?;
        self.emit_saved(&store, images);
        Ok(())
    }

    fn tag(&self, image: &str, reference: &Reference) -> Result<Image> {
        self.host_image_among(&[image])?;
        let image = self.store()?.tag(image, reference)?;
        self.emit(EventAction::Tag, &image, Some(reference));
        Ok(image)
    }

    fn history(&self, image: &str) -> Result<Vec<History>> {
        self.store()?.history(image)
    }

    fn image_usage(&self) -> Result<Vec<ImageUsage>> {
        self.store()?.image_usage(&self.users()?)
    }

    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned> {
        let store = self.store()?;
        let lock = (!options.dry_run).then(|| self.lock_images()).transpose()?;
        let before = if options.dry_run { Vec::new() } else { store.list()? };
        let caches = if options.of_builds { self.unused_caches(options)? } else { Vec::new() };
        let size = caches.iter().map(|cache| cache.size).sum();
        let keep = options.keep.saturating_sub(size);
        let mut pruned = store.prune(&PruneOptions { keep, ..options.clone() }, &self.users()?)?;
        drop(lock);
        self.emit_pruned(&pruned.removed, &before);
        for cache in caches {
            pruned.bytes += cache.size;
            pruned.removed.extend(cache.remove(options.dry_run)?);
        }
        Ok(pruned)
    }

    fn check(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report> {
        self.check_all(options, cancel)
    }

    fn rmi(&self, image: &str, options: &RemoveImageOptions) -> Result<Vec<Removed>> {
        let mut results = self.rmi_each(&[image], options)?;
        results.pop().unwrap_or_else(|| Ok(Vec::new()))
    }

    fn rmi_each(
        &self,
        images: &[&str],
        options: &RemoveImageOptions,
    ) -> Result<Vec<Result<Vec<Removed>>>> {
        let store = self.store()?;
        let lock = self.lock_images()?;
        let results = store.remove(images, options, &self.users()?)?;
        drop(lock);
        let removed = results.into_iter().map(|result| {
            let removal = result?;
            self.emit_removed(&removal.id, &removal.labels, &removal.steps);
            Ok(removal.steps)
        });
        Ok(removed.collect())
    }
}

impl Native {
    /// Creates the image of the host's programs if `images` has its name and the store lacks it.
    fn host_image_among(&self, images: &[&str]) -> Result<()> {
        let is_host = |name: &&str| name.parse::<Reference>().is_ok_and(|r| r.familiar() == HOST);
        match images.iter().any(is_host) {
            true => self.image(HOST, PullPolicy::Missing).map(drop),
            false => Ok(()),
        }
    }

    /// Creates the image of the host's programs: the user's image, also if an untrusted script is
    /// the first to use it.
    fn create_host_image(&self) -> Result<Image> {
        let store = Store::open(&self.settings.root)?;
        let image = store.create_host_image(&|| Ok(()))?.image;
        self.emit(EventAction::Import, &image, None);
        Ok(image)
    }
}
