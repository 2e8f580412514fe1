//! Formats the options of a container as Docker's flags.

use crate::model::container::mounts::{MountFlag, Mounts};
use crate::model::container::namespaces::Namespaces;
use crate::model::container::options::{CreateOptions, EnvEntry, StopTimeout};
use crate::model::container::resources::Resources;
use crate::model::container::security::Security;
use crate::model::container::supervision::{LogConfig, RestartPolicy, Supervision};
use crate::model::value::health_check::HealthCheck;
use crate::model::value::shell;
use crate::model::value::units::{exact_size, format_billionths, format_duration};

/// Returns the flags, grouped as Docker's.
pub fn all(options: &CreateOptions) -> Vec<String> {
    let mut flags = Flags::default();
    flags.program(options);
    flags.security(&options.security);
    flags.resources(&options.resources);
    flags.mounts(&options.mounts);
    flags.namespaces(&options.namespaces);
    flags.supervision(&options.supervision);
    flags.0
}

/// The words so far.
#[derive(Default)]
struct Flags(Vec<String>);

impl Flags {
    /// Adds a boolean flag.
    fn set(&mut self, flag: &str, set: bool) {
        self.0.extend(set.then(|| flag.to_owned()));
    }

    /// Adds a flag with a value. A value that is empty or looks like a flag is joined by `=`.
    fn value(&mut self, flag: &str, value: impl ToString) {
        let value = value.to_string();
        if value.is_empty() || value.starts_with('-') {
            self.0.push(format!("{flag}={value}"));
        } else {
            self.0.extend([flag.to_owned(), value]);
        }
    }

    fn values<T: ToString>(&mut self, flag: &str, values: impl IntoIterator<Item = T>) {
        values.into_iter().for_each(|value| self.value(flag, value));
    }

    fn program(&mut self, options: &CreateOptions) {
        self.values("--name", options.name.as_ref().map(|name| name.as_str()));
        self.values("--hostname", options.hostname.as_ref());
        self.values("--user", options.user.as_ref());
        self.values("--workdir", options.workdir.as_ref());
        self.values(
            "--env",
            options.env.iter().map(|entry| match entry {
                EnvEntry::Set { key, value } => format!("{key}={value}"),
                EnvEntry::Unset { key } => key.clone(),
            }),
        );
        let first = options.entrypoint.as_ref().map(|words| words.first());
        self.values("--entrypoint", first.map(|word| word.map_or("", String::as_str)));
        self.values("--label", options.labels.iter().map(|(key, value)| format!("{key}={value}")));
        self.values("--stop-signal", options.stop_signal);
        self.values("--stop-timeout", options.stop_timeout.map(seconds));
        self.set("-i", options.interactive);
        self.set("-t", options.tty);
        self.set("--rm", options.auto_remove);
    }

    fn security(&mut self, security: &Security) {
        let bare = |name: &String| name.strip_prefix("CAP_").unwrap_or(name).to_owned();
        self.values("--cap-add", security.cap_add.iter().map(bare));
        self.values("--cap-drop", security.cap_drop.iter().map(bare));
        self.set("--privileged", security.privileged);
        self.set("--read-only", security.read_only);
        self.values("--security-opt", &security.options);
        self.values("--device", &security.devices);
        self.values("--group-add", &security.groups);
    }

    fn resources(&mut self, resources: &Resources) {
        self.values("--memory", resources.memory.map(exact_size));
        self.values("--memory-swap", resources.memory_swap.map(exact_size));
        self.values("--memory-reservation", resources.memory_reservation.map(exact_size));
        self.values("--cpus", resources.nano_cpus.map(format_billionths));
        self.values("--cpu-shares", resources.cpu_shares);
        self.values("--cpu-period", resources.cpu_period);
        self.values("--cpu-quota", resources.cpu_quota);
        self.values("--cpuset-cpus", resources.cpuset_cpus.as_ref());
        self.values("--cpuset-mems", resources.cpuset_mems.as_ref());
        self.values("--pids-limit", resources.pids_limit);
        self.values("--blkio-weight", resources.blkio_weight);
        self.values("--ulimit", &resources.ulimits);
        self.values("--shm-size", resources.shm_size.map(exact_size));
        self.values("--oom-score-adj", resources.oom_score_adj);
    }

