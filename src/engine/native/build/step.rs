//! One step of a build, run or taken from the cache: a copy, or a command.

use std::cell::RefCell;
use std::io::{self, Write};

use super::container::BuildFile;
use super::params::{BuildParams, StepOutcome};
use crate::engine::backend::{
    Attach, CancelToken, ContainerSession, Containers as _, Processes as _,
};
use crate::engine::native::handle::Native;
use crate::image::{Origin, build::configure};
use crate::model::container::exec::AttachOutcome;
use crate::model::container::namespaces::NamespaceMode;
use crate::model::container::options::{CreateOptions, EnvEntry, RemoveOptions};
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{BuildStep, RunStep};
use crate::model::value::account::{self, Account};
use crate::model::{Error, Kind, Result};
use crate::runtime::init::passwd;

/// How many of a command's last lines its error repeats.
const TAIL_LINES: usize = 10;
const TAIL_BYTES: usize = 4096;

impl Native {
    /// Returns the session of the containers of builds, which are removed when this process exits.
    ///
    /// # Errors
    /// When the resource reaper cannot be started.
    fn build_session(&self) -> Result<&ContainerSession> {
        self.build_session.get_or_try_init(|| self.runtime.start_session())
    }

    /// Runs a step on `parent`, or on nothing.
    pub(in crate::engine::native) fn do_step(
        &self,
        parent: Option<&Image>,
        step: &BuildStep,
        how: BuildParams<'_>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<StepOutcome> {
        let store = self.store()?;
        let check = || cancel.check();
        let owner = self.owner(parent, step)?;
        let content = store.step_content(parent, step, owner, &check)?;
        let key = store.step_key(parent, step, owner, content.as_ref())?;
        // Held before another command can remove it.
        let held = |image: Image| how.hold.map_or(Ok(()), |hold| hold.add(&image)).map(|()| image);
        let shared = how.hold.map(|_| self.share_images()).transpose()?;
        let cached = store.step_image(&key)?.filter(|_| !how.no_cache);
        if let Some(image) = cached.map(held).transpose()? {
            return Ok(StepOutcome { image, cached: true });
        }
        drop(shared);
        let image = match step {
            BuildStep::Run(run) => {
                let parent = parent.ok_or_else(|| {
                    Error::new(Kind::Invalid, "cannot run a command in an image without files")
                        .hint("start with an image that has a shell, or COPY a program first")
                })?;
                let origin = Origin {
                    created_by: configure::describe(&parent.document, step),
                    step: Some(key),
                    ..Origin::default()
                };
                self.run_step(parent, (run, how), &origin, out, cancel)?
            }
            _ => {
                let _use = self.share_images()?;
                held(store.add_step(parent, step, owner, &check)?)?
            }
        };
        Ok(StepOutcome { image, cached: false })
    }

    /// Returns the owner of a step's files, by `/etc/passwd` of the image.
    fn owner(&self, parent: Option<&Image>, step: &BuildStep) -> Result<(u32, u32)> {
        let spec = match (step, parent) {
            (BuildStep::Copy(copy), _) => copy.owner.as_deref().unwrap_or_default(),
            // As BuildKit: the directory belongs to the user.
            (BuildStep::Workdir(_), Some(parent)) => &parent.config.user,
            _ => "",
        };
        if matches!(spec, "" | "0" | "root" | "0:0" | "root:root") {
            return Ok((0, 0));
        }
        account::check_user(spec)?;
        // A single number is user and group (the reference of Dockerfiles, "COPY --chown").
        if let Account::Id(id) = Account::of(spec) {
            return Ok((id, id));
        }
        let store = self.store()?;
        let read = |path: &str| match parent {
            Some(image) => Ok(store.read_file(image, path)?.unwrap_or_default()),
            None => Ok(Vec::new()),
        };
        let (accounts, groups) = (read("/etc/passwd")?, read("/etc/group")?);
        passwd::find(spec, &[], &accounts, &groups).map(|user| (user.uid, user.gid)).map_err(|_| {
            Error::new(Kind::NotFound, format!("`{spec}` is not a user or group of the image"))
                .hint("write numbers, or add the user first: RUN adduser")
        })
    }

