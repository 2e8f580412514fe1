//! The file of a seccomp profile, read when a container is made: it keeps what it was made with.

use std::fs::File;
use std::io::Read;

use crate::model::error::Context;
use crate::model::security::Seccomp;
use crate::model::{Error, Kind, Result};

/// The largest profile, in bytes. Docker's own has 17 KB.
const MOST: u64 = 1 << 20;

/// Puts a file's text in its place.
pub(super) fn read(seccomp: &mut Seccomp) -> Result<()> {
    let Seccomp::File(path) = seccomp else { return Ok(()) };
    let what = || format!("open the seccomp profile `{path}`");
    let mut text = String::new();
    let read = File::open(&*path).and_then(|file| file.take(MOST + 1).read_to_string(&mut text));
    let size = read.context(what)?;
    if size as u64 > MOST {
        let message = format!("the seccomp profile `{path}` is larger than 1 MiB");
        return Err(Error::new(Kind::Invalid, message));
    }
    *seccomp = Seccomp::Profile(text);
    Ok(())
}