    fn mounts(&mut self, mounts: &Mounts) {
        for (flag, value) in mounts.list.iter().filter_map(|mount| mount.to_flag()) {
            let flag = match flag {
                MountFlag::Volume => "--volume",
                MountFlag::Mount => "--mount",
                MountFlag::Tmpfs => "--tmpfs",
            };
            self.value(flag, value);
        }
        self.values("--volumes-from", &mounts.from);
    }

    fn namespaces(&mut self, sharing: &Namespaces) {
        // Always set: Docker's default is a bridge network, which lifebox lacks.
        self.value("--network", sharing.network.show("none"));
        let ipc = match (sharing.ipc_none, sharing.ipc_shareable) {
            (true, _) => "none".to_owned(),
            (_, true) => "shareable".to_owned(),
            _ => sharing.ipc.show(""),
        };
        for (flag, value) in
            [("--ipc", ipc), ("--pid", sharing.pid.show("")), ("--uts", sharing.uts.show(""))]
        {
            self.values(flag, Some(value).filter(|value| !value.is_empty()));
        }
        self.set("--init", sharing.init);
        let domain = Some(&sharing.domainname).filter(|domain| !domain.is_empty());
        self.values("--domainname", domain);
        self.values(
            "--sysctl",
            sharing.sysctls.iter().map(|(key, value)| format!("{key}={value}")),
        );
        let host = |(name, address): &(String, std::net::IpAddr)| format!("{name}:{address}");
        self.values("--add-host", sharing.extra_hosts.iter().map(host));
        self.values("--dns", &sharing.dns);
        self.values("--dns-option", &sharing.dns_options);
        self.values("--dns-search", &sharing.dns_search);
    }

    fn supervision(&mut self, upkeep: &Supervision) {
        let restart = Some(upkeep.restart).filter(|policy| *policy != RestartPolicy::No);
        self.values("--restart", restart);
        self.values(
            "--log-opt",
            log_options(upkeep.log).map(|(key, value)| format!("{key}={value}")),
        );
        self.health(&upkeep.health);
    }

    fn health(&mut self, health: &HealthCheck) {
        self.set("--no-healthcheck", health.is_none());
        if health.is_none() {
            return;
        }
        let line = match health.test.as_slice() {
            [kind, line] if kind == "CMD-SHELL" => Some(line.clone()),
            // A health check never contains a NUL byte.
            [_, words @ ..] => shell::quoted(words.iter().map(String::as_str)).ok(),
            [] => None,
        };
        self.values("--health-cmd", line);
        for (flag, time) in [
            ("--health-interval", health.interval),
            ("--health-timeout", health.timeout),
            ("--health-start-period", health.start_period),
            ("--health-start-interval", health.start_interval),
        ] {
            let time = u64::try_from(time).ok().filter(|time| *time > 0);
            self.values(
                flag,
                time.map(|time| format_duration(std::time::Duration::from_nanos(time))),
            );
        }
        self.values("--health-retries", Some(health.retries).filter(|retries| *retries != 0));
    }
}

/// Returns the log options that differ from the default.
pub fn log_options(limits: LogConfig) -> impl Iterator<Item = (&'static str, String)> {
    let usual = LogConfig::default();
    let size = limits.max_size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX));
    let file =
        (limits.max_file != usual.max_file).then(|| ("max-file", limits.max_file.to_string()));
    let size = (limits.max_size != usual.max_size).then(|| ("max-size", exact_size(size)));
    file.into_iter().chain(size)
}

/// Rounds up to whole seconds, because Docker takes no fractions.
fn seconds(grace: StopTimeout) -> i64 {
    match grace {
        StopTimeout::NoLimit => -1,
        StopTimeout::After(time) => {
            let more = i64::from(time.subsec_nanos() > 0);
            i64::try_from(time.as_secs()).unwrap_or(i64::MAX).saturating_add(more)
        }
    }
}
