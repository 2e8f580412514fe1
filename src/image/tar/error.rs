//! Errors of streams and archives, and names of an archive in messages.

use crate::model::value::visible;
use crate::model::{Error, Kind};

/// Returns a name for messages.
pub(crate) fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// Returns an untrusted name for a message, without control characters, and cut.
pub(crate) fn escaped(name: &[u8]) -> String {
    visible::short(&lossy(name))
}

/// Returns an error of kind [`Kind::Corrupt`].
pub(crate) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, message)
}

/// Returns the error of a stream that ends too early.
pub(super) fn truncated() -> Error {
    corrupt("it ends too early")
}

/// Converts the I/O error of a stream that may be compressed.
pub(crate) fn stream_error(error: &std::io::Error) -> Error {
    use std::io::ErrorKind::UnexpectedEof;
    if let Some(ours) = Error::downcast_io(error) {
        return ours;
    }
    match error.kind() {
        UnexpectedEof => truncated(),
        // What has no errno comes from a decoder, not from the kernel.
        _ if error.raw_os_error().is_none() => {
            corrupt(format!("its compression is damaged: {error}"))
        }
        _ => Error::from_io("read the archive", error),
    }
}
