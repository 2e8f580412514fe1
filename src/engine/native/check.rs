//! `system check`: the places of the root, images, containers, volumes, and what was left.
//!
//! What one part finds out does not end the others: an error of the store is a finding.

use std::ffi::OsString;

use super::handle::Native;
use crate::engine::backend::CancelToken;
use crate::image::Store;
use crate::model::container::ContainerSpec;
use crate::model::container::storage::Driver;
use crate::model::creation::merge;
use crate::model::observe::check_report::{CheckOptions, Finding, Problem, Report, Resolution};
use crate::model::{Error, Kind, Result};
use crate::runtime::NewContainer;
use crate::runtime::host::store_dir::is_of_store;

/// What a part of a check finds.
type Found = Vec<(String, Resolution)>;

/// The findings of the parts of a check.
struct Parts {
    options: CheckOptions,
    findings: Vec<Finding>,
}

impl Parts {
    fn add(&mut self, problem: Problem, found: Found) {
        let finding = |(what, resolution)| Finding {
            problem,
            what,
            image: None,
            containers: Vec::new(),
            resolution,
        };
        self.findings.extend(found.into_iter().map(finding));
    }

    /// Adds what a part has found; an error of the store is damage, found once.
    fn part<T>(&mut self, part: Result<T>) -> Result<Option<T>> {
        let error = match part {
            Ok(found) => return Ok(Some(found)),
            Err(error) if !is_of_store(&error) => return Err(error),
            Err(error) => error,
        };
        let what = error.to_string();
        if self.findings.iter().any(|finding| finding.what == what) {
            return Ok(None);
        }
        let resolution = match self.options.repair {
            true => Resolution::Unrepaired(
                error.hint_text().unwrap_or("check again: lifebox system check").to_owned(),
            ),
            false => Resolution::Found,
        };
        self.add(Problem::Damage, vec![(what, resolution)]);
        Ok(None)
    }

    fn part_of(&mut self, problem: Problem, part: Result<Found>) -> Result<()> {
        let found = self.part(part)?;
        self.add(problem, found.unwrap_or_default());
        Ok(())
    }
}

impl Native {
    /// Checks the whole root.
    pub(super) fn check_all(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report> {
        let mut parts = Parts { options: *options, findings: Vec::new() };
        // First, because the checks below take the locks.
        let misplaced = self.runtime.misplaced(options);
        let is_left = |resolution: &Resolution| {
            !matches!(resolution, Resolution::Repaired | Resolution::Removed)
        };
        let left: Vec<String> = misplaced
            .iter()
            .filter(|(_, (_, resolution))| is_left(resolution))
            .map(|(path, _)| path.display().to_string())
            .collect();
        let write_config = |spec: &ContainerSpec| self.write_config(spec);
        parts.part_of(Problem::Damage, self.volume_store().damaged(options))?;
        parts.part_of(Problem::Damage, self.runtime.damaged(options, &write_config))?;
        parts.part_of(Problem::Damage, self.runtime.journal().damaged(options))?;
        let mut report = Report::default();
        if let Some(store) = parts.part(self.store())? {
            let hold = |options: &CheckOptions| match options.repair {
                true => self.lock_in_use(),
                false => self.list_in_use(),
            };
            let checked = store.check(options, &hold, &|| cancel.check());
            report = parts.part(checked)?.unwrap_or_default();
            let missing = self.missing_layers(&store, options);
            report.findings.extend(parts.part(missing)?.unwrap_or_default());
        }
        parts.part_of(Problem::Leftover, self.build_leftovers(options))?;
        for found in self.runtime.orphans(options) {
            parts.part_of(Problem::Leftover, found)?;
        }
        report.findings.extend(parts.findings);
        // What follows from a place that is described says nothing more.
        report.findings.retain(|finding| {
            let follows = |path: &String| {
                finding.what.contains(&format!("{path}`"))
                    || finding.what.contains(&format!("{path}/"))
            };
            finding.image.is_some() || !left.iter().any(follows)
        });
        let mut places = Parts { options: *options, findings: Vec::new() };
        places.add(Problem::Damage, misplaced.into_iter().map(|(_, found)| found).collect());
        report.findings.extend(places.findings);
        Ok(report)
    }

    /// Finds the containers whose image is gone in part.
    fn missing_layers(&self, store: &Store, options: &CheckOptions) -> Result<Vec<Finding>> {
        let mut findings = Vec::new();
        for user in self.users()? {
            let missing = user.layers.iter().find(|layer| !store.layer_dir(layer).is_dir());
            let Some(layer) = missing else { continue };
            let why = "remove it with `rm -f`, or pull or load its image again".to_owned();
            findings.push(Finding {
                problem: Problem::Damage,
                what: format!("a container needs the layer `{}`, which is missing", layer.short()),
                image: None,
                containers: vec![user.container],
                resolution: match options.repair {
                    true => Resolution::Unrepaired(why),
                    false => Resolution::Found,
                },
            });
        }
        Ok(findings)
    }

    /// Finds what killed builds left.
    fn build_leftovers(&self, options: &CheckOptions) -> Result<Found> {
        let lost = self.lost_builds().into_iter().map(|(path, _)| path);
        let lost: Vec<_> = lost.filter_map(|path| Some(path.file_name()?.to_owned())).collect();
        if lost.is_empty() {
            return Ok(Vec::new());
        }
        let removed = options.repair.then(|| self.remove_lost_builds());
        let resolution = Resolution::of_removal(removed);
        let name = |name: OsString| format!("the file of a killed build: {}", name.display());
        Ok(lost.into_iter().map(|lost| (name(lost), resolution.clone())).collect())
    }

    /// Writes the configuration of a container anew, from its record and its image.
    fn write_config(&self, spec: &ContainerSpec) -> Result<()> {
        if spec.host_config.storage == Driver::Vfs {
            return Err(Error::new(Kind::Unsupported, "its root is a copy"));
        }
        let (lower, merged) = self.stack(&self.store()?, &spec.image.layers)?;
        let lower: Vec<String> = lower.iter().map(|path| Self::from_container(path)).collect();
        let environment = merge::process_env(spec);
        let name = &spec.id.short().parse()?;
        let new = NewContainer { spec, name, environment: &environment, lower: &lower, root: None };
        self.runtime.write_config(&new)?;
        drop(merged);
        Ok(())
    }
}
