//! The output of `info` and `version`.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::model::observe::system::Info;
use crate::model::value::units::human_size;

/// Formats `info`.
pub fn info(info: &Info) -> String {
    let controllers = info.cgroup_controllers.join(" ");
    let lines: [(&str, &dyn std::fmt::Display); 14] = [
        ("Containers", &info.containers),
        (" Running", &info.running),
        (" Paused", &info.paused),
        (" Stopped", &info.stopped),
        ("Images", &info.images),
        ("Version", &info.version),
        ("Storage Driver", &info.storage),
        ("Root Dir", &info.root),
        ("Cgroup Version", &info.cgroup_version),
        ("Cgroup Controllers", &controllers),
        ("Kernel Version", &info.kernel),
        ("Architecture", &info.architecture),
        ("CPUs", &info.cpus),
        ("Total Memory", &human_size(info.memory)),
    ];
    let mut text = String::new();
    for (name, value) in lines {
        let _ = writeln!(text, "{name}: {value}");
    }
    if info.rootless {
        let _ = writeln!(text, "Rootless: true");
        let _ = writeln!(text, " UID Map: {}", info.uid_map.join(", "));
        let _ = writeln!(text, " GID Map: {}", info.gid_map.join(", "));
    }
    text.push_str(&security(&info.security_options));
    for warning in &info.warnings {
        let _ = writeln!(text, "\nwarning: {warning}");
    }
    text
}

/// Formats the security options as Docker does, and the kernel modules that are not available.
fn security(options: &[String]) -> String {
    let mut text = "Security Options:\n".to_owned();
    let name_of = |option: &str| option.trim_start_matches("name=").to_owned();
    for option in options {
        let (name, profile) = option.split_once(",profile=").unwrap_or((option, ""));
        let _ = writeln!(text, " {}", name_of(name));
        if !profile.is_empty() {
            let _ = writeln!(text, "  Profile: {profile}");
        }
    }
    for module in ["apparmor", "selinux"] {
        if options.iter().all(|option| name_of(option) != module) {
            let _ = writeln!(text, " {module}: not available");
        }
    }
    text
}

/// Returns the fields of `info --format`, under Docker's names.
pub fn info_fields(info: &Info) -> Value {
    json!({
        "Containers": info.containers,
        "ContainersRunning": info.running,
        "ContainersPaused": info.paused,
        "ContainersStopped": info.stopped,
        "Images": info.images,
        "Driver": info.storage,
        "CgroupVersion": info.cgroup_version,
        "CgroupControllers": info.cgroup_controllers,
        "KernelVersion": info.kernel,
        "OSType": "linux",
        "Architecture": info.architecture,
        "NCPU": info.cpus,
        "MemTotal": info.memory,
        "DockerRootDir": info.root,
        "ServerVersion": info.version,
        "Rootless": info.rootless,
        "UIDMap": info.uid_map,
        "GIDMap": info.gid_map,
        "SecurityOptions": info.security_options,
        "Warnings": info.warnings,
    })
}

/// Formats `version`.
pub fn version(version: &str, architecture: &str) -> String {
    format!("lifebox:\n Version:  {version}\n OS/Arch:  linux/{architecture}\n")
}

/// Returns the fields of `version --format`. There is no server: `Client` and `Server` are the same
/// program.
pub fn version_fields(version: &str, architecture: &str) -> Value {
    let program = json!({ "Version": version, "Os": "linux", "Arch": architecture });
    json!({ "Client": program, "Server": program })
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    #[test]
    fn info_names_each_number_and_warning() {
        let example = Info {
            version: "0.1.0".into(),
            root: "/srv/lifebox".into(),
            containers: 3,
            running: 1,
            paused: 0,
            stopped: 2,
            images: 4,
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
            Containers: 3
             Running: 1
             Paused: 0
             Stopped: 2
            Images: 4
            Version: 0.1.0
            Storage Driver: overlay2
            Root Dir: /srv/lifebox
            Cgroup Version: v2
            Cgroup Controllers: cpu pids
            Kernel Version: 6.1.0
            Architecture: x86_64
            CPUs: 2
            Total Memory: 4GB
            Rootless: true
             UID Map: 0 1000 1, 1 100000 65536
             GID Map: 0 100 1
            Security Options:
             apparmor
             seccomp
              Profile: builtin
             selinux: not available

            warning: no swap accounting
        "#]]
        .assert_eq(&info(&example));
    }
}
