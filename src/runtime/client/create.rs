//! Creates a container: files only, no process and no mount.

use std::fs;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::Path;

use super::etc_files;
use super::runtime::{REQUESTED_CGROUP_PARENT, Runtime};
use crate::model::container::security::{Seccomp, Security};
use crate::model::container::storage::Driver;
use crate::model::container::{ContainerSpec, State};
use crate::model::error::Context;
use crate::model::value::capability;
use crate::model::value::digest::Digest;
use crate::model::value::name::ContainerName;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::devices;
use crate::runtime::record::directory::Directory;
use crate::runtime::{oci, seccomp};
use crate::sys;

/// A container that is being created: its spec, the environment of its process, its layers.
#[derive(Debug)]
pub struct NewContainer<'a> {
    /// The spec.
    pub spec: &'a ContainerSpec,
    /// The name.
    pub name: &'a ContainerName,
    /// `KEY=VALUE` for the first process.
    pub environment: &'a [String],
    /// The layers, lowest first, relative to the container's directory.
    pub lower: &'a [String],
    /// The directory whose mode and owner `/` gets, relative to the container's directory.
    pub root: Option<&'a str>,
}

/// Copies layers to an empty directory.
pub type CopyLayers<'a> = &'a dyn Fn(&[Digest], &Path) -> Result<()>;

/// What the caller does while a container is created.
#[derive(Clone, Copy)]
pub struct CreationWork<'a> {
    /// Fills the root and the mounts of images, if they are copies of layers: may take long.
    pub copy: CopyLayers<'a>,
    /// Called after the root and before the small files are written.
    pub before_files: &'a dyn Fn() -> Result<()>,
    /// Called when all files are written. The result is kept until the container is published.
    pub before_publishing: &'a dyn Fn() -> Result<fs::File>,
}

impl std::fmt::Debug for CreationWork<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreationWork").finish_non_exhaustive()
    }
}

impl Runtime {
    /// Creates a container. No process, no memory, no mount: only files.
    ///
    /// # Errors
    /// [`Kind::Exists`] if the name is in use; then nothing is left behind.
    pub fn create(&self, new: &NewContainer<'_>, work: &CreationWork<'_>) -> Result<()> {
        check_capabilities(&new.spec.host_config.security)?;
        self.check_limits(&new.spec.host_config.resources)?;
        let fill = |directory: &Directory| {
            create_root(directory, new, work.copy)?;
            (work.before_files)()?;
            fill_files(directory, new)
        };
        self.containers.create(new.spec, new.name, fill, work.before_publishing)
    }

    /// Writes the configuration of a container that exists.
    ///
    /// # Errors
    /// When the disk is full or read-only.
    pub fn write_config(&self, new: &NewContainer<'_>) -> Result<()> {
        write_config(&self.directory(&new.spec.id), new)
    }
}

/// Refuses a capability that was requested by name and that lifebox does not have.
fn check_capabilities(security: &Security) -> Result<()> {
    let ours = sys::identity::bounding();
    for name in &security.cap_add {
        let number = capability::NAMES.iter().position(|known| known == name);
        if number.is_some_and(|number| ours & (1 << number) == 0) {
            let message =
                format!("cannot add capability `{name}`: lifebox does not have it itself");
            return Err(Error::new(Kind::Denied, message).hint(
                "leave it out, or start lifebox with it; check with: grep CapBnd /proc/self/status",
            ));
        }
    }
    Ok(())
}

/// Creates the directories that the root is mounted from, or the root itself.
fn create_root(directory: &Directory, new: &NewContainer<'_>, copy: CopyLayers<'_>) -> Result<()> {
    let create = |name: &str, mode: u32| {
        let path = directory.file(name);
        // With this mode under every umask.
        fs::DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(mode)))
            .context(|| format!("create `{}`", path.display()))
    };
    let images = new.spec.host_config.mounts.images();
    for (number, image) in images.filter_map(|mount| mount.image.as_ref()).enumerate() {
        if number == 0 {
            create(oci::IMAGES, 0o755)?;
        }
        let name = format!("{}/{number}", oci::IMAGES);
        create(&name, 0o755)?;
        if image.lower.is_empty() {
            copy(&image.layers, &directory.file(&name))?;
        }
    }
    create("rootfs", 0o755)?;
    if new.spec.host_config.storage == Driver::Overlay {
        create("upper", 0o755)?;
        create("work", 0o700)?;
        return copy_root_attributes(directory, "upper", new.root);
    }
    let root = directory.file("rootfs");
    copy(&new.spec.image.layers, &root)?;
    copy_root_attributes(directory, "rootfs", new.root)?;
    if new.spec.host_config.auto_remove {
        return Ok(());
    }
    // The layers were synced when they were unpacked; the copy is new.
    sys::fs::sync_filesystem(sys::fs::open_dir(&root)?)
}

