//! The HTTP client of one registry: timeouts, proxy, certificates.

use std::sync::Arc;
use std::time::Duration;

use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, Proxy};

use super::address::is_loopback;
use super::tls;
use crate::model::Result;
use crate::model::observe::progress::Access;
use crate::sys::net;

/// How long resolving a name, or connecting, may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);

/// Returns the HTTP client of one registry. It follows no redirect and treats no status as an
/// error: `exchange` decides both.
pub(super) fn agent(domain: &str, access: Access) -> Result<Agent> {
    // A static binary can resolve names only by what is compiled in.
    net::resolve_names_without_plugins();
    let tls = TlsConfig::builder()
        .disable_verification(access.insecure)
        .root_certs(RootCerts::Specific(Arc::new(Vec::new())))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    // As in Go: the local host is reached without a proxy.
    let proxy = if is_loopback(domain) { None } else { Proxy::try_from_env() };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy)
        .user_agent(concat!("lifebox/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        // A header that comes byte by byte is never silent.
        .timeout_recv_response(Some(READ_TIMEOUT))
        .timeout_per_write(Some(READ_TIMEOUT))
        .tls_config(tls)
        .build();
    if access.insecure {
        return Ok(config.new_agent());
    }
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(tls::connector(tls::listed(domain)?)?);
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}
