//! Readiness probes from outside a container: its ports, its servers, its files.

use std::ffi::CString;
use std::fs::File;
use std::os::fd::OwnedFd;

use rustix::fs::OFlags;
use rustix::io::Errno;

use super::http;
use super::runtime::Runtime;
use crate::model::error::Context;
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::host;
use crate::sys;

impl Runtime {
    /// Probes whether a container is ready. One that does not run is not.
    ///
    /// # Errors
    /// When there is no such container, [`Kind::Cancelled`], or when its namespace cannot be
    /// entered.
    pub fn probe(
        &self,
        id: &ContainerId,
        sign: &Probe,
        cancel: &CancelToken,
    ) -> Result<ProbeResult> {
        let stopped = || Ok(ProbeResult::NotReady("it does not run".to_owned()));
        match sign {
            Probe::TcpSocket(port) if self.listening(id)?.contains(port) => Ok(ProbeResult::Ready),
            Probe::TcpSocket(port) => {
                Ok(ProbeResult::NotReady(format!("nothing listens on port {port}")))
            }
            Probe::HttpGet(request) => match self.proc_dir(id, "ns/net", open)? {
                Some(namespace) => http::probe(&namespace, request, cancel),
                None => stopped(),
            },
            Probe::FileExists(path) => match self.proc_dir(id, "root", open_directory)? {
                Some(root) => file_exists(&root, path),
                None => stopped(),
            },
        }
    }

    /// Opens a file of the first process in `/proc`; `None` if there is no such process.
    fn proc_dir<T>(
        &self,
        id: &ContainerId,
        name: &str,
        open: impl FnOnce(&str) -> Result<T>,
    ) -> Result<Option<T>> {
        let state = self.inspect(id)?.state;
        if !state.status.is_live() || state.pid == 0 {
            return Ok(None);
        }
        let opened = open(&format!("/proc/{}/{name}", state.pid));
        // Opened before the check: the process id was not reused.
        if host::start_time(state.pid) != state.pid_start {
            return Ok(None);
        }
        match opened {
            // A process that has just exited keeps its id for a moment, but nothing else.
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }
}

fn open(path: &str) -> Result<File> {
    File::open(path).context(|| format!("open `{path}`"))
}

fn open_directory(path: &str) -> Result<OwnedFd> {
    sys::fs::open_dir(path.as_ref())
}

/// Checks whether a file exists. The file is not opened for reading, and no link leads out of the
/// root.
fn file_exists(root: &OwnedFd, path: &str) -> Result<ProbeResult> {
    let name = CString::new(path)
        .map_err(|_| Error::new(Kind::Invalid, format!("{path:?} is not a path")))?;
    match sys::mount::open_in_root(root, &name, OFlags::PATH) {
        Ok(_) => Ok(ProbeResult::Ready),
        Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::AGAIN) => {
            Ok(ProbeResult::NotReady(format!("`{path}` does not exist")))
        }
        Err(errno) => Err(Error::from_errno(format!("open `{path}` inside"), errno.raw_os_error())),
    }
}
