//! Limits of block devices (cgroup-v1/blkio-controller.rst, cgroup-v2.rst, "IO").

use oci_spec::runtime::{LinuxBlockIo, LinuxResources};

use super::limit::{Choices, Limit, LimitScope};

/// The controller in v1, and in v2.
const CONTROLLER: (&str, &str) = ("blkio", "io");

/// Returns the limits of block devices to write.
pub(super) fn table(resources: &LinuxResources, scope: LimitScope) -> Vec<Limit> {
    let io = resources.block_io().as_ref();
    let mut table = Vec::new();
    let weight = io.and_then(|io| io.weight()).map(i64::from);
    if weight.is_some() || scope == LimitScope::All {
        // The kernel's defaults: CFQ's, BFQ's, and those of v2.
        let (cfq, bfq) = (weight.unwrap_or(500), weight.unwrap_or(100));
        let of_v2 = weight.map_or(100, v2_weight);
        table.push(Limit {
            name: "--blkio-weight",
            controller: CONTROLLER,
            v1: vec![vec![
                ("blkio.weight", cfq.to_string()),
                ("blkio.bfq.weight", bfq.to_string()),
            ]],
            v2: vec![vec![
                ("io.bfq.weight", bfq.to_string()),
                ("io.weight", format!("default {of_v2}")),
            ]],
            requested: weight.is_some(),
        });
    }
    if let Some(io) = io {
        table.extend(weights(io));
        table.extend(rates(io));
    }
    table
}

/// Converts a weight (10 to 1000) to that of v2 (1 to 10000).
fn v2_weight(weight: i64) -> i64 {
    1 + (weight - 10) * 9999 / 990
}

fn weights(io: &LinuxBlockIo) -> Option<Limit> {
    let devices = io.weight_device().as_deref().filter(|devices| !devices.is_empty())?;
    let (mut v1, mut v2) = (Vec::new(), Vec::new());
    for device in devices {
        let number = format!("{}:{}", device.major(), device.minor());
        let weight = i64::from(device.weight().unwrap_or(0));
        let line = format!("{number} {weight}");
        let of_v2 = if weight == 0 { "default".to_owned() } else { v2_weight(weight).to_string() };
        v1.push(vec![("blkio.weight_device", line.clone()), ("blkio.bfq.weight_device", line)]);
        let of_bfq = if weight == 0 { "default".to_owned() } else { weight.to_string() };
        v2.push(vec![
            ("io.bfq.weight", format!("{number} {of_bfq}")),
            ("io.weight", format!("{number} {of_v2}")),
        ]);
    }
    let name = "--blkio-weight-device";
    Some(Limit { name, controller: CONTROLLER, v1, v2, requested: true })
}

fn rates(io: &LinuxBlockIo) -> Vec<Limit> {
    let files = [
        (
            "--device-read-bps",
            "blkio.throttle.read_bps_device",
            "rbps",
            io.throttle_read_bps_device(),
        ),
        (
            "--device-write-bps",
            "blkio.throttle.write_bps_device",
            "wbps",
            io.throttle_write_bps_device(),
        ),
        (
            "--device-read-iops",
            "blkio.throttle.read_iops_device",
            "riops",
            io.throttle_read_iops_device(),
        ),
        (
            "--device-write-iops",
            "blkio.throttle.write_iops_device",
            "wiops",
            io.throttle_write_iops_device(),
        ),
    ];
    let mut table = Vec::new();
    for (name, file, key, devices) in files {
        let Some(devices) = devices.as_deref().filter(|devices| !devices.is_empty()) else {
            continue;
        };
        let (mut v1, mut v2): (Vec<Choices>, Vec<Choices>) = (Vec::new(), Vec::new());
        for device in devices {
            let number = format!("{}:{}", device.major(), device.minor());
            v1.push(vec![(file, format!("{number} {}", device.rate()))]);
            // In v1 0 is without limit.
            let rate =
                if device.rate() == 0 { "max".to_owned() } else { device.rate().to_string() };
            v2.push(vec![("io.max", format!("{number} {key}={rate}"))]);
        }
        table.push(Limit { name, controller: CONTROLLER, v1, v2, requested: true });
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_devices_are_written_as_each_hierarchy_wants_them() {
        let resources: LinuxResources = serde_json::from_value(serde_json::json!({ "blockIO": {
            "weightDevice": [{ "major": 8, "minor": 0, "weight": 1000 }],
            "throttleReadBpsDevice": [
                { "major": 8, "minor": 0, "rate": 1024 }, { "major": 8, "minor": 16, "rate": 0 },
            ],
            "throttleWriteIOPSDevice": [{ "major": 8, "minor": 0, "rate": 7 }],
        } }))
        .unwrap();
        let (v1, v2): (Vec<_>, Vec<_>) = table(&resources, LimitScope::Configured)
            .into_iter()
            .map(|limit| (limit.v1, limit.v2))
            .unzip();
        let written = |limits: Vec<Choices>| -> Vec<String> {
            let last = |choices: &Choices| choices.last().map(|it| format!("{}={}", it.0, it.1));
            limits.iter().filter_map(last).collect()
        };
        assert_eq!(
            written(v1.concat()),
            [
                "blkio.bfq.weight_device=8:0 1000",
                "blkio.throttle.read_bps_device=8:0 1024",
                "blkio.throttle.read_bps_device=8:16 0",
                "blkio.throttle.write_iops_device=8:0 7",
            ]
        );
        assert_eq!(
            written(v2.concat()),
            [
                "io.weight=8:0 10000",
                "io.max=8:0 rbps=1024",
                "io.max=8:16 rbps=max",
                "io.max=8:0 wiops=7"
            ]
        );
    }
}
