//! Errors of streams and archives, and names of an archive in messages.

use crate::model::{Error, Kind};

/// A name for messages.
pub(crate) fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

/// A name of an archive in a message: no character of it may steer a terminal.
pub(crate) fn escaped(name: &[u8]) -> String {
    let mut text = String::new();
    for character in lossy(name).chars() {
        if character.is_control() {
            text.extend(character.escape_unicode());
        } else {
            text.push(character);
        }
    }
    text
}

/// Content that contradicts itself, or that is not what it was said to be.
pub(crate) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, message)
}

/// A stream that ends before its content does.
pub(super) fn truncated() -> Error {
    corrupt("it ends too early")
}

/// Names the failure of a stream that may be compressed.
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
