//! A container's terminal: opened inside, in the container's own devpts, and held by its monitor.
//!
//! The caller's terminal never gets inside (ARCHITECTURE.md, D18).

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};

use crate::model::{Error, Result};
use crate::runtime::protocol::Size;
use crate::sys::{mount, terminal};

/// Opens a terminal in the root's devpts, makes it the controlling terminal, sends the monitor's
/// end over `to`, and returns the program's end. With `console` it is also mounted on
/// `/dev/console`.
pub(crate) fn open(
    console: bool,
    size: Option<Size>,
    to: BorrowedFd<'_>,
) -> Result<OwnedFd, Errno> {
    let root = mount::open_directory(c"/")?;
    let flags = OFlags::RDWR | OFlags::NOCTTY;
    let ours = mount::open_beneath(&root, c"dev/pts/ptmx", flags)?;
    let peer = terminal::peer(&ours)?;
    if let Some(size) = size {
        terminal::set_size(&ours, size.rows, size.columns)?;
    }
    if console {
        mount::attach(mount::clone_of(&peer)?, self::console(root.as_fd())?)?;
    }
    terminal::control(&peer)?;
    send(to, ours.as_fd())?;
    Ok(peer)
}

/// Opens the target `/dev/console`, creating it if it is missing. A file that a user has put there
/// is never opened for reading: a fifo would block init.
fn console(root: BorrowedFd<'_>) -> Result<OwnedFd, Errno> {
    let dev = mount::open_beneath(root, c"dev", OFlags::PATH | OFlags::DIRECTORY)?;
    let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match rustix::fs::openat(&dev, c"console", flags, Mode::from_bits_truncate(0o600)) {
        Ok(_) | Err(Errno::EXIST) => mount::open_beneath(&dev, c"console", OFlags::PATH),
        Err(errno) => Err(errno),
    }
}

fn send(to: BorrowedFd<'_>, file: BorrowedFd<'_>) -> Result<(), Errno> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    let files = [file];
    message.push(SendAncillaryMessage::ScmRights(&files));
    sendmsg(to, &[IoSlice::new(b"t")], &mut message, SendFlags::NOSIGNAL).map(drop)
}

/// Receives the end that [`open`] sent; `None` if it sent none.
///
/// # Errors
/// When the socket is broken.
pub(crate) fn receive(from: impl AsFd) -> Result<Option<OwnedFd>> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut byte = [0; 1];
    let flags = RecvFlags::CMSG_CLOEXEC;
    loop {
        let mut parts = [IoSliceMut::new(&mut byte)];
        match recvmsg(&from, &mut parts, &mut message, flags) {
            Ok(_) => break,
            Err(Errno::INTR) => {}
            Err(errno) => return Err(Error::from_errno("recvmsg", errno.raw_os_error())),
        }
    }
    Ok(message.drain().find_map(|message| match message {
        RecvAncillaryMessage::ScmRights(mut files) => files.next(),
        _ => None,
    }))
}
