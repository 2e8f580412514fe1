//! Limits: the file and its value for each controller, in v1 and in v2.
//!
//! One table serves all: it is checked when a container is created, written before its program
//! runs, and written again by `update`. A missing controller is an error that names it.

use std::fs;
use std::path::Path;

use oci_spec::runtime::LinuxResources;

use super::block_io;
use super::delegation::delegation_hint;
use super::file::write;
use super::group::{self, Cgroup};
use super::hierarchies;
use super::limit::{Limit, LimitScope};
use super::processors::check_processors;
use crate::model::container::resources::{PIDS_LIMIT, Resources};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::userns;

/// Returns the limits to write for `resources`.
fn table(resources: &LinuxResources, scope: LimitScope) -> Vec<Limit> {
    let mut table = memory(resources, scope);
    table.extend(cpu(resources, scope));
    table.extend(block_io::table(resources, scope));
    if let Some(limit) = resources.pids().as_ref().map(|pids| pids.limit()) {
        let text = if limit < 0 { "max".to_owned() } else { limit.to_string() };
        table.push(Limit {
            name: "--pids-limit",
            controller: ("pids", "pids"),
            v1: vec![vec![("pids.max", text.clone())]],
            v2: vec![vec![("pids.max", text)]],
            requested: limit != PIDS_LIMIT && limit >= 0,
        });
    }
    table
}

fn memory(resources: &LinuxResources, scope: LimitScope) -> Vec<Limit> {
    let memory = resources.memory().as_ref();
    let limit = memory.and_then(|memory| memory.limit());
    let swap = memory.and_then(|memory| memory.swap());
    let reservation = memory.and_then(|memory| memory.reservation());
    let text = |n: i64, none: &str| if n < 0 { none.to_owned() } else { n.to_string() };
    let one = |name, value: i64, requested, (old, new, of_v2): (_, _, i64)| Limit {
        name,
        controller: ("memory", "memory"),
        v1: vec![vec![(old, text(value, "-1"))]],
        v2: vec![vec![(new, text(of_v2, "max"))]],
        requested,
    };
    let mut table = Vec::new();
    if let Some(value) = limit.or(scope.default(-1)) {
        let files = ("memory.limit_in_bytes", "memory.max", value);
        table.push(one("--memory", value, value >= 0, files));
    }
    if let Some(value) = swap.or(scope.default(-1)) {
        // In v2 the limit of swap does not include memory.
        let alone = if value < 0 { -1 } else { value - limit.unwrap_or_default() };
        let requested = value >= 0 && limit.is_none_or(|limit| value != limit.saturating_mul(2));
        let files = ("memory.memsw.limit_in_bytes", "memory.swap.max", alone);
        table.push(one("--memory-swap", value, requested, files));
    }
    if let Some(value) = reservation.or(scope.default(-1)) {
        let files = ("memory.soft_limit_in_bytes", "memory.low", value.max(0));
        table.push(one("--memory-reservation", value, value >= 0, files));
    }
    // Only v1 has these two; in v2 the missing file is named.
    if let Some(value) = memory.and_then(|memory| memory.swappiness()) {
        table.push(of_v1("--memory-swappiness", "memory.swappiness", value.to_string()));
    }
    if memory.and_then(|memory| memory.disable_oom_killer()) == Some(true) {
        table.push(of_v1("--oom-kill-disable", "memory.oom_control", "1".to_owned()));
    }
    table
}

fn of_v1(name: &'static str, file: &'static str, value: String) -> Limit {
    let files = vec![vec![(file, value)]];
    Limit { name, controller: ("memory", "memory"), v1: files.clone(), v2: files, requested: true }
}

