//! Damaged records, and what stands in the place of a file or a directory: found and repaired by a
//! check.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::container_store::ContainerStore;
use super::directory::Directory;
use super::place::{clear_directory, clear_place, replace_by_directory};
use crate::model::container::State;
use crate::model::error::Context as _;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::model::{Kind, Result};
use crate::sys::{place, record_file, store_dir, tree};

/// The directories below the root; what holds another comes before it.
const DIRECTORIES: [&str; 15] = [
    "containers",
    "staging",
    "removing",
    "names",
    "builds",
    "build-cache",
    "volumes",
    "isolated",
    "learn",
    "images",
    "images/blobs",
    "images/blobs/sha256",
    "images/layers",
    "images/staging",
    "images/flat",
];

/// The files below the root that belong to no container and no volume.
const FILES: [&str; 9] = [
    "events.jsonl",
    "storage-driver",
    "namespace",
    "init",
    "names/.lock",
    "volumes/.lock",
    "images/lock",
    "images/oci-layout",
    "images/index.json.copy",
];

impl ContainerStore {
    /// Describes what stands in the place of a directory below the root, each with its path. With
    /// `repair`, makes directories.
    pub fn misplaced(&self, options: &CheckOptions) -> Vec<(PathBuf, (String, Resolution))> {
        let known = DIRECTORIES.iter().map(|&name| name.to_owned());
        let private = self.names_in("").into_iter().filter_map(|name| name.into_string().ok());
        // `isolated-2` and so on.
        let is_private = |name: &String| {
            let number = name.strip_prefix("isolated-").or_else(|| name.strip_prefix("learn-"));
            number.is_some_and(|number| number.parse::<u32>().is_ok())
        };
        let directories = known.chain(private.filter(is_private));
        let found = directories.filter_map(|place| {
            self.mend_directory(&place, options).map(|found| (self.place(&place), found))
        });
        found.collect()
    }

