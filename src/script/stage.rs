//! What every native function can reach: the host, the texts of the running scripts, and whether
//! the output is still open. It travels as the engine's tag.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rhai::NativeCallContext;

use super::Host;
use super::error::{RhaiResultOf, raise};
use super::sources::Sources;
use crate::engine::Backend;
use crate::model::{Error, Kind};

/// The surroundings of a script. Copies are the same surroundings.
#[derive(Clone, Debug)]
pub struct Stage(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    host: Host,
    sources: Sources,
    /// Whether somebody closed the pipe that `print` writes to.
    closed: AtomicBool,
}

impl Stage {
    /// Surroundings without any source.
    pub fn new(host: Host) -> Self {
        Stage(Arc::new(Inner { host, sources: Sources::default(), closed: AtomicBool::new(false) }))
    }

    /// The surroundings that the calling function runs in.
    pub fn of(ctx: &NativeCallContext) -> RhaiResultOf<Stage> {
        ctx.tag().and_then(|tag| tag.clone().try_cast::<Stage>()).ok_or_else(|| {
            raise(ctx, &Error::new(Kind::Bug, "the engine has lost its surroundings"))
        })
    }

    /// What the script was given.
    pub fn host(&self) -> &Host {
        &self.0.host
    }

    /// The containers and images.
    pub fn backend(&self) -> &Arc<dyn Backend> {
        &self.0.host.backend
    }

    /// The texts behind error positions.
    pub fn sources(&self) -> &Sources {
        &self.0.sources
    }

    /// Whether the reader of the output is gone.
    pub fn is_closed(&self) -> bool {
        self.0.closed.load(Ordering::Relaxed)
    }

    /// Prints a line. A failure to write means that nobody reads any more.
    pub fn print(&self, text: &str) {
        if self.0.host.output.print(text).is_err() {
            self.0.closed.store(true, Ordering::Relaxed);
        }
    }

    /// Prints a line beside the output. Failing here must not end a script.
    pub fn eprint(&self, text: &str) {
        let _ = self.0.host.output.eprint(text);
    }
}
