//! The settings of an engine, from the user and the environment.

use std::path::PathBuf;

use crate::image::Keychain;

/// The settings of an engine.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The directory of images and containers.
    pub root: PathBuf,
    /// The cgroup under which containers get theirs, relative to each hierarchy's root.
    pub cgroup_parent: String,
    /// The name of the storage driver; without one, overlay where the kernel allows it.
    pub storage: Option<String>,
    /// Docker's directory of the client, where credentials are; without one, as the environment
    /// says.
    pub docker_config: Option<PathBuf>,
    /// Whether requests to registries are allowed, with the credentials of the user.
    pub registries: bool,
}

impl Settings {
    /// Returns where Docker's `config.json` of the client is.
    pub fn client_config(&self) -> Option<PathBuf> {
        Keychain::of(self.docker_config.as_deref()).docker()
    }

    /// Overrides settings by the options of a command.
    pub fn take(&mut self, root: Option<PathBuf>, storage: Option<String>) {
        self.root = root.map_or_else(|| std::mem::take(&mut self.root), absolute);
        self.storage = storage.or_else(|| self.storage.take());
    }

    /// Reads the environment: `LIFEBOX_ROOT`, or `/var/lib/lifebox` as root, else
    /// `$XDG_DATA_HOME/lifebox` or `~/.local/share/lifebox`; `LIFEBOX_CGROUP_PARENT`, or `lifebox`,
    /// which for an ordinary user is below its own cgroup; `LIFEBOX_STORAGE_DRIVER`. Call this
    /// before [`enter_user_namespace`](crate::engine::enter_user_namespace).
    pub fn from_environment() -> Self {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        let data = || {
            variable("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/share")))
                .unwrap_or_else(|| PathBuf::from("/tmp"))
                .join("lifebox")
        };
        let default = || {
            if rustix::process::geteuid().is_root() {
                PathBuf::from("/var/lib/lifebox")
            } else {
                data()
            }
        };
        Settings {
            root: variable("LIFEBOX_ROOT").map_or_else(default, |root| absolute(root.into())),
            cgroup_parent: std::env::var("LIFEBOX_CGROUP_PARENT")
                .unwrap_or_else(|_| crate::runtime::cgroup::cgroup_parent()),
            storage: variable("LIFEBOX_STORAGE_DRIVER")
                .map(|name| name.to_string_lossy().into_owned()),
            docker_config: None,
            registries: true,
        }
    }
}

/// Returns a root by its path from `/`: a monitor has another working directory.
fn absolute(root: PathBuf) -> PathBuf {
    std::path::absolute(&root).unwrap_or(root)
}
