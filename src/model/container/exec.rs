//! Options of an exec process in a container, and how the client leaves it.

use std::time::Duration;

use super::options::EnvEntry;
use crate::model::{Error, Kind, Result};

/// The options of `exec`. Command line and script both build this.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExecOptions {
    /// Program and arguments.
    pub cmd: Vec<String>,
    /// Environment variables, added to the container's.
    pub env: Vec<EnvEntry>,
    /// `user[:group]`; the container's where unset.
    pub user: Option<String>,
    /// The working directory; the container's where unset.
    pub workdir: Option<String>,
    /// Whether the process gets all capabilities of the engine. The system call filter stays.
    pub privileged: bool,
    /// Whether the process has a terminal.
    pub tty: bool,
    /// Whether the client detaches immediately.
    pub detach: bool,
    /// The bytes of standard input, instead of the caller's.
    pub stdin: Option<Vec<u8>>,
    /// The time after which the process is killed.
    pub timeout: Option<Duration>,
}

/// How a client left an attached process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttachOutcome {
    /// The process has exited with this code.
    Exited(i32),
    /// The user typed the detach keys; the process continues to run.
    Detached,
}

/// The keys that detach from a terminal: bytes, one after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DetachKeys(pub Vec<u8>);

impl Default for DetachKeys {
    /// Returns Docker's keys: Ctrl-P, Ctrl-Q.
    fn default() -> Self {
        DetachKeys(vec![16, 17])
    }
}

impl std::str::FromStr for DetachKeys {
    type Err = Error;

    /// Parses keys separated by commas: a character, or `ctrl-` and one of `a` to `z`, `@`, `[`,
    /// `\`, `]`, `^`, `_`.
    fn from_str(text: &str) -> Result<Self> {
        let key = |key: &str| {
            let (control, rest) = match key.strip_prefix("ctrl-") {
                Some(rest) => (true, rest),
                None => (false, key),
            };
            match (control, rest.as_bytes()) {
                (false, [byte]) => Some(*byte),
                (true, [byte @ (b'a'..=b'z')]) => Some(byte - b'a' + 1),
                (true, b"@") => Some(0),
                (true, [byte @ b'['..=b'_']) => Some(byte - b'[' + 27),
                _ => None,
            }
        };
        let keys: Option<Vec<u8>> = text.split(',').map(key).collect();
        keys.map(DetachKeys).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("invalid detach keys ({text})"))
                .hint("write keys separated by commas, such as ctrl-p,ctrl-q or ctrl-],x")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn detach_keys_are_characters_and_control_characters() {
        let check = |text: &str, keys: Option<&[u8]>| {
            let read = text.parse::<DetachKeys>().ok().map(|keys| keys.0);
            assert_eq!(read.as_deref(), keys, "{text}");
        };
        check("ctrl-p,ctrl-q", Some(&[16, 17]));
        check("ctrl-@,a", Some(&[0, b'a']));
        check("ctrl-],ctrl-_", Some(&[29, 31]));
        check("a", Some(b"a"));
        for bad in ["", "ctrl-", "ctrl-pp", "ctrl-p,", "Ctrl-p", "ctrl-1", "ab"] {
            check(bad, None);
        }
    }
}
