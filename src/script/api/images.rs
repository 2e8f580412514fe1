//! Images, from which containers are created.

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

/// Images, from which containers are created.
#[export_module]
pub mod images {
    /// An image: files and a default command.
    pub type Image = ImageHandle;

    /// Returns the image with this reference. A missing image is pulled, the image `host` created.
    ///
    /// `image("host")` is created from the host's own programs, and needs no network.
    ///
    /// ```rhai
    /// let img = image("host");
    /// print(img.id);
    /// ```
    #[rhai_fn(name = "image", volatile, return_raw)]
    pub fn image(ctx: NativeCallContext, reference: ImageOrName) -> RhaiResultOf<Image> {
        resolve::image(&ctx, &reference, PullPolicy::Missing)
    }

    /// As `image(reference)`, with the pull policy.
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

    /// Creates an image of programs of the host, with the libraries and interpreters that they
    /// need, and returns it. Its reference is the name of the first program with the tag `host`.
    ///
    /// ```rhai
    /// let img = image_from_host(["sleep", "sh"]);
    /// print(img.tags);
    /// ```
    #[rhai_fn(name = "image_from_host", volatile, return_raw)]
    pub fn image_from_host(ctx: NativeCallContext, programs: Command) -> RhaiResultOf<Image> {
        from_host(&ctx, &programs, None)
    }

    /// As `image_from_host(programs)`, with another reference.
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

    /// Loads images from an archive of `docker save`, `podman save` or skopeo, and returns the
    /// first.
    ///
    /// All images of the archive are added to `images()`.
    ///
    /// ```rhai
    /// let img = load("hundredcounter.tar");
    /// run(img);
    /// ```
    #[rhai_fn(name = "load", volatile, return_raw)]
    pub fn load(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Image> {
        load_from(&ctx, path, None)
    }

    /// As `load(path)`, with the platform to take of a multi-platform image.
    ///
    /// ```rhai
    /// let img = load("hundredcounter.tar", #{ platform: "linux/amd64" });
    /// ```
    #[rhai_fn(name = "load", volatile, return_raw)]
    pub fn load_with(ctx: NativeCallContext, path: &str, options: Options) -> RhaiResultOf<Image> {
        let platform = options::load(options).or_raise(&ctx)?;
        load_from(&ctx, path, platform.as_ref())
    }

    /// Saves an image to an archive that `docker load`, `podman load` and skopeo read. Returns the
    /// image.
    ///
    /// ```rhai
    /// image("host").save("host.tar");
    /// ```
    #[rhai_fn(name = "save", volatile, return_raw)]
    pub fn save(ctx: NativeCallContext, image: ImageOrName, path: &str) -> RhaiResultOf<Image> {
        save_to(&ctx, &image, path, &SaveOptions::default())
    }

    /// As `save(image, path)`, with the format and the compression.
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

    /// Removes a tag of an image, and the image with its last tag. Returns an array of strings:
    /// what was untagged and deleted, in order.
    ///
    /// ```rhai
    /// rmi("hundredcounter:latest");
    /// ```
    #[rhai_fn(name = "rmi", volatile, return_raw)]
    pub fn rmi(ctx: NativeCallContext, image: ImageOrName) -> RhaiResultOf<Array> {
        remove(&ctx, &image, false)
    }

    /// As `rmi(image)`; `force` also removes an image that stopped containers use.
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
    let context = ScriptContext::of(ctx)?;
    let (backend, cancel) = (context.backend(), &context.cancel());
    let loaded =
        backend.load(&context.path(path).or_raise(ctx)?, platform, cancel).or_raise(ctx)?;
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
    let context = ScriptContext::of(ctx)?;
    let image = resolve::image(ctx, image, PullPolicy::Never)?;
    let (backend, cancel) = (context.backend(), &context.cancel());
    backend
        .save(&[image.reference()], options, &context.path(path).or_raise(ctx)?, cancel)
        .or_raise(ctx)?;
    Ok(image)
}

/// Removes an image. A string is passed on as it is: `rmi("web:2")` must not remove other tags of
/// its image.
fn remove(ctx: &NativeCallContext, image: &Dynamic, force: bool) -> RhaiResultOf<Array> {
    let context = ScriptContext::of(ctx)?;
    let reference = match values::text(image) {
        Some(reference) => reference,
        None => resolve::image(ctx, image, PullPolicy::Never)?.reference().to_owned(),
    };
    let removed = context.backend().rmi(&reference, &RemoveImageOptions { force }).or_raise(ctx)?;
    Ok(super::store::removed(&removed))
}

fn from_host(
    ctx: &NativeCallContext,
    programs: &Dynamic,
    reference: Option<&str>,
) -> RhaiResultOf<ImageHandle> {
    let context = ScriptContext::of(ctx)?;
    if context.host().sandbox.is_some() {
        policy::refuse("an image of the host's programs").or_raise(ctx)?;
    }
    let words = values::command(&programs.clone().flatten());
    let words = values::parameter("programs", words).or_raise(ctx)?;
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let first = words.first().and_then(|word| word.rsplit('/').next()).unwrap_or_default();
    if first.is_empty() {
        let message = "image_from_host(): expected the name of a program";
        return Err(raise(ctx, &Error::new(Kind::Invalid, message)));
    }
    let name = reference.map_or_else(|| format!("{}:host", first.to_lowercase()), str::to_owned);
    let name: Reference = name.parse().or_raise(ctx)?;
    let image = context.backend().image_from_host(&words, &name).or_raise(ctx)?;
    Ok(ImageHandle::new(context.backend(), image, &name.familiar()))
}
