//! Images: what containers are made from.

use super::signature::{Command, ImageOrName, Options};
use crate::model::image::usage::RemoveImageOptions;
use crate::model::image::{PullPolicy, SaveOptions};
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::sandbox::policy;
use crate::script::values::handle::Image as ImageHandle;
use crate::script::{options, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic};

/// Images: what containers are made from.
#[export_module]
pub mod images {
    /// An image: files and what to run.
    pub type Image = ImageHandle;

    /// The image of a reference; made or pulled first where it is missing.
    ///
    /// `image("host")` is made from this machine's own programs: it needs no network.
    ///
    /// ```rhai
    /// let img = image("host");
    /// print(img.id);
    /// ```
    #[rhai_fn(name = "image", volatile, return_raw)]
    pub fn image(ctx: NativeCallContext, reference: ImageOrName) -> RhaiResultOf<Image> {
        resolve::image(&ctx, &reference, PullPolicy::Missing)
    }

    /// The same, and says when to pull.
    ///
    /// ```rhai
    /// let img = image("host", #{ pull: "never" });
    /// ```
    #[rhai_fn(name = "image", volatile, return_raw)]
    pub fn image_with(
        ctx: NativeCallContext,
        reference: ImageOrName,
        options: Options,
    ) -> RhaiResultOf<Image> {
        let policy = options::pull(options).or_raise(&ctx)?;
        resolve::image(&ctx, &reference, policy)
    }

    /// An image of these programs of this machine, with the libraries and interpreters that they
    /// need. It is called after the first of them.
    ///
    /// ```rhai
    /// let img = image_from_host(["sleep", "sh"]);
    /// print(img.tags);
    /// ```
    #[rhai_fn(name = "image_from_host", volatile, return_raw)]
    pub fn image_from_host(ctx: NativeCallContext, programs: Command) -> RhaiResultOf<Image> {
        from_host(&ctx, &programs, None)
    }

    /// The same, under another name.
    ///
    /// ```rhai
    /// let img = image_from_host(["sleep"], "tools:1");
    /// ```
    #[rhai_fn(name = "image_from_host", volatile, return_raw)]
    pub fn image_from_host_as(
        ctx: NativeCallContext,
        programs: Command,
        reference: &str,
    ) -> RhaiResultOf<Image> {
        from_host(&ctx, &programs, Some(reference))
    }

    /// Takes the images of an archive made by `docker save`, `podman save` or skopeo.
    ///
    /// Returns the first image; an archive of several adds them all to `images()`.
    ///
    /// ```rhai
    /// let img = load("hundredcounter.tar");
    /// run(img);
    /// ```
    #[rhai_fn(name = "load", volatile, return_raw)]
    pub fn load(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Image> {
        load_from(&ctx, path, None)
    }

    /// The same; of an image for several platforms it takes the one for `platform`.
    ///
    /// ```rhai
    /// let img = load("hundredcounter.tar", #{ platform: "linux/amd64" });
    /// ```
    #[rhai_fn(name = "load", volatile, return_raw)]
    pub fn load_with(ctx: NativeCallContext, path: &str, options: Options) -> RhaiResultOf<Image> {
        let platform = options::load(options).or_raise(&ctx)?;
        load_from(&ctx, path, platform.as_ref())
    }

    /// Writes an image to an archive that `docker load`, `podman load` and skopeo read.
    ///
    /// ```rhai
    /// image("host").save("host.tar");
    /// ```
    #[rhai_fn(name = "save", volatile, return_raw)]
    pub fn save(ctx: NativeCallContext, image: ImageOrName, path: &str) -> RhaiResultOf<Image> {
        save_to(&ctx, &image, path, &SaveOptions::default())
    }

    /// The same, and says in which format and how compressed.
    ///
    /// ```rhai
    /// save("host", "host.oci.tar", #{ format: "oci", compress: "gzip" });
    /// ```
    #[rhai_fn(name = "save", volatile, return_raw)]
    pub fn save_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
        options: Options,
    ) -> RhaiResultOf<Image> {
        let options = options::save(options).or_raise(&ctx)?;
        save_to(&ctx, &image, path, &options)
    }

