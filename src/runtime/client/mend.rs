//! What stands in the place of a container's files and directories: found and repaired by a check.

use std::fs::{self, FileType, Permissions};
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::Value;

use super::create::make_stdin;
use super::etc_files;
use super::lost::SOCKET;
use super::runtime::{CGROUP_PARENT, REQUESTED_CGROUP_PARENT, Runtime};
use super::session::KEPT;
use crate::model::container::ContainerSpec;
use crate::model::container::storage::Driver;
use crate::model::error::Context as _;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::model::{Error, Kind, Result};
use crate::runtime::record::directory::Directory;
use crate::runtime::record::mend::replaced;
use crate::runtime::record::place::{clear_place, replace_by_directory};
use crate::sys::place;

/// Writes a container's `config.json` anew.
pub type WriteConfig<'a> = &'a dyn Fn(&ContainerSpec) -> Result<()>;

/// What belongs in a place of a container's directory.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Directory,
    /// A file that each container has.
    File,
    /// A file that a container may have.
    FileIfAny,
    Fifo,
    /// A socket, while it runs.
    SocketIfAny,
}

/// The marks and caches, which a container does without.
const IF_ANY: [&str; 5] =
    ["log.jsonl", CGROUP_PARENT, REQUESTED_CGROUP_PARENT, KEPT, ".state.json.reserve"];

impl Runtime {
    /// Describes what is damaged of containers and volumes. With `repair`, repairs it as far as
    /// possible.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn damaged(
        &self,
        options: &CheckOptions,
        write_config: WriteConfig<'_>,
    ) -> Result<Vec<(String, Resolution)>> {
        let mut found = self.containers.damaged(options)?;
        for id in self.containers.ids().unwrap_or_default() {
            let of_files = self.damaged_files(&id, options, write_config);
            // Files that go while it is removed are not damage.
            if self.directory(&id).exists() {
                found.extend(of_files);
            }
        }
        Ok(found)
    }

    /// Adds to the error of a start what stands in the place of a file that it needs.
    pub(super) fn with_damage(&self, id: &ContainerId, error: Error) -> Error {
        let look = CheckOptions::default();
        let mut found = self.damaged_files(id, &look, &|_| Ok(()));
        let spec = self.directory(id).read_spec();
        for volume in spec.iter().flat_map(|spec| spec.host_config.mounts.volumes()) {
            found.extend(self.containers.volumes().damage_of(volume, &look));
        }
        match found.into_iter().next() {
            Some((what, _)) => error.cause(what).hint("repair it: lifebox system check --repair"),
            None => error,
        }
    }

    fn damaged_files(
        &self,
        id: &ContainerId,
        options: &CheckOptions,
        write_config: WriteConfig<'_>,
    ) -> Vec<(String, Resolution)> {
        let directory = self.directory(id);
        // Without it nothing can be repaired, which has been said.
        let Ok(spec) = directory.read_spec() else { return Vec::new() };
        let name = self.containers.shown_name(id);
        let runs = matches!(directory.try_lock(), Ok(None));
        let mut found = Vec::new();
        for (file, expected) in places(&spec, &directory) {
            let Some(wrong) = wrong(&directory, &file, expected) else { continue };
            let what = format!("the container `{name}`: its `{file}` {wrong}");
            let mend = || match runs {
                true => Err(Error::new(
                    Kind::Refused,
                    format!("it runs, stop it first: lifebox stop {name}"),
                )),
                // A start was killed: what it left goes with the socket.
                false if expected == Expected::SocketIfAny => {
                    let _lock = directory.try_lock()?;
                    self.settled_state(&directory, id).map(|_| None)
                }
                false => mend(&directory, &spec, &file, expected, write_config),
            };
            found.push(replaced(what, options.repair.then(mend)));
        }
        found
    }
}

