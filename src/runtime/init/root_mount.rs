//! Mounts the root of a container: an overlay of its layers, or a copy of them.

use std::ffi::CStr;
use std::os::fd::OwnedFd;

use rustix::fs::CWD;
use rustix::io::Errno;

use crate::runtime::plan;
use crate::sys::mount::{self, Attributes};

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

/// Returns a detached mount of a directory.
pub(in crate::runtime) fn view(path: &CStr, attributes: Attributes) -> Result<OwnedFd, Errno> {
    let view = mount::clone_tree(CWD, path)?;
    mount::add_attributes(&view, attributes)?;
    Ok(view)
}
