//! Images built step by step, and images made of containers and files.

use std::io::{self, Write};
use std::path::Path;

use rhai::plugin::*;
use rhai::{Array, Dynamic, Map};

use super::super::error::{OrRaise, raise};
use super::super::handle::{Container as ContainerHandle, Image as Handle};
use super::super::options;
use super::super::stage::Stage;
use super::super::{Output, subject, values};
use super::{AnyOrName, Command, ContainerOrName, ImageOrName, Options, RhaiResultOf, Signal};
use crate::engine::{Backend, write_whole};
use crate::model::build::{
    BuildStep, CommandLine, CommitOptions, CopyItem, CopySource, CopyStep, RunStep, tag,
};
use crate::model::error::Context;
use crate::model::image::{Image as Metadata, PullPolicy};
use crate::model::{Error, Kind, Result};

/// Building images. Each step returns a new image; one that was done before is taken from the
/// store.
#[export_module]
pub mod build {
    /// The image with a variable in its environment.
    ///
    /// ```rhai
    /// let img = image("host").with_env("PORT", 8080);
    /// ```
    #[rhai_fn(name = "with_env", volatile, return_raw)]
    pub fn with_env(
        ctx: NativeCallContext,
        image: ImageOrName,
        key: &str,
        value: Dynamic,
    ) -> RhaiResultOf<Handle> {
        let value = one_text(&value, "a variable").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Env(vec![(key.to_owned(), value)]))
    }

    /// The image with a label.
    ///
    /// ```rhai
    /// let img = image("host").with_label("stage", "test");
    /// ```
    #[rhai_fn(name = "with_label", volatile, return_raw)]
    pub fn with_label(
        ctx: NativeCallContext,
        image: ImageOrName,
        key: &str,
        value: Dynamic,
    ) -> RhaiResultOf<Handle> {
        let value = one_text(&value, "a label").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Label(vec![(key.to_owned(), value)]))
    }

    /// The image with a text file. Directories on the way are made.
    ///
    /// ```rhai
    /// let img = image("host").with_file("/etc/motd", "hello\n");
    /// ```
    #[rhai_fn(name = "with_file", volatile, return_raw)]
    pub fn with_file(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
        text: &str,
    ) -> RhaiResultOf<Handle> {
        add_file(&ctx, &image, path, text, 0o644)
    }

    /// The same, with the file's mode: `0o755` or `"755"`.
    ///
    /// ```rhai
    /// let img = image("host").with_file("/bin/hello", "#!/bin/sh\necho hello\n", 0o755);
    /// ```
    #[rhai_fn(name = "with_file", volatile, return_raw)]
    pub fn with_file_of_mode(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
        text: &str,
        mode: Dynamic,
    ) -> RhaiResultOf<Handle> {
        let mode = file_mode(&mode).or_raise(&ctx)?;
        add_file(&ctx, &image, path, text, mode)
    }

    /// The image with files of this machine: a file, or all that is in a directory. A target that
    /// ends in `/` is a directory.
    ///
    /// ```rhai
    /// let img = image("host").with_copy("/etc/hostname", "/etc/built-on");
    /// ```
    #[rhai_fn(name = "with_copy", volatile, return_raw)]
    pub fn with_copy(
        ctx: NativeCallContext,
        image: ImageOrName,
        from: &str,
        to: &str,
    ) -> RhaiResultOf<Handle> {
        let step = copy_step(from, to).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Copy(step))
    }

    /// The image with what a command changes when it runs in it. A string is given to the image's
    /// shell, an array runs as it is.
    ///
    /// ```rhai
    /// let img = image("host").with_run("echo built > /built");
    /// ```
    #[rhai_fn(name = "with_run", volatile, return_raw)]
    pub fn with_run(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
    ) -> RhaiResultOf<Handle> {
        let command = line_or_words(&cmd).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Run(RunStep { command, arguments: Vec::new() }))
    }

    /// The image with another working directory, which is made where it is missing.
    ///
    /// ```rhai
    /// let img = image("host").with_workdir("/srv");
    /// ```
    #[rhai_fn(name = "with_workdir", volatile, return_raw)]
    pub fn with_workdir(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
    ) -> RhaiResultOf<Handle> {
        take(&ctx, &image, &BuildStep::Workdir(path.to_owned()))
    }

    /// The image whose programs run as this user.
    ///
    /// ```rhai
    /// let img = image("host").with_user("nobody");
    /// ```
    #[rhai_fn(name = "with_user", volatile, return_raw)]
    pub fn with_user(
        ctx: NativeCallContext,
        image: ImageOrName,
        user: Dynamic,
    ) -> RhaiResultOf<Handle> {
        let user = one_text(&user, "a user").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::User(user))
    }

    /// The image that runs this by default: an array, or a string of words (no shell reads it).
    ///
    /// ```rhai
    /// let img = image("host").with_cmd(["sleep", "100"]);
    /// ```
    #[rhai_fn(name = "with_cmd", volatile, return_raw)]
    pub fn with_cmd(
        ctx: NativeCallContext,
        image: ImageOrName,
        cmd: Command,
    ) -> RhaiResultOf<Handle> {
        let words = values::command("a command", &cmd.flatten()).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Cmd(CommandLine::Exec(words)))
    }

    /// The image whose command is appended to this. A command that the image had before is
    /// dropped, for it was written for another program; one that this chain has set stays.
    ///
    /// ```rhai
    /// let img = image("host").with_entrypoint(["echo", "it says"]).with_cmd(["hello"]);
    /// ```
    #[rhai_fn(name = "with_entrypoint", volatile, return_raw)]
    pub fn with_entrypoint(
        ctx: NativeCallContext,
        image: ImageOrName,
        entrypoint: Command,
    ) -> RhaiResultOf<Handle> {
        let words = values::command("an entrypoint", &entrypoint.flatten()).or_raise(&ctx)?;
        let handle = subject::image(&ctx, &image, PullPolicy::Missing)?;
        let backend = Stage::of(&ctx)?;
        let keep_cmd = has_own_cmd(backend.backend().as_ref(), handle.metadata());
        let command = CommandLine::Exec(words);
        take(&ctx, &Dynamic::from(handle), &BuildStep::Entrypoint { command, keep_cmd })
    }

    /// The image that declares a port: a number, `"53/udp"` or `"8000-8010"`.
    ///
    /// ```rhai
    /// let img = image("host").with_expose(8080);
    /// ```
    #[rhai_fn(name = "with_expose", volatile, return_raw)]
    pub fn with_expose(
        ctx: NativeCallContext,
        image: ImageOrName,
        port: Dynamic,
    ) -> RhaiResultOf<Handle> {
        let port = one_text(&port, "a port").or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::Expose(vec![port]))
    }

    /// The image that declares a mount point.
    ///
    /// ```rhai
    /// let img = image("host").with_volume("/data");
    /// ```
    #[rhai_fn(name = "with_volume", volatile, return_raw)]
    pub fn with_volume(
        ctx: NativeCallContext,
        image: ImageOrName,
        path: &str,
    ) -> RhaiResultOf<Handle> {
        take(&ctx, &image, &BuildStep::Volume(vec![path.to_owned()]))
    }

    /// The image whose containers are asked to end by this signal.
    ///
    /// ```rhai
    /// let img = image("host").with_stop_signal("QUIT");
    /// ```
    #[rhai_fn(name = "with_stop_signal", volatile, return_raw)]
    pub fn with_stop_signal(
        ctx: NativeCallContext,
        image: ImageOrName,
        signal: Signal,
    ) -> RhaiResultOf<Handle> {
        let signal = values::signal(&signal.flatten()).or_raise(&ctx)?;
        take(&ctx, &image, &BuildStep::StopSignal(signal.to_string()))
    }

    /// Builds what the `Dockerfile` in a directory says.
    ///
    /// ```rhai
    /// let img = build("app");
    /// ```
    #[rhai_fn(name = "build", volatile, return_raw)]
    pub fn build_path(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Handle> {
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
    ) -> RhaiResultOf<Handle> {
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
    ) -> RhaiResultOf<Handle> {
        let subject = subject.flatten();
        if !subject.is::<Handle>() {
            return commit_container(&ctx, &subject, Some(reference), &CommitOptions::default());
        }
        let image = subject::image(&ctx, &subject, PullPolicy::Never)?;
        let stage = Stage::of(&ctx)?;
        let tag = super::tag(reference).or_raise(&ctx)?;
        let named = stage.backend().tag(image.metadata().id.as_str(), &tag).or_raise(&ctx)?;
        Ok(Handle::new(stage.backend(), named, &tag.familiar()))
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
    ) -> RhaiResultOf<Handle> {
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
    ) -> RhaiResultOf<Handle> {
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
        let container = subject::container(&ctx, &container)?;
        let stage = Stage::of(&ctx)?;
        let changes = stage.backend().diff(container.id()).or_raise(&ctx)?;
        let map = |change: crate::model::build::Change| {
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
        let handle = subject::container(&ctx, &container)?;
        let stage = Stage::of(&ctx)?;
        let cancel = &stage.host().cancel;
        write_whole(Path::new(path), |out| stage.backend().export(handle.id(), out, cancel))
            .or_raise(&ctx)?;
        Ok(handle)
    }

    /// Makes an image of one layer from a root file system: a tar archive, plain or compressed.
    ///
    /// ```rhai
    /// let img = import_tar("rootfs.tar");
    /// ```
    #[rhai_fn(name = "import_tar", volatile, return_raw)]
    pub fn import_tar(ctx: NativeCallContext, path: &str) -> RhaiResultOf<Handle> {
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
    ) -> RhaiResultOf<Handle> {
        import(&ctx, path, options)
    }
}

/// Does a step above an image.
fn take(ctx: &NativeCallContext, image: &Dynamic, step: &BuildStep) -> RhaiResultOf<Handle> {
    let image = subject::image(ctx, image, PullPolicy::Missing)?;
    let stage = Stage::of(ctx)?;
    let mut out = Aside(stage.host().output.as_ref());
    let id = image.metadata().id.as_str();
    let made = stage.backend().step(id, step, &mut out, &stage.host().cancel).or_raise(ctx)?;
    let id = made.id.to_string();
    Ok(Handle::new(stage.backend(), made, &id))
}

/// What commands of a build write goes beside the script's own output.
struct Aside<'a>(&'a dyn Output);

