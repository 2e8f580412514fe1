//! The contract: everything that a user can ask, as one trait.
//!
//! Command line, script and REPL know containers only through [`Backend`]. This room is the only
//! one that knows both the image store and the runtime.

use std::fmt;
use std::io::Write;
use std::os::fd::BorrowedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::model::container::exec::{AttachOutcome, DetachKeys, ExecOptions};
use crate::model::container::options::{CreateOptions, StopOptions};
use crate::model::container::status::Action;
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::inspect::{self, ContainerPaths};
use crate::model::observe::check_report::Report;
use crate::model::observe::event::{Event, EventOptions};
use crate::model::observe::introspection::{ImageIntrospection, Introspection, PathLayers};
use crate::model::observe::log::{LogLine, LogOptions};
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PrunedVolumes, Volume, VolumeFilter, VolumeOptions, VolumeUse,
};
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

pub use crate::engine::native::settings::Settings;
pub use crate::engine::native::transfer::{CopyOptions, Transfer};
pub use crate::image::write_atomic;
pub use crate::runtime::cancel::CancelToken;
pub use crate::runtime::client::owner::Session;
pub use crate::runtime::host::memory::bound as bound_memory;
pub use crate::runtime::trace;

/// A container engine: images in, containers through their life, images out.
///
/// Verbs take a [`ContainerId`], which [`Backend::find`] gets from what the user typed. Each verb
/// asks the same table (`model::status`) whether it is legal. What may take long takes a
/// [`CancelToken`] and then fails with the kind `cancelled` soon after it is raised.
pub trait Backend: Send + Sync + fmt::Debug {
    /// Whether it only tells what would be done: then nothing is worth waiting for.
    fn is_dry_run(&self) -> bool {
        false
    }
    /// What this engine and this host are.
    fn info(&self) -> Result<Info>;

