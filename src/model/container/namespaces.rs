//! What a container shares with the host or with another container: network, processes, IPC, host
//! name.

use crate::model::value::list::list_or;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::net::IpAddr;

/// What a container shares with the host or with another container: network, processes, IPC, host
/// name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Namespaces {
    /// Interfaces, addresses, ports.
    pub network: NamespaceMode,
    /// Shared memory, semaphores, message queues.
    pub ipc: NamespaceMode,
    /// Whether other containers may join this container's IPC namespace.
    pub ipc_shareable: bool,
    /// Whether a private IPC namespace comes without `/dev/shm`.
    pub ipc_none: bool,
    /// Processes.
    pub pid: NamespaceMode,
    /// The host name.
    pub uts: NamespaceMode,
    /// Whether the container sees the paths of cgroups as the host does.
    pub cgroup_host: bool,
    /// Whether the user namespace of lifebox was named, the only one there is.
    pub user_host: bool,
    /// Whether the isolation of Linux was named, the only one there is.
    pub isolation_default: bool,
    /// Whether an init process forwards signals and reaps orphans (`--init`).
    pub init: bool,
    /// The NIS domain name.
    pub domainname: String,
    /// Kernel parameters of the private namespaces.
    pub sysctls: BTreeMap<String, String>,
    /// Names with addresses, as lines of `/etc/hosts`.
    pub extra_hosts: Vec<(String, IpAddr)>,
    /// Name servers.
    pub dns: Vec<IpAddr>,
    /// Options of the resolver.
    pub dns_options: Vec<String>,
    /// Domains that names are looked up in.
    pub dns_search: Vec<String>,
}

/// Whose namespace it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NamespaceMode {
    /// A private namespace.
    #[default]
    Private,
    /// The host's namespace.
    Host,
    /// The namespace of the container with this name; with this id after `create`.
    Container(String),
}

impl NamespaceMode {
    /// Parses `--network`, `--ipc`, `--pid` or `--uts`; `private` are the words for a private
    /// namespace.
    ///
    /// # Errors
    /// [`Kind::Invalid`], and [`Kind::Unsupported`] for named networks.
    pub fn parse(what: &str, text: &str, private: &[&str]) -> Result<NamespaceMode> {
        if private.contains(&text) {
            return Ok(NamespaceMode::Private);
        }
        let shares = what != "uts";
        match text.split_once(':') {
            None if text == "host" => Ok(NamespaceMode::Host),
            Some(("container", name)) if shares && !name.is_empty() => {
                Ok(NamespaceMode::Container(name.to_owned()))
            }
            _ => {
                let text = text.escape_debug();
                let hint = format!("use {}", list_or(&choices(private, shares)));
                let (kind, message) = match what {
                    "network" => (Kind::Unsupported, format!("network `{text}` is not supported")),
                    _ => {
                        let mode = what.to_uppercase();
                        (Kind::Invalid, format!("invalid {mode} mode: {text}"))
                    }
                };
                Err(Error::new(kind, message).hint(hint))
            }
        }
    }

    /// Returns whether the container has a private namespace.
    pub fn is_private(&self) -> bool {
        *self == NamespaceMode::Private
    }

    /// Writes the mode as Docker does, and a private one as `private`.
    pub fn show(&self, private: &str) -> String {
        match self {
            NamespaceMode::Private => private.to_owned(),
            NamespaceMode::Host => "host".to_owned(),
            NamespaceMode::Container(id) => format!("container:{id}"),
        }
    }
}

/// Returns the words for a mode: `private` ones, `host`, and `container:NAME` if it `shares`.
fn choices<'a>(private: &[&'a str], shares: bool) -> Vec<&'a str> {
    let words = private.iter().copied().filter(|word| !word.is_empty());
    words.chain(["host"]).chain(shares.then_some("container:NAME")).collect()
}

/// Kernel parameters that belong to an IPC namespace (docker/cli, `opts/sysctl`).
const IPC_SYSCTLS: [&str; 8] = [
    "kernel.msgmax",
    "kernel.msgmnb",
    "kernel.msgmni",
    "kernel.sem",
    "kernel.shmall",
    "kernel.shmmax",
    "kernel.shmmni",
    "kernel.shm_rmid_forced",
];

/// Parses `KEY=VALUE` of `--sysctl`.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn sysctl(text: &str) -> Result<(String, String)> {
    match text.split_once('=') {
        // Docker's command line refuses a key of another namespace itself (docker/cli,
        // `ValidateSysctl`), and so fails with its own exit code.
        Some((key, _)) if !key.is_empty() && !has_namespace(key) => Err(no_namespace(key)),
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Error::new(Kind::Invalid, format!("sysctl '{text}' has no value"))
            .hint("write KEY=VALUE, such as net.core.somaxconn=1024")),
    }
}

/// Whether a kernel parameter belongs to a namespace.
fn has_namespace(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-' | b'/');
    let known = key.starts_with("net.") || is_of_ipc(key);
    known && key.bytes().all(plain) && !key.contains("..")
}

fn is_of_ipc(key: &str) -> bool {
    IPC_SYSCTLS.contains(&key) || key.starts_with("fs.mqueue.")
}

fn no_namespace(key: &str) -> Error {
    let message = format!("sysctl '{}' is not allowed", key.escape_debug());
    Error::new(Kind::Invalid, message)
        .hint("use one of net.*, kernel.msg*, kernel.sem, kernel.shm*, fs.mqueue.*")
}

