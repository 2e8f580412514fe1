//! The file of remembered lines. It is for its owner only, and not worth an error: where it can't
//! be read or written, lines are remembered until the end.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

/// Reads the lines of earlier conversations.
pub fn load<H: Helper>(editor: &mut Editor<H, FileHistory>, path: &Path) {
    if let Some(parent) = path.parent() {
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    }
    // Made here, so that it is never readable by others, not even for a moment.
    let _ = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let _ = editor.load_history(path);
}

/// Adds the last line: a killed conversation has lost nothing.
pub fn append<H: Helper>(editor: &mut Editor<H, FileHistory>, path: &Path) {
    let _ = editor.append_history(path);
}