    /// The image that `reference` names: a reference, an id or the unique beginning of one.
    /// `host` is made from this machine's own programs where it is missing.
    fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image>;
    /// The same, and pulled from its registry where `pull` says so. An image that is here costs no
    /// look at the network, unless `pull` is `Always`.
    fn ensure_image(
        &self,
        reference: &str,
        pull: PullPolicy,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Image>;
    /// Makes an image of programs of this machine, with the libraries that they need, under this
    /// name. An engine that makes no images refuses, as this default does.
    fn image_from_host(&self, _programs: &[&str], reference: &Reference) -> Result<Image> {
        let message = format!("cannot make `{}`: no images are made here", reference.familiar());
        Err(Error::new(Kind::Unsupported, message))
    }
    /// Brings in what a registry keeps under `reference`.
    fn pull(
        &self,
        reference: &Reference,
        options: &PullOptions,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pulled>;
    /// Sends an image to the registry of `reference`, under that name.
    fn push(
        &self,
        image: &str,
        reference: &Reference,
        access: Access,
        progress: &Arc<dyn Progress>,
        cancel: &CancelToken,
    ) -> Result<Pushed>;
    /// Shows name and password to a registry and keeps them where Docker does. Returns the file
    /// where they lie unencrypted, if so.
    fn login(
        &self,
        registry: &str,
        user: &str,
        password: &str,
        access: Access,
        cancel: &CancelToken,
    ) -> Result<Option<PathBuf>>;
    /// Forgets them. False where there were none.
    fn logout(&self, registry: &str) -> Result<bool>;
    /// All images, newest first.
    fn images(&self) -> Result<Vec<Image>>;
    /// Takes the images of an archive written by `docker save`, or of an OCI image layout in a
    /// tar or a directory; `-` in `archive` is the caller's business, here it is a path. Of an
    /// image for several platforms it takes the one for `platform`, or for this machine.
    fn load(
        &self,
        archive: &Path,
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>>;
    /// Takes the images of an archive that arrives as a stream, such as standard input.
    fn load_stream(
        &self,
        archive: &mut (dyn std::io::Read + Send),
        platform: Option<&Platform>,
        cancel: &CancelToken,
    ) -> Result<Vec<Loaded>>;
    /// Writes images for other engines to a new file, or a new directory; it is there only when it
    /// is whole.
    fn save(
        &self,
        images: &[&str],
        options: &SaveOptions,
        path: &Path,
        cancel: &CancelToken,
    ) -> Result<()>;
    /// Writes images for other engines to a stream, such as standard output.
    fn save_stream(
        &self,
        images: &[&str],
        options: &SaveOptions,
        out: &mut (dyn Write + Send),
        cancel: &CancelToken,
    ) -> Result<()>;
    /// Gives an image a further tag, which another image may lose. Returns the image.
    fn tag(&self, image: &str, reference: &Reference) -> Result<Image>;
    /// The steps by which an image was made, the latest first.
    fn history(&self, image: &str) -> Result<Vec<History>>;
    /// What each image takes of the disk, newest first.
    fn image_usage(&self) -> Result<Vec<ImageUsage>>;
    /// What images and containers take of the disk, and what could be given back.
    fn usage(&self) -> Result<Usage>;
    /// Removes images that nobody needs, or tells which ones; never one that a container uses.
    fn prune_images(&self, options: &PruneOptions) -> Result<Pruned>;
    /// Holds all images and layers against their digests, and looks for leftovers. With `repair`
    /// mends what can be mended and removes what can't; what runs is left alone.
    fn check(&self, repair: bool, cancel: &CancelToken) -> Result<Report>;
    /// Removes a reference, and the image with its last reference. Refuses an image in use.
    fn rmi(&self, image: &str, force: bool) -> Result<Vec<Removed>>;

    /// Does one step of a build above an image, or takes the image that it made before. What a
    /// command writes goes to `out`.
    fn step(
        &self,
        image: &str,
        step: &BuildStep,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image>;
    /// Builds what a Dockerfile says and gives the image its tags. How it goes on is written to
    /// `out`, and `progress` is told of images that are pulled. Without `context` nothing can be
    /// copied from this machine.
    fn build(
        &self,
        context: Option<&Path>,
        options: &BuildOptions,
        progress: &Arc<dyn Progress>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image>;
    /// Makes an image of a root file system: a tar, plain or compressed.
    fn import_tar(
        &self,
        archive: &mut (dyn std::io::Read + Send),
        options: &ImportOptions,
        cancel: &CancelToken,
    ) -> Result<Image>;

    /// The container that `query` names: its whole id, its name, or the unique beginning of its
    /// id, in this order.
    fn find(&self, query: &str) -> Result<ContainerId>;
    /// All containers, newest first. One whose record is damaged is listed as `dead`.
    fn ps(&self) -> Result<Vec<Container>>;
    /// One container.
    fn inspect(&self, id: &ContainerId) -> Result<Container>;
    /// One container as Docker's JSON, without the array around it. An engine that keeps files
    /// says where they are; this default says nothing of them.
    fn inspect_json(&self, id: &ContainerId) -> Result<serde_json::Value> {
        Ok(inspect::container(&self.inspect(id)?, &ContainerPaths::default()))
    }
    /// One image as Docker's JSON, without the array around it; as [`Backend::inspect_json`].
    fn image_json(&self, reference: &str) -> Result<serde_json::Value> {
        Ok(inspect::image(&self.image(reference, PullPolicy::Never)?, &[]))
    }

    /// Makes a container from an image that is present; starts nothing.
    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId>;
    /// Makes this process the owner of containers: those made with its token
    /// (`CreateOptions::owner`) go when it ends, however it ends. An engine that runs nothing needs
    /// nobody to watch, as this default has it.
    fn start_session(&self) -> Result<Session> {
        Ok(Session::without_reaper())
    }
    /// Runs its program. Returns when it really runs, or why it does not (exit code 126, 127).
    fn start(&self, id: &ContainerId) -> Result<()>;
    /// Connects the caller's streams to a container, starting it first where `attach.start` says
    /// so, until it ends or is left.
    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome>;
    /// Runs a further program in a container that runs, connected to the caller's streams.
    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome>;
    /// Its processes, in the order in which they were made.
    fn top(&self, id: &ContainerId) -> Result<Vec<Process>>;
    /// Freezes it.
    fn pause(&self, id: &ContainerId) -> Result<()>;
    /// Thaws it.
    fn unpause(&self, id: &ContainerId) -> Result<()>;
    /// Sends the stop signal, waits for the grace time, then kills.
    fn stop(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
    /// Sends a signal to its first process.
    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()>;
    /// Stops and starts it.
    fn restart(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()>;
    /// The bytes of the files that it has written or changed.
    fn container_size(&self, id: &ContainerId) -> Result<u64>;
    /// Removes it; with `force`, kills it first.
    fn rm(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()>;
    /// The same, and removes the volumes that nobody named and only it used.
    fn rm_with_volumes(&self, id: &ContainerId, force: bool, cancel: &CancelToken) -> Result<()> {
        self.rm(id, force, cancel)
    }
    /// Makes a volume; returns the one of this name where there is one. An engine that keeps no
    /// volumes refuses, as this default does.
    fn volume_create(&self, _options: &VolumeOptions) -> Result<Volume> {
        Err(crate::engine::native::volumes::no_volumes())
    }
    /// All volumes, by name.
    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        Ok(Vec::new())
    }
    /// One volume.
    fn volume(&self, name: &str) -> Result<VolumeUse> {
        Err(crate::engine::native::volumes::missing(name))
    }
    /// Removes a volume with its content. Refuses one that a container uses; with `force` one
    /// that is not there is no error.
    fn volume_rm(&self, name: &str, force: bool) -> Result<()> {
        if force { Ok(()) } else { Err(crate::engine::native::volumes::missing(name)) }
    }
    /// Removes volumes that no container uses, or tells which ones: those that nobody named, or
    /// `all`.
    fn volume_prune(
        &self,
        _all: bool,
        _filter: &VolumeFilter,
        _dry_run: bool,
    ) -> Result<PrunedVolumes> {
        Ok(PrunedVolumes::default())
    }
    /// Changes its limits and its restart policy: at once where it runs, and for later starts.
    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()>;
    /// What it uses now; all zero where it does not run.
    fn stats(&self, id: &ContainerId) -> Result<Stats>;
    /// Gives it another name.
    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()>;
    /// Waits until it has ended and returns its exit code; at once for one that is not running.
    /// Fails with the kind `timeout` when `timeout` is over.
    fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32>;
    /// Whether it shows a sign of being ready: a port, an answer, a file. What an engine runs
    /// that runs nothing shows none, as this default has it.
    fn probe(&self, _id: &ContainerId, sign: &Probe, _cancel: &CancelToken) -> Result<ProbeResult> {
        Ok(ProbeResult::NotReady(format!("nothing here is {sign}")))
    }
    /// What it has changed of its image's files, sorted by path.
    fn diff(&self, id: &ContainerId) -> Result<Vec<Change>>;
    /// Makes an image of it: its image, what it has changed, and its configuration.
    fn commit(
        &self,
        id: &ContainerId,
        reference: Option<&Reference>,
        options: &CommitOptions,
        cancel: &CancelToken,
    ) -> Result<Image>;
    /// Writes all files that it sees as a tar.
    fn export(&self, id: &ContainerId, out: &mut dyn Write, cancel: &CancelToken) -> Result<()>;
    /// Copies files into a container or out of it, whether it runs or not.
    fn copy(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()>;
    /// What a verb would do to it now, deed by deed. An engine that does nothing has no deeds.
    fn plan_action(&self, _id: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        let message =
            format!("this engine does nothing for `{}` that could be told", action.verb());
        Err(Error::new(Kind::Unsupported, message))
    }
    /// What it is in the kernel and on the disk. An engine that runs nothing has no answer.
    fn introspect(&self, _id: &ContainerId) -> Result<Introspection> {
        Err(Error::new(Kind::Unsupported, "this engine has no containers to look into"))
    }
    /// Where what it has at a path comes from: the layers, and a mount upon them. An engine without layers has no answer.
    fn path_layers(&self, _id: &ContainerId, _path: &str) -> Result<PathLayers> {
        Err(Error::new(Kind::Unsupported, "this engine has no layers to look into"))
    }
    /// What an image is on the disk. An engine that keeps none has no answer.
    fn introspect_image(&self, _reference: &str) -> Result<ImageIntrospection> {
        Err(Error::new(Kind::Unsupported, "this engine has no images to look into"))
    }
    /// Opens what it wrote.
    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>>;
    /// Opens what happened to containers, images and volumes, and with `follow` what happens from
    /// now on. An event that was told before this call is there; one that is told later is not
    /// missed.
    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>>;
}

/// Makes an ordinary user root of the user namespace of its store, as containers and their files
/// need; nothing to do for root. To be called before [`open`], while this process has one thread.
///
/// # Errors
/// Where this host does not let ordinary users do so; the hint says what allows it.
pub fn enter_user_namespace(settings: &Settings) -> Result<()> {
    crate::runtime::rootless::enter(&settings.root)
}

/// The native engine of this machine.
///
/// # Errors
/// When the store can't be made or read.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(crate::engine::native::Native::new(settings)))
}

/// Lines of a container, oldest first.
pub trait LogStream: Send + fmt::Debug {
    /// The next line; `None` at the end. With `follow` it waits for more, until the container
    /// ends.
    ///
    /// # Errors
    /// The kind `cancelled` when `cancel` is raised, `timeout` when `timeout` passes without a line.
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>>;
}

/// Events, in the order in which they happened.
pub trait EventStream: Send + fmt::Debug {
    /// The next event; `None` at the end. With `follow` it waits for more, until the time that
    /// the options set.
    ///
    /// # Errors
    /// The kind `cancelled` when `cancel` is raised, `timeout` when `timeout` passes without an
    /// event.
    fn next_event(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<Event>>;
}

/// The caller's side of an attached container.
pub struct Attach<'a> {
    /// Start it first; nothing that it writes is lost. Fails if it runs already and this is set
    /// only by `run`; `start -a` of a running container attaches to it.
    pub start: bool,
    /// Forwarded to the container's standard input, where it keeps one open.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Gets its standard output.
    pub stdout: &'a mut dyn Write,
    /// Gets its standard error.
    pub stderr: &'a mut dyn Write,
    /// Signals of this process are forwarded to the container (all but SIGCHLD, SIGPIPE, SIGURG).
    pub forward_signals: bool,
    /// What is typed to leave a container with a terminal; it runs on.
    pub detach_keys: DetachKeys,
    /// The caller's terminal, where it has one: a container's terminal gets its size.
    pub terminal: Option<BorrowedFd<'a>>,
}

impl<'a> Attach<'a> {
    /// A container that is started, and whose output is taken.
    pub fn to_output(stdout: &'a mut dyn Write, stderr: &'a mut dyn Write) -> Self {
        Attach {
            start: true,
            stdin: None,
            stdout,
            stderr,
            forward_signals: false,
            detach_keys: DetachKeys::default(),
            terminal: None,
        }
    }
}

impl fmt::Debug for Attach<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attach").field("start", &self.start).finish_non_exhaustive()
    }
}
