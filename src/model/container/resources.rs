//! How much a container may use: memory, processors, processes, block devices, limits of its
//! processes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::block_io::DeviceLimit;
use crate::model::value::units::parse_bytes;
use crate::model::{Error, Kind, Result};

/// The default limit of processes.
pub const PIDS_LIMIT: i64 = 2048;
/// The least memory that a program starts with (moby `daemon/daemon_unix.go`, `linuxMinMemory`).
const MINIMUM_MEMORY: i64 = 6 << 20;
/// The highest limit of processes that pids.max takes (linux, `PID_MAX_LIMIT`).
const PIDS_MAX: i64 = 4_194_304;
/// The default size of `/dev/shm`.
pub const SHM_SIZE: i64 = 64 << 20;
const NANO: f64 = 1e9;

/// How much a container may use. An unset field means no limit, or the default that it names.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Resources {
    /// Bytes of memory.
    pub memory: Option<i64>,
    /// Bytes of memory and swap together; -1 is without limit. Twice the memory where unset.
    pub memory_swap: Option<i64>,
    /// Bytes of memory that the kernel keeps for the container when memory is short.
    pub memory_reservation: Option<i64>,
    /// Billionths of a processor.
    pub nano_cpus: Option<i64>,
    /// The share of processors when they are short; the default is 1024.
    pub cpu_shares: Option<i64>,
    /// Microseconds in which `cpu_quota` may be used.
    pub cpu_period: Option<i64>,
    /// Microseconds of processor time per period; -1 is without limit.
    pub cpu_quota: Option<i64>,
    /// Which processors, such as `0-2,4`.
    pub cpuset_cpus: Option<String>,
    /// Which memory nodes.
    pub cpuset_mems: Option<String>,
    /// How readily memory is swapped, 0 to 100; the host's where unset.
    pub memory_swappiness: Option<i64>,
    /// Whether the kernel halts processes where memory runs out, instead of killing one.
    pub oom_kill_disable: bool,
    /// How many processes and threads; -1 means no limit; [`PIDS_LIMIT`] if unset.
    pub pids_limit: Option<i64>,
    /// The weight on block devices, 10 to 1000.
    pub blkio_weight: Option<i64>,
    /// The weight on single block devices.
    pub blkio_weight_device: Vec<DeviceLimit>,
    /// Bytes a second that are read of a block device.
    pub device_read_bps: Vec<DeviceLimit>,
    /// Bytes a second that are written to a block device.
    pub device_write_bps: Vec<DeviceLimit>,
    /// Reads a second of a block device.
    pub device_read_iops: Vec<DeviceLimit>,
    /// Writes a second to a block device.
    pub device_write_iops: Vec<DeviceLimit>,
    /// Limits of each process (setrlimit(2)).
    pub ulimits: Vec<Ulimit>,
    /// Bytes of `/dev/shm`.
    pub shm_size: Option<i64>,
    /// The OOM score adjustment, -1000 to 1000 (proc_pid_oom_score_adj(5)).
    pub oom_score_adj: Option<i64>,
    /// The cgroup below which the container's own is created: `/` and its path.
    pub cgroup_parent: Option<String>,
}

/// One limit of a process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ulimit {
    /// `nofile`, `core`, ...
    pub name: String,
    /// The limit in force; -1 is without limit.
    pub soft: i64,
    /// The highest limit that the process itself may set; -1 is without limit.
    pub hard: i64,
}

/// The names of limits (docker/go-units, `ulimit.go`).
pub const ULIMITS: [&str; 15] = [
    "core",
    "cpu",
    "data",
    "fsize",
    "locks",
    "memlock",
    "msgqueue",
    "nice",
    "nofile",
    "nproc",
    "rss",
    "rtprio",
    "rttime",
    "sigpending",
    "stack",
];

impl FromStr for Ulimit {
    type Err = Error;

    /// Reads `name=soft[:hard]`.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = |what: &str| {
            Error::new(Kind::Invalid, format!("invalid ulimit `{text}`: {what}"))
                .hint("write NAME=SOFT[:HARD], such as nofile=1024:2048; -1 for no limit")
        };
        let (name, values) = text.split_once('=').ok_or_else(|| invalid("it lacks `=`"))?;
        if !ULIMITS.contains(&name) {
            let use_one = format!("use one of {}", ULIMITS.join(", "));
            return Err(
                Error::new(Kind::Invalid, format!("invalid ulimit type: {name}")).hint(use_one)
            );
        }
        let number = |text: &str| {
            let number = text.parse::<i64>().ok().filter(|number| *number >= -1);
            number.ok_or_else(|| invalid("a limit must be a whole number, or -1 for no limit"))
        };
        let (soft, hard) = values.split_once(':').unwrap_or((values, values));
        let (soft, hard) = (number(soft)?, number(hard)?);
        if hard != -1 && (soft == -1 || soft > hard) {
            return Err(invalid("the soft limit must be less than or equal to the hard limit"));
        }
        Ok(Ulimit { name: name.to_owned(), soft, hard })
    }
}

