//! The files of a container for names: its `/etc/hostname`, `/etc/hosts` and `/etc/resolv.conf`.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;

use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::container::namespaces::NamespaceMode;
use crate::model::error::Context;
use crate::runtime::record::directory::Directory;

/// The names of the files.
pub(super) const NAMES: [&str; 3] = ["hostname", "hosts", "resolv.conf"];

/// Writes the files. Every user of the container reads them, so the umask of this process does
/// not count.
///
/// # Errors
/// When the disk is full or read-only.
pub(super) fn write(directory: &Directory, spec: &ContainerSpec) -> Result<()> {
    NAMES.iter().try_for_each(|name| write_one(directory, spec, name))
}

/// As [`write`], one of [`NAMES`].
///
/// # Errors
/// As [`write`].
pub(super) fn write_one(directory: &Directory, spec: &ContainerSpec, name: &str) -> Result<()> {
    let text = match name {
        "hostname" => format!("{}\n", spec.config.hostname),
        "hosts" => hosts(spec),
        _ => resolver(spec),
    };
    let path = directory.file(name);
    let write = || {
        let mut file = File::create(&path)?;
        file.set_permissions(Permissions::from_mode(0o644))?;
        file.write_all(text.as_bytes())
    };
    write().context(|| format!("write `{}`", path.display()))
}

/// Returns `/etc/hosts`: the host's if the network is, otherwise the loopback; then the user's
/// entries.
pub(crate) fn hosts(spec: &ContainerSpec) -> String {
    let namespaces = &spec.host_config.namespaces;
    let hostname = &spec.config.hostname;
    let mut text = match namespaces.network {
        NamespaceMode::Host => std::fs::read_to_string("/etc/hosts").unwrap_or_default(),
        _ => format!("127.0.0.1\tlocalhost {hostname}\n::1\tlocalhost {hostname}\n"),
    };
    for (name, address) in &namespaces.extra_hosts {
        text.push_str(&format!("{address}\t{name}\n"));
    }
    text
}

/// Returns `/etc/resolv.conf`: what the user configures, or the host's if the network is.
pub(crate) fn resolver(spec: &ContainerSpec) -> String {
    let namespaces = &spec.host_config.namespaces;
    let options = [&namespaces.dns_options, &namespaces.dns_search];
    if namespaces.dns.is_empty() && options.iter().all(|list| list.is_empty()) {
        return match namespaces.network {
            NamespaceMode::Host => std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default(),
            _ => "# This container has a network of its own, without a way out: no name server.\n"
                .to_owned(),
        };
    }
    let line = |word: &str, list: &[String]| match list.is_empty() {
        true => String::new(),
        false => format!("{word} {}\n", list.join(" ")),
    };
    // As Docker, `.` means that there is no search list.
    let mut text = match namespaces.dns_search.as_slice() {
        [domain] if domain == "." => String::new(),
        domains => line("search", domains),
    };
    let of_host = match (&namespaces.network, namespaces.dns.is_empty()) {
        (NamespaceMode::Host, true) => std::fs::read_to_string("/etc/resolv.conf"),
        _ => Ok(String::new()),
    };
    for server in of_host.unwrap_or_default().lines().filter(|line| line.starts_with("nameserver"))
    {
        text.push_str(&format!("{server}\n"));
    }
    for address in &namespaces.dns {
        text.push_str(&format!("nameserver {address}\n"));
    }
    text + &line("options", &namespaces.dns_options)
}
