//! Whether overlayfs works on the containers' file system: it does not on another overlay or on
//! many network file systems, and not for ordinary users before Linux 5.11 (overlayfs.rst, "Upper
//! file system" and "userxattr").

use std::path::Path;

use super::runtime::Runtime;
use crate::model::value::digest::hex;
use crate::model::{Error, Result};
use crate::runtime::host;
use crate::sys::mount::{self, Attributes};
use crate::sys::{fs, userns};

impl Runtime {
    /// Returns why an overlay cannot be mounted on this root; `None` if it can. Tries it.
    ///
    /// # Errors
    /// When the store can't be written.
    pub fn overlay_problem(&self) -> Result<Option<Error>> {
        let name = format!("try-{}", hex(&host::random::<8>()?));
        self.containers.with_scratch_dir(&name, overlay_problem_in)
    }
}

fn overlay_problem_in(place: &Path) -> Result<Option<Error>> {
    let holder = fs::open_dir(place)?;
    for name in ["lower", "upper", "work", "root"] {
        fs::make_dir(&holder, name.as_bytes())?;
    }
    // `volatile`: otherwise the unmount would sync the whole file system.
    let (mark, options) = match userns::in_user_namespace() {
        true => {
            ("user.overlay.try", c"lowerdir=lower,upperdir=upper,workdir=work,volatile,userxattr")
        }
        false => ("trusted.overlay.try", c"lowerdir=lower,upperdir=upper,workdir=work,volatile"),
    };
    // Without this extended attribute a directory cannot hide the lower one.
    if let Err(error) = fs::set_xattr(fs::open_dir(&place.join("upper"))?, mark, b"y") {
        return Ok(Some(error));
    }
    let stacked = mount::in_new_mount_namespace(place, || {
        mount::overlay_by_text(c"root", options, Attributes::MOUNT_ATTR_NODEV).map(drop)
    });
    Ok(stacked.err().map(|errno| Error::from_errno("mount overlay", errno.raw_os_error())))
}