impl fmt::Display for Ulimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}:{}", self.name, self.soft, self.hard)
    }
}

/// Reads a number of processors, such as `1.5`, as billionths; 0 means no limit.
///
/// # Errors
/// [`Kind::Invalid`] for anything but a number of processors.
pub fn parse_cpus(text: &str) -> Result<i64> {
    let cpus = text.parse::<f64>().ok().filter(|cpus| (0.0..1e6).contains(cpus));
    let cpus = cpus.ok_or_else(|| {
        Error::new(Kind::Invalid, format!("invalid number of processors `{text}`"))
            .hint("write a number such as 0.5 or 2")
    })?;
    #[expect(clippy::cast_possible_truncation, reason = "not negative, below 10^15")]
    Ok((cpus * NANO).round() as i64)
}

/// Reads a parent cgroup: a path from the root of the hierarchies, with or without `/` before it.
///
/// # Errors
/// [`Kind::Invalid`] for an empty path, or one that leads out of the hierarchies.
pub fn parse_cgroup_parent(text: &str) -> Result<String> {
    let parts: Vec<&str> =
        text.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    let is_name =
        |part: &&str| *part != ".." && part.len() < 256 && !part.contains(char::is_control);
    if text.len() > 1024 || parts.is_empty() || !parts.iter().all(is_name) {
        return Err(Error::new(Kind::Invalid, format!("invalid cgroup path {text:?}"))
            .hint("write a path below the root of the cgroups, such as /batch/night"));
    }
    Ok(format!("/{}", parts.join("/")))
}

/// Reads a size, or -1 for no limit.
///
/// # Errors
/// [`Kind::Invalid`], with the accepted forms.
pub fn parse_limit(text: &str) -> Result<i64> {
    if text == "-1" {
        return Ok(-1);
    }
    i64::try_from(parse_bytes(text)?)
        .map_err(|_| Error::new(Kind::Invalid, format!("the size `{text}` is too large")))
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, message)
}

impl Resources {
    /// Sets a limit of each process; the last of one name counts, as in Docker.
    pub fn set_ulimit(&mut self, limit: Ulimit) {
        match self.ulimits.iter_mut().find(|known| known.name == limit.name) {
            Some(known) => *known = limit,
            None => self.ulimits.push(limit),
        }
    }

    /// Returns these limits with `changes` applied. A limit that `changes` sets to 0 is removed.
    #[must_use]
    pub fn changed(&self, changes: &Resources) -> Resources {
        let new = changes.clone();
        let old = self.clone();
        Resources {
            memory: new.memory.or(old.memory),
            memory_swap: new.memory_swap.or(old.memory_swap),
            memory_reservation: new.memory_reservation.or(old.memory_reservation),
            nano_cpus: new.nano_cpus.or(old.nano_cpus),
            cpu_shares: new.cpu_shares.or(old.cpu_shares),
            cpu_period: new.cpu_period.or(old.cpu_period),
            cpu_quota: new.cpu_quota.or(old.cpu_quota),
            cpuset_cpus: new.cpuset_cpus.or(old.cpuset_cpus),
            cpuset_mems: new.cpuset_mems.or(old.cpuset_mems),
            pids_limit: new.pids_limit.or(old.pids_limit),
            blkio_weight: new.blkio_weight.or(old.blkio_weight),
            ..old
        }
    }

    /// Returns the limit of memory and swap together, if memory is limited.
    pub fn swap(&self) -> Option<i64> {
        let memory = self.memory.filter(|memory| *memory > 0)?;
        let given = self.memory_swap.filter(|swap| *swap != 0);
        Some(given.unwrap_or_else(|| memory.saturating_mul(2)))
    }

    /// Returns quota and period of processor time.
    pub fn cpu_time(&self) -> (Option<i64>, Option<i64>) {
        match self.nano_cpus.filter(|cpus| *cpus > 0) {
            // Docker's period of 100 ms.
            Some(cpus) => (Some(cpus / 10_000), Some(100_000)),
            None => (self.cpu_quota, self.cpu_period.filter(|period| *period > 0)),
        }
    }

