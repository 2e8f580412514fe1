//! The user's mounts as steps: sources are opened first, and mounted later.

use std::collections::{BTreeMap, HashMap};
use std::ffi::CString;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Mount, Spec};

use super::inputs::PlanInputs;
use super::namespaces;
use super::read::{missing, options_of, relative_to_root, text};
use super::step::{BindSource, CopyUp, MountStep, Step};
use super::volume_mounts::{self, annotation, beneath};
use crate::model::Result;
use crate::runtime::oci;
use crate::sys::mount::{Attributes, View};

/// The directory of POSIX shared memory, which belongs to the IPC namespace.
const DEV_SHM: &str = "/dev/shm";

/// A volume or a bind of the user, without the steps of a start around it.
#[derive(Debug)]
pub(in crate::runtime) struct UserMount {
    /// What is mounted.
    pub(in crate::runtime) source: BindSource,
    /// Relative to the root.
    pub(in crate::runtime) target: CString,
    /// The volume that is filled from the root if it is empty.
    pub(in crate::runtime) fill: Option<CopyUp>,
}

/// The volumes and binds of a container.
#[derive(Debug)]
pub(in crate::runtime) struct UserMounts {
    /// The steps that mount the devices of volumes, and images.
    pub(in crate::runtime) prepare: Vec<Step>,
    /// The mounts, each after those that it is below.
    pub(in crate::runtime) list: Vec<UserMount>,
}

/// Returns the volumes and binds of a container.
pub(in crate::runtime) fn user_mounts(spec: &Spec, inputs: &PlanInputs) -> Result<UserMounts> {
    let mut binds = BindMounts::new(spec, inputs)?;
    let fill = |target: &CString| {
        binds.copy_up.iter().find_map(|step| match step {
            Step::CopyUpVolume(copy) if copy.target == *target => Some(copy.clone()),
            _ => None,
        })
    };
    let mut sources: Vec<Option<Step>> = binds.open.into_iter().map(Some).collect();
    let mut list = Vec::new();
    for mount in spec.mounts().iter().flatten() {
        let Some(Step::AttachBind { fd_index, target, .. }) =
            binds.steps.remove(mount.destination())
        else {
            continue;
        };
        // Shared memory of another container is there only while both run.
        if let Some(Step::OpenBindSource(source)) = sources[fd_index].take() {
            list.push(UserMount { source, fill: fill(&target), target });
        }
    }
    Ok(UserMounts { prepare: binds.prepare, list })
}

/// The steps of the user's mounts.
pub(super) struct BindMounts {
    /// The steps that mount the devices of volumes, and images.
    pub(super) prepare: Vec<Step>,
    /// Steps before the root is mounted.
    pub(super) open: Vec<Step>,
    /// Steps after the root is mounted.
    pub(super) copy_up: Vec<Step>,
    /// The mount steps, by target.
    pub(super) steps: HashMap<PathBuf, Step>,
}

impl BindMounts {
    pub(super) fn new(spec: &Spec, inputs: &PlanInputs) -> Result<Self> {
        let mut binds = BindMounts {
            prepare: volume_mounts::steps(spec, inputs)?,
            open: Vec::new(),
            copy_up: Vec::new(),
            steps: HashMap::new(),
        };
        let parts: BTreeMap<String, String> = annotation(spec, oci::SUBPATHS)?;
        let joined = namespaces::joined(spec)?;
        let shares = joined.contains_key("ipc");
        for mount in spec.mounts().iter().flatten() {
            let step = match mount.typ().as_deref() {
                Some("bind") if is_tree(mount) => binds.open(mount, &parts)?,
                Some("tmpfs") if shares && mount.destination() == Path::new(DEV_SHM) => {
                    let fd_index = binds.open.len();
                    binds.open.push(Step::OpenDevShm);
                    Step::AttachBind {
                        fd_index,
                        source: text("shared memory")?,
                        target: relative_to_root(DEV_SHM)?,
                    }
                }
                Some("tmpfs") if !is_ours(mount.destination()) => tmpfs(mount)?,
                _ => continue,
            };
            binds.steps.insert(mount.destination().clone(), step);
        }
        let pairs: Vec<(String, String)> = annotation(spec, oci::COPY_UP)?;
        for (volume, target) in pairs {
            let beneath = beneath(&parts, &target)?;
            let has_device = |step: &Step| match step {
                Step::MountVolume(device) => volume.rsplit('/').next() == Some(&device.name),
                _ => false,
            };
            binds.copy_up.push(Step::CopyUpVolume(CopyUp {
                own: beneath.is_none() && !binds.prepare.iter().any(has_device),
                beneath,
                volume: text(&volume)?,
                target: relative_to_root(&target)?,
            }));
        }
        Ok(binds)
    }

    /// Adds the step that opens a source. Returns the step that mounts it.
    fn open(&mut self, mount: &Mount, parts: &BTreeMap<String, String>) -> Result<Step> {
        let source = mount.source().as_ref().ok_or_else(|| missing("source"))?;
        let options = mount.options().as_deref().unwrap_or_default();
        let has = |option: &str| options.iter().any(|known| known == option);
        let plain: Vec<String> = options.iter().filter(|o| *o != "rro").cloned().collect();
        let mut attributes = options_of(&plain)?.0;
        attributes.set(
            Attributes::MOUNT_ATTR_RDONLY,
            has("rro") || attributes.contains(Attributes::MOUNT_ATTR_RDONLY),
        );
        let fd_index = self.open.len();
        let view = View { whole: has("rbind"), attributes, slave: has("rslave") };
        let path = text(&source.to_string_lossy())?;
        let source = path.clone();
        let target = mount.destination().to_string_lossy();
        let beneath = beneath(parts, &target)?;
        self.open.push(Step::OpenBindSource(BindSource { fd_index, path, beneath, view }));
        let target = relative_to_root(&target)?;
        Ok(Step::AttachBind { fd_index, source, target })
    }
}

fn tmpfs(mount: &Mount) -> Result<Step> {
    let (attributes, settings) = options_of(mount.options().as_deref().unwrap_or_default())?;
    Ok(Step::MountTmpfs(MountStep {
        target: relative_to_root(&mount.destination().to_string_lossy())?,
        fstype: text("tmpfs")?,
        source: text("tmpfs")?,
        settings,
        attributes,
        optional: false,
        fallback_bind: None,
    }))
}

/// Returns whether the source is a tree: a file of the container's directory has a plain name.
fn is_tree(mount: &Mount) -> bool {
    mount
        .source()
        .as_ref()
        .is_some_and(|source| source.components().count() > 1 || source.is_absolute())
}

/// Returns whether the path is a tmpfs of every container.
fn is_ours(path: &Path) -> bool {
    path == Path::new("/dev") || path == Path::new(DEV_SHM)
}
