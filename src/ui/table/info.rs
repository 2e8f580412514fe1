//! The output of `info` and `version`.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use crate::model::observe::system::Info;
use crate::model::value::units::human_memory;

/// What Docker calls the runtime, the log drivers, the cgroup driver and the drivers of networks.
const RUNTIME: &str = "lifebox";
const LOG_DRIVERS: [&str; 2] = ["json-file", "local"];
const CGROUP_DRIVER: &str = "cgroupfs";
const NETWORKS: [&str; 2] = ["host", "null"];

/// Returns Docker's number of the cgroup version: a hybrid host counts as 1.
fn cgroup_version(info: &Info) -> &'static str {
    if info.cgroup_version == "v2" { "2" } else { "1" }
}

/// Formats `info`, as Docker does.
pub fn info(info: &Info) -> String {
    let hybrid = if info.cgroup_version == "hybrid" { " (hybrid)" } else { "" };
    let mut text = format!(
        "Client:\n Version:    {}\n Context:    default\n Debug Mode: false\n\nServer:\n",
        info.version
    );
    let mut add = |line: String| text.push_str(&format!(" {line}\n"));
    add(format!("Containers: {}", info.containers));
    add(format!(" Running: {}", info.running));
    add(format!(" Paused: {}", info.paused));
    add(format!(" Stopped: {}", info.stopped));
    add(format!("Images: {}", info.images));
    add(format!("Server Version: {}", info.version));
    add(format!("Storage Driver: {}", info.storage));
    add(format!("Logging Driver: {}", LOG_DRIVERS[0]));
    add(format!("Cgroup Driver: {CGROUP_DRIVER}"));
    add(format!("Cgroup Version: {}{hybrid}", cgroup_version(info)));
    add(format!("Cgroup Controllers: {}", info.cgroup_controllers.join(" ")));
    add("Plugins:".to_owned());
    add(" Volume: local".to_owned());
    add(format!(" Network: {}", NETWORKS.join(" ")));
    add(format!(" Log: {}", LOG_DRIVERS.join(" ")));
    add("Swarm: inactive".to_owned());
    add(format!("Runtimes: {RUNTIME}"));
    add(format!("Default Runtime: {RUNTIME}"));
    security(&info.security_options).into_iter().for_each(&mut add);
    add(format!("Kernel Version: {}", info.kernel));
    add(format!("Operating System: {}", info.operating_system));
    add("OSType: linux".to_owned());
    add(format!("Architecture: {}", info.architecture));
    add(format!("CPUs: {}", info.cpus));
    add(format!("Total Memory: {}", human_memory(info.memory)));
    add(format!("Name: {}", info.name));
    add(format!("Docker Root Dir: {}", info.root));
    add("Debug Mode: false".to_owned());
    if info.rootless {
        add("Rootless: true".to_owned());
        add(format!(" UID Map: {}", info.uid_map.join(", ")));
        add(format!(" GID Map: {}", info.gid_map.join(", ")));
    }
    add("Experimental: false".to_owned());
    // Containers need no daemon to live on.
    add("Live Restore Enabled: true".to_owned());
    for warning in &info.warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text
}

/// Formats the security options as Docker does, and the kernel modules that are not available.
fn security(options: &[String]) -> Vec<String> {
    let mut lines = vec!["Security Options:".to_owned()];
    let name_of = |option: &str| option.trim_start_matches("name=").to_owned();
    for option in options {
        let (name, profile) = option.split_once(",profile=").unwrap_or((option, ""));
        lines.push(format!(" {}", name_of(name)));
        if !profile.is_empty() {
            lines.push(format!("  Profile: {profile}"));
        }
    }
    for module in ["apparmor", "selinux"] {
        if options.iter().all(|option| name_of(option) != module) {
            lines.push(format!(" {module}: not available"));
        }
    }
    lines
}

/// Returns the fields of `info --format`, under Docker's names; `now` is the time.
pub fn info_fields(info: &Info, now: Timestamp) -> Value {
    let mut fields = Map::new();
    for part in [store_fields(info, now), host_fields(info), engine_fields(info)] {
        if let Value::Object(part) = part {
            fields.extend(part);
        }
    }
    Value::Object(fields)
}

fn store_fields(info: &Info, now: Timestamp) -> Value {
    let has = |name: &str| info.cgroup_controllers.iter().any(|one| one == name);
    json!({
        "ID": "",
        "Containers": info.containers,
        "ContainersRunning": info.running,
        "ContainersPaused": info.paused,
        "ContainersStopped": info.stopped,
        "Images": info.images,
        "Driver": info.storage,
        "DriverStatus": [],
        "Plugins": {
            "Volume": ["local"],
            "Network": NETWORKS,
            "Authorization": null,
            "Log": LOG_DRIVERS,
        },
        "MemoryLimit": has("memory"),
        "SwapLimit": has("memory"),
        "KernelMemory": false,
        "KernelMemoryTCP": false,
        "CpuCfsPeriod": has("cpu"),
        "CpuCfsQuota": has("cpu"),
        "CPUShares": has("cpu"),
        "CPUSet": has("cpuset"),
        "PidsLimit": has("pids"),
        "IPv4Forwarding": false,
        "Debug": false,
        "NFd": 0,
        "OomKillDisable": has("memory") && cgroup_version(info) == "1",
        "NGoroutines": 0,
        "SystemTime": now.to_string(),
        "LoggingDriver": LOG_DRIVERS[0],
        "CgroupDriver": CGROUP_DRIVER,
        "CgroupVersion": cgroup_version(info),
        "NEventsListener": 0,
        "CgroupControllers": info.cgroup_controllers,
    })
}

