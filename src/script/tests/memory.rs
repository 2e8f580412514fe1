//! A container engine in memory: its life cycle is the table of `model::status`, its programs are a
//! few words: `echo TEXT`, `exit N`, `count`, `die`; all others run until they are killed.

use std::collections::HashMap;
use std::io::Write;

use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::Value;

use super::entry::{self, Entry, Reading};
use super::lives::Lives;
use crate::engine::{
    Attach, CancelToken, Containers, CopyOptions, EventStream, Files, Images, LogStream, Observe,
    Processes, Session, Transfer, Volumes,
};
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::container::status::{Action, Status, check};
use crate::model::container::{Changes, Container, State};
use crate::model::image::build::{Change, ChangeKind, CommitOptions};

use crate::model::image::usage::Usage;
use crate::model::image::{Image, ImageConfig, PullPolicy};
use crate::model::inspect::{self, ContainerPaths};

use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::{Introspection, PathLayers};
use crate::model::observe::log::LogOptions;

use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};
use crate::model::script::trace::TraceStep;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;

use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

#[derive(Debug, Default)]
pub struct Memory {
    world: Arc<Mutex<HashMap<ContainerId, Entry>>>,
    pub(super) created: AtomicU8,
    pub asked: Mutex<Vec<CreateOptions>>,
}

pub(super) fn image(tag: &str, seed: u8) -> Image {
    Image {
        tags: vec![tag.parse().unwrap()],
        size: 1_500_000,
        config: ImageConfig {
            cmd: Some(vec!["sh".to_owned()]),
            env: vec!["PATH=/bin".to_owned()],
            ..ImageConfig::default()
        },
        ..Image::plain(seed)
    }
}

impl Memory {
    fn with<T>(&self, id: &ContainerId, f: impl FnOnce(&mut Entry) -> Result<T>) -> Result<T> {
        let mut world = self.world.lock().unwrap();
        let missing = || Error::new(Kind::NotFound, format!("no such container: {}", id.short()));
        f(world.get_mut(id).ok_or_else(missing)?)
    }

    fn allow(entry: &Entry, action: Action) -> Result<()> {
        let state = &entry.container.state;
        check(state.name.as_str(), state.status, action).map(drop)
    }

    pub fn end(entry: &mut Entry, code: i32) {
        entry.container.state = entry.container.state.clone().exited(code, Timestamp::now());
    }
}

fn no_volume(name: &str) -> Error {
    Error::new(Kind::NotFound, format!("get {name}: no such volume"))
        .hint("`volume ls` shows the volumes")
}

