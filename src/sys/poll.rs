//! Waiting: eventfd(2), epoll(7) and poll(2).

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec};
use rustix::io::Errno;

use crate::model::{Error, Result};

/// How long to wait where the descriptors cannot be polled together.
const ONE_AT_A_TIME: Duration = Duration::from_millis(50);

/// Wraps `eventfd(2)`: close-on-exec and non-blocking.
pub fn eventfd() -> Result<OwnedFd> {
    rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
        .map_err(|errno| Error::from_errno("eventfd", errno.raw_os_error()))
}

/// Makes an eventfd readable. Cannot fail: a full counter is readable already. Safe in a signal
/// handler: one `write(2)`.
pub fn signal(event: impl AsFd) {
    let _ = rustix::io::write(event, &1u64.to_ne_bytes());
}

/// Makes an eventfd unreadable again.
pub fn drain(event: impl AsFd) {
    let _ = rustix::io::read(event, &mut [0u8; 8]);
}

/// Returns a descriptor that is readable while any of `events` is. Wraps `epoll_create1(2)` and
/// `epoll_ctl(2)`.
pub fn any_of(events: &[BorrowedFd<'_>]) -> Result<OwnedFd> {
    use rustix::event::epoll;
    let failed = |errno: Errno| Error::from_errno("epoll", errno.raw_os_error());
    let any = epoll::create(epoll::CreateFlags::CLOEXEC).map_err(failed)?;
    for event in events {
        epoll::add(&any, event, epoll::EventData::new_u64(0), epoll::EventFlags::IN)
            .map_err(failed)?;
    }
    Ok(any)
}

/// Wraps `poll(2)` for reading: returns which of `fds` are readable, at an end or in error. All
/// false after `timeout`; without one it waits indefinitely.
pub fn wait_readable(fds: &[BorrowedFd<'_>], timeout: Option<Duration>) -> Result<Vec<bool>> {
    wait_for(PollFlags::IN, fds, timeout)
}

/// As [`wait_readable`], for writing to the first of `fds`, and for reading from the others.
pub fn wait_writable(fds: &[BorrowedFd<'_>], timeout: Option<Duration>) -> Result<Vec<bool>> {
    wait_for(PollFlags::OUT, fds, timeout)
}

fn wait_for(
    first: PollFlags,
    fds: &[BorrowedFd<'_>],
    timeout: Option<Duration>,
) -> Result<Vec<bool>> {
    let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
    let flags = std::iter::once(first).chain(std::iter::repeat(PollFlags::IN));
    let mut polled: Vec<_> =
        fds.iter().zip(flags).map(|(fd, flags)| PollFd::new(fd, flags)).collect();
    loop {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let left = left.and_then(|d| Timespec::try_from(d).ok());
        match rustix::event::poll(&mut polled, left.as_ref()) {
            Ok(_) => return Ok(polled.iter().map(|p| !p.revents().is_empty()).collect()),
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("poll", errno.raw_os_error())),
        }
    }
}

/// Wraps `poll(2)`. Where `RLIMIT_NOFILE` was lowered below the number of descriptors, the kernel
/// refuses: then they are polled one at a time, after a pause.
///
/// # Errors
/// As poll(2), `EINTR` included.
pub fn poll_all(fds: &mut [PollFd<'_>], timeout: Option<&Timespec>) -> Result<(), Errno> {
    match rustix::event::poll(fds, timeout) {
        Err(Errno::INVAL) => {
            std::thread::sleep(ONE_AT_A_TIME);
            for fd in fds {
                let _ = rustix::event::poll(std::slice::from_mut(fd), Some(&Timespec::default()));
            }
            Ok(())
        }
        polled => polled.map(drop),
    }
}

/// Returns whether the other end of a socket is closed.
pub fn is_hung_up(socket: impl AsFd) -> bool {
    let socket = socket.as_fd();
    let ended = PollFlags::RDHUP | PollFlags::HUP | PollFlags::ERR;
    let mut polled = [PollFd::new(&socket, ended)];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    let polled_any = rustix::event::poll(&mut polled, Some(&now));
    polled_any.is_ok() && polled[0].revents().intersects(ended)
}

/// Wraps `poll(2)` for `POLLPRI`, by which cgroup and proc files report changes. Returns at a
/// change or after `timeout`.
pub fn wait_priority(file: impl AsFd, timeout: Duration) -> Result<()> {
    let file = file.as_fd();
    let mut polled = [PollFd::new(&file, PollFlags::PRI)];
    let timeout = Timespec::try_from(timeout).ok();
    match rustix::event::poll(&mut polled, timeout.as_ref()) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(errno) => Err(Error::from_errno("poll", errno.raw_os_error())),
    }
}