fn host_fields(info: &Info) -> Value {
    json!({
        "KernelVersion": info.kernel,
        "OperatingSystem": info.operating_system,
        "OSVersion": info.os_version,
        "OSType": "linux",
        "Architecture": info.architecture,
        "IndexServerAddress": "https://index.docker.io/v1/",
        "RegistryConfig": {
            "IndexConfigs": {
                "docker.io": {
                    "Mirrors": [], "Name": "docker.io", "Official": true, "Secure": true,
                },
            },
            "InsecureRegistryCIDRs": ["127.0.0.0/8", "::1/128"],
            "Mirrors": [],
        },
        "NCPU": info.cpus,
        "MemTotal": info.memory,
        "GenericResources": null,
        "DockerRootDir": info.root,
        "HttpProxy": "",
        "HttpsProxy": "",
        "NoProxy": "",
    })
}

fn engine_fields(info: &Info) -> Value {
    json!({
        "Name": info.name,
        "Labels": [],
        "ExperimentalBuild": false,
        "ServerVersion": info.version,
        "Runtimes": { RUNTIME: { "path": RUNTIME } },
        "DefaultRuntime": RUNTIME,
        "Swarm": {
            "NodeID": "", "NodeAddr": "", "LocalNodeState": "inactive", "ControlAvailable": false,
            "Error": "", "RemoteManagers": null,
        },
        "LiveRestoreEnabled": true,
        "Isolation": "",
        "InitBinary": RUNTIME,
        "ContainerdCommit": { "ID": "", "Expected": "" },
        "RuncCommit": { "ID": "", "Expected": "" },
        "InitCommit": { "ID": "", "Expected": "" },
        "Rootless": info.rootless,
        "UIDMap": info.uid_map,
        "GIDMap": info.gid_map,
        "SecurityOptions": info.security_options,
        "Warnings": info.warnings,
        "CDISpecDirs": [],
        "ServerErrors": null,
        "ClientInfo": {
            "Debug": false, "Version": info.version, "Os": "linux", "Context": "default",
            "Plugins": [], "Warnings": null,
        },
    })
}

/// Formats `version`, as Docker does: client and server are the same program.
pub fn version(version: &str, architecture: &str) -> String {
    format!(
        "Client: lifebox\n Version:           {version}\n OS/Arch:           \
         linux/{architecture}\n Context:           default\n\nServer: lifebox\n Engine:\n  \
         Version:          {version}\n  OS/Arch:          linux/{architecture}\n  \
         Experimental:     false\n"
    )
}

/// Returns the fields of `version --format`. There is no server and no API: `Client` and `Server`
/// are the same program, and what it has not is empty.
pub fn version_fields(version: &str, architecture: &str, kernel: &str) -> Value {
    let program = json!({
        "Version": version, "ApiVersion": "", "GitCommit": "", "GoVersion": "", "Os": "linux",
        "Arch": architecture, "BuildTime": "",
    });
    let (mut client, mut server) = (program.clone(), program);
    client["DefaultAPIVersion"] = "".into();
    client["Context"] = "default".into();
    server["Platform"] = json!({ "Name": "lifebox" });
    server["Components"] = json!([{
        "Name": "Engine",
        "Version": version,
        "Details": { "Arch": architecture, "KernelVersion": kernel, "Os": "linux" },
    }]);
    server["MinAPIVersion"] = "".into();
    server["KernelVersion"] = kernel.into();
    server["Experimental"] = false.into();
    json!({ "Client": client, "Server": server })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "one line a field")]
    fn info_names_each_number_and_warning() {
        let example = Info {
            version: "0.1.0".into(),
            root: "/srv/lifebox".into(),
            containers: 3,
            running: 1,
            paused: 0,
            stopped: 2,
            images: 4,
            name: "vm".into(),
            operating_system: "Debian GNU/Linux 12 (bookworm)".into(),
            os_version: "12".into(),
            kernel: "6.1.0".into(),
            architecture: "x86_64".into(),
            cgroup_version: "v2".into(),
            cgroup_controllers: vec!["cpu".into(), "pids".into()],
            storage: "overlay2".into(),
            cpus: 2,
            memory: 4_000_000_000,
            rootless: true,
            uid_map: vec!["0 1000 1".into(), "1 100000 65536".into()],
            gid_map: vec!["0 100 1".into()],
            security_options: vec!["name=apparmor".into(), "name=seccomp,profile=builtin".into()],
            warnings: vec!["no swap accounting".into()],
        };
        expect![[r#"
            Client:
             Version:    0.1.0
             Context:    default
             Debug Mode: false

            Server:
             Containers: 3
              Running: 1
              Paused: 0
              Stopped: 2
             Images: 4
             Server Version: 0.1.0
             Storage Driver: overlay2
             Logging Driver: json-file
             Cgroup Driver: cgroupfs
             Cgroup Version: 2
             Cgroup Controllers: cpu pids
             Plugins:
              Volume: local
              Network: host null
              Log: json-file local
             Swarm: inactive
             Runtimes: lifebox
             Default Runtime: lifebox
             Security Options:
              apparmor
              seccomp
               Profile: builtin
              selinux: not available
             Kernel Version: 6.1.0
             Operating System: Debian GNU/Linux 12 (bookworm)
             OSType: linux
             Architecture: x86_64
             CPUs: 2
             Total Memory: 3.725GiB
             Name: vm
             Docker Root Dir: /srv/lifebox
             Debug Mode: false
             Rootless: true
              UID Map: 0 1000 1, 1 100000 65536
              GID Map: 0 100 1
             Experimental: false
             Live Restore Enabled: true

            warning: no swap accounting
        "#]]
        .assert_eq(&info(&example));
    }
}
