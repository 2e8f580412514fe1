//! Trying a system call in a process of its own, to see what becomes of it.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::os::fd::AsRawFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::errno::last_errno;

/// What became of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It returned.
    Returned,
    /// It failed with this error number.
    Failed(i32),
    /// Its process ended.
    Exited,
    /// It had not returned after a moment.
    StillBlocked,
}

/// Calls system call `number` in a forked process, which ends afterwards.
///
/// # Errors
/// When there can be no such process.
pub fn try_in_child(number: u64, arguments: [u64; 6]) -> Result<Outcome, Errno> {
    let (reader, writer) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)?;
    // SAFETY: the caller has one thread, so the child has all of the process.
    let child = unsafe { libc::fork() };
    if child < 0 {
        return Err(last_errno());
    }
    if child == 0 {
        let [a, b, c, d, e, f] = arguments;
        let number = c_long::try_from(number).unwrap_or(c_long::MAX);
        // SAFETY: whatever the call does, it does to this process only, which ends here.
        unsafe {
            let result = libc::syscall(number, a, b, c, d, e, f);
            let answer = if result == -1 { last_errno().raw_os_error() } else { 0 };
            let bytes = answer.to_ne_bytes();
            libc::write(writer.as_raw_fd(), bytes.as_ptr().cast(), bytes.len());
            libc::_exit(0)
        }
    }
    drop(writer);
    let moment = Timespec { tv_sec: 0, tv_nsec: 300_000_000 };
    let ready = poll(&mut [PollFd::new(&reader, PollFlags::IN)], Some(&moment))?;
    let mut bytes = [0; 4];
    let outcome = match ready {
        0 => Outcome::StillBlocked,
        _ => match rustix::io::read(&reader, &mut bytes)? {
            4 if bytes == [0; 4] => Outcome::Returned,
            4 => Outcome::Failed(i32::from_ne_bytes(bytes)),
            _ => Outcome::Exited,
        },
    };
    // SAFETY: the child is ours and not yet waited for, so the number is still its own.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
    Ok(outcome)
}