/// Writes the small files. `config.json` is younger than all files of a copied root: a diff needs
/// that.
fn fill_files(directory: &Directory, new: &NewContainer<'_>) -> Result<()> {
    let write = |name: &str, text: &str| {
        let path = directory.file(name);
        fs::write(&path, text).context(|| format!("write `{}`", path.display()))
    };
    // `spec.json` holds the value too. A start and the search for what a monitor left need nothing
    // else of it, and most containers have no such file: one failed open(2) instead of a document
    // to parse. A damaged `spec.json` hides no cgroup either.
    if let Some(parent) = &new.spec.host_config.resources.cgroup_parent {
        write(REQUESTED_CGROUP_PARENT, parent)?;
    }
    etc_files::write(directory, new.spec)?;
    if new.spec.config.open_stdin {
        make_stdin(directory)?;
    }
    write_config(directory, new)?;
    directory.write_new("spec.json", new.spec)?;
    directory.write_new("state.json", &State::created(new.name.clone()))?;
    // A container that is removed at its exit need not survive a crash of the host.
    if new.spec.host_config.auto_remove {
        return Ok(());
    }
    directory.sync(&["config.json", "spec.json", "state.json"])
}

/// Makes the fifo through which clients write to the container's input.
pub(super) fn make_stdin(directory: &Directory) -> Result<()> {
    let path = directory.file("stdin");
    let mode = rustix::fs::Mode::from_bits_truncate(0o600);
    rustix::fs::mknodat(rustix::fs::CWD, &path, rustix::fs::FileType::Fifo, mode, 0).map_err(
        |errno| Error::from_errno(format!("mkfifo `{}`", path.display()), errno.raw_os_error()),
    )
}

fn write_config(directory: &Directory, new: &NewContainer<'_>) -> Result<()> {
    let mut config = oci::config(new.spec, new.environment, new.lower, &throttle_directories())?;
    if let (Seccomp::Profile(_), Some(text)) =
        (&new.spec.host_config.security.seccomp, &config.seccomp)
    {
        // A bad profile is an error now, and not of the first start.
        let profile = serde_json::from_str(text.get()).map_err(|error| {
            Error::new(Kind::Invalid, format!("invalid seccomp profile: {error}"))
        })?;
        seccomp::compile(&profile)?;
    }
    devices::check_rules(&new.spec.host_config.security.device_rules)?;
    devices::add(&new.spec.host_config.security.devices, &mut config.value)?;
    directory.write_new("config.json", &config)
}

/// Copies mode and owner of `/` from the layer that has an entry for it to `name`, which becomes
/// `/` inside.
fn copy_root_attributes(directory: &Directory, name: &str, root: Option<&str>) -> Result<()> {
    let Some(top) = root else { return Ok(()) };
    let (top, place) = (directory.file(top), directory.file(name));
    let copy = || {
        let like = fs::metadata(&top)?;
        std::os::unix::fs::chown(&place, Some(like.uid()), Some(like.gid()))?;
        fs::set_permissions(&place, like.permissions())
    };
    copy()
        .context(|| format!("copy mode and owner of `{}` to `{}`", top.display(), place.display()))
}

/// Returns the counters of thermal events, which would show a container its neighbours' load (moby,
/// `oci/defaults.go`).
fn throttle_directories() -> Vec<String> {
    let of = |cpu: usize| format!("/sys/devices/system/cpu/cpu{cpu}/thermal_throttle");
    (0..4096).map(of).take_while(|path| Path::new(path).exists()).collect()
}