fn cpu(resources: &LinuxResources, scope: LimitScope) -> Vec<Limit> {
    let cpu = resources.cpu().as_ref();
    let mut table = Vec::new();
    let shares = cpu.and_then(|cpu| cpu.shares());
    if let Some(shares) = shares.or(scope.default(1024)) {
        table.push(Limit {
            name: "--cpu-shares",
            controller: ("cpu", "cpu"),
            v1: vec![vec![("cpu.shares", shares.to_string())]],
            v2: vec![vec![("cpu.weight", weight_of(shares).to_string())]],
            requested: cpu.is_some_and(|cpu| cpu.shares().is_some()),
        });
    }
    let quota = cpu.and_then(|cpu| cpu.quota());
    let period = cpu.and_then(|cpu| cpu.period());
    if quota.is_some() || period.is_some() || scope == LimitScope::All {
        let requested = quota.is_some() || period.is_some();
        let period = period.unwrap_or(100_000);
        let quota = quota.unwrap_or(-1);
        let of_v2 = if quota < 0 { "max".to_owned() } else { quota.to_string() };
        table.push(Limit {
            name: "--cpus",
            controller: ("cpu", "cpu"),
            v1: vec![
                vec![("cpu.cfs_period_us", period.to_string())],
                vec![("cpu.cfs_quota_us", quota.to_string())],
            ],
            v2: vec![vec![("cpu.max", format!("{of_v2} {period}"))]],
            requested,
        });
    }
    let lists = [
        ("--cpuset-cpus", "cpuset.cpus", cpu.and_then(|cpu| cpu.cpus().clone())),
        ("--cpuset-mems", "cpuset.mems", cpu.and_then(|cpu| cpu.mems().clone())),
    ];
    for (name, file, list) in lists {
        let Some(list) = list else { continue };
        table.push(Limit {
            name,
            controller: ("cpuset", "cpuset"),
            v1: vec![vec![(file, list.clone())]],
            v2: vec![vec![(file, list)]],
            requested: true,
        });
    }
    table
}

/// Converts shares (2 to 262144, by default 1024) to a weight (1 to 10000, by default 100), by the
/// curve through these three points that runc 1.4 and crun 1.23 use.
fn weight_of(shares: u64) -> u64 {
    if shares <= 2 {
        return 1;
    }
    if shares >= 262_144 {
        return 10_000;
    }
    let log = (shares as f64).log2();
    let exponent = (log * log + 125.0 * log) / 612.0 - 7.0 / 34.0;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "between 1 and 10000"
    )]
    let weight = 10_f64.powf(exponent).ceil() as u64;
    weight
}

