//! Options that say what a container shares with the host or with another container: network, processes, IPC, host name.

use super::convert::{pairs, texts};
use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::container::namespaces::{NamespaceMode, Namespaces, extra_host, ip};
use crate::script::values;
use crate::script::values::handle::Container;

/// The options.
pub const KEYS: &[OptionSpec] = &[
    option_spec(
        "network",
        ValueType::NamespaceMode,
        "\"none\", \"host\", \"container:NAME\" or a Container",
    ),
    option_spec(
        "ipc",
        ValueType::NamespaceMode,
        "\"none\", \"private\", \"shareable\", \"host\" or whose",
    ),
    option_spec(
        "pid",
        ValueType::NamespaceMode,
        "\"host\", or the container whose processes it sees",
    ),
    option_spec("uts", ValueType::NamespaceMode, "\"host\": the host's name"),
    option_spec("init", ValueType::Flag, "run an init that passes signals on and reaps processes"),
    option_spec("domainname", ValueType::Text, "the domain name inside"),
    option_spec("sysctls", ValueType::Pairs, "kernel parameters of its own namespaces"),
    option_spec("add_hosts", ValueType::StringList, "names in /etc/hosts, such as \"db:10.0.0.7\""),
    option_spec("dns", ValueType::StringList, "name servers"),
    option_spec("dns_options", ValueType::StringList, "options of the resolver"),
    option_spec("dns_search", ValueType::StringList, "domains that names are looked up in"),
];

/// Reads them.
pub fn read(given: &ParsedOptions<'_>) -> Result<Namespaces> {
    let mode = |name: &str, private: &[&str]| -> Result<(NamespaceMode, String)> {
        let text = given.get(name, |value| match value.read_lock::<Container>() {
            Some(container) => Some(format!("container:{}", container.id())),
            None => values::text(value),
        })?;
        let text = text.unwrap_or_else(|| private[0].to_owned());
        Ok((NamespaceMode::parse(name, &text, private)?, text))
    };
    let list = |name: &str| Ok(given.get(name, texts)?.unwrap_or_default());
    let (ipc, said) = mode("ipc", &["private", "none", "shareable", ""])?;
    let addresses = |name: &str| -> Result<Vec<String>> { list(name) };
    Ok(Namespaces {
        network: mode("network", &["none"])?.0,
        ipc,
        ipc_shareable: said == "shareable",
        ipc_none: said == "none",
        pid: mode("pid", &[""])?.0,
        uts: mode("uts", &[""])?.0,
        init: given.flag("init")?,
        domainname: given.get("domainname", values::text)?.unwrap_or_default(),
        sysctls: given.get("sysctls", pairs)?.unwrap_or_default().into_iter().collect(),
        extra_hosts: addresses("add_hosts")?
            .iter()
            .map(|t| extra_host(t))
            .collect::<Result<_>>()?,
        dns: addresses("dns")?.iter().map(|text| ip("dns", text)).collect::<Result<_>>()?,
        dns_options: list("dns_options")?,
        dns_search: list("dns_search")?,
    })
}
