//! The state of a monitor and of the container that it runs.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::PathBuf;

use crate::runtime::log::Writer;
use crate::runtime::spawn::stdin_writer::StdinWriter;
use crate::sys;

/// A container that runs.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) child: sys::process::Child,
    pub(super) outputs: [Option<OwnedFd>; 2],
    pub(super) log: Writer,
    /// Holds the container's standard input open.
    pub(super) stdin: Option<File>,
    /// What is typed into its terminal.
    pub(super) input: StdinWriter,
    /// Our end of its terminal.
    pub(super) terminal: Option<OwnedFd>,
    /// What tells its processes where it has no cgroup.
    pub(super) mounts: Option<PathBuf>,
}
