//! Images from Dockerfiles, containers and archives; containers as files.

use super::signature::{AnyOrName, ContainerOrName, Options};
use crate::engine::write_atomic;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::PullPolicy;
use crate::model::image::build::{CommitOptions, tag};
use crate::script::context::raise::{OrRaise, raise};
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
    /// Builds what the `Dockerfile` in a directory says.
    ///
    /// ```rhai
    /// let img = build("app");
    /// ```
    #[rhai_fn(name = "build", volatile, return_raw)]
    pub fn build_path(ctx: NativeCallContext, path: &str) -> RhaiResultOf<ImageHandle> {
        build_dockerfile(&ctx, path, Map::new())
    }

    /// The same, with options.
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

    /// Of an image: gives it a name. Of a container: makes an image of it, with that name.
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
        let stage = ScriptContext::of(&ctx)?;
        let tag = super::tag(reference).or_raise(&ctx)?;
        let named = stage.backend().tag(image.metadata().id.as_str(), &tag).or_raise(&ctx)?;
        Ok(ImageHandle::new(stage.backend(), named, &tag.familiar()))
    }

    /// Makes an image of a container, without a name.
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

    /// Makes an image of a container, with options.
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

    /// What a container has changed of its image's files: maps with `kind` (`"A"` added, `"C"`
    /// changed, `"D"` deleted) and `path`.
    ///
    /// ```rhai
    /// for change in diff("web") { print(`${change.kind} ${change.path}`); }
    /// ```
    #[rhai_fn(name = "diff", volatile, return_raw)]
    pub fn diff(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Array> {
        let container = resolve::container(&ctx, &container)?;
        let stage = ScriptContext::of(&ctx)?;
        let changes = stage.backend().diff(container.id()).or_raise(&ctx)?;
        let map = |change: crate::model::image::build::Change| {
            let mut map = Map::new();
            map.insert("kind".into(), change.kind.letter().to_string().into());
            map.insert("path".into(), change.path.into());
            Dynamic::from(map)
        };
        Ok(changes.into_iter().map(map).collect())
    }

    /// Writes all files of a container to a tar archive.
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
        let stage = ScriptContext::of(&ctx)?;
        let cancel = &stage.cancel();
        let path = stage.path(path).or_raise(&ctx)?;
        if stage.backend().is_dry_run() {
            stage.backend().export(handle.id(), &mut std::io::sink(), cancel).or_raise(&ctx)?;
            return Ok(handle);
        }
        write_atomic(&path, |out| stage.backend().export(handle.id(), out, cancel))
            .or_raise(&ctx)?;
        Ok(handle)
    }

    /// Makes an image of one layer from a root file system: a tar archive, plain or compressed.
    ///
    /// ```rhai
    /// let img = import_tar("rootfs.tar");
    /// ```
    #[rhai_fn(name = "import_tar", volatile, return_raw)]
    pub fn import_tar(ctx: NativeCallContext, path: &str) -> RhaiResultOf<ImageHandle> {
        import(&ctx, path, Map::new())
    }

    /// The same, with options.
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

/// What commands of a build write goes beside the script's own output.
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
    let stage = ScriptContext::of(ctx)?;
    let tag = reference.map(tag).transpose().or_raise(ctx)?;
    let cancel = &stage.cancel();
    let image =
        stage.backend().commit(container.id(), tag.as_ref(), options, cancel).or_raise(ctx)?;
    let name = tag.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(stage.backend(), image, &name))
}

fn build_dockerfile(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<ImageHandle> {
    let wanted = options::build(map).or_raise(ctx)?;
    let stage = ScriptContext::of(ctx)?;
    let mut out = BuildOutput(stage.host().output.as_ref());
    let host = stage.host();
    let context = stage.path(path).or_raise(ctx)?;
    instructions(&context, wanted.file.as_deref()).or_raise(ctx)?;
    let image =
        stage.backend().build(Some(&context), &wanted, &host.progress, &mut out, &stage.cancel());
    let image = image.or_raise(ctx)?;
    let name = wanted.tags.first().map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(stage.backend(), image, &name))
}

/// Refuses the files that a build reads beside those that it copies, where the script may not read
/// them: an error shows what is in a Dockerfile.
fn instructions(context: &AllowedPath<'_>, file: Option<&Path>) -> Result<()> {
    let file = file.map_or_else(|| context.join("Dockerfile"), Path::to_owned);
    let mut ignore = file.clone().into_os_string();
    ignore.push(".dockerignore");
    for path in [file, ignore.into(), context.join(".dockerignore")] {
        context.also(&path)?;
    }
    Ok(())
}

fn import(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<ImageHandle> {
    let mut wanted = options::import(map).or_raise(ctx)?;
    if wanted.message.is_empty() {
        wanted.message = format!("Imported from {path}");
    }
    let stage = ScriptContext::of(ctx)?;
    let own = stage.path(path).or_raise(ctx)?;
    let mut file = std::fs::File::open(&*own)
        .context(|| format!("open `{path}`"))
        .map_err(|error| raise(ctx, &error))?;
    let cancel = &stage.cancel();
    let image = stage
        .backend()
        .import_tar(&mut file, &wanted, cancel)
        .context(|| format!("cannot import `{path}`"))
        .or_raise(ctx)?;
    let name = wanted.reference.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(ImageHandle::new(stage.backend(), image, &name))
}
