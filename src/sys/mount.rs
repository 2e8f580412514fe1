//! Mounts through file descriptors: fsopen(2), fsmount(2), open_tree(2), move_mount(2),
//! mount_setattr(2), pivot_root(2).
//!
//! These functions run between clone and exec (head of `runtime/init/mod.rs`): they return the bare
//! [`Errno`], and the step that called names the operation.
#![allow(unsafe_code)]

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::{CWD, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountFlags, MountPropagationFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags,
};

use super::errno::last_errno;

pub use rustix::mount::MountAttrFlags as Attributes;

/// The smallest page: the most bytes of options that mount(2) takes, with the NUL.
const PAGE: usize = 4096;

/// One `key` or `key=value` of a file system's configuration.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The key.
    pub key: CString,
    /// The value; without one the setting is a flag.
    pub value: Option<CString>,
}

/// How a part of the file tree is bind-mounted.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// Whether the mounts below it are included.
    pub whole: bool,
    /// Flags such as `nosuid`, for all its mounts.
    pub attributes: Attributes,
    /// Whether later mounts below it propagate to the container.
    pub slave: bool,
}

/// The mount attributes of `mount_setattr(2)`.
#[repr(C)]
#[derive(Default)]
struct MountAttr {
    attr_set: u64,
    attr_clr: u64,
    propagation: u64,
    userns_fd: u64,
}

