//! Mounts the root of a container: an overlay of its layers, or a copy of them; and what the user
//! mounts in it.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{CWD, FileType, Mode};
use rustix::io::Errno;

use super::rooted_path::{self, PlaceKind};
use super::volume_copy_up::copy_up;
use super::volume_mount;
use crate::runtime::plan::{self, UserMounts};
use crate::sys::mount::{self, Attributes, Setting};

/// Mounts the overlay of a root in this mount namespace; runs between clone and exec.
pub(super) fn mount(root: &plan::Root) -> Result<OwnedFd, Errno> {
    if !root.has_lowerdir_append {
        return mount::overlay_by_text(&root.target, &root.options, root.attributes);
    }
    let overlay = mount::overlay(&root.lower, &root.settings, root.attributes)?;
    mount::attach(&overlay, mount::open_directory(&root.target)?)?;
    Ok(overlay)
}

/// Bind-mounts a copied root in this mount namespace; runs between clone and exec.
pub(super) fn bind(path: &CStr, attributes: Attributes) -> Result<OwnedFd, Errno> {
    let root = view(path, attributes)?;
    mount::attach(&root, mount::open_directory(path)?)?;
    Ok(root)
}

/// Mounts the layers of an image read-only on its place; runs between clone and exec.
pub(super) fn mount_image(root: &plan::Root) -> Result<(), Errno> {
    match root.lower.as_slice() {
        // An overlay without a writable directory takes two layers.
        [layer] => {
            mount::attach(view(layer, root.attributes)?, mount::open_directory(&root.target)?)
        }
        _ => mount(root).map(drop),
    }
}

/// Returns a detached mount of the source of a bind.
pub(super) fn open_source(source: &plan::BindSource) -> Result<OwnedFd, Errno> {
    mount::open_view(&source.path, source.beneath.as_deref(), source.view)
}

/// Returns a detached mount of a directory.
pub(in crate::runtime) fn view(path: &CStr, attributes: Attributes) -> Result<OwnedFd, Errno> {
    let view = mount::clone_tree(CWD, path)?;
    mount::add_attributes(&view, attributes)?;
    Ok(view)
}

/// Mounts a tmpfs of the user's, with the mode of the directory it covers unless one is given, as
/// in Docker.
pub(super) fn mount_tmpfs(root: BorrowedFd<'_>, step: &plan::MountStep) -> Result<(), Errno> {
    let mut step = step.clone();
    if !step.settings.iter().any(|one| one.key.as_c_str() == c"mode")
        && let Some(mode) = rooted_path::mode_of(root, &step.target)?
    {
        let value = CString::new(format!("{:o}", mode.bits() & 0o7777));
        let value = Some(value.map_err(|_| Errno::INVAL)?);
        step.settings.push(Setting { key: c"mode".into(), value });
    }
    let mounted = mount::filesystem(&step.fstype, &step.source, &step.settings, step.attributes)?;
    mount::attach(mounted, rooted_path::open_or_create(root, &step.target, PlaceKind::Directory)?)
}

/// Attaches `source`, a directory or a file, to `target` inside `root`, which is created if it is
/// missing.
pub(super) fn attach_bind(
    root: BorrowedFd<'_>,
    source: &OwnedFd,
    target: &CStr,
) -> Result<(), Errno> {
    let kind = match FileType::from_raw_mode(rustix::fs::fstat(source)?.st_mode) {
        FileType::Directory => PlaceKind::Directory,
        _ => PlaceKind::File,
    };
    let place = rooted_path::open_or_create(root, target, kind)?;
    let there = FileType::from_raw_mode(rustix::fs::fstat(&place)?.st_mode);
    if (there == FileType::Directory) == (kind == PlaceKind::Directory) {
        mount::attach(source, place)
    } else {
        Err(Errno::NOTDIR)
    }
}

/// Mounts a root that `create` returns detached, and the user's mounts in it, in the mount
/// namespace of this thread, which must be its own. Returns a detached copy of all. Volumes are
/// filled unless `has_started`. After a failure `failed` is the target.
pub(in crate::runtime) fn with_user_mounts<'a>(
    mounts: &'a UserMounts,
    has_started: bool,
    failed: &mut Option<&'a CStr>,
    create: impl FnOnce() -> Result<OwnedFd, Errno>,
) -> Result<OwnedFd, Errno> {
    // Of this thread alone, as the mount namespace is.
    rustix::process::umask(Mode::empty());
    mount::make_all_slaves()?;
    for step in &mounts.prepare {
        match step {
            plan::Step::MountVolume(volume) => {
                *failed = Some(&volume.target);
                volume_mount::mount(volume, &[], &[])?;
            }
            plan::Step::MountImage(root) => {
                *failed = Some(&root.target);
                mount_image(root)?;
            }
            _ => {}
        }
    }
    let mut sources = Vec::new();
    for user in &mounts.list {
        *failed = Some(&user.target);
        match open_source(&user.source) {
            // Nothing can be there; the caller refuses paths below it.
            Err(Errno::NOENT) => {}
            source => sources.push((user, source?)),
        }
    }
    *failed = None;
    let root = create()?;
    mount::attach(&root, mount::open_directory(c"rootfs")?)?;
    for (user, _) in sources.iter().filter(|_| !has_started) {
        *failed = Some(&user.target);
        if let Some(copy) = &user.fill {
            unless_read_only(copy_up(copy, root.as_fd()))?;
        }
    }
    for (user, source) in &sources {
        *failed = Some(&user.target);
        unless_read_only(attach_bind(root.as_fd(), source, &user.target))?;
    }
    *failed = None;
    mount::clone_all_of(&root)
}

/// On a read-only file system nothing can be filled, and a place that is missing cannot be created.
fn unless_read_only(result: Result<(), Errno>) -> Result<(), Errno> {
    if result == Err(Errno::ROFS) { Ok(()) } else { result }
}
