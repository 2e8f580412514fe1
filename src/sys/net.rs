//! Network interfaces: netdevice(7).
#![allow(unsafe_code)]

use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::errno::last_errno;
use crate::model::{Error, Kind, Result};

/// Brings the loopback interface of this network namespace up.
pub fn loopback_up() -> Result<(), Errno> {
    let socket = rustix::net::socket_with(
        AddressFamily::INET,
        SocketType::DGRAM,
        SocketFlags::CLOEXEC,
        None,
    )?;
    // SAFETY: zero is a valid ifreq; the name is shorter than its field and stays ended by zero.
    let result = unsafe {
        let mut request: libc::ifreq = std::mem::zeroed();
        for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
            *to = from.cast_signed();
        }
        let flags = libc::IFF_UP | libc::IFF_RUNNING;
        request.ifr_ifru.ifru_flags = i16::try_from(flags).unwrap_or_default();
        libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request)
    };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Opens a TCP socket for `address` in the network namespace `namespace`: close-on-exec and
/// non-blocking. Another thread enters the namespace, because a socket stays where it was created.
///
/// # Errors
/// [`Kind::Unsupported`] if the kernel does not have the protocol.
pub fn tcp_socket_in(namespace: impl AsFd + Sync, address: SocketAddr) -> Result<OwnedFd> {
    let family = if address.is_ipv6() { AddressFamily::INET6 } else { AddressFamily::INET };
    let open = || {
        // The namespace of this thread is not entered again, which would need rights over it.
        if !is_ours(&namespace)? {
            super::process::enter_namespace(&namespace)?;
        }
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        rustix::net::socket_with(family, SocketType::STREAM, flags, None)
    };
    let opened = std::thread::scope(|scope| scope.spawn(open).join().unwrap_or(Err(Errno::IO)));
    opened.map_err(|errno| {
        let error = Error::from_errno("open a socket in the container", errno.raw_os_error());
        if errno == Errno::AFNOSUPPORT { error.with_kind(Kind::Unsupported) } else { error }
    })
}

/// Returns whether this thread is in the network namespace that `namespace` is open on.
fn is_ours(namespace: impl AsFd) -> Result<bool, Errno> {
    let (theirs, ours) =
        (rustix::fs::fstat(namespace)?, rustix::fs::stat("/proc/thread-self/ns/net")?);
    Ok((theirs.st_dev, theirs.st_ino) == (ours.st_dev, ours.st_ino))
}

/// Starts to connect a non-blocking socket, which becomes writable when that is done or has failed.
/// Returns false if it fails immediately.
pub fn start_connect(socket: impl AsFd, address: SocketAddr) -> bool {
    matches!(rustix::net::connect(socket, &address), Ok(()) | Err(Errno::INPROGRESS | Errno::INTR))
}

/// Wraps `__nss_configure_lookup(3)`: host names are resolved by `/etc/hosts` and by DNS, both part
/// of glibc since 2.34, even if `/etc/nsswitch.conf` names others. Those are shared objects, which
/// a static binary can load only with the glibc that it was built with.
pub fn resolve_names_without_plugins() {
    #[cfg(target_env = "gnu")]
    {
        use std::ffi::{c_char, c_int};
        unsafe extern "C" {
            fn __nss_configure_lookup(database: *const c_char, services: *const c_char) -> c_int;
        }
        static ONCE: std::sync::Once = std::sync::Once::new();
        ONCE.call_once(|| {
            // SAFETY: both texts are constant and end with NUL; glibc copies what it keeps.
            unsafe { __nss_configure_lookup(c"hosts".as_ptr(), c"files dns".as_ptr()) };
        });
    }
}
