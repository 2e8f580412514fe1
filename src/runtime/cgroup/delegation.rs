//! How an ordinary user gets a delegated cgroup, which limits, `pause` and `stats` need.

use std::path::{Path, PathBuf};

use super::hierarchies::Hierarchies;
use crate::runtime::host::user;

/// The properties of the host that decide how.
#[derive(Clone, Debug)]
struct CgroupSetup {
    /// Where the unified hierarchy is mounted, if it is.
    unified: Option<PathBuf>,
    /// Whether it is the only hierarchy.
    dedicated: bool,
    /// Whether the user has a cgroup there already.
    delegated: bool,
    /// Whether systemd runs this host, and whether it runs a manager for the user.
    systemd: bool,
    manager: bool,
    uid: u32,
    name: String,
}

/// Returns the cgroup below which containers get theirs, unless the user names one: `lifebox`,
/// which for an ordinary user is below the cgroup that this process is in. To be called before
/// the process enters its user namespace.
pub fn cgroup_parent() -> String {
    let parent = if rustix::process::geteuid().is_root() {
        PathBuf::new()
    } else {
        Hierarchies::current_cgroup()
    };
    parent.join("lifebox").to_string_lossy().into_owned()
}

/// Returns the command that gives this user a cgroup, or one with `controller`. `delegated` says
/// whether there is a cgroup already.
pub fn delegation_hint(controller: Option<&str>, delegated: bool) -> String {
    let hierarchies = Hierarchies::of_host().unwrap_or_default();
    let (uid, name) = user::caller();
    hint_command(
        &CgroupSetup {
            dedicated: hierarchies.version() == "v2",
            unified: hierarchies.unified,
            delegated,
            systemd: Path::new("/run/systemd/system").exists(),
            manager: Path::new(&format!("/run/user/{uid}/systemd")).exists(),
            uid,
            name,
        },
        controller,
    )
}

fn hint_command(place: &CgroupSetup, controller: Option<&str>) -> String {
    let CgroupSetup { uid, name, .. } = place;
    let scope = "systemd-run --user --scope -p Delegate=yes lifebox ...";
    let (Some(mount), true) = (&place.unified, place.dedicated || controller.is_none()) else {
        // v1 hierarchies cannot be delegated safely (systemd, CGROUP_DELEGATION).
        let option = match place.systemd {
            true => "systemd.unified_cgroup_hierarchy=1",
            false => "cgroup_no_v1=all",
        };
        return format!("only cgroup v2 can be delegated to a user: boot with {option}");
    };
    match (place.systemd, place.manager, controller) {
        (true, _, Some(_)) if place.delegated => {
            "sudo mkdir -p /etc/systemd/system/user@.service.d; \
             printf '[Service]\\nDelegate=cpu cpuset io memory pids\\n' | \
             sudo tee /etc/systemd/system/user@.service.d/delegate.conf; \
             sudo systemctl daemon-reload; then log in again"
                .to_owned()
        }
        (true, true, _) => scope.to_owned(),
        (true, false, _) => format!(
            "sudo loginctl enable-linger {name}; then: XDG_RUNTIME_DIR=/run/user/{uid} {scope}"
        ),
        (false, ..) => {
            let parent = mount.join(name);
            let parent = parent.display();
            let pass = match place.dedicated {
                true => format!(
                    "echo '+cpu +memory +pids' > {}/cgroup.subtree_control; ",
                    mount.display()
                ),
                false => String::new(),
            };
            format!(
                "sudo sh -c \"{pass}mkdir -p {parent}; cd {parent}; \
                 chown {name} . cgroup.procs cgroup.threads cgroup.subtree_control; \
                 echo $$ > cgroup.procs\""
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_the_one_for_this_host() {
        let place = CgroupSetup {
            unified: Some("/sys/fs/cgroup".into()),
            dedicated: true,
            delegated: false,
            systemd: true,
            manager: true,
            uid: 1000,
            name: "ann".to_owned(),
        };
        let scope = "systemd-run --user --scope -p Delegate=yes lifebox ...";
        assert_eq!(hint_command(&place, None), scope);
        assert_eq!(hint_command(&place, Some("memory")), scope);
        let away = CgroupSetup { manager: false, ..place.clone() };
        let linger = "sudo loginctl enable-linger ann; then: XDG_RUNTIME_DIR=/run/user/1000 ";
        assert_eq!(hint_command(&away, None), format!("{linger}{scope}"));
        // systemd delegates only memory and pids to users by default.
        let few = CgroupSetup { delegated: true, ..place.clone() };
        assert!(hint_command(&few, Some("cpu")).contains("Delegate=cpu cpuset io memory pids"));
        let plain = CgroupSetup { systemd: false, ..place.clone() };
        assert!(
            hint_command(&plain, Some("cpu"))
                .starts_with("sudo sh -c \"echo '+cpu +memory +pids' > ")
        );
        let old = CgroupSetup { dedicated: false, ..place };
        assert!(hint_command(&old, Some("cpu")).ends_with("systemd.unified_cgroup_hierarchy=1"));
        assert_eq!(hint_command(&old, None), scope);
        assert!(
            hint_command(&CgroupSetup { unified: None, systemd: false, ..old }, None)
                .ends_with("cgroup_no_v1=all")
        );
    }
}
