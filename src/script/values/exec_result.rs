//! `ExecResult`: what a program that ran in a container wrote, and how it ended.

use std::io::{self, Write};
use std::sync::Arc;

/// The most that is kept of each stream, in bytes: a container must not fill the memory of the
/// script (CVE-2022-31030).
const MAX_OUTPUT: usize = 8 << 20;

/// How a program in a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecResult {
    /// Its exit code.
    pub code: i32,
    /// What it wrote to standard output.
    pub out: Arc<str>,
    /// What it wrote to standard error.
    pub err: Arc<str>,
    /// Whether it wrote more than is kept.
    pub truncated: bool,
}

/// Takes what is written, up to a limit; the rest is counted as gone.
#[derive(Debug, Default)]
pub struct CappedOutput {
    bytes: Vec<u8>,
    truncated: bool,
}

impl CappedOutput {
    /// The result of a program that wrote this.
    pub fn result(code: i32, out: &CappedOutput, err: &CappedOutput) -> ExecResult {
        let text = |kept: &CappedOutput| String::from_utf8_lossy(&kept.bytes).into();
        let truncated = out.truncated || err.truncated;
        ExecResult { code, out: text(out), err: text(err), truncated }
    }
}

impl Write for CappedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = MAX_OUTPUT - self.bytes.len();
        self.bytes.extend_from_slice(&bytes[..room.min(bytes.len())]);
        self.truncated |= room < bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut kept = CappedOutput::default();
        for _ in 0..9 {
            kept.write_all(&vec![b'x'; 1 << 20]).unwrap();
        }
        let result = CappedOutput::result(0, &kept, &CappedOutput::default());
        assert_eq!((result.out.len(), result.truncated), (MAX_OUTPUT, true));
    }
}