    /// Runs a command in a container of `parent` and commits its changes.
    fn run_step(
        &self,
        parent: &Image,
        (run, how): (&RunStep, BuildParams<'_>),
        origin: &Origin<'_>,
        out: &mut dyn Write,
        cancel: &CancelToken,
    ) -> Result<Image> {
        let words = configure::words(&parent.document, &run.command);
        let variable = |(key, value): &(String, String)| EnvEntry::Set {
            key: key.clone(),
            value: value.clone(),
        };
        self.remove_lost_builds()?;
        let owned = BuildFile::new(&self.settings.root)?;
        let builder = self.build_session()?;
        let mut options = how.run.cloned().unwrap_or_default();
        if run.without_network {
            options.namespaces.network = NamespaceMode::default();
        }
        let mounted = self.mounted(parent, run, how.secrets, cancel)?;
        options.mounts.list.extend(mounted.mounts.iter().cloned());
        let options = CreateOptions {
            name: Some(owned.name().clone()),
            session: Some(builder.token().to_owned()),
            cmd: Some(words.clone()),
            entrypoint: Some(Vec::new()),
            env: run.arguments.iter().chain(&run.hidden).map(variable).collect(),
            ..options
        };
        let line = words.join(" ");
        builder.created()?;
        let id = self.create(parent.id.as_str(), &options).inspect_err(|_| builder.removed())?;
        let tee = RefCell::new(Tail { out, tail: Vec::new() });
        let (mut stdout, mut stderr) = (Tee(&tee), Tee(&tee));
        let attach = Attach::to_output(&mut stdout, &mut stderr);
        let image = match self.attach(&id, attach, cancel) {
            Ok(AttachOutcome::Exited(0) | AttachOutcome::Detached) => {
                self.share_images().and_then(|_use| {
                    let image = self.commit_run(&id, parent, origin, cancel)?;
                    how.hold.map_or(Ok(()), |hold| hold.add(&image))?;
                    Ok(image)
                })
            }
            Ok(AttachOutcome::Exited(code)) => {
                Err(tee.borrow().failed(&line, code, how.output_visible))
            }
            Err(error) if error.kind() == Kind::Cancelled => Err(error),
            Err(error) => Err(error.context(format!("cannot run `{line}`"))),
        };
        // The container is removed however the command ended, and also after Ctrl-C.
        let all = RemoveOptions { force: true, volumes: true };
        let removed = CancelToken::new().and_then(|calm| self.rm(&id, &all, &calm));
        let removed = removed.context(|| "remove the container of the step".to_owned());
        drop(mounted);
        if removed.is_ok() {
            builder.removed();
        }
        match (image, removed) {
            (Err(error), Err(other)) => Err(error.cause(other)),
            (image, Ok(())) => image,
            (Ok(_), Err(error)) => Err(error),
        }
    }
}

/// Passes the output of a command on and keeps its end.
struct Tail<'a> {
    out: &'a mut dyn Write,
    tail: Vec<u8>,
}

struct Tee<'a, 'b>(&'a RefCell<Tail<'b>>);

impl Write for Tee<'_, '_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut tail = self.0.borrow_mut();
        tail.tail.extend_from_slice(bytes);
        let surplus = tail.tail.len().saturating_sub(TAIL_BYTES);
        tail.tail.drain(..surplus);
        tail.out.write_all(bytes).map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.borrow_mut().out.flush()
    }
}

impl Tail<'_> {
    /// Returns the error of a command that exited with `code`: Docker's words, and the last lines
    /// if they were not printed.
    fn failed(&self, line: &str, code: i32, output_visible: bool) -> Error {
        let message = format!("process `{line}` did not complete successfully: exit code: {code}");
        let text = String::from_utf8_lossy(&self.tail);
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = &lines[lines.len().saturating_sub(TAIL_LINES)..];
        let error = Error::new(Kind::Died, message);
        let error = error.with_exit_code(u8::try_from(code).unwrap_or(1));
        if output_visible {
            return error;
        }
        last.iter().fold(error, |error, line| error.cause(line.trim_end()))
    }
}
