//! Simulated processes. In a dry run nothing runs, and every probe succeeds; in a simulation a
//! function decides what programs do.

use std::io::Write;

use super::state::Dry;
use crate::engine::backend::{Attach, CancelToken, Containers as _, Observe as _, Processes};
use crate::engine::rules::path::lexical;
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::status::{Action, Status, check};
use crate::model::error::Context as _;
use crate::model::observe::log::{LogLine, Stream};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;

impl Processes for Dry {
    fn attach(
        &self,
        id: &ContainerId,
        mut attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        let written = self.state().entry(id)?.lines.len();
        let entry = match attach.start {
            true => self.act(id, Action::Start, "", 0)?,
            false => self.state().entry(id)?.clone(),
        };
        write(&entry.lines[written..], &mut attach)?;
        // With `--rm` a container that has exited is removed.
        if entry.container.state.status == Status::Exited {
            return Ok(AttachOutcome::Exited(entry.container.state.exit_code));
        }
        self.wait(id, None, cancel).map(AttachOutcome::Exited)
    }

    fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        mut attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        let state = self.container(id)?.state;
        check(state.name.as_str(), state.status, Action::Exec)?;
        self.record(format_args!("exec in {}: {}", state.name, options.cmd.join(" ")));
        let Some(programs) = &self.programs else { return Ok(AttachOutcome::Exited(0)) };
        let program = programs(&options.cmd)
            .map_err(|error| error.context(format!("cannot execute in `{}`", state.name)))?;
        write(&program.lines, &mut attach)?;
        match program.exit_code {
            Some(code) => Ok(AttachOutcome::Exited(code)),
            // It ends with its container.
            None => {
                self.wait(id, None, cancel).map(|_| AttachOutcome::Exited(Signal::KILL.exit_code()))
            }
        }
    }

    fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        if self.is_real(id) { self.inner.top(id) } else { Ok(Vec::new()) }
    }

    fn probe(&self, id: &ContainerId, probe: &Probe, _: &CancelToken) -> Result<ProbeResult> {
        if self.is_dry_run() {
            return Ok(ProbeResult::Ready);
        }
        let is_ready = match probe {
            Probe::FileExists(path) => self.state().entry(id)?.files.contains_key(&lexical(path)),
            Probe::TcpSocket(_) | Probe::HttpGet(_) => false,
        };
        Ok(match is_ready {
            true => ProbeResult::Ready,
            false => ProbeResult::NotReady(format!("nothing in the simulation is {probe}")),
        })
    }
}

/// Writes what a program has written to the streams of its client.
fn write(lines: &[LogLine], attach: &mut Attach<'_>) -> Result<()> {
    for line in lines {
        let out: &mut dyn Write = match line.stream {
            Stream::Stdout => attach.stdout,
            Stream::Stderr => attach.stderr,
        };
        out.write_all(&line.bytes).context(|| "write the output of a container".to_owned())?;
    }
    Ok(())
}