    /// Returns the limit of processes; -1 is without limit.
    pub fn pids(&self) -> i64 {
        match self.pids_limit {
            None => PIDS_LIMIT,
            Some(limit) if limit <= 0 => -1,
            Some(limit) => limit,
        }
    }

    /// Refuses values that make no sense on any host, in Docker's words (moby,
    /// `verifyPlatformContainerResources`).
    ///
    /// # Errors
    /// [`Kind::Invalid`], with what is allowed.
    pub fn check(&self) -> Result<()> {
        self.check_memory()?;
        self.check_cpu()?;
        self.check_pids()?;
        if self.blkio_weight.is_some_and(|weight| weight != 0 && !(10..=1000).contains(&weight)) {
            return Err(invalid("Range of blkio weight is from 10 to 1000"));
        }
        if let Some(score) = self.oom_score_adj.filter(|score| !(-1000..=1000).contains(score)) {
            let message =
                format!("Invalid value {score}, range for oom score adj is [-1000, 1000]");
            return Err(invalid(message));
        }
        if self.shm_size.is_some_and(|size| size < 0) {
            return Err(invalid("SHM size can not be less than 0"));
        }
        Ok(())
    }

    fn check_pids(&self) -> Result<()> {
        let Some(limit) = self.pids_limit else { return Ok(()) };
        if limit < -1 {
            return Err(
                invalid("the process limit must not be negative").hint("use -1 for no limit")
            );
        }
        if limit > PIDS_MAX {
            let message = format!("the process limit {limit} is above {PIDS_MAX}, the kernel's");
            return Err(invalid(message).hint(format!(
                "write --pids-limit with a number from 1 to {PIDS_MAX}, or -1 for no limit"
            )));
        }
        Ok(())
    }

    fn check_memory(&self) -> Result<()> {
        let set = |value: Option<i64>| value.filter(|value| *value != 0);
        let (memory, swap) = (set(self.memory), set(self.memory_swap));
        for (limit, flag) in
            [(memory, "memory"), (set(self.memory_reservation), "memory-reservation")]
        {
            if let Some(limit) = limit.filter(|limit| *limit < 0) {
                return Err(invalid(format!("invalid size for --{flag}: {limit} is negative"))
                    .hint(format!("write a size such as --{flag} 64m, or 0 for no limit")));
            }
        }
        if memory.is_some_and(|memory| memory < MINIMUM_MEMORY) {
            return Err(invalid("Minimum memory limit allowed is 6MB")
                .hint("write --memory 6m or more, or 0 for no limit"));
        }
        match (memory, swap) {
            (None, Some(swap)) if swap > 0 => {
                return Err(invalid(
                    "You should always set the Memory limit when using Memoryswap limit, see usage",
                ));
            }
            (_, Some(swap)) if swap < -1 => {
                return Err(invalid("the limit of memory and swap must not be negative")
                    .hint("use -1 for unlimited swap"));
            }
            (Some(memory), Some(swap)) if swap != -1 && swap < memory => {
                return Err(invalid(
                    "Minimum memoryswap limit should be larger than memory limit, see usage",
                )
                .hint("set --memory-swap to at least --memory"));
            }
            _ => {}
        }
        if let Some(value) = self.memory_swappiness.filter(|value| !(0..=100).contains(value)) {
            let message = format!("invalid value: {value}. Valid memory swappiness range is 0-100");
            return Err(invalid(message));
        }
        match set(self.memory_reservation) {
            Some(kept) if kept < MINIMUM_MEMORY => {
                Err(invalid("Minimum memory reservation allowed is 6MB"))
            }
            Some(kept) if memory.is_some_and(|memory| memory < kept) => Err(invalid(
                "Minimum memory limit can not be less than memory reservation limit, see usage",
            )),
            _ => Ok(()),
        }
    }

