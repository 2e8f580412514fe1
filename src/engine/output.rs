//! What is written for a user: files, and what containers write.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use super::{Attach, Cancel, LogStream};
use crate::model::Result;
use crate::model::error::Context;
use crate::model::log::LogLine;
use crate::runtime::attach::Streams;
use crate::runtime::reader::Reader;

/// Writes a file that appears under its name when it is whole, and not before.
///
/// # Errors
/// When it can't be written; what was there before stays then.
pub fn write_whole(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let what = || format!("write `{}`", path.display());
    // What is there and no file, such as a pipe or /dev/null, is written as it is.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        let mut file = File::options().write(true).open(path).context(what)?;
        return write(&mut file);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}", std::process::id()));
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(&temporary)
        .context(|| format!("create `{}`", temporary.display()))?;
    let written = write(&mut file).and_then(|()| std::fs::rename(&temporary, path).context(what));
    if written.is_err() {
        let _ = std::fs::remove_file(&temporary);
    }
    written
}

impl<'a> From<Attach<'a>> for Streams<'a> {
    fn from(attach: Attach<'a>) -> Self {
        let Attach { stdin, stdout, stderr, forward_signals, detach_keys, terminal, .. } = attach;
        Streams { stdin, stdout, stderr, forward_signals, detach_keys, terminal }
    }
}

impl LogStream for Reader {
    fn next_line(&mut self, timeout: Option<Duration>, cancel: &Cancel) -> Result<Option<LogLine>> {
        Reader::next_line(self, timeout, cancel)
    }
}
