//! The limits of a container in the words of the OCI runtime specification: memory, processors,
//! processes, block devices, resource limits.

use oci_spec::runtime::LinuxResources;
use serde_json::{Value, json};

use crate::model::container::ContainerSpec;
use crate::model::container::block_io::DeviceLimit;
use crate::model::container::resources::Resources;
use crate::model::{Error, Kind, Result};
use crate::runtime::host::devices;

/// Adds the limits to `config`.
///
/// # Errors
/// As [`limits`].
pub(super) fn apply(spec: &ContainerSpec, config: &mut Value) -> Result<()> {
    let resources = &spec.host_config.resources;
    limit(resources, config)?;
    if let Some(score) = resources.oom_score_adj {
        config["process"]["oomScoreAdj"] = score.into();
    }
    let rlimits = config["process"]["rlimits"].as_array_mut();
    if let Some(rlimits) = rlimits {
        for ulimit in &resources.ulimits {
            let kind = format!("RLIMIT_{}", ulimit.name.to_uppercase());
            rlimits.retain(|limit| limit["type"] != kind.as_str());
            // -1 is RLIM_INFINITY.
            let (soft, hard) = (ulimit.soft.cast_unsigned(), ulimit.hard.cast_unsigned());
            rlimits.push(json!({ "type": kind, "soft": soft, "hard": hard }));
        }
    }
    if let Some(size) = resources.shm_size.filter(|size| *size > 0) {
        let mounts = config["mounts"].as_array_mut();
        let shm = mounts.into_iter().flatten().find(|mount| mount["destination"] == "/dev/shm");
        let options = shm.and_then(|shm| shm["options"].as_array_mut());
        for option in options.into_iter().flatten() {
            if option.as_str().is_some_and(|option| option.starts_with("size=")) {
                *option = format!("size={size}").into();
            }
        }
    }
    Ok(())
}

/// Sets the limits of cgroups; the device rules stay.
fn limit(resources: &Resources, config: &mut Value) -> Result<()> {
    let limits = &mut config["linux"]["resources"];
    limits["pids"] = json!({ "limit": resources.pids() });
    let set = |value: Option<i64>| value.filter(|value| *value != 0);
    let mut memory = json!({});
    let mut put = |key: &str, value: Option<i64>| {
        if let Some(value) = value {
            memory[key] = value.into();
        }
    };
    put("limit", set(resources.memory));
    put("swap", resources.swap());
    put("reservation", set(resources.memory_reservation));
    put("swappiness", resources.memory_swappiness);
    if resources.oom_kill_disable {
        memory["disableOOMKiller"] = true.into();
    }
    limits["memory"] = memory;
    let (quota, period) = resources.cpu_time();
    let mut cpu = json!({});
    let mut put = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            cpu[key] = value;
        }
    };
    put("shares", set(resources.cpu_shares).map(Value::from));
    put("quota", set(quota).map(Value::from));
    put("period", period.map(Value::from));
    let list = |list: &Option<String>| list.clone().filter(|list| !list.is_empty());
    put("cpus", list(&resources.cpuset_cpus).map(Value::from));
    put("mems", list(&resources.cpuset_mems).map(Value::from));
    limits["cpu"] = cpu;
    limits["blockIO"] = block_io(resources)?;
    Ok(())
}

/// Returns the limits of block devices; null without any.
fn block_io(resources: &Resources) -> Result<Value> {
    let mut limits = json!({});
    if let Some(weight) = resources.blkio_weight.filter(|weight| *weight != 0) {
        limits["weight"] = weight.into();
    }
    for (key, of_devices) in [
        ("weightDevice", &resources.blkio_weight_device),
        ("throttleReadBpsDevice", &resources.device_read_bps),
        ("throttleWriteBpsDevice", &resources.device_write_bps),
        ("throttleReadIOPSDevice", &resources.device_read_iops),
        ("throttleWriteIOPSDevice", &resources.device_write_iops),
    ] {
        let value = if key == "weightDevice" { "weight" } else { "rate" };
        let entry = |limit: &DeviceLimit| {
            let (major, minor) = devices::block_device(&limit.path)?;
            Ok(json!({ "major": major, "minor": minor, value: limit.value }))
        };
        let entries: Vec<Value> = of_devices.iter().map(entry).collect::<Result<_>>()?;
        if !entries.is_empty() {
            limits[key] = entries.into();
        }
    }
    Ok(if limits == json!({}) { Value::Null } else { limits })
}

/// Returns the limits of cgroups, without device rules.
///
/// # Errors
/// When a number is out of the specification's range, or a path is not that of a block device.
pub fn limits(resources: &Resources) -> Result<LinuxResources> {
    let mut config = json!({ "linux": { "resources": {} } });
    limit(resources, &mut config)?;
    serde_json::from_value(config["linux"]["resources"].take())
        .map_err(|error| Error::new(Kind::Invalid, format!("a limit is out of range: {error}")))
}
