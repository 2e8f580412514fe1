//! Lines of the journal that cannot be read: found and blanked by a check.
//!
//! A line is overwritten with spaces where it stands: no process that writes or follows the journal
//! notices.

use std::fs::OpenOptions;
use std::io::Read as _;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::time::{Duration, Instant};

use super::journal::{Journal, is_blank, lock};
use crate::model::error::Context as _;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::observe::event::Event;
use crate::model::{Kind, Result};
use crate::runtime::log::rotation;
use crate::sys::record_file;

/// How long to wait for a writer.
const LOCK_TIMEOUT: Duration = Duration::from_secs(1);
/// How much of a file is read: many times its limit.
const MAX_READ: u64 = 64 << 20;

impl Journal {
    /// Describes how many lines cannot be read. With `repair`, blanks them.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn damaged(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let full = rotation::numbers(&self.path).into_iter();
        let full = full.map(|number| rotation::numbered(&self.path, number));
        let mut found = Vec::new();
        for path in full.chain(Some(self.path.clone())) {
            found.extend(damaged_lines(&path, options)?);
        }
        Ok(found)
    }
}

fn damaged_lines(path: &Path, options: &CheckOptions) -> Result<Option<(String, Resolution)>> {
    let read = || format!("read `{}`", path.display());
    let opened = record_file::open(path, OpenOptions::new().read(true).write(options.repair));
    let file = match opened.context(read) {
        Ok(file) => file,
        // There is none, or something else stands in its place, which has been described.
        Err(error) if matches!(error.kind(), Kind::NotFound | Kind::Corrupt) => return Ok(None),
        Err(error) => return Err(error),
    };
    // So that no line is half written.
    lock(&file, Instant::now() + LOCK_TIMEOUT).context(read)?;
    let mut bytes = Vec::new();
    (&file).take(MAX_READ).read_to_end(&mut bytes).context(read)?;
    let lines = damaged_in(&bytes);
    if lines.is_empty() {
        return Ok(None);
    }
    let name = path.file_name().unwrap_or_default().display();
    let what = match lines.len() {
        1 => format!("`{name}`: one line cannot be read"),
        count => format!("`{name}`: {count} lines cannot be read"),
    };
    let blank = || {
        lines.iter().try_for_each(|line| {
            let mut blank = vec![b' '; line.len()];
            if line.end == bytes.len() {
                // The end of what was cut off.
                blank.last_mut().into_iter().for_each(|last| *last = b'\n');
            }
            file.write_all_at(&blank, line.start as u64)
        })
    };
    let blanked = options.repair.then(|| blank().context(|| format!("write `{}`", path.display())));
    Ok(Some((what, Resolution::of_removal(blanked))))
}

/// Returns where the lines stand that cannot be read as events, without their newline.
fn damaged_in(bytes: &[u8]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut start = 0;
    for line in bytes.split(|byte| *byte == b'\n') {
        let range = start..start + line.len();
        start = range.end + 1;
        if !is_blank(line) && serde_json::from_slice::<Event>(line).is_err() {
            found.push(range);
        }
    }
    found
}
