//! Images from Dockerfiles, containers and archives; containers as files.

use super::signature::{AnyOrName, ContainerOrName, Options};
use crate::engine::stream::InputStream;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::PullPolicy;
use crate::model::image::build::{CommitOptions, tag};
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::resolve;
use crate::script::host::Output;
use crate::script::options;
use crate::script::sandbox::policy::AllowedPath;
use crate::script::values::handle::{Container as ContainerHandle, Image as ImageHandle};
use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};
use std::io::{self, Write};
use std::path::Path;

/// Images from Dockerfiles, containers and archives.
#[export_module]
pub mod files {
    /// Builds an image from the `Dockerfile` in a directory, and returns it.
    ///
    /// ```rhai
    /// let img = build("app");
    /// ```
    #[rhai_fn(name = "build", volatile, return_raw)]
    pub fn build_path(ctx: NativeCallContext, path: &str) -> RhaiResultOf<ImageHandle> {
        build_dockerfile(&ctx, path, Map::new())
    }

    /// As `build(path)`, with options.
    ///
    /// ```rhai
    /// let img = build("app", #{ tag: "app:2", args: #{ VERSION: 2 }, target: "test" });
    /// ```
    #[rhai_fn(name = "build", volatile, return_raw)]
    pub fn build_path_with(
        ctx: NativeCallContext,
        path: &str,
        options: Options,
    ) -> RhaiResultOf<ImageHandle> {
        build_dockerfile(&ctx, path, options)
    }

    /// Gives an image a name, or creates an image of that name from a container's changes. Returns
    /// the image.
    ///
    /// ```rhai
    /// image("host").with_env("A", 1).commit("app:1");
    /// ```
    #[rhai_fn(name = "commit", volatile, return_raw)]
    pub fn commit(
        ctx: NativeCallContext,
        subject: AnyOrName,
        reference: &str,
    ) -> RhaiResultOf<ImageHandle> {
        let subject = subject.flatten();
        if !subject.is::<ImageHandle>() {
            return commit_container(&ctx, &subject, Some(reference), &CommitOptions::default());
        }
        let image = resolve::image(&ctx, &subject, PullPolicy::Never)?;
        let context = ScriptContext::of(&ctx)?;
        let tag = super::tag(reference).or_raise(&ctx)?;
        let named = context.backend().tag(image.metadata().id.as_str(), &tag).or_raise(&ctx)?;
        Ok(ImageHandle::new(context.backend(), named, &tag.familiar()))
    }

    /// Creates an image without a name from a container's changes, and returns it.
    ///
    /// ```rhai
    /// let img = commit("web");
    /// ```
    #[rhai_fn(name = "commit", volatile, return_raw)]
    pub fn commit_unnamed(
        ctx: NativeCallContext,
        container: ContainerOrName,
    ) -> RhaiResultOf<ImageHandle> {
        commit_container(&ctx, &container, None, &CommitOptions::default())
    }

