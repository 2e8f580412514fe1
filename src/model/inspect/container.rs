//! What `inspect` prints of a container.

use serde_json::{Map, Value, json};

use super::config::{docker_config, extend, time};
use super::{mounts, namespaces};
use crate::model::container::block_io::DeviceLimit;
use crate::model::container::logging::LogDriver;
use crate::model::container::options::StopTimeout;
use crate::model::container::resources::{Resources, SHM_SIZE};
use crate::model::container::security::{Device, MASKED_PATHS, READONLY_PATHS, Seccomp, Security};
use crate::model::container::status::Status;
use crate::model::container::storage::Driver;
use crate::model::container::supervision::Supervision;
use crate::model::container::{Container, ContainerSpec};
use crate::model::value::health_check::HealthCheck;

/// Where the files of a container are on the host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContainerPaths {
    /// The log of its output.
    pub log: String,
    /// The file mounted as `/etc/hostname`.
    pub hostname: String,
    /// The file mounted as `/etc/hosts`.
    pub hosts: String,
    /// The file mounted as `/etc/resolv.conf`.
    pub resolv_conf: String,
    /// The directories of the image's layers, topmost first, as overlayfs takes them.
    pub lower: Vec<String>,
    /// The directory of the container's changes (`upperdir`).
    pub upper: String,
    /// The work directory of overlayfs (`workdir`).
    pub work: String,
    /// The directory of all volumes.
    pub volumes: String,
    /// The directory of the container's image mounts.
    pub images: String,
    /// Where the root is mounted, in the container's mount namespace.
    pub merged: String,
}

/// Returns what `inspect` prints of a container, without the array around it. `execs` are the ids
/// of those that run.
pub fn container(container: &Container, paths: &ContainerPaths, execs: &[String]) -> Value {
    let (spec, state) = (&container.spec, &container.state);
    let host = &spec.host_config;
    let argv = spec.config.argv();
    // The first start creates these files, as in Docker.
    let started =
        |path: &str| if state.started_at.is_some() { path.to_owned() } else { String::new() };
    let log_path = |driver| match driver {
        LogDriver::JsonFile => started(&paths.log),
        LogDriver::Local | LogDriver::None => String::new(),
    };
    json!({
        "Id": spec.id.as_str(),
        "Created": spec.created.to_string(),
        "Path": argv.first().map_or("", String::as_str),
        "Args": argv.get(1..).unwrap_or_default(),
        "State": state_json(container),
        "Image": spec.image.id.as_str(),
        "ResolvConfPath": started(&paths.resolv_conf),
        "HostnamePath": started(&paths.hostname),
        "HostsPath": started(&paths.hosts),
        "LogPath": log_path(host.supervision.log_driver),
        "Name": format!("/{}", state.name),
        "RestartCount": state.restart_count,
        "Driver": host.storage.to_string(),
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": host.security.label.as_ref().map(ToString::to_string).unwrap_or_default(),
        "AppArmorProfile": host.security.apparmor.as_deref().unwrap_or_default(),
        "ExecIDs": or_null(execs),
        "HostConfig": host_config(container),
        "GraphDriver": { "Data": graph(host.storage, paths), "Name": host.storage.to_string() },
        "Mounts": mounts::mounts(&host.mounts, &paths.volumes, &paths.images),
        "Config": config(spec),
        "NetworkSettings": namespaces::network_settings(&host.namespaces),
    })
}

/// Returns where the root file system is; null for a copy, as in Docker.
fn graph(driver: Driver, paths: &ContainerPaths) -> Value {
    match driver {
        Driver::Vfs => Value::Null,
        Driver::Overlay => json!({
            "LowerDir": paths.lower.join(":"),
            "MergedDir": paths.merged,
            "UpperDir": paths.upper,
            "WorkDir": paths.work,
        }),
    }
}

fn state_json(container: &Container) -> Value {
    let state = &container.state;
    let mut shown = json!({
        "Status": state.status.as_str(),
        "Running": state.status.is_live(),
        "Paused": state.status == Status::Paused,
        "Restarting": state.status == Status::Restarting,
        "OOMKilled": state.oom_killed,
        "Dead": state.status == Status::Dead,
        "Pid": state.pid,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": time(state.started_at),
        "FinishedAt": time(state.finished_at),
    });
    if let Some(health) = &state.health {
        extend(&mut shown, json!({ "Health": health }));
    }
    shown
}