impl Write for Aside<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write_err(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn add_file(
    ctx: &NativeCallContext,
    image: &Dynamic,
    path: &str,
    text: &str,
    mode: u32,
) -> RhaiResultOf<Handle> {
    let content = text.as_bytes().to_vec();
    take(ctx, image, &BuildStep::File { path: path.to_owned(), content, mode })
}

fn one_text(value: &Dynamic, what: &str) -> Result<String> {
    let value = value.clone().flatten();
    values::scalar(&value).ok_or_else(|| {
        let kind = values::type_of(&value);
        Error::new(Kind::Invalid, format!("{what} is a string, a number or a boolean, not {kind}"))
    })
}

/// A number as it is, a text as octal digits.
fn file_mode(value: &Dynamic) -> Result<u32> {
    let value = value.clone().flatten();
    let mode = match (value.as_int(), values::text(&value)) {
        (Ok(number), _) => u32::try_from(number).ok(),
        (_, Some(text)) => u32::from_str_radix(&text, 8).ok(),
        _ => None,
    };
    mode.filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("`{value}` is not the mode of a file"))
            .hint("write 0o644 or \"644\"; 644 without 0o is another number")
    })
}

fn line_or_words(cmd: &Dynamic) -> Result<CommandLine> {
    let cmd = cmd.clone().flatten();
    match values::text(&cmd) {
        Some(line) => Ok(CommandLine::Shell(line)),
        None => values::command("a command", &cmd).map(CommandLine::Exec),
    }
}

