//! What a container shares with the host or with another container: network, processes, IPC, host
//! name.

use std::net::IpAddr;

use super::assign::{extend, set};
use super::row::CreateOption as Row;
use super::row::Trust::{Any, Denied, DeniedIf};
use super::{read, write};
use crate::model::container::namespaces::{NamespaceMode, extra_host, ip, search_domain, sysctl};
use crate::model::value::expression::Expression;
use crate::model::value::option_spec::ValueType as T;
use crate::model::value::{port, visible};
use crate::model::{Error, Kind, Result};

fn word(text: String) -> Option<Expression> {
    Some(text).filter(|text| !text.is_empty()).map(Expression::Text)
}

fn mode(what: &str, value: &Expression, private: &[&str]) -> Result<(NamespaceMode, String)> {
    let text = read::text_of(T::NamespaceMode, value)?;
    Ok((NamespaceMode::parse(what, &text, private)?, text))
}

fn unknown(what: &str, value: &str, known: &str) -> Error {
    let error = Error::new(Kind::Invalid, format!("{what}: {}", visible::short(value)));
    error.hint(format!("use {known}, or leave it out"))
}

pub(super) const OPTIONS: &[Row] = &[
    Row::new(
        "network",
        T::NamespaceMode,
        DeniedIf(|o| o.namespaces.network == NamespaceMode::Host),
        "Connect a container to a network: none (default), host or container:NAME",
        |o| word(o.namespaces.network.show("")),
        |o, v| {
            o.namespaces.network = mode("network", v, &["none"])?.0;
            Ok(())
        },
    )
    .flag("network", "NETWORK")
    .building()
    .alias("net"),
    Row::new(
        "expose",
        T::StringList,
        Any,
        "Expose a port or a range of ports",
        |o| write::texts(&o.exposed_ports),
        |o, v| {
            for text in read::texts_or_numbers(v)? {
                for port in port::expand(&text)? {
                    if !o.exposed_ports.contains(&port) {
                        o.exposed_ports.push(port);
                    }
                }
            }
            Ok(())
        },
    )
    .flag("expose", "PORT"),
    Row::new(
        "ipc",
        T::NamespaceMode,
        DeniedIf(|o| o.namespaces.ipc == NamespaceMode::Host),
        "IPC mode to use: private (default), none, shareable, host or container:NAME",
        |o| match (o.namespaces.ipc_none, o.namespaces.ipc_shareable) {
            (true, _) => Some(Expression::text("none")),
            (_, true) => Some(Expression::text("shareable")),
            _ => word(o.namespaces.ipc.show("")),
        },
        |o, v| {
            let (mode, text) = mode("ipc", v, &["none", "private", "shareable", ""])?;
            o.namespaces.ipc = mode;
            o.namespaces.ipc_none = text == "none";
            o.namespaces.ipc_shareable = text == "shareable";
            Ok(())
        },
    )
    .flag("ipc", "MODE"),
    Row::new(
        "pid",
        T::NamespaceMode,
        DeniedIf(|o| o.namespaces.pid == NamespaceMode::Host),
        "PID namespace to use: host or container:NAME",
        |o| word(o.namespaces.pid.show("")),
        |o, v| {
            o.namespaces.pid = mode("pid", v, &[""])?.0;
            Ok(())
        },
    )
    .flag("pid", "MODE"),
    Row::new(
        "uts",
        T::NamespaceMode,
        DeniedIf(|o| o.namespaces.uts == NamespaceMode::Host),
        "UTS namespace to use: host",
        |o| word(o.namespaces.uts.show("")),
        |o, v| {
            o.namespaces.uts = mode("uts", v, &[""])?.0;
            Ok(())
        },
    )
    .flag("uts", "MODE"),
    Row::new(
        "cgroupns",
        T::OneOf(&["private", "host"]),
        DeniedIf(|o| o.namespaces.cgroup_host),
        "Cgroup namespace to use: private (default) or host",
        |o| o.namespaces.cgroup_host.then(|| Expression::text("host")),
        |o, v| match read::text(v)?.as_str() {
            "" | "private" => set(&mut o.namespaces.cgroup_host, Ok(false)),
            "host" => set(&mut o.namespaces.cgroup_host, Ok(true)),
            other => Err(unknown("invalid CGROUP mode", other, "private or host")),
        },
    )
    .flag("cgroupns", "MODE"),
    Row::new(
        "userns",
        T::OneOf(&["host"]),
        Any,
        "User namespace to use: host, the one of lifebox",
        |o| o.namespaces.user_host.then(|| Expression::text("host")),
        |o, v| match read::text(v)?.as_str() {
            "" => set(&mut o.namespaces.user_host, Ok(false)),
            "host" => set(&mut o.namespaces.user_host, Ok(true)),
            other => Err(unknown("invalid USER mode", other, "host")),
        },
    )
    .flag("userns", "MODE"),
    Row::new(
        "isolation",
        T::OneOf(&["default"]),
        Any,
        "Container isolation technology: default",
        |o| o.namespaces.isolation_default.then(|| Expression::text("default")),
        |o, v| match read::text(v)?.as_str() {
            "" => set(&mut o.namespaces.isolation_default, Ok(false)),
            "default" => set(&mut o.namespaces.isolation_default, Ok(true)),
            other => Err(unknown("Invalid isolation", other, "default")),
        },
    )
    .flag("isolation", "NAME"),
    Row::new(
        "init",
        T::Flag,
        Any,
        "Run an init inside the container that forwards signals and reaps processes",
        |o| write::flag(o.namespaces.init),
        |o, v| set(&mut o.namespaces.init, read::flag(v)),
    )
    .switch("init"),
    Row::new(
        "domainname",
        T::Text,
        Any,
        "Container NIS domain name",
        |o| word(o.namespaces.domainname.clone()),
        |o, v| set(&mut o.namespaces.domainname, read::text(v)),
    )
    .flag("domainname", "NAME"),
    Row::new(
        "sysctls",
        T::Pairs,
        Denied,
        "Sysctl options of the container's own namespaces",
        |o| write::pairs(o.namespaces.sysctls.iter()),
        |o, v| {
            for (key, value) in read::pairs(v)? {
                let text = value.map_or_else(|| key.clone(), |value| format!("{key}={value}"));
                let (key, value) = sysctl(&text)?;
                o.namespaces.sysctls.insert(key, value);
            }
            Ok(())
        },
    )
    .flag("sysctl", "KEY=VALUE"),
    Row::new(
        "add_hosts",
        T::StringList,
        Any,
        "Add a custom host-to-IP mapping (host:ip)",
        |o| {
            let host = |(name, address): &(String, IpAddr)| format!("{name}:{address}");
            write::texts(&o.namespaces.extra_hosts.iter().map(host).collect::<Vec<_>>())
        },
        |o, v| {
            for text in read::texts(v)? {
                o.namespaces.extra_hosts.push(extra_host(&text)?);
            }
            Ok(())
        },
    )
    .flag("add-host", "NAME:ADDRESS")
    .building(),
    Row::new(
        "dns",
        T::StringList,
        Any,
        "Set custom DNS servers",
        |o| write::texts(&o.namespaces.dns),
        |o, v| {
            for text in read::texts(v)? {
                o.namespaces.dns.push(ip("dns", &text)?);
            }
            Ok(())
        },
    )
    .flag("dns", "ADDRESS"),
    Row::new(
        "dns_options",
        T::StringList,
        Any,
        "Set DNS options",
        |o| write::texts(&o.namespaces.dns_options),
        |o, v| extend(&mut o.namespaces.dns_options, read::texts(v)),
    )
    .flag("dns-option", "OPTION")
    .alias("dns-opt"),
    Row::new(
        "dns_search",
        T::StringList,
        Any,
        "Set custom DNS search domains",
        |o| write::texts(&o.namespaces.dns_search),
        |o, v| {
            for text in read::texts(v)? {
                o.namespaces.dns_search.push(search_domain(&text)?);
            }
            Ok(())
        },
    )
    .flag("dns-search", "DOMAIN"),
];