/// Returns `HostConfig`: how a container is run, then its resources.
fn host_config(container: &Container) -> Value {
    let host = &container.spec.host_config;
    let security = &host.security;
    let restart = host.supervision.restart;
    let mut config = json!({
        "Binds": mounts::binds(&host.mounts),
        "ContainerIDFile": "",
        "LogConfig": log_config(&host.supervision),
        "NetworkMode": host.namespaces.network.show("none"),
        "PortBindings": {},
        "RestartPolicy": { "Name": restart.name(), "MaximumRetryCount": restart.maximum() },
        "AutoRemove": host.auto_remove,
        "VolumeDriver": named(host.mounts.driver_local, "local"),
        "VolumesFrom": or_null(&host.mounts.from),
        "CapAdd": or_null(&security.cap_add),
        "CapDrop": or_null(&security.cap_drop),
        "CgroupnsMode": if host.namespaces.cgroup_host { "host" } else { "private" },
        "Dns": host.namespaces.dns,
        "DnsOptions": host.namespaces.dns_options,
        "DnsSearch": host.namespaces.dns_search,
        "ExtraHosts": namespaces::extra_hosts(&host.namespaces),
        "GroupAdd": or_null(&security.groups),
        "IpcMode": namespaces::ipc(&host.namespaces),
        "Cgroup": "",
        "Links": null,
        "OomScoreAdj": host.resources.oom_score_adj.unwrap_or_default(),
        "PidMode": host.namespaces.pid.show(""),
        "Privileged": security.privileged,
        "PublishAllPorts": false,
        "ReadonlyRootfs": security.read_only,
        "SecurityOpt": security_options(security),
        "UTSMode": host.namespaces.uts.show(""),
        "UsernsMode": named(host.namespaces.user_host, "host"),
        "ShmSize": host.resources.shm_size.filter(|size| *size > 0).unwrap_or(SHM_SIZE),
        "Runtime": "lifebox",
        "ConsoleSize": [0, 0],
        "Isolation": named(host.namespaces.isolation_default, "default"),
    });
    if !host.annotations.is_empty() {
        extend(&mut config, json!({ "Annotations": host.annotations }));
    }
    extend(&mut config, resources(&host.resources));
    config["Devices"] = security.devices.iter().map(device).collect();
    config["DeviceCgroupRules"] =
        or_null(&security.device_rules.iter().map(ToString::to_string).collect::<Vec<_>>());
    let paths = match (security.privileged, security.system_paths) {
        (true, _) => json!({ "MaskedPaths": null, "ReadonlyPaths": null }),
        (_, true) => json!({ "MaskedPaths": [], "ReadonlyPaths": [] }),
        _ => json!({ "MaskedPaths": MASKED_PATHS, "ReadonlyPaths": READONLY_PATHS }),
    };
    extend(&mut config, paths);
    extend(&mut config, mounts::requested(&host.mounts));
    let sysctls = &host.namespaces.sysctls;
    if !sysctls.is_empty() {
        extend(&mut config, json!({ "Sysctls": sysctls }));
    }
    if host.namespaces.init {
        extend(&mut config, json!({ "Init": true }));
    }
    config
}

/// Returns the one value of an option that has no other, where it was given.
fn named(given: bool, value: &str) -> &str {
    if given { value } else { "" }
}

fn or_null(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { json!(list) }
}

/// Returns the options as written, but with a profile's text for its file, as Docker's client sends
/// it.
fn security_options(security: &Security) -> Value {
    let shown = |option: &String| match &security.seccomp {
        Seccomp::Profile(text) if option.starts_with("seccomp") => format!("seccomp={text}"),
        _ => option.clone(),
    };
    or_null(&security.options.iter().map(shown).collect::<Vec<_>>())
}

fn device(device: &Device) -> Value {
    json!({
        "PathOnHost": device.host,
        "PathInContainer": device.inside,
        "CgroupPermissions": device.access,
    })
}

