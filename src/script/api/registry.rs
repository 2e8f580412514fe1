//! Registries: pull and push images.

use super::signature::{ImageOrName, Options};
use crate::model::image::PullPolicy;
use crate::model::observe::progress::PullOptions;
use crate::model::value::reference::Reference;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::options;
use crate::script::values::handle::Image;
use rhai::plugin::*;

/// Registries: pull and push images.
#[export_module]
pub mod registry {
    /// Downloads an image from a registry, and returns it.
    ///
    /// Layers in the store are not downloaded again. `alpine` is `docker.io/library/alpine:latest`.
    ///
    /// ```rhai
    /// let img = pull("alpine:3");
    /// print(img.id);
    /// ```
    #[rhai_fn(name = "pull", volatile, return_raw)]
    pub fn pull(ctx: NativeCallContext, reference: &str) -> RhaiResultOf<Image> {
        fetch(&ctx, reference, &PullOptions::default())
    }

    /// As `pull(reference)`, for another platform, or from a registry without trusted TLS.
    ///
    /// ```rhai
    /// let img = pull("alpine:3", #{ platform: "linux/arm64" });
    /// ```
    #[rhai_fn(name = "pull", volatile, return_raw)]
    pub fn pull_with(
        ctx: NativeCallContext,
        reference: &str,
        options: Options,
    ) -> RhaiResultOf<Image> {
        let options = options::fetch("pull", options).or_raise(&ctx)?;
        fetch(&ctx, reference, &options)
    }

    /// Uploads an image to a registry under this reference, and returns its digest.
    ///
    /// ```rhai
    /// let digest = push(image("alpine:3"), "localhost:5000/team/alpine:3");
    /// print(digest);
    /// ```
    #[rhai_fn(name = "push", volatile, return_raw)]
    pub fn push(
        ctx: NativeCallContext,
        image: ImageOrName,
        reference: &str,
    ) -> RhaiResultOf<String> {
        send(&ctx, &image, reference, &PullOptions::default())
    }

    /// As `push(image, reference)`, to a registry without trusted TLS.
    ///
    /// ```rhai
    /// push("alpine:3", "registry.example/alpine:3", #{ tls_verify: false });
    /// ```
    #[rhai_fn(name = "push", volatile, return_raw)]
    pub fn push_with(
        ctx: NativeCallContext,
        image: ImageOrName,
        reference: &str,
        options: Options,
    ) -> RhaiResultOf<String> {
        let options = options::fetch("push", options).or_raise(&ctx)?;
        send(&ctx, &image, reference, &options)
    }
}

fn fetch(ctx: &NativeCallContext, text: &str, options: &PullOptions) -> RhaiResultOf<Image> {
    let context = ScriptContext::of(ctx)?;
    let host = context.host();
    let reference: Reference = text.parse().or_raise(ctx)?;
    let pulled = host.backend.pull(&reference, options, &host.progress, &context.cancel());
    Ok(Image::new(context.backend(), pulled.or_raise(ctx)?.image, text))
}

fn send(
    ctx: &NativeCallContext,
    image: &Dynamic,
    text: &str,
    options: &PullOptions,
) -> RhaiResultOf<String> {
    let context = ScriptContext::of(ctx)?;
    let host = context.host();
    let reference: Reference = text.parse().or_raise(ctx)?;
    let image = resolve::image(ctx, image, PullPolicy::Never)?.metadata().id.to_string();
    let access = options.access;
    let pushed = host.backend.push(&image, &reference, access, &host.progress, &context.cancel());
    Ok(pushed.or_raise(ctx)?.digest.to_string())
}