impl Cgroup {
    /// Returns the v1 controllers that limits need besides those of every container.
    pub fn controllers(resources: &LinuxResources) -> Vec<&'static str> {
        table(resources, LimitScope::Configured)
            .iter()
            .filter(|limit| limit.requested)
            .map(|limit| limit.controller.0)
            .collect()
    }

    /// Creates the cgroups that new limits need, and moves all processes there.
    ///
    /// # Errors
    /// When a cgroup cannot be created or entered.
    pub fn extend(&self, resources: &LinuxResources) -> Result<()> {
        let needed = Cgroup::controllers(resources);
        for (v1, directory) in &self.v1 {
            if directory.exists() || !needed.iter().any(|name| v1.has_controller(name)) {
                continue;
            }
            group::create_directory(directory)?;
            if v1.has_controller("cpuset") {
                group::fill_cpuset(directory)?;
            }
            self.move_all(directory)?;
        }
        Ok(())
    }

    /// Sets the limits of a new cgroup.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] where the host lacks the controller of a limit; the error names it.
    pub fn limit(&self, resources: &LinuxResources) -> Result<()> {
        self.write_limits(resources, LimitScope::Configured)
    }

    /// Sets the limits of a running container, and resets those that are unset to their defaults.
    ///
    /// # Errors
    /// As [`Cgroup::limit`].
    pub fn update_limits(&self, resources: &LinuxResources) -> Result<()> {
        self.write_limits(resources, LimitScope::All)
    }

    fn write_limits(&self, resources: &LinuxResources, scope: LimitScope) -> Result<()> {
        let mut table = table(resources, scope);
        if self.swap_goes_first(resources)
            && table.get(1).is_some_and(|limit| limit.name == "--memory-swap")
        {
            table.swap(0, 1);
        }
        for limit in &table {
            for (directory, file, value) in self.places(limit)? {
                write(directory, file, value).map_err(|error| match error.errno() {
                    // memory.limit_in_bytes cannot go below the memory that is in use and cannot be
                    // reclaimed.
                    Some(libc::EBUSY) => error.hint(format!(
                        "the container uses more already: set a larger {}",
                        limit.name
                    )),
                    Some(libc::EOPNOTSUPP) => error.hint(hint(limit.name)),
                    _ => error.hint(format!("set another value of {}", limit.name)),
                })?;
            }
        }
        Ok(())
    }

    /// Returns whether the limit of memory and swap is set before that of memory. In v1 it must
    /// never be below that of memory, so the order depends on the present values.
    fn swap_goes_first(&self, resources: &LinuxResources) -> bool {
        let Some(memory) = resources.memory() else { return false };
        let (Some(new), Some(directory)) = (memory.swap(), self.v1_with("memory")) else {
            return memory.limit().is_none() && self.v1_with("memory").is_some_and(Path::exists);
        };
        let now = fs::read_to_string(directory.join("memory.limit_in_bytes")).unwrap_or_default();
        let unlimited = i64::MAX - (1 << 20);
        let now: i64 = now.trim().parse().unwrap_or(i64::MAX);
        now < unlimited && (new < 0 || new > now)
    }

    /// Returns the files of this cgroup to which a limit is written.
    fn places<'a>(&'a self, limit: &'a Limit) -> Result<Vec<(&'a Path, &'a str, &'a str)>> {
        let (old, new) = limit.controller;
        let (directory, all) = match (self.v1_with(old), &self.unified) {
            (Some(directory), _) => (directory, &limit.v1),
            (None, Some(unified)) => (unified.as_path(), &limit.v2),
            (None, None) if limit.requested => return Err(missing(limit, false)),
            (None, None) => return Ok(Vec::new()),
        };
        let mut places = Vec::new();
        for choices in all {
            let found = choices.iter().find(|(file, _)| directory.join(file).exists());
            match found {
                Some((file, value)) => places.push((directory, *file, value.as_str())),
                None if !limit.requested => {}
                None if self.v1_with(old).is_none() && !has_controller(directory, new) => {
                    return Err(missing(limit, true));
                }
                None => return Err(missing_file(limit, choices[0].0)),
            }
        }
        Ok(places)
    }

    /// Refuses limits that the host cannot enforce. `self` is the parent of containers' cgroups,
    /// which is created if it is missing.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] names the controller and how to get it, [`Kind::Invalid`] the
    /// available processors.
    pub fn check(&self, limits: &LinuxResources, resources: &Resources) -> Result<()> {
        if resources.cgroup_parent.is_some() && self.has_no_hierarchy() {
            let message = "--cgroup-parent needs a cgroup that this user may write to";
            let hint = delegation_hint(None, false);
            return Err(Error::new(Kind::Unsupported, message).hint(hint));
        }
        let needed: Vec<_> = table(limits, LimitScope::Configured)
            .into_iter()
            .filter(|limit| limit.requested)
            .collect();
        for limit in &needed {
            let directory = self.v1_with(limit.controller.0).or(self.unified.as_deref());
            let Some(directory) = directory else { return Err(missing(limit, false)) };
            let created = fs::create_dir_all(directory);
            created.context(|| format!("create cgroup `{}`", directory.display()))?;
        }
        if let Some(unified) = &self.unified {
            hierarchies::enable_controllers(&unified.join("container"));
        }
        needed.iter().try_for_each(|limit| self.places(limit).map(drop))?;
        check_processors(resources)
    }
}

fn has_controller(directory: &Path, name: &str) -> bool {
    let text = fs::read_to_string(directory.join("cgroup.controllers")).unwrap_or_default();
    text.split_whitespace().any(|word| word == name)
}

/// Returns the error of a missing controller. `delegated` says whether an ordinary user has a
/// cgroup.
fn missing(limit: &Limit, delegated: bool) -> Error {
    let (old, new) = limit.controller;
    let message =
        format!("{} needs the cgroup controller `{new}`, which is not available", limit.name);
    let error = Error::new(Kind::Unsupported, message);
    if userns::in_user_namespace() {
        return error.hint(delegation_hint(Some(new), delegated));
    }
    if Path::new("/sys/fs/cgroup/cgroup.controllers").exists() {
        error.hint(format!(
            "in each cgroup above: echo +{new} > cgroup.subtree_control; if the kernel lacks it, \
             boot with cgroup_enable={new}"
        ))
    } else {
        error.hint(format!("mount -t cgroup -o {old} {old} /sys/fs/cgroup/{old}"))
    }
}