/// Returns the places of a container's directory, but for those of its record.
fn places(spec: &ContainerSpec, directory: &Directory) -> Vec<(String, Expected)> {
    let mut all = vec![("rootfs", Expected::Directory), ("config.json", Expected::File)];
    if spec.host_config.storage == Driver::Overlay {
        all.extend([("upper", Expected::Directory), ("work", Expected::Directory)]);
    }
    all.extend(etc_files::NAMES.map(|name| (name, Expected::File)));
    all.extend(IF_ANY.map(|name| (name, Expected::FileIfAny)));
    all.push((SOCKET, Expected::SocketIfAny));
    if spec.config.open_stdin {
        all.push(("stdin", Expected::Fifo));
    }
    let mut all: Vec<_> = all.into_iter().map(|(name, kind)| (name.to_owned(), kind)).collect();
    let entries = fs::read_dir(directory.path()).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_full_log = |name: &String| {
        let number = name.strip_prefix("log.jsonl.");
        number.is_some_and(|number| number.parse::<u64>().is_ok())
    };
    all.extend(names.filter(is_full_log).map(|name| (name, Expected::FileIfAny)));
    all
}

/// Describes what is wrong with a place.
fn wrong(directory: &Directory, file: &str, expected: Expected) -> Option<String> {
    let (is_right, name): (fn(&FileType) -> bool, _) = match expected {
        Expected::Directory => (FileType::is_dir, "a directory"),
        Expected::File | Expected::FileIfAny => (FileType::is_file, "a regular file"),
        Expected::Fifo => (|kind| kind.is_fifo(), "a fifo"),
        Expected::SocketIfAny => (|kind| kind.is_socket(), "a socket"),
    };
    let path = directory.file(file);
    match place::instead_of(&path, is_right) {
        Ok(Some(kind)) => Some(format!("is {kind}, not {name}")),
        Err(error) => Some(format!("cannot be looked at: {error}")),
        Ok(None) if path.symlink_metadata().is_err() => {
            let may_miss = matches!(expected, Expected::FileIfAny | Expected::SocketIfAny);
            (!may_miss).then(|| "is missing".to_owned())
        }
        Ok(None) if file == "config.json" => {
            let read = directory.read::<Value>(file).err();
            read.filter(|error| error.kind() == Kind::Corrupt)
                .map(|error| format!("cannot be read: {error}"))
        }
        Ok(None) => None,
    }
}

/// Puts the right thing in a place. Returns the name of what it has kept beside it.
fn mend(
    directory: &Directory,
    spec: &ContainerSpec,
    file: &str,
    expected: Expected,
    write_config: WriteConfig<'_>,
) -> Result<Option<String>> {
    let path = directory.file(file);
    if expected == Expected::Directory {
        return mend_directory(&path, spec, file);
    }
    if file == "config.json" && spec.host_config.storage == Driver::Vfs {
        return Err(is_lost("its time says which files the container has changed"));
    }
    clear_place(&path)?;
    match expected {
        Expected::Fifo => make_stdin(directory)?,
        Expected::File if file == "config.json" => write_config(spec)?,
        Expected::File => etc_files::write_one(directory, spec, file)?,
        _ => mend_mark(&path, spec, file)?,
    }
    Ok(None)
}

/// Writes a mark anew whose content or presence is known.
fn mend_mark(path: &Path, spec: &ContainerSpec, file: &str) -> Result<()> {
    let content = match file {
        KEPT => "",
        REQUESTED_CGROUP_PARENT => match &spec.host_config.resources.cgroup_parent {
            Some(parent) => parent,
            None => return Ok(()),
        },
        _ => return Ok(()),
    };
    fs::write(path, content).context(|| format!("write `{}`", path.display()))
}

fn mend_directory(path: &Path, spec: &ContainerSpec, file: &str) -> Result<Option<String>> {
    let mode = match file {
        "work" => 0o700,
        "rootfs" if spec.host_config.storage == Driver::Vfs => {
            return Err(is_lost("it had all files of the container"));
        }
        _ => 0o755,
    };
    let kept = replace_by_directory(path)?;
    let opened = fs::set_permissions(path, Permissions::from_mode(mode));
    opened.context(|| format!("chmod `{}`", path.display()))?;
    Ok(kept)
}

fn is_lost(why: &str) -> Error {
    Error::new(Kind::Corrupt, format!("{why}; remove the container: lifebox rm -f NAME"))
}
