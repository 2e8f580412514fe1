//! `ExecResult`: the output and the exit code of a command that was executed in a container.

use std::io::{self, Write};
use std::sync::Arc;

/// The most that is kept of each stream, in bytes: a container must not fill the memory of the
/// script (CVE-2022-31030).
const MAX_OUTPUT: usize = 8 << 20;

/// The result of a command in a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecResult {
    /// The exit code.
    pub code: i32,
    /// The standard output.
    pub out: Arc<str>,
    /// The standard error.
    pub err: Arc<str>,
    /// Whether the command wrote more than is kept.
    pub truncated: bool,
}

/// Keeps output up to a limit; notes whether more was written.
#[derive(Debug, Default)]
pub struct CappedOutput {
    bytes: Vec<u8>,
    truncated: bool,
}

impl CappedOutput {
    /// Returns the result of a command that wrote this.
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
