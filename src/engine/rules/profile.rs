//! Reads the file of a seccomp profile when a container is created: the container keeps the text.

use std::fs::OpenOptions;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;

use crate::model::container::security::Seccomp;
use crate::model::error::Context;
use crate::model::value::bom::without_bom;
use crate::model::{Error, Kind, Result};

/// The largest profile, in bytes. Docker's own has 17 KB.
const MAX_PROFILE: u64 = 1 << 20;

/// Replaces the path of a profile by its text.
pub(in crate::engine) fn read(seccomp: &mut Seccomp) -> Result<()> {
    let Seccomp::File(path) = seccomp else { return Ok(()) };
    let what = || format!("open the seccomp profile `{path}`");
    let mut text = String::new();
    // A fifo must not block, nor a device be read.
    let open = OpenOptions::new().read(true).custom_flags(libc::O_NONBLOCK).open(&*path);
    let file = open.and_then(|file| match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(std::io::Error::other("it is not a regular file")),
    });
    let read = file.and_then(|file| file.take(MAX_PROFILE + 1).read_to_string(&mut text));
    let size = read.context(what)?;
    if size as u64 > MAX_PROFILE {
        let message = format!("the seccomp profile `{path}` is larger than 1 MiB");
        return Err(Error::new(Kind::Invalid, message));
    }
    *seccomp = Seccomp::Profile(without_bom(&text).to_owned());
    Ok(())
}
