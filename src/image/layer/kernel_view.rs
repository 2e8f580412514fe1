//! Files of `/proc`, `/sys` and other views of the kernel.

use std::os::fd::OwnedFd;

use crate::model::{Error, Kind, Result};
use crate::sys::kernel_files::is_kernel_file;

/// Refuses a view of the kernel: the kernel answers by the rights of who asks, and here that is the
/// engine and not the container. `docker cp` copies none either.
///
/// # Errors
/// [`Kind::Denied`].
pub(crate) fn refuse(file: &OwnedFd, path: &str) -> Result<()> {
    if !is_kernel_file(file)? {
        return Ok(());
    }
    let message = format!("`{path}` is not a file on a disk but a view of the kernel");
    Err(Error::new(Kind::Denied, message)
        .hint("use it in the container, with its rights: lifebox exec CONTAINER cat PATH"))
}
