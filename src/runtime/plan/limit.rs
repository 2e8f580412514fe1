//! Resource limits of a process, by Docker's names.

use rustix::process::Resource;

use crate::model::{Error, Kind, Result};

/// Returns the kernel's limit of Docker's `name`.
///
/// # Errors
/// [`Kind::Unsupported`] for an unknown name.
pub fn resource(name: &str) -> Result<Resource> {
    Ok(match name {
        "core" => Resource::Core,
        "cpu" => Resource::Cpu,
        "data" => Resource::Data,
        "fsize" => Resource::Fsize,
        "locks" => Resource::Locks,
        "memlock" => Resource::Memlock,
        "msgqueue" => Resource::Msgqueue,
        "nice" => Resource::Nice,
        "nofile" => Resource::Nofile,
        "nproc" => Resource::Nproc,
        "rss" => Resource::Rss,
        "rtprio" => Resource::Rtprio,
        "rttime" => Resource::Rttime,
        "sigpending" => Resource::Sigpending,
        "stack" => Resource::Stack,
        "as" => Resource::As,
        _ => return Err(Error::new(Kind::Unsupported, format!("cannot set the limit `{name}`"))),
    })
}
