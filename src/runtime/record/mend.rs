//! Damaged records, and what stands in the place of a file: found and repaired by a check.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::container_store::ContainerStore;
use super::place::clear_place;
use crate::model::Result;
use crate::model::container::State;
use crate::model::observe::check_report::{CheckOptions, Resolution};
use crate::model::value::id::ContainerId;
use crate::sys::{record_file, tree};

/// The files below the root that belong to no container and no volume.
const FILES: [&str; 8] = [
    "use.lock",
    "events.jsonl",
    "storage-driver",
    "namespace",
    "init",
    "names/.lock",
    "volumes/.lock",
    "images/lock",
];

impl ContainerStore {
    /// Describes damaged records, and what stands in the place of a record or a lock. With
    /// `repair`, makes room for the right file, and writes records anew as far as their content is
    /// known.
    ///
    /// # Errors
    /// When the root can't be read.
    pub fn damaged(&self, options: &CheckOptions) -> Result<Vec<(String, Resolution)>> {
        let mut found = Vec::new();
        for file in self.files() {
            found.extend(self.mend_place(&file, options));
        }
        found.extend(self.mend_links(options));
        found.extend(self.volumes().mend(options)?);
        for id in self.ids()? {
            found.extend(self.mend_container(&id, options));
        }
        Ok(found)
    }

    /// Returns the paths of all files of the root, relative to it.
    fn files(&self) -> Vec<PathBuf> {
        let names = |directory: &str| {
            let entries = fs::read_dir(self.place(directory)).into_iter().flatten().flatten();
            entries.map(|entry| entry.file_name()).collect::<Vec<_>>()
        };
        let mut files: Vec<PathBuf> = FILES.iter().map(PathBuf::from).collect();
        let is_full_journal = |name: &OsString| {
            let number = name.to_str().and_then(|name| name.strip_prefix("events.jsonl."));
            number.is_some_and(|number| number.parse::<u64>().is_ok())
        };
        files.extend(names("").into_iter().filter(is_full_journal).map(PathBuf::from));
        let builds = names("builds").into_iter().map(|name| Path::new("builds").join(name));
        // What an earlier repair has kept does not belong to the engine.
        files.extend(builds.filter(|path| path.extension().is_none_or(|end| end != "damaged")));
        files
    }

    fn mend_place(&self, file: &Path, options: &CheckOptions) -> Option<(String, Resolution)> {
        let path = self.place("").join(file);
        let what = match record_file::found_instead(&path) {
            Ok(None) => return None,
            Ok(Some(kind)) => format!("`{}` is {kind}, not a regular file", file.display()),
            Err(error) => format!("`{}`: {error}", file.display()),
        };
        let cleared = options.repair.then(|| clear_place(&path));
        Some((what, Resolution::of_removal(cleared)))
    }

    /// Finds names that are not links.
    fn mend_links(&self, options: &CheckOptions) -> Vec<(String, Resolution)> {
        let entries = fs::read_dir(self.place("names")).into_iter().flatten().flatten();
        let others = entries.filter(|entry| {
            entry.file_name() != ".lock" && !entry.file_type().is_ok_and(|kind| kind.is_symlink())
        });
        let found = others.map(|entry| {
            let removed = options.repair.then(|| tree::remove_any_at(&entry.path()));
            let what = format!("the name `{}` is not a link", entry.file_name().display());
            (what, Resolution::of_removal(removed))
        });
        found.collect()
    }

    fn mend_container(
        &self,
        id: &ContainerId,
        options: &CheckOptions,
    ) -> Option<(String, Resolution)> {
        let directory = self.directory(id);
        let (spec, state) = (directory.read_spec(), directory.read_state());
        let mendable = spec.is_ok();
        let error = spec.err().or(state.err())?;
        if !directory.path().exists() {
            return None;
        }
        let name = self.name_of(id);
        let shown = name.as_ref().map_or_else(|| id.short().to_owned(), ToString::to_string);
        let what = format!("the container `{shown}`: {error}");
        if !options.repair {
            return Some((what, Resolution::Found));
        }
        let name = name.or_else(|| id.short().parse().ok());
        let (true, Some(name)) = (mendable, name) else {
            let way = format!("remove it: lifebox rm -f {shown}");
            return Some((what, Resolution::Unrepaired(way)));
        };
        let write = || {
            let Some(_lock) = directory.try_lock()? else { return Ok(false) };
            clear_place(&directory.file("state.json"))?;
            let mut state = State::created(name).exited(255, Timestamp::now());
            "its record was damaged".clone_into(&mut state.error);
            directory.write_state(&state).map(|()| true)
        };
        let resolution = match write() {
            Ok(true) => Resolution::Repaired,
            Ok(false) => {
                Resolution::Unrepaired(format!("it runs, stop it first: lifebox stop {shown}"))
            }
            Err(error) => Resolution::Unrepaired(error.to_string()),
        };
        Some((what, resolution))
    }
}
