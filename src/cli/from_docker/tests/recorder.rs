//! An engine that keeps the options of its calls.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::Value;

use crate::engine::{
    Attach, Backend, Builds, CancelToken, ContainerSession, Containers, CopyOptions, EventStream,
    Files, Images, LogStream, Observe, Processes, Registries, RootTarget, Transfer, Volumes,
    pass_on,
};
use crate::model::Result;
use crate::model::container::exec::{AttachOutcome, ExecOptions};
use crate::model::container::options::{CreateOptions, RemoveOptions, StopOptions};
use crate::model::container::status::Action;
use crate::model::container::{Changes, Container};
use crate::model::image::build::{BuildOptions, BuildStep, Change, CommitOptions, ImportOptions};
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions, Usage};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::event::EventOptions;
use crate::model::observe::introspection::{ImageIntrospection, Introspection, PathLayers};
use crate::model::observe::log::LogOptions;
use crate::model::observe::progress::{Access, Progress, PullOptions, Pulled, Pushed};
use crate::model::observe::readiness::{Probe, ProbeResult};
use crate::model::observe::stats::Stats;
use crate::model::observe::system::Info;
use crate::model::observe::top::Process;
use crate::model::observe::volume::{
    PruneVolumesOptions, PrunedVolumes, RemoveVolumeOptions, Volume, VolumeOptions, VolumeUse,
};
use crate::model::script::trace::TraceStep;
use crate::model::value::digest::Digest;
use crate::model::value::id::ContainerId;
use crate::model::value::name::ContainerName;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;

/// An engine that keeps the options of each container that it is to create, and creates a plain
/// container instead: generated options name files and containers that do not exist, which the
/// simulated engine refuses as the native one does.
#[derive(Debug)]
pub struct Recorder {
    pub inner: Arc<dyn Backend>,
    pub requested: Mutex<Vec<CreateOptions>>,
}

impl Containers for Recorder {
    fn create(&self, image: &str, options: &CreateOptions) -> Result<ContainerId> {
        self.requested.lock().unwrap().push(options.clone());
        self.inner.create(image, &CreateOptions::default())
    }

    pass_on::containers! {
        inner:
        find, start_session, start, pause, unpause, stop, kill, restart, rm, update, rename, wait
    }
}

impl Images for Recorder {
    pass_on::images! {
        inner:
        image, images, image_ids, image_json, introspect_image, image_from_host, load, load_stream,
        save, save_stream, tag, history, image_usage, prune_images, check, rmi, rmi_each
    }
}

impl Registries for Recorder {
    pass_on::registries! { inner: ensure_image, pull, tags, push, login, logout }
}

impl Builds for Recorder {
    pass_on::builds! { inner: step, build, build_archive, write_root, import_tar }
}

impl Processes for Recorder {
    pass_on::processes! { inner: attach, exec, top, probe }
}

impl Files for Recorder {
    pass_on::files! { inner: copy, diff, commit, export, container_size, path_layers }
}

impl Volumes for Recorder {
    fn volume_create(&self, options: &VolumeOptions) -> Result<Volume> {
        self.inner.volume_create(options)
    }

    fn volumes(&self) -> Result<Vec<VolumeUse>> {
        self.inner.volumes()
    }

    fn volume(&self, name: &str) -> Result<VolumeUse> {
        self.inner.volume(name)
    }

    fn volume_rm(&self, name: &str, options: &RemoveVolumeOptions) -> Result<()> {
        self.inner.volume_rm(name, options)
    }

    fn volume_rm_each(
        &self,
        names: &[&str],
        options: &RemoveVolumeOptions,
    ) -> Result<Vec<Result<()>>> {
        self.inner.volume_rm_each(names, options)
    }

    fn volume_prune(&self, options: &PruneVolumesOptions) -> Result<PrunedVolumes> {
        self.inner.volume_prune(options)
    }
}

impl Observe for Recorder {
    pass_on::observe! {
        inner:
        is_dry_run, info, ps, inspect, inspect_json, introspect, plan_action, stats, logs, events,
        usage
    }
}