impl Containers for Memory {
    fn find(&self, query: &str) -> Result<ContainerId> {
        let world = self.world.lock().unwrap();
        let found = world.values().find(|entry| {
            entry.container.state.name.as_str() == query
                || entry.container.spec.id.as_str().starts_with(query)
        });
        found.map(|entry| entry.container.spec.id.clone()).ok_or_else(|| {
            Error::new(Kind::NotFound, format!("no such container: {query}")).container(query, None)
        })
    }

    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        let image = self.image(image, PullPolicy::Never)?;
        let number = self.created.fetch_add(1, Ordering::SeqCst);
        let mut bytes = [0xa0 + number % 0x50; 32];
        bytes[31] = number;
        let id = ContainerId::from_random(bytes).unwrap();
        let name = options.name.clone().unwrap_or_else(|| format!("box_{number}").parse().unwrap());
        let mut world = self.world.lock().unwrap();
        if world.values().any(|entry| entry.container.state.name == name) {
            return Err(Error::new(Kind::Exists, format!("the name `{name}` is in use")));
        }
        self.asked.lock().unwrap().push(options.clone());
        let spec = entry::spec(id.clone(), image, options);
        let container = Container { spec, state: State::created(name) };
        world.insert(id.clone(), Entry { container, lines: Vec::new() });
        Ok(id)
    }

    fn start_session(&self) -> Result<Session> {
        Ok(Session::without_reaper())
    }

    fn start(&self, id: &ContainerId) -> Result<()> {
        self.with(id, |entry| {
            Self::allow(entry, Action::Start)?;
            if entry.container.state.status == Status::Running { Ok(()) } else { entry.run() }
        })
    }

    fn pause(&self, id: &ContainerId) -> Result<()> {
        self.with(id, |entry| {
            Self::allow(entry, Action::Pause)?;
            entry.container.state.status = Status::Paused;
            Ok(())
        })
    }

    fn unpause(&self, id: &ContainerId) -> Result<()> {
        self.with(id, |entry| {
            Self::allow(entry, Action::Unpause)?;
            entry.container.state.status = Status::Running;
            Ok(())
        })
    }

    fn stop(&self, id: &ContainerId, options: &StopOptions, _cancel: &CancelToken) -> Result<()> {
        let code = options.signal.unwrap_or(Signal::TERM).exit_code();
        self.with(id, |entry| {
            Self::allow(entry, Action::Stop)?;
            if entry.container.state.status.is_live() {
                Self::end(entry, code);
            }
            Ok(())
        })
    }

    fn kill(&self, id: &ContainerId, signal: Signal) -> Result<()> {
        self.with(id, |entry| {
            Self::allow(entry, Action::Kill)?;
            Self::end(entry, signal.exit_code());
            Ok(())
        })
    }

    fn restart(&self, id: &ContainerId, options: &StopOptions, cancel: &CancelToken) -> Result<()> {
        self.stop(id, options, cancel)?;
        self.start(id)
    }

    fn rm(&self, id: &ContainerId, options: &RemoveOptions, _: &CancelToken) -> Result<()> {
        let action = if options.force { Action::RmForce } else { Action::Rm };
        self.with(id, |entry| Self::allow(entry, action))?;
        self.world.lock().unwrap().remove(id);
        Ok(())
    }

    fn update(&self, id: &ContainerId, changes: &Changes) -> Result<()> {
        self.with(id, |entry| {
            let updated = changes.resolve(&entry.container.spec.host)?;
            updated.apply(&mut entry.container.spec.host);
            Ok(())
        })
    }

    fn rename(&self, id: &ContainerId, name: &ContainerName) -> Result<()> {
        self.with(id, |entry| {
            entry.container.state.name = name.clone();
            Ok(())
        })
    }

    fn wait(
        &self,
        id: &ContainerId,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<i32> {
        let begin = Instant::now();
        loop {
            let state = self.inspect(id)?.state;
            if !state.status.is_live() {
                return Ok(state.exit_code);
            }
            if timeout.is_some_and(|timeout| begin.elapsed() >= timeout) {
                return Err(Error::new(Kind::Timeout, format!("`{}` still runs", state.name)));
            }
            cancel.sleep(Duration::from_millis(1))?;
        }
    }
}

impl Processes for Memory {
    fn attach(
        &self,
        id: &ContainerId,
        attach: Attach<'_>,
        cancel: &CancelToken,
    ) -> Result<AttachOutcome> {
        self.start(id)?;
        let code = self.wait(id, None, cancel)?;
        self.with(id, |entry| {
            for line in &entry.lines {
                let _ = attach.stdout.write_all(&line.bytes);
            }
            Ok(AttachOutcome::Exited(code))
        })
    }

    fn exec(
        &self,
        _: &ContainerId,
        _: &ExecOptions,
        _: Attach<'_>,
        _: &CancelToken,
    ) -> Result<AttachOutcome> {
        Err(Error::new(Kind::Unsupported, "nothing runs here"))
    }

    fn top(&self, _: &ContainerId) -> Result<Vec<Process>> {
        Err(Error::new(Kind::Unsupported, "nothing runs here"))
    }

    fn probe(&self, _: &ContainerId, probe: &Probe, _: &CancelToken) -> Result<ProbeResult> {
        Ok(ProbeResult::NotReady(format!("nothing here is {probe}")))
    }
}

