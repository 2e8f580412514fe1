//! Network interfaces: netdevice(7).
#![allow(unsafe_code)]

use std::os::fd::AsRawFd;

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

use super::mount::last_errno;

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

/// Wraps `__nss_configure_lookup(3)`: host names are looked up in `/etc/hosts` and by DNS, both
/// part of glibc since 2.34, whatever `/etc/nsswitch.conf` says. Other sources are shared objects,
/// which a static binary can load only beside the very glibc that it was built with.
pub fn look_names_up_without_plugins() {
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