    fn check_cpu(&self) -> Result<()> {
        let set = |value: Option<i64>| value.filter(|value| *value != 0);
        if set(self.nano_cpus).is_some() {
            for (other, name) in [(self.cpu_period, "CPU Period"), (self.cpu_quota, "CPU Quota")] {
                if set(other).is_some() {
                    let message =
                        format!("Conflicting options: Nano CPUs and {name} cannot both be set");
                    return Err(invalid(message));
                }
            }
        }
        if self.nano_cpus.is_some_and(|cpus| cpus != 0 && cpus < 10_000_000) {
            return Err(invalid("the number of CPUs must be at least 0.01"));
        }
        if set(self.cpu_period).is_some_and(|period| !(1_000..=1_000_000).contains(&period)) {
            return Err(invalid(
                "CPU cfs period can not be less than 1ms (i.e. 1000) or larger than 1s (i.e. \
                 1000000)",
            ));
        }
        if set(self.cpu_quota).is_some_and(|quota| quota != -1 && quota < 1_000) {
            return Err(invalid("CPU cfs quota can not be less than 1ms (i.e. 1000)"));
        }
        if let Some(shares) = self.cpu_shares.filter(|s| !(0..=262_144).contains(s)) {
            return Err(invalid(format!("invalid CPU shares ({shares})"))
                .hint("write a number up to 262144; 0 is the default of 1024"));
        }
        for (list, name) in [(&self.cpuset_cpus, "cpus"), (&self.cpuset_mems, "mems")] {
            if let Some(list) =
                list.as_deref().filter(|l| parse_list(l).is_none_or(|l| l.is_empty()))
            {
                return Err(invalid(format!("Invalid value {list} for cpuset {name}"))
                    .hint("write numbers and ranges, such as 0-2,4"));
            }
        }
        Ok(())
    }
}

/// Parses a list such as `0-2,4`; `None` where it is malformed.
pub fn parse_list(text: &str) -> Option<Vec<u16>> {
    let mut numbers = Vec::new();
    for part in text.trim().split(',').filter(|_| !text.trim().is_empty()) {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last): (u16, u16) = (first.parse().ok()?, last.parse().ok()?);
        if first > last || last > 8191 {
            return None;
        }
        numbers.extend(first..=last);
    }
    Some(numbers)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_that_make_no_sense_are_refused_in_dockers_words() {
        let none = Resources::default();
        let memory = Some(64 << 20);
        let table = [
            (Resources { memory: Some(1), ..none.clone() }, "Minimum memory limit"),
            (Resources { memory: Some(-1), ..none.clone() }, "--memory: -1 is negative"),
            (Resources { memory_reservation: Some(-5), ..none.clone() }, "--memory-reservation"),
            (Resources { pids_limit: Some(99_999_999_999), ..none.clone() }, "above 4194304"),
            (
                Resources { memory, memory_swap: Some(1 << 20), ..none.clone() },
                "Minimum memoryswap",
            ),
            (Resources { memory_swap: memory, ..none.clone() }, "You should always set"),
            (
                Resources { memory, memory_reservation: Some(1 << 30), ..none.clone() },
                "reservation",
            ),
            (Resources { nano_cpus: Some(1), ..none.clone() }, "0.01"),
            (
                Resources { nano_cpus: Some(1 << 30), cpu_quota: Some(5000), ..none.clone() },
                "Conflicting options",
            ),
            (Resources { cpu_period: Some(7), ..none.clone() }, "cfs period"),
            (Resources { cpu_quota: Some(7), ..none.clone() }, "cfs quota"),
            (Resources { cpuset_cpus: Some("1-".into()), ..none.clone() }, "cpuset cpus"),
            (Resources { blkio_weight: Some(5000), ..none.clone() }, "10 to 1000"),
            (Resources { oom_score_adj: Some(-1001), ..none.clone() }, "[-1000, 1000]"),
            (Resources { pids_limit: Some(-7), ..none.clone() }, "negative"),
        ];
        for (resources, part) in table {
            let error = resources.check().unwrap_err();
            assert!(error.message().contains(part), "{}", error.message());
        }
        assert!(none.check().is_ok());
    }

    #[test]
    fn ulimits_are_read_as_dockers() {
        let read = |text: &str| text.parse::<Ulimit>().map(|limit| limit.to_string());
        assert_eq!(read("nofile=10:20").unwrap(), "nofile=10:20");
        assert_eq!(read("core=-1").unwrap(), "core=-1:-1");
        for text in ["nofile", "files=1", "nofile=x", "nofile=2:1", "nofile=-1:5", "nofile=-7"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_change_keeps_what_it_does_not_name() {
        let old = Resources { memory: Some(8 << 20), pids_limit: Some(5), ..Default::default() };
        let new = old.changed(&Resources { pids_limit: Some(-1), ..Default::default() });
        assert_eq!((new.memory, new.pids()), (Some(8 << 20), -1));
        assert_eq!(new.swap(), Some(16 << 20));
    }
}