    /// Creates an image from a container's changes, with options, and returns it.
    ///
    /// ```rhai
    /// let img = commit("web", "web:fixed", #{ message: "fixed by hand", changes: ["ENV FIXED=1"] });
    /// ```
    #[rhai_fn(name = "commit", volatile, return_raw)]
    pub fn commit_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        reference: &str,
        options: Options,
    ) -> RhaiResultOf<ImageHandle> {
        let options = options::commit(options).or_raise(&ctx)?;
        commit_container(&ctx, &container, Some(reference), &options)
    }

    /// Returns the changes to files on a container's filesystem: an array of maps with `kind`
    /// (`"A"` added, `"C"` changed, `"D"` deleted) and `path`.
    ///
    /// ```rhai
    /// for change in diff("web") { print(`${change.kind} ${change.path}`); }
    /// ```
    #[rhai_fn(name = "diff", volatile, return_raw)]
    pub fn diff(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Array> {
        let container = resolve::container(&ctx, &container)?;
        let context = ScriptContext::of(&ctx)?;
        let changes = context.backend().diff(container.id()).or_raise(&ctx)?;
        let map = |change: crate::model::image::build::Change| {
            let mut map = Map::new();
            map.insert("kind".into(), change.kind.letter().to_string().into());
            map.insert("path".into(), change.path.into());
            Dynamic::from(map)
        };
        Ok(changes.into_iter().map(map).collect())
    }

    /// Exports a container's filesystem as a tar archive. Returns the container.
    ///
    /// ```rhai
    /// export_tar("web", "web.tar");
    /// ```
    #[rhai_fn(name = "export_tar", volatile, return_raw)]
    pub fn export_tar(
        ctx: NativeCallContext,
        container: ContainerOrName,
        path: &str,
    ) -> RhaiResultOf<ContainerHandle> {
        let handle = resolve::container(&ctx, &container)?;
        let context = ScriptContext::of(&ctx)?;
        let cancel = &context.cancel();
        let path = context.path(path).or_raise(&ctx)?;
        context
            .write_host_file(&path, |out| context.backend().export(handle.id(), out, cancel))
            .or_raise(&ctx)?;
        Ok(handle)
    }

    /// Imports a root filesystem, a plain or compressed tar archive, as an image of one layer.
    /// Returns the image.
    ///
    /// ```rhai
    /// let img = import_tar("rootfs.tar");
    /// ```
    #[rhai_fn(name = "import_tar", volatile, return_raw)]
    pub fn import_tar(ctx: NativeCallContext, path: &str) -> RhaiResultOf<ImageHandle> {
        import(&ctx, path, Map::new())
    }

    /// As `import_tar(path)`, with options.
    ///
    /// ```rhai
    /// let img = import_tar("rootfs.tar", #{ tag: "debian:mine", cmd: ["/bin/bash"] });
    /// ```
    #[rhai_fn(name = "import_tar", volatile, return_raw)]
    pub fn import_tar_with(
        ctx: NativeCallContext,
        path: &str,
        options: Options,
    ) -> RhaiResultOf<ImageHandle> {
        import(&ctx, path, options)
    }
}

/// Writes the output of a build's commands to standard error.
pub(super) struct BuildOutput<'a>(pub(super) &'a dyn Output);

impl Write for BuildOutput<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_err(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn commit_container(
    ctx: &NativeCallContext,
    container: &Dynamic,
    reference: Option<&str>,
    options: &CommitOptions,
) -> RhaiResultOf<ImageHandle> {
    let container = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    let tag = reference.map(tag).transpose().or_raise(ctx)?;
    let cancel = &context.cancel();
    let image =
        context.backend().commit(container.id(), tag.as_ref(), options, cancel).or_raise(ctx)?;
    let name = tag.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(context.backend(), image, &name))
}

fn build_dockerfile(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<ImageHandle> {
    let wanted = options::build(map).or_raise(ctx)?;
    let context = ScriptContext::of(ctx)?;
    let mut out = BuildOutput(context.host().output.as_ref());
    let host = context.host();
    let directory = context.path(path).or_raise(ctx)?;
    instructions(&directory, wanted.file.as_deref()).or_raise(ctx)?;
    let image = context.backend().build(
        Some(&directory),
        &wanted,
        &host.progress,
        &mut out,
        &context.cancel(),
    );
    let image = image.or_raise(ctx)?;
    let name = wanted.tags.first().map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(context.backend(), image, &name))
}

/// Checks that an untrusted script may read the Dockerfile and the ignore files: an error message
/// shows parts of a Dockerfile.
fn instructions(directory: &AllowedPath<'_>, file: Option<&Path>) -> Result<()> {
    let file = file.map_or_else(|| directory.join("Dockerfile"), Path::to_owned);
    let mut ignore = file.clone().into_os_string();
    ignore.push(".dockerignore");
    for path in [file, ignore.into(), directory.join(".dockerignore")] {
        directory.also(&path)?;
    }
    Ok(())
}

fn import(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<ImageHandle> {
    let mut wanted = options::import(map).or_raise(ctx)?;
    if wanted.message.is_empty() {
        wanted.message = format!("Imported from {path}");
    }
    let context = ScriptContext::of(ctx)?;
    let own = context.path(path).or_raise(ctx)?;
    let cancel = &context.cancel();
    let check = || cancel.check();
    let mut file = InputStream::open(&own, &check).or_raise(ctx)?;
    let image = context
        .backend()
        .import_tar(&mut file, &wanted, cancel)
        .context(|| format!("cannot import `{path}`"))
        .or_raise(ctx)?;
    let name = wanted.reference.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(context.backend(), image, &name))
}
