//! Whether an ordinary user gets overlays: from Linux 5.11 on, on file systems that can be below
//! one (overlayfs.rst, "userxattr" and "Upper file system").

use std::path::Path;
use std::sync::OnceLock;

use crate::model::Result;
use crate::model::digest::hex;
use crate::model::error::Context;
use crate::model::storage::Driver;
use crate::runtime::Runtime;
use crate::sys::mount::{self, Attributes};
use crate::sys::userns;

static FOUND: OnceLock<Driver> = OnceLock::new();

impl Runtime {
    /// How roots are made here unless somebody asks for something else: by overlay, or as a copy
    /// where the kernel refuses that to an ordinary user. It is tried once in each process.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn default_driver(&self) -> Result<Driver> {
        if !userns::nested() {
            return Ok(Driver::Overlay);
        }
        if let Some(found) = FOUND.get() {
            return Ok(*found);
        }
        let name = format!("try-{}", hex(&crate::runtime::random::<8>()?));
        let can = self.catalogue.try_out(&name, can_stack)?;
        Ok(*FOUND.get_or_init(|| if can { Driver::Overlay } else { Driver::Vfs }))
    }
}

/// Whether the kernel stacks an overlay in this directory.
fn can_stack(place: &Path) -> Result<bool> {
    for name in ["lower", "upper", "work", "root"] {
        let path = place.join(name);
        std::fs::create_dir(&path).context(|| format!("mkdir `{}`", path.display()))?;
    }
    let stacked = mount::apart(place, || {
        let options = c"lowerdir=lower,upperdir=upper,workdir=work,userxattr";
        mount::overlay_by_text(c"root", options, Attributes::MOUNT_ATTR_NODEV)
    });
    Ok(stacked.is_ok())
}