impl Files for Memory {
    fn copy(
        &self,
        _: &ContainerId,
        _: Transfer<'_>,
        _: CopyOptions,
        _: &CancelToken,
    ) -> Result<()> {
        Err(Error::new(Kind::Unsupported, "nothing runs here"))
    }

    fn diff(&self, _id: &ContainerId) -> Result<Vec<Change>> {
        Ok(vec![Change { kind: ChangeKind::Added, path: "/new".to_owned() }])
    }

    fn commit(
        &self,
        id: &ContainerId,
        _reference: Option<&Reference>,
        _options: &CommitOptions,
        _cancel: &CancelToken,
    ) -> Result<Image> {
        let reference = self.with(id, |entry| Ok(entry.container.spec.image.reference.clone()))?;
        self.image(&reference, PullPolicy::Never)
    }

    fn export(&self, _id: &ContainerId, _out: &mut dyn Write, _cancel: &CancelToken) -> Result<()> {
        Ok(())
    }

    fn container_size(&self, _id: &ContainerId) -> Result<u64> {
        Ok(7)
    }

    fn path_layers(&self, _: &ContainerId, _: &str) -> Result<PathLayers> {
        Err(Error::new(Kind::Unsupported, "this engine has no layers to look into"))
    }
}

impl Volumes for Memory {
    fn volume_create(&self, _: &VolumeOptions) -> Result<Volume> {
        Err(Error::new(Kind::Unsupported, "this engine keeps no volumes"))
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        Ok(Vec::new())
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        Err(no_volume(name))
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        if options.force { Ok(()) } else { Err(no_volume(name)) }
    }

    fn volume_prune(&self, _: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        Ok(PrunedVolumes::default())
    }
}

impl Observe for Memory {
    fn is_dry_run(&self) -> bool {
        false
    }

    fn info(&self) -> Result<Info> {
        Err(Error::new(Kind::Unsupported, "no information here"))
    }

    fn ps(&self) -> Result<Vec<Container>> {
        let world = self.world.lock().unwrap();
        let mut all: Vec<_> = world.values().map(|entry| entry.container.clone()).collect();
        all.sort_by(|a, b| b.spec.id.cmp(&a.spec.id));
        Ok(all)
    }

    fn inspect(&self, id: &ContainerId) -> Result<Container> {
        self.with(id, |entry| Ok(entry.container.clone()))
    }

    fn inspect_json(&self, id: &ContainerId) -> Result<Value> {
        Ok(inspect::container(&self.inspect(id)?, &ContainerPaths::default()))
    }

    fn introspect(&self, _: &ContainerId) -> Result<Introspection> {
        Err(Error::new(Kind::Unsupported, "this engine has no containers to look into"))
    }

    fn plan_action(&self, _: &ContainerId, action: Action) -> Result<Vec<TraceStep>> {
        let message =
            format!("this engine does nothing for `{}` that could be told", action.verb());
        Err(Error::new(Kind::Unsupported, message))
    }

    fn stats(&self, id: &ContainerId) -> Result<Stats> {
        self.with(id, |_| Ok(Stats::default()))
    }

    fn logs(&self, id: &ContainerId, options: &LogOptions) -> Result<Box<dyn LogStream>> {
        self.inspect(id)?;
        let (world, id, options) = (Arc::clone(&self.world), id.clone(), options.clone());
        Ok(Box::new(Reading { world, id, options, next: 0, counted: 0 }))
    }

    fn events(&self, options: &EventOptions) -> Result<Box<dyn EventStream>> {
        Ok(Box::new(Lives::open(&self.world, options)))
    }

    fn usage(&self) -> Result<Usage> {
        Ok(Usage {
            images: self.image_usage()?,
            image_bytes: 3_000_000,
            reclaimable: 1_500_000,
            containers: Vec::new(),
        })
    }
}