fn missing_file(limit: &Limit, file: &str) -> Error {
    let message = format!("this kernel has no `{file}`, which {} needs", limit.name);
    Error::new(Kind::Unsupported, message).hint(hint(limit.name))
}

/// Returns what to do where the kernel has not what a limit needs.
fn hint(limit: &str) -> &'static str {
    match limit {
        "--memory-swap" => "boot with swapaccount=1, or leave --memory-swap out",
        "--blkio-weight" | "--blkio-weight-device" => {
            "use the I/O scheduler BFQ: echo bfq > /sys/block/DISK/queue/scheduler"
        }
        _ => "leave the limit out, or use a kernel that is configured with it",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runtime::cgroup::limit::Choices;

    #[test]
    fn shares_become_the_weights_of_runc_and_crun() {
        for (shares, weight) in [(2, 1), (1024, 100), (262_144, 10_000), (2048, 174), (512, 59)] {
            assert_eq!(weight_of(shares), weight, "{shares}");
        }
    }

    #[test]
    fn a_missing_controller_or_file_is_named() {
        let host = tempfile::tempdir().unwrap();
        let v1 = |name: &str| hierarchies::V1 {
            controllers: vec![name.to_owned()],
            mount: host.path().join(name),
            always: false,
        };
        let resources = Resources {
            memory: Some(64 << 20),
            memory_swap: Some(80 << 20),
            nano_cpus: Some(10_000_000),
            ..Resources::default()
        };
        let limits = crate::runtime::oci::resources::limits(&resources).unwrap();
        let check = |names: &[&str]| {
            let v1 = names.iter().map(|name| v1(name)).collect();
            let hierarchies = hierarchies::Hierarchies { unified: None, v1 };
            let parent = Cgroup::at(&hierarchies, "lifebox".as_ref());
            parent.check(&limits, &resources).unwrap_err().to_string()
        };
        assert_eq!(
            check(&[]),
            "--memory needs the cgroup controller `memory`, which is not available"
        );
        let memory = host.path().join("memory/lifebox");
        fs::create_dir_all(&memory).unwrap();
        fs::write(memory.join("memory.limit_in_bytes"), "").unwrap();
        assert_eq!(
            check(&["memory", "cpu"]),
            "this kernel has no `memory.memsw.limit_in_bytes`, which --memory-swap needs"
        );
        fs::write(memory.join("memory.memsw.limit_in_bytes"), "").unwrap();
        let expected = "--cpus needs the cgroup controller `cpu`, which is not available";
        assert_eq!(check(&["memory"]), expected);
    }

    #[test]
    fn limits_are_written_as_each_hierarchy_wants_them() {
        let resources: LinuxResources = serde_json::from_value(serde_json::json!({
            "memory": { "limit": 100, "swap": 150 }, "pids": { "limit": -1 },
            "cpu": { "quota": 5000, "period": 10_000, "cpus": "0" }, "blockIO": { "weight": 1000 },
        }))
        .unwrap();
        let written = |limits: Vec<Choices>| -> Vec<String> {
            let first = |choices: &Choices| format!("{}={}", choices[0].0, choices[0].1);
            limits.iter().map(first).collect()
        };
        let (v1, v2): (Vec<_>, Vec<_>) = table(&resources, LimitScope::Configured)
            .into_iter()
            .map(|limit| (limit.v1, limit.v2))
            .unzip();
        assert_eq!(
            written(v1.concat()).join(" "),
            "memory.limit_in_bytes=100 memory.memsw.limit_in_bytes=150 cpu.cfs_period_us=10000 \
             cpu.cfs_quota_us=5000 cpuset.cpus=0 blkio.weight=1000 pids.max=max"
        );
        assert_eq!(
            written(v2.concat()).join(" "),
            "memory.max=100 memory.swap.max=50 cpu.max=5000 10000 cpuset.cpus=0 \
             io.bfq.weight=1000 pids.max=max"
        );
    }
}