/// A copy from this machine: the context is the directory that holds what is copied.
fn copy_step(from: &str, to: &str) -> Result<CopyStep> {
    let asked = Path::new(from);
    let real = asked.canonicalize().context(|| format!("cannot copy `{from}`"))?;
    let (path, item) = match (real.is_dir(), real.parent(), real.file_name()) {
        (false, Some(parent), Some(name)) => {
            (parent.to_owned(), name.to_string_lossy().into_owned())
        }
        _ => (real.clone(), String::new()),
    };
    // The name is that which was asked for, should a link have led elsewhere.
    let name = asked.file_name().filter(|_| !item.is_empty() && to.ends_with('/'));
    let to = name.map_or_else(|| to.to_owned(), |name| format!("{to}{}", name.to_string_lossy()));
    Ok(CopyStep {
        verb: "COPY",
        from: CopySource::Directory { path, ignore: Vec::new() },
        sources: vec![CopyItem::Name(item)],
        to,
        owner: None,
        mode: None,
        unpack: false,
    })
}

/// Whether the steps that led here have set a command of their own.
fn has_own_cmd(backend: &dyn Backend, image: &Metadata) -> bool {
    let mut below = image.clone();
    while let (true, Some(parent)) = (below.intermediate, &below.parent) {
        match backend.image(parent.as_str(), PullPolicy::Never) {
            Ok(parent) => below = parent,
            Err(_) => break,
        }
    }
    below.config.cmd != image.config.cmd
}

fn commit_container(
    ctx: &NativeCallContext,
    container: &Dynamic,
    reference: Option<&str>,
    options: &CommitOptions,
) -> RhaiResultOf<Handle> {
    let container = subject::container(ctx, container)?;
    let stage = Stage::of(ctx)?;
    let tag = reference.map(tag).transpose().or_raise(ctx)?;
    let cancel = &stage.host().cancel;
    let image =
        stage.backend().commit(container.id(), tag.as_ref(), options, cancel).or_raise(ctx)?;
    let name = tag.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(Handle::new(stage.backend(), image, &name))
}

fn build_dockerfile(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<Handle> {
    let wanted = options::build(map).or_raise(ctx)?;
    let stage = Stage::of(ctx)?;
    let mut out = Aside(stage.host().output.as_ref());
    let cancel = &stage.host().cancel;
    let image =
        stage.backend().build(Some(Path::new(path)), &wanted, &mut out, cancel).or_raise(ctx)?;
    let name = wanted.tags.first().map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(Handle::new(stage.backend(), image, &name))
}

fn import(ctx: &NativeCallContext, path: &str, map: Map) -> RhaiResultOf<Handle> {
    let mut wanted = options::import(map).or_raise(ctx)?;
    if wanted.message.is_empty() {
        wanted.message = format!("Imported from {path}");
    }
    let stage = Stage::of(ctx)?;
    let mut file = std::fs::File::open(path)
        .context(|| format!("open `{path}`"))
        .map_err(|error| raise(ctx, &error))?;
    let cancel = &stage.host().cancel;
    let image = stage
        .backend()
        .import_tar(&mut file, &wanted, cancel)
        .context(|| format!("cannot import `{path}`"))
        .or_raise(ctx)?;
    let name = wanted.reference.map_or_else(|| image.id.to_string(), |tag| tag.familiar());
    Ok(Handle::new(stage.backend(), image, &name))
}
