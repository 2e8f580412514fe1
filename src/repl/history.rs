//! The history file, readable by its owner only. If the file cannot be read or written, the history
//! lasts until the REPL ends.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use rustyline::history::FileHistory;
use rustyline::{Editor, Helper};

/// Loads the history of earlier sessions.
pub fn load<H: Helper>(editor: &mut Editor<H, FileHistory>, path: &Path) {
    if let Some(parent) = path.parent() {
        let _ = DirBuilder::new().recursive(true).mode(0o700).create(parent);
    }
    // Created here with its mode, so that other users can never read the file.
    let _ = OpenOptions::new().create(true).append(true).mode(0o600).open(path);
    let _ = editor.load_history(path);
}

/// Appends the last line immediately, so that a killed session loses nothing.
pub fn append<H: Helper>(editor: &mut Editor<H, FileHistory>, path: &Path) {
    let _ = editor.append_history(path);
}
