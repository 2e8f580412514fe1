//! `exec`: another process in a running container.
//!
//! The client starts a helper process in the way it starts a monitor, and talks to it as to a
//! monitor. The process is the helper's child: it dies with the helper, and with the container.

use std::os::fd::AsFd;
use std::time::Instant;

use super::attach::AttachSession;
use super::runtime::Runtime;
use super::streams::{StdinForwarder, Streams};
use super::watch::Work;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::EnvEntry;
use crate::model::container::status;
use crate::model::container::status::Action;
use crate::model::observe::event;
use crate::model::value::account;
use crate::model::value::env::Environment;
use crate::model::value::id::ContainerId;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::runtime::exec::environment::{environment_of, new_id};
use crate::runtime::protocol::connection::Awaited;
use crate::runtime::protocol::{ExecSpec, Request};
use crate::sys;

impl Runtime {
    /// Runs another process in a container, connected to the caller's streams until it exits.
    ///
    /// # Errors
    /// [`Kind::Refused`] unless the container runs; the reason if the program does not;
    /// [`Kind::Timeout`] if it was killed.
    pub fn exec(
        &self,
        id: &ContainerId,
        options: &ExecOptions,
        streams: Streams<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        check(options)?;
        let state = self.inspect(id)?.state;
        status::check(state.name.as_str(), state.status, Action::Exec)?;
        let inherited = environment_of(&self.containers.directory(id))?;
        let spec = ExecSpec {
            id: new_id()?,
            args: options.cmd.clone(),
            env: environment(inherited, options),
            user: options.user.clone(),
            workdir: options.workdir.clone(),
            privileged: options.privileged,
            tty: options.tty,
            stdin: (streams.stdin.is_some() || options.stdin.is_some()) && !options.detach,
            detach: options.detach,
            size: streams.size(),
        };
        let (feeds, exec) = (spec.stdin, spec.id.clone());
        let mut connection = self.spawn_helper(id)?;
        let request = Request::Exec(Box::new(spec));
        let deadline = options.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        let request = (&request, Work::Start);
        let started = self.ask_patiently(&mut connection, id, request, None, Some(cancel));
        let started = started.map_err(|error| {
            error
                .context(format!("cannot exec in `{}`", state.name))
                .container(state.name.as_str(), Some(state.status.as_str()))
        })?;
        let died = || Error::new(Kind::Died, format!("the exec in `{}` was killed", state.name));
        if !matches!(started, Awaited::Reply(_)) {
            return Err(died());
        }
        if options.detach {
            return Ok(AttachOutcome::Detached);
        }
        let given = options.stdin.as_deref().map(sys::fs::memory_file).transpose()?;
        let input = given.as_ref().map(AsFd::as_fd).or(streams.stdin);
        // The streams live as long as this call.
        let streams =
            Streams { stdout: &mut *streams.stdout, stderr: &mut *streams.stderr, ..streams };
        let feed = input.filter(|_| feeds).map(StdinForwarder::by_frames);
        let mut session = AttachSession::new(connection, feed, streams, options.tty, deadline)?;
        // A process that its caller no longer waits for is killed, unless it has a terminal.
        session.on_cancel = Some(Signal::KILL).filter(|_| !options.tty);
        let left = session.run(id, cancel).map_err(|error| {
            if error.kind() == Kind::Timeout {
                error.context(format!("exec in `{}`", state.name))
            } else {
                error
            }
        });
        let left = left?.ok_or_else(died)?;
        if left == AttachOutcome::Detached {
            self.event(id, event::EventAction::ExecDetach, &[("execID", exec)]);
        }
        Ok(left)
    }
}

fn check(options: &ExecOptions) -> Result<()> {
    if options.cmd.first().is_some_and(String::is_empty) {
        let message = "exec: \"\": executable file not found in $PATH";
        return Err(Error::new(Kind::Invalid, message).with_exit_code(126));
    }
    if options.cmd.is_empty() {
        return Err(Error::new(Kind::Invalid, "no exec command specified")
            .hint("write the program after the container: lifebox exec web ls"));
    }
    if let Some(workdir) = options.workdir.as_ref().filter(|workdir| !workdir.starts_with('/')) {
        let message = format!("the working directory `{workdir}` is not an absolute path");
        // Docker's exit code.
        return Err(Error::new(Kind::Invalid, message).with_exit_code(126));
    }
    let words = options.cmd.iter().chain(&options.user).chain(&options.workdir);
    if words.clone().any(|word| word.contains('\0')) {
        return Err(Error::new(Kind::Invalid, "an argument contains a NUL byte"));
    }
    // Docker's exit code.
    let user = options.user.as_deref().map_or(Ok(()), account::check_user);
    user.map_err(|error| error.with_exit_code(126))
}

/// Returns the container's environment, with the user's entries added and removed.
fn environment(env: Vec<String>, options: &ExecOptions) -> Vec<String> {
    let mut env = Environment::new(env);
    if options.tty && !env.has("TERM") {
        env.apply("TERM=xterm".to_owned());
    }
    for entry in &options.env {
        match entry {
            EnvEntry::Set { key, value } => env.apply(format!("{key}={value}")),
            EnvEntry::Unset { key } => env.remove(key),
        }
    }
    env.into_entries()
}