    /// Describes what stands in the place of a record or a lock, and damaged records of containers.
    /// With `repair`, makes room for the right file, and writes records anew as far as their
    /// content is known.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn damaged(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found: Vec<_> =
            self.files().iter().filter_map(|file| self.mend_place(file, options)).collect();
        found.extend(self.mend_links(options));
        // What stands in the place of all has been described.
        let ids = self.ids().or_else(|error| match error.kind() {
            Kind::Corrupt => Ok(Vec::new()),
            _ => Err(error),
        })?;
        for id in ids {
            found.extend(self.mend_container(&id, options));
        }
        Ok(found)
    }

    fn mend_directory(
        &self,
        directory: &str,
        options: &CheckOptions,
    ) -> Option<(String, Resolution)> {
        let path = self.place(directory);
        // Users may keep the images on another disk.
        if directory == "images" && path.join("oci-layout").is_file() {
            return None;
        }
        // An error is that of a directory above, which has been described.
        let kind = place::instead_of_directory(&path).ok()??;
        let what = format!("`{directory}` is {kind}, not a directory");
        Some(replaced(what, options.repair.then(|| replace_by_directory(&path))))
    }

    /// Returns the names in a directory of the root; none if something else stands in its place.
    fn names_in(&self, directory: &str) -> Vec<OsString> {
        store_dir::names(&self.place(directory)).ok().flatten().unwrap_or_default()
    }

    /// Returns the paths of all files of the root, relative to it.
    fn files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
        let is_full_journal = |name: &OsString| {
            let number = name.to_str().and_then(|name| name.strip_prefix("events.jsonl."));
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        };
        let is_of_root =
            |name: &OsString| is_full_journal(name) || name.as_encoded_bytes().ends_with(b".lock");
        files.extend(self.names_in("").into_iter().filter(is_of_root).map(PathBuf::from));
        let builds = self.names_in("builds").into_iter().map(|name| Path::new("builds").join(name));
        // What an earlier repair has kept does not belong to the engine.
        files.extend(builds.filter(|path| path.extension().is_none_or(|end| end != "damaged")));
        files
    }

    fn mend_place(&self, file: &Path, options: &CheckOptions) -> Option<(String, Resolution)> {
        let path = self.place("").join(file);
        let kind = place::instead_of_file(&path).ok()??;
        let what = format!("`{}` is {kind}, not a regular file", file.display());
        let cleared = options.repair.then(|| clear_place(&path));
        Some((what, Resolution::of_removal(cleared)))
    }

    /// Finds names that are not links.
    fn mend_links(&self, options: &CheckOptions) -> Vec<(String, Resolution)> {
        let names = self.place("names");
        let is_other = |name: &OsString| {
            // The lock, and what a repair has kept of it.
            let is_name = !name.as_encoded_bytes().starts_with(b".");
            is_name && names.join(name).symlink_metadata().is_ok_and(|found| !found.is_symlink())
        };
        let found = self.names_in("names").into_iter().filter(is_other).map(|name| {
            let removed = options.repair.then(|| tree::remove_any_at(&names.join(&name)));
            let what = format!("the name `{}` is not a link", name.display());
            (what, Resolution::of_removal(removed))
        });
        found.collect()
    }

    /// Returns the name of a container for a finding.
    pub(crate) fn shown_name(&self, id: &ContainerId) -> String {
        self.name_of(id).map_or_else(|| id.short().to_owned(), |name| name.to_string())
    }

    fn mend_container(
        &self,
        id: &ContainerId,
        options: &CheckOptions,
    ) -> Vec<(String, Resolution)> {
        let directory = self.directory(id);
        if let Ok(Some(kind)) = place::instead_of_directory(directory.path()) {
            let what =
                format!("the container `{}` is {kind}, not a directory", self.shown_name(id));
            let cleared = options.repair.then(|| clear_directory(directory.path()));
            let gone = cleared.as_ref().is_some_and(Result::is_ok);
            let (what, resolution) = replaced(what, cleared);
            return vec![(what, if gone { Resolution::Removed } else { resolution })];
        }
        let mut found: Vec<_> = self.mend_lock(id, options).into_iter().collect();
        found.extend(self.mend_record(id, options));
        found
    }

    fn mend_lock(&self, id: &ContainerId, options: &CheckOptions) -> Option<(String, Resolution)> {
        let path = self.directory(id).file("lock");
        let kind = place::instead_of_file(&path).ok()??;
        let what = format!(
            "the container `{}`: its `lock` is {kind}, not a regular file",
            self.shown_name(id)
        );
        let make = || {
            clear_place(&path)?;
            record_file::open_or_create_lock(&path)
                .context(|| format!("create `{}`", path.display()))
        };
        Some(replaced(what, options.repair.then(|| make().map(|_| None))))
    }

    fn mend_record(
        &self,
        id: &ContainerId,
        options: &CheckOptions,
    ) -> Option<(String, Resolution)> {
        let directory = self.directory(id);
        let (spec, state) = (directory.read_spec(), directory.read_state());
        let mendable = spec.is_ok();
        let error = spec.err().or(state.err())?;
        if !directory.exists() {
            return None;
        }
        let name = self.name_of(id);
        let shown = self.shown_name(id);
        let what = format!("the container `{shown}`: {error}");
        if !options.repair {
            return Some((what, Resolution::Found));
        }
        let name = name.or_else(|| id.short().parse().ok());
        let (true, Some(name)) = (mendable, name) else {
            let way = format!("remove it: lifebox rm -f {shown}");
            return Some((what, Resolution::Unrepaired(way)));
        };
        let write = |directory: &Directory| {
            let Some(_lock) = directory.try_lock()? else { return Ok(false) };
            clear_place(&directory.file("state.json"))?;
            let mut state = State::created(name).exited(255, Timestamp::now());
            "its record was damaged".clone_into(&mut state.error);
            directory.write_state(&state).map(|()| true)
        };
        let resolution = match write(&directory) {
            Ok(true) => Resolution::Repaired,
            Ok(false) => {
                Resolution::Unrepaired(format!("it runs, stop it first: lifebox stop {shown}"))
            }
            Err(error) => Resolution::Unrepaired(error.to_string()),
        };
        Some((what, resolution))
    }
}

/// Returns a finding with what became of it: what was kept is named.
pub(crate) fn replaced(what: String, done: Option<Result<Option<String>>>) -> (String, Resolution) {
    match done {
        None => (what, Resolution::Found),
        Some(Ok(None)) => (what, Resolution::Repaired),
        Some(Ok(Some(kept))) => (format!("{what}, and is kept as `{kept}`"), Resolution::Repaired),
        Some(Err(error)) => (what, Resolution::Unrepaired(error.to_string())),
    }
}