/// Creates a new instance of a file system, as a detached mount. `source` is the name in
/// `/proc/mounts`.
pub fn filesystem(
    fstype: &CStr,
    source: &CStr,
    settings: &[Setting],
    attributes: Attributes,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(fstype, FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_set_string(&context, c"source", source)?;
    for setting in settings {
        configure(&context, setting)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// Creates an overlay of `lower` (lowest first) with `settings` (`upperdir`, `workdir` and flags),
/// as a detached mount. Fails with `EINVAL` on kernels before 6.8, which do not take layers one by
/// one (Documentation/filesystems/overlayfs.rst, "Multiple lower layers").
pub fn overlay(
    lower: &[CString],
    settings: &[Setting],
    attributes: Attributes,
) -> Result<OwnedFd, Errno> {
    let context = rustix::mount::fsopen(c"overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    rustix::mount::fsconfig_set_string(&context, c"source", c"overlay")?;
    // `lowerdir+` appends below the present layers, so the topmost layer comes first.
    for layer in lower.iter().rev() {
        rustix::mount::fsconfig_set_string(&context, c"lowerdir+", layer.as_c_str())?;
    }
    for setting in settings {
        configure(&context, setting)?;
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

fn configure(context: &OwnedFd, setting: &Setting) -> Result<(), Errno> {
    let key = setting.key.as_c_str();
    match &setting.value {
        Some(value) => rustix::mount::fsconfig_set_string(context, key, value.as_c_str()),
        None => rustix::mount::fsconfig_set_flag(context, key),
    }
}

/// Creates the overlay by `mount(2)`: all options are one text of at most 4095 bytes, and `target`
/// is a path, so it must be one that only lifebox can change. Returns the mounted root, opened with
/// `O_PATH`. `E2BIG` for a longer text: the kernel would cut it silently, and layers would be
/// missing.
pub fn overlay_by_text(
    target: &CStr,
    options: &CStr,
    attributes: Attributes,
) -> Result<OwnedFd, Errno> {
    if options.count_bytes() >= PAGE {
        return Err(Errno::TOOBIG);
    }
    let nodev = attributes.contains(Attributes::MOUNT_ATTR_NODEV);
    let flags = if nodev { MountFlags::NODEV } else { MountFlags::empty() };
    rustix::mount::mount(c"overlay", target, c"overlay", flags, options)?;
    open_directory(target)
}

/// Mounts `mount` on the directory or file that `target` is open on.
pub fn attach(mount: impl AsFd, target: impl AsFd) -> Result<(), Errno> {
    let flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH | MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    rustix::mount::move_mount(mount, c"", target, c"", flags)
}

/// Returns a detached copy of the mount at `path` below `dir`.
pub fn clone_tree(dir: impl AsFd, path: &CStr) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    rustix::mount::open_tree(dir, path, flags)
}

/// Returns a detached copy of the mount that `file` is open on.
pub fn clone_of(file: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(file, c"", flags)
}

/// Returns a detached copy of the mount that `root` is open on, and of all below it.
pub fn clone_all_of(root: impl AsFd) -> Result<OwnedFd, Errno> {
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE
        | OpenTreeFlags::AT_EMPTY_PATH;
    rustix::mount::open_tree(root, c"", flags)
}

/// Runs `work` in a thread with a mount namespace of its own, and `place` as its working directory:
/// an ordinary user who is root of its user namespace may mount only in a mount namespace that was
/// created there (user_namespaces(7)), and only what was opened there. A detached mount that `work`
/// returns as a descriptor stays.
pub fn in_new_mount_namespace<T: Send>(
    place: &Path,
    work: impl FnOnce() -> Result<T, Errno> + Send,
) -> Result<T, Errno> {
    let alone = || {
        super::userns::unshare_mounts()?;
        rustix::process::chdir(place)?;
        work()
    };
    std::thread::scope(|scope| scope.spawn(alone).join().unwrap_or(Err(Errno::IO)))
}

/// Adds attributes to the mount that `mount` is open on; present ones stay.
pub fn add_attributes(mount: impl AsFd, attributes: Attributes) -> Result<(), Errno> {
    let attr_set = u64::from(attributes.bits());
    set_attributes(mount, MountAttr { attr_set, ..MountAttr::default() }, libc::AT_EMPTY_PATH)
}

/// Gives the mount that `mount` is open on these attributes in the place of its own.
pub fn replace_attributes(mount: impl AsFd, attributes: Attributes) -> Result<(), Errno> {
    let own = Attributes::MOUNT_ATTR_RDONLY
        | Attributes::MOUNT_ATTR_NOSUID
        | Attributes::MOUNT_ATTR_NODEV
        | Attributes::MOUNT_ATTR_NOEXEC;
    let attr_clr = u64::from(own.difference(attributes).bits());
    let attr_set = u64::from(attributes.bits());
    let change = MountAttr { attr_set, attr_clr, ..MountAttr::default() };
    set_attributes(mount, change, libc::AT_EMPTY_PATH)
}

/// Returns a detached copy of the file tree at `path`, or at `beneath` below it, as `view` says.
pub fn open_view(path: &CStr, beneath: Option<&CStr>, view: View) -> Result<OwnedFd, Errno> {
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let mut change = libc::AT_EMPTY_PATH;
    if view.whole {
        flags |= OpenTreeFlags::AT_RECURSIVE;
        change |= libc::AT_RECURSIVE;
    }
    let tree = match beneath {
        None => rustix::mount::open_tree(CWD, path, flags)?,
        Some(beneath) => {
            let place = open_within(open_directory(path)?, beneath, OFlags::PATH)?;
            rustix::mount::open_tree(place, c"", flags | OpenTreeFlags::AT_EMPTY_PATH)?
        }
    };
    let propagation = if view.slave { libc::MS_SLAVE } else { libc::MS_PRIVATE };
    let attributes = MountAttr {
        attr_set: u64::from(view.attributes.bits()),
        propagation,
        ..MountAttr::default()
    };
    set_attributes(&tree, attributes, change)?;
    Ok(tree)
}

fn set_attributes(mount: impl AsFd, change: MountAttr, flags: i32) -> Result<(), Errno> {
    // SAFETY: the path is an empty C string, `change` lives over the call and its size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            mount.as_fd().as_raw_fd(),
            c"".as_ptr(),
            flags,
            &raw const change,
            size_of::<MountAttr>(),
        )
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Makes all mounts slaves: they receive mount events from their peers and send none (`rslave`).
pub fn make_all_slaves() -> Result<(), Errno> {
    let flags = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    rustix::mount::mount_change(c"/", flags)
}

/// Makes `root` the new `/` and detaches the old one: `pivot_root(".", ".")` stacks the old root on
/// the new one, from where it is unmounted (pivot_root(2), NOTES).
pub fn pivot(root: impl AsFd) -> Result<(), Errno> {
    let old =
        rustix::fs::open(c"/", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    rustix::process::fchdir(root)?;
    rustix::process::pivot_root(c".", c".")?;
    rustix::process::fchdir(&old)?;
    // The unmount must not propagate to the old root, or the host's mounts would go too.
    let flags = MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC;
    rustix::mount::mount_change(c".", flags)?;
    rustix::mount::unmount(c".", UnmountFlags::DETACH)?;
    rustix::process::chdir(c"/")
}

/// Opens `path` inside `root`. Symbolic links are followed inside the root and never leave it;
/// magic links in `/proc` are not followed. `EAGAIN` (a rename raced the walk) is tried again
/// (openat2(2)).
pub fn open_in_root(root: impl AsFd, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    open_resolved(root, path, flags, ResolveFlags::IN_ROOT)
}

/// Opens `path` beneath `root`; fails with `ELOOP` on any symbolic link.
pub fn open_beneath(root: impl AsFd, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    open_resolved(root, path, flags, ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS)
}

/// Opens `path` beneath `root`. Symbolic links are followed, and may not lead out of it: `EXDEV`.
pub fn open_within(root: impl AsFd, path: &CStr, flags: OFlags) -> Result<OwnedFd, Errno> {
    open_resolved(root, path, flags, ResolveFlags::BENEATH)
}

fn open_resolved(
    root: impl AsFd,
    path: &CStr,
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let root: BorrowedFd<'_> = root.as_fd();
    let resolve = resolve | ResolveFlags::NO_MAGICLINKS;
    for _ in 0..128 {
        match rustix::fs::openat2(root, path, flags | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            result => return result,
        }
    }
    Err(Errno::AGAIN)
}

/// Opens a directory of the host with `O_PATH`, following links: for paths that lifebox created.
pub fn open_directory(path: &CStr) -> Result<OwnedFd, Errno> {
    rustix::fs::openat(CWD, path, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The path of old kernels, tested on any: in a mount namespace of this thread alone.
    #[test]
    fn many_layers_can_be_mounted_by_one_text() {
        if !rustix::process::geteuid().is_root() {
            eprintln!("LEFT OUT: many_layers_can_be_mounted_by_one_text needs root");
            return;
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().to_owned();
        let mounts = std::thread::spawn(move || {
            nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNS).unwrap();
            make_all_slaves().unwrap();
            rustix::process::chdir(&path).unwrap();
            let layers: Vec<_> = (0..8).map(|n| format!("{n}{}", "x".repeat(80))).collect();
            for name in layers.iter().map(String::as_str).chain(["upper", "work", "root"]) {
                std::fs::create_dir(path.join(name)).unwrap();
            }
            for layer in &layers {
                std::fs::write(path.join(layer).join("topmost"), &layer[..1]).unwrap();
            }
            let options =
                format!("lowerdir={},upperdir=upper,workdir=work,index=off", layers.join(":"));
            overlay_by_text(c"root", &CString::new(options).unwrap(), Attributes::empty()).unwrap();
            let long = CString::new(format!("lowerdir={}", "x".repeat(70_000))).unwrap();
            assert_eq!(
                overlay_by_text(c"root", &long, Attributes::empty()).err(),
                Some(Errno::TOOBIG)
            );
            std::fs::read_to_string(path.join("root/topmost")).unwrap()
        });
        assert_eq!(mounts.join().unwrap(), "0");
    }
}
