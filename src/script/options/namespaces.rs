//! Options that say what a container shares with the host or with another container: network, processes, IPC, host name.

use super::super::values;
use super::read::{pairs, texts};
use super::{Key, Options, Takes, key};
use crate::model::Result;
use crate::model::container::namespaces::{Mode, Sharing, extra_host, ip};
use crate::script::values::handle::Container;

/// The options.
pub const KEYS: &[Key] = &[
    key("network", Takes::Sharing, "\"none\", \"host\", \"container:NAME\" or a Container"),
    key("ipc", Takes::Sharing, "\"none\", \"private\", \"shareable\", \"host\" or whose"),
    key("pid", Takes::Sharing, "\"host\", or the container whose processes it sees"),
    key("uts", Takes::Sharing, "\"host\": the host's name"),
    key("init", Takes::Flag, "run an init that passes signals on and reaps processes"),
    key("domainname", Takes::Text, "the domain name inside"),
    key("sysctls", Takes::Pairs, "kernel parameters of its own namespaces"),
    key("add_hosts", Takes::Texts, "names in /etc/hosts, such as \"db:10.0.0.7\""),
    key("dns", Takes::Texts, "name servers"),
    key("dns_options", Takes::Texts, "options of the resolver"),
    key("dns_search", Takes::Texts, "domains that names are looked up in"),
];

/// Reads them.
pub fn read(given: &Options<'_>) -> Result<Sharing> {
    let mode = |name: &str, private: &[&str]| -> Result<(Mode, String)> {
        let text = given.get(name, |value| match value.read_lock::<Container>() {
            Some(container) => Some(format!("container:{}", container.id())),
            None => values::text(value),
        })?;
        let text = text.unwrap_or_else(|| private[0].to_owned());
        Ok((Mode::parse(name, &text, private)?, text))
    };
    let list = |name: &str| Ok(given.get(name, texts)?.unwrap_or_default());
    let (ipc, said) = mode("ipc", &["private", "none", "shareable", ""])?;
    let addresses = |name: &str| -> Result<Vec<String>> { list(name) };
    Ok(Sharing {
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
