//! Locks between processes of the engine: flock(2), with a bound.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::os::linux::fs::MetadataExt;
use std::time::{Duration, Instant};

use super::process_state::ProcessState;
use crate::model::{Error, Kind, Result};

/// How long to wait for another process.
const LOCK_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// Whether other processes may have the lock too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Share {
    /// They may.
    Shared,
    /// They may not.
    Alone,
}

/// Locks a file; waits up to 10 s for another process. `what` is the thing that is locked, such as
/// "the volumes".
///
/// # Errors
/// [`Kind::Timeout`], naming the process that holds the lock.
pub fn acquire(file: &File, share: Share, what: &str) -> Result<()> {
    within(file, share, what, LOCK_TIMEOUT)
}

fn within(file: &File, share: Share, what: &str, timeout: Duration) -> Result<()> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_micros(100);
    loop {
        let tried = match share {
            Share::Shared => file.try_lock_shared(),
            Share::Alone => file.try_lock(),
        };
        match tried {
            Ok(()) => return Ok(()),
            Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
            Err(TryLockError::Error(error)) => {
                return Err(Error::from_io(format!("lock {what}"), &error));
            }
            Err(TryLockError::WouldBlock) if Instant::now() >= deadline => {
                return Err(held_for(Some(file), &format!("{what} have"), timeout));
            }
            Err(TryLockError::WouldBlock) => {
                std::thread::sleep(pause);
                pause = (pause * 2).min(PAUSE);
            }
        }
    }
}

/// Returns the error of a lock that another process holds for too long, and names the process.
/// `what` is the thing that is locked with its verb, such as "the volumes have".
pub fn is_held(file: Option<&File>, what: &str) -> Error {
    held_for(file, what, LOCK_TIMEOUT)
}

fn held_for(file: Option<&File>, what: &str, timeout: Duration) -> Error {
    let late = format!("{what} been locked for {} s", timeout.as_secs_f32());
    let Some(process) = file.and_then(holder).and_then(ProcessState::of) else {
        return Error::new(Kind::Timeout, format!("{late} by another process"))
            .hint("look for it, and end it or let it continue: ps -C lifebox -o pid,stat,args");
    };
    let pid = process.pid;
    let hint = match process.letter {
        'T' | 't' => format!("let it continue: kill -CONT {pid}"),
        _ => format!("wait for it, or end it: kill {pid}"),
    };
    Error::new(Kind::Timeout, format!("{late} by {process}")).hint(hint)
}

/// Returns the process that locked a file (proc_locks(5)).
fn holder(file: &File) -> Option<i32> {
    let found = file.metadata().ok()?;
    let device = found.st_dev();
    let (major, minor) = (rustix::fs::major(device), rustix::fs::minor(device));
    let place = format!("{major:02x}:{minor:02x}:{}", found.st_ino());
    let text = std::fs::read_to_string("/proc/locks").ok()?;
    text.lines().find_map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [_, "FLOCK", _, _, pid, at, ..] = words.as_slice() else { return None };
        (*at == place).then(|| pid.parse().ok()).flatten()
    })
}

/// Returns the process that holds the lock which another process waits for.
pub fn awaited_by(pid: i32) -> Option<i32> {
    awaited_in(&std::fs::read_to_string("/proc/locks").ok()?, pid)
}

fn awaited_in(locks: &str, pid: i32) -> Option<i32> {
    let pid = pid.to_string();
    let lines = || locks.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    // A waiting process has the number of the lock, and an arrow.
    let waiting = |words: &Vec<&str>| words.get(1) == Some(&"->") && words.get(5) == Some(&&*pid);
    let number = *lines().find(waiting)?.first()?;
    let holds = |words: &Vec<&str>| words.first() == Some(&number) && words.get(1) != Some(&"->");
    lines().find(holds)?.get(4)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_is_held_too_long_names_its_holder() {
        let path = tempfile::NamedTempFile::new().unwrap();
        let (ours, theirs) = (File::open(path.path()).unwrap(), File::open(path.path()).unwrap());
        acquire(&ours, Share::Shared, "the volumes").unwrap();
        acquire(&theirs, Share::Shared, "the volumes").unwrap();
        theirs.unlock().unwrap();
        let limit = Duration::from_millis(50);
        let error = within(&theirs, Share::Alone, "the volumes", limit).unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout);
        let own = format!("by process {} ", std::process::id());
        assert!(error.to_string().contains(&own), "{error}");
        ours.unlock().unwrap();
        acquire(&theirs, Share::Alone, "the volumes").unwrap();
    }

    #[test]
    fn who_holds_the_lock_that_a_process_waits_for_is_found() {
        let locks = "1: FLOCK  ADVISORY  WRITE 10 08:01:7 0 EOF\n\
                     2: FLOCK  ADVISORY  WRITE 20 08:01:8 0 EOF\n\
                     2: -> FLOCK  ADVISORY  WRITE 30 08:01:8 0 EOF\n";
        assert_eq!(awaited_in(locks, 30), Some(20));
        assert_eq!(awaited_in(locks, 10), None);
    }
}