    /// Removes a reference, and the image with its last one. Returns what went away, in order.
    ///
    /// ```rhai
    /// rmi("hundredcounter:latest");
    /// ```
    #[rhai_fn(name = "rmi", volatile, return_raw)]
    pub fn rmi(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Array> {
        remove(&ctx, &image, false)
    }

    /// The same, with options: `force` removes an image that stopped containers use.
    ///
    /// ```rhai
    /// rmi("hundredcounter", #{ force: true });
    /// ```
    #[rhai_fn(name = "rmi", volatile, return_raw)]
    pub fn rmi_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        options: Options,
    ) -> RhaiResultOf<Array> {
        let force = options::force("rmi", options).or_raise(&ctx)?;
        remove(&ctx, &image, force)
    }
}

fn load_from(
    ctx: &NativeCallContext,
    path: &str,
    platform: Option<&Platform>,
) -> RhaiResultOf<ImageHandle> {
    let stage = ScriptContext::of(ctx)?;
    let (backend, cancel) = (stage.backend(), &stage.cancel());
    let loaded = backend.load(&stage.path(path).or_raise(ctx)?, platform, cancel).or_raise(ctx)?;
    let first = loaded.first().ok_or_else(|| {
        let message = format!("there is no image in `{path}`");
        crate::model::Error::new(crate::model::Kind::Invalid, message)
    });
    let first = first.or_raise(ctx)?;
    let id = first.id.to_string();
    let reference = first.tags.first().map_or_else(|| id.clone(), |tag| tag.familiar());
    let metadata = backend.image(&id, PullPolicy::Never).or_raise(ctx)?;
    Ok(ImageHandle::new(backend, metadata, &reference))
}

fn save_to(
    ctx: &NativeCallContext,
    image: &Dynamic,
    path: &str,
    options: &SaveOptions,
) -> RhaiResultOf<ImageHandle> {
    let stage = ScriptContext::of(ctx)?;
    let image = resolve::image(ctx, image, PullPolicy::Never)?;
    let (backend, cancel) = (stage.backend(), &stage.cancel());
    backend
        .save(&[image.reference()], options, &stage.path(path).or_raise(ctx)?, cancel)
        .or_raise(ctx)?;
    Ok(image)
}

/// A string is removed as it was typed: `rmi("web:2")` must not take the tags of its image.
fn remove(ctx: &NativeCallContext, image: &Dynamic, force: bool) -> RhaiResultOf<Array> {
    let stage = ScriptContext::of(ctx)?;
    let reference = match values::text(image) {
        Some(reference) => reference,
        None => resolve::image(ctx, image, PullPolicy::Never)?.reference().to_owned(),
    };
    let removed = stage.backend().rmi(&reference, &RemoveImageOptions { force }).or_raise(ctx)?;
    Ok(super::store::removed(&removed))
}

fn from_host(
    ctx: &NativeCallContext,
    programs: &Dynamic,
    reference: Option<&str>,
) -> RhaiResultOf<ImageHandle> {
    let stage = ScriptContext::of(ctx)?;
    if stage.host().sandbox.is_some() {
        policy::refuse("an image of the host's programs").or_raise(ctx)?;
    }
    let words = values::command("the programs", &programs.clone().flatten()).or_raise(ctx)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let first = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    if first.is_empty() {
        let message = "image_from_host(): the name of a program is wanted";
        return Err(raise(ctx, &Error::new(Kind::Invalid, message)));
    }
    let name = reference.map_or_else(|| format!("{}:host", first.to_lowercase()), str::to_owned);
    let name: Reference = name.parse().or_raise(ctx)?;
    let image = stage.backend().image_from_host(&words, &name).or_raise(ctx)?;
    Ok(ImageHandle::new(stage.backend(), image, &name.familiar()))
}