/// Returns the configured limits. The default limit of processes is left out, because Docker
/// has none.
fn log_config(of: &Supervision) -> Value {
    // Records from before `log_options` had all of them have the limits alone.
    let limits = of.log.changed_options();
    let limits = limits.filter(|(key, _)| !of.log_options.contains_key(key));
    let mut config = json!(of.log_options);
    extend(&mut config, limits.map(|(key, value)| (key, Value::from(value))).collect());
    json!({ "Type": of.log_driver.as_str(), "Config": config })
}

fn devices(limits: &[DeviceLimit], key: &str) -> Vec<Value> {
    limits.iter().map(|limit| json!({ "Path": limit.path, key: limit.value })).collect()
}

fn resources(of: &Resources) -> Value {
    let ulimits: Vec<_> = of
        .ulimits
        .iter()
        .map(|limit| json!({ "Name": limit.name, "Hard": limit.hard, "Soft": limit.soft }))
        .collect();
    json!({
        "CpuShares": of.cpu_shares.unwrap_or_default(),
        "Memory": of.memory.unwrap_or_default(),
        "NanoCpus": of.nano_cpus.unwrap_or_default(),
        "CgroupParent": of.cgroup_parent.as_deref().unwrap_or_default(),
        "BlkioWeight": of.blkio_weight.unwrap_or_default(),
        "BlkioWeightDevice": devices(&of.blkio_weight_device, "Weight"),
        "BlkioDeviceReadBps": devices(&of.device_read_bps, "Rate"),
        "BlkioDeviceWriteBps": devices(&of.device_write_bps, "Rate"),
        "BlkioDeviceReadIOps": devices(&of.device_read_iops, "Rate"),
        "BlkioDeviceWriteIOps": devices(&of.device_write_iops, "Rate"),
        "CpuPeriod": of.cpu_period.unwrap_or_default(),
        "CpuQuota": of.cpu_quota.unwrap_or_default(),
        "CpuRealtimePeriod": 0,
        "CpuRealtimeRuntime": 0,
        "CpusetCpus": of.cpuset_cpus.as_deref().unwrap_or_default(),
        "CpusetMems": of.cpuset_mems.as_deref().unwrap_or_default(),
        "Devices": [],
        "DeviceCgroupRules": null,
        "DeviceRequests": null,
        "KernelMemory": 0,
        "KernelMemoryTCP": 0,
        "MemoryReservation": of.memory_reservation.unwrap_or_default(),
        "MemorySwap": of.swap().unwrap_or_default(),
        "MemorySwappiness": of.memory_swappiness,
        "OomKillDisable": of.oom_kill_disable,
        "PidsLimit": Some(of.pids()).filter(|limit| *limit > 0),
        "Ulimits": ulimits,
        "CpuCount": 0,
        "CpuPercent": 0,
        "IOMaximumIOps": 0,
        "IOMaximumBandwidth": 0,
    })
}

fn config(spec: &ContainerSpec) -> Value {
    let (config, image) = (&spec.config, &spec.image.reference);
    let (domainname, health) =
        (&spec.host_config.namespaces.domainname, &spec.host_config.supervision.health);
    let keys = |list: &[String]| -> Map<String, Value> {
        list.iter().map(|key| (key.clone(), json!({}))).collect()
    };
    let attached = config.attached();
    let mut source = json!({
        "Hostname": config.hostname,
        "Domainname": domainname,
        "User": config.user,
        "AttachStdin": attached.stdin,
        "AttachStdout": attached.stdout,
        "AttachStderr": attached.stderr,
        "ExposedPorts": keys(&config.exposed_ports),
        "Tty": config.tty,
        "OpenStdin": config.open_stdin,
        "StdinOnce": config.stdin_once(),
        "Env": config.env,
        "Cmd": config.cmd,
        "Image": image,
        "Volumes": keys(&config.volumes),
        "WorkingDir": config.workdir,
        "Entrypoint": config.entrypoint,
        "Labels": config.labels,
    });
    if let Some(signal) = &config.stop_signal {
        source["StopSignal"] = signal.to_string().into();
    }
    match config.stop_timeout {
        Some(StopTimeout::After(time)) => source["StopTimeout"] = time.as_secs().into(),
        Some(StopTimeout::NoLimit) => source["StopTimeout"] = (-1).into(),
        None => {}
    }
    if *health != HealthCheck::default() {
        source["Healthcheck"] = json!(health);
    }
    docker_config(&source)
}
