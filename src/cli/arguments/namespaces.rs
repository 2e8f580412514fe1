//! Flags that say what a container shares with the host or with another container: network,
//! processes, IPC, host name.

use clap::Args;

use crate::model::Result;
use crate::model::container::namespaces::{NamespaceMode, Namespaces, extra_host, ip, sysctl};

/// Flags that say what a container shares with the host or with another container: network, processes, IPC, host name.
#[derive(Args, Debug)]
pub struct NamespaceArguments {
    /// The network: none, host or container:NAME
    #[arg(long, visible_alias = "net", value_name = "NETWORK", default_value = "none")]
    pub network: String,
    /// Shared memory: none, private, shareable, host or container:NAME
    #[arg(long, value_name = "MODE", default_value = "private")]
    pub ipc: String,
    /// Processes: host or container:NAME
    #[arg(long, value_name = "MODE", default_value = "")]
    pub pid: String,
    /// The host name: host
    #[arg(long, value_name = "MODE", default_value = "")]
    pub uts: String,
    /// Run an init that passes signals on and reaps processes
    #[arg(long)]
    pub init: bool,
    /// The domain name inside
    #[arg(long, value_name = "NAME", default_value = "")]
    pub domainname: String,
    /// Set a kernel parameter of its own namespaces
    #[arg(long, value_name = "KEY=VALUE")]
    pub sysctl: Vec<String>,
    /// Give a name an address in /etc/hosts
    #[arg(long, value_name = "NAME:ADDRESS")]
    pub add_host: Vec<String>,
    /// Ask this name server
    #[arg(long, value_name = "ADDRESS")]
    pub dns: Vec<String>,
    /// Set an option of the resolver
    #[arg(long, visible_alias = "dns-opt", value_name = "OPTION")]
    pub dns_option: Vec<String>,
    /// Look names up in this domain
    #[arg(long, value_name = "DOMAIN")]
    pub dns_search: Vec<String>,
}

impl NamespaceArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Namespaces> {
        Ok(Namespaces {
            network: NamespaceMode::parse("network", &self.network, &["none"])?,
            ipc: NamespaceMode::parse("ipc", &self.ipc, &["none", "private", "shareable", ""])?,
            ipc_shareable: self.ipc == "shareable",
            ipc_none: self.ipc == "none",
            pid: NamespaceMode::parse("pid", &self.pid, &[""])?,
            uts: NamespaceMode::parse("uts", &self.uts, &[""])?,
            init: self.init,
            domainname: self.domainname.clone(),
            sysctls: self.sysctl.iter().map(|text| sysctl(text)).collect::<Result<_>>()?,
            extra_hosts: self
                .add_host
                .iter()
                .map(|text| extra_host(text))
                .collect::<Result<_>>()?,
            dns: self.dns.iter().map(|text| ip("dns", text)).collect::<Result<_>>()?,
            dns_options: self.dns_option.clone(),
            dns_search: self.dns_search.clone(),
        })
    }
}