/// Parses `NAME:ADDRESS` of `--add-host`.
///
/// # Errors
/// [`Kind::Invalid`], and [`Kind::Unsupported`] for `host-gateway`.
pub fn extra_host(text: &str) -> Result<(String, IpAddr)> {
    let (name, address) = text.split_once(['=', ':']).unwrap_or((text, ""));
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    if name.is_empty() || !name.bytes().all(plain) || address.is_empty() {
        return Err(Error::new(Kind::Invalid, format!("bad format for add-host: {text:?}"))
            .hint("write NAME:ADDRESS, such as db:10.0.0.7"));
    }
    if address == "host-gateway" {
        let message = "`host-gateway` is not supported: there is no bridge to the host";
        return Err(Error::new(Kind::Unsupported, message)
            .hint("share the host's network with --network host"));
    }
    let bare = address.trim_start_matches('[').trim_end_matches(']');
    Ok((name.to_owned(), ip("add-host", bare)?))
}

/// Parses an address of `--dns` or `--add-host`.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn ip(what: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| {
        let message = format!("invalid IP address in {what}: {text:?}");
        Error::new(Kind::Invalid, message).hint("write an address such as 10.0.0.7 or fd00::7")
    })
}

/// Parses a domain of `--dns-search`; `.` searches none.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn search_domain(text: &str) -> Result<String> {
    let domain = text.trim_matches(' ');
    let labels = domain.strip_suffix('.').unwrap_or(domain).split('.');
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    let has_letter = domain.contains(|c: char| c.is_ascii_alphabetic());
    if domain == "." || has_letter && domain.len() < 255 && { labels }.all(is_label) {
        return Ok(domain.to_owned());
    }
    let message = format!("invalid search domain in dns: {}", visible::short(text));
    Err(Error::new(Kind::Invalid, message).hint("write a domain such as example.com, or ."))
}

impl Namespaces {
    /// Refuses a kernel parameter that does not belong to a private namespace.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub(super) fn check_sysctl(&self, key: &str, value: &str) -> Result<()> {
        if !has_namespace(key) || value.contains('\0') {
            return Err(no_namespace(key));
        }
        let (mode, what) =
            if is_of_ipc(key) { (&self.ipc, "ipc") } else { (&self.network, "network") };
        if mode.is_private() {
            return Ok(());
        }
        let message =
            format!("sysctl '{key}' is not allowed: the container has no private {what} namespace");
        Err(Error::new(Kind::Invalid, message)
            .hint("set it in the container or host that owns the namespace"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_of_the_host_are_refused() {
        let private = Namespaces::default();
        let host = Namespaces {
            network: NamespaceMode::Host,
            ipc: NamespaceMode::Host,
            ..Namespaces::default()
        };
        for key in ["net.core.somaxconn", "kernel.shmmax", "fs.mqueue.msg_max"] {
            assert!(private.check_sysctl(key, "1").is_ok(), "{key}");
            assert!(host.check_sysctl(key, "1").is_err(), "{key}");
        }
        for key in
            ["kernel.panic", "vm.swappiness", "net./../../kernel/panic", "net...x", "net.é", ""]
        {
            assert!(private.check_sysctl(key, "1").is_err(), "{key}");
        }
        assert!(sysctl("net.x").is_err() && sysctl("=1").is_err());
    }

    #[test]
    fn a_search_domain_is_a_name_or_a_dot() {
        for (text, expected) in [(".", "."), (" a-1.example.com. ", "a-1.example.com."), ("x", "x")]
        {
            assert_eq!(search_domain(text).unwrap(), expected);
        }
        for text in ["", " ", "...", "a..b", "a b", "_x", "-x", "x-", "1.2", &"a".repeat(255)] {
            assert_eq!(search_domain(text).unwrap_err().kind(), Kind::Invalid, "{text}");
        }
    }

    #[test]
    fn modes_are_dockers_words() {
        let parse = |what, text| NamespaceMode::parse(what, text, &["", "private"]);
        assert_eq!(parse("ipc", "private").unwrap(), NamespaceMode::Private);
        assert_eq!(parse("ipc", "container:web").unwrap(), NamespaceMode::Container("web".into()));
        assert_eq!(parse("uts", "host").unwrap().show(""), "host");
        for (what, text) in [("uts", "container:x"), ("pid", "container:"), ("pid", "mine")] {
            assert_eq!(parse(what, text).unwrap_err().kind(), Kind::Invalid, "{what} {text}");
        }
        assert_eq!(parse("network", "bridge").unwrap_err().kind(), Kind::Unsupported);
        for (what, private, hint) in [
            ("network", &["none"][..], "use none, host or container:NAME"),
            ("pid", &[""], "use host or container:NAME"),
            ("uts", &[""], "use host"),
            (
                "ipc",
                &["private", "none", "shareable", ""],
                "use private, none, shareable, host or container:NAME",
            ),
        ] {
            let error = NamespaceMode::parse(what, "mine", private).unwrap_err();
            assert_eq!(error.hint_text(), Some(hint), "{what}");
        }
    }

    #[test]
    fn hosts_are_names_with_addresses() {
        assert_eq!(extra_host("db:10.0.0.7").unwrap().1.to_string(), "10.0.0.7");
        assert_eq!(extra_host("db:fd00::7").unwrap().1.to_string(), "fd00::7");
        assert_eq!(extra_host("db=[::1]").unwrap().1.to_string(), "::1");
        for text in ["db", ":1.2.3.4", "a\nb:1.2.3.4", "db:1.2.3", "db:host-gateway"] {
            assert!(extra_host(text).is_err(), "{text:?}");
        }
    }
}
