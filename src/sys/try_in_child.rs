//! Tries a system call in a child process, to see its outcome.
#![allow(unsafe_code)]

use std::ffi::c_long;
use std::os::fd::AsRawFd;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::pipe::PipeFlags;

use super::errno::last_errno;

/// The outcome of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call returned.
    Returned,
    /// The call failed with this error number.
    Failed(i32),
    /// The process exited.
    Exited,
    /// The call had not returned after a moment.
    StillBlocked,
}

/// Makes system call `number` in a forked process, which then exits.
///
/// # Errors
/// When the process cannot be forked.
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
        // SAFETY: the call affects only this process, which exits here.
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
    // SAFETY: the child of this process is not reaped yet, so the id is not reused.
    unsafe {
        libc::kill(child, libc::SIGKILL);
        libc::waitpid(child, std::ptr::null_mut(), 0);
    }
    Ok(outcome)
}
