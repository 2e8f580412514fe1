//! The rules of security: who may be spoken to without TLS, who may see a secret, and where a
//! registry may send this program (CVE-2020-15157).

use super::address::{Url, is_local, is_loopback};
use crate::model::observe::progress::Access;
use crate::model::{Error, Kind, Result};

/// Whether a host may be reached without TLS: this machine, and those of `--tls-verify=false`.
pub(super) fn may_be_plain(authority: &str, access: Access) -> bool {
    access.insecure || is_loopback(authority)
}

/// Whether a secret for the registry at `base` may be shown at `url`, or asked for there.
pub(super) fn may_see_secret(base: &Url, url: &Url) -> bool {
    url.same_origin(base)
}

/// The token server, if it may see a secret: by TLS, or where the registry itself is reached
/// without, on the registry's own host.
pub(super) fn trusted_realm(registry: &str, base: &Url, realm: &str) -> Result<Url> {
    let refuse = |why: String| {
        let message = format!("`{registry}` sends to a token server that can't be trusted");
        Error::new(Kind::Denied, message).cause(why)
    };
    let url = Url::parse(realm).ok_or_else(|| {
        refuse(format!("`{}` is not an address", realm.chars().take(200).collect::<String>()))
    })?;
    let both_here = is_loopback(&url.authority) && is_loopback(&base.authority);
    let same_host = url.host().eq_ignore_ascii_case(base.host()) || both_here;
    if url.https || (!base.https && same_host) {
        Ok(url)
    } else {
        Err(refuse(format!("`{}` is another host, without TLS", url.host())))
    }
}

/// Whether an answer may send on from one address to another: not from TLS, or without being
/// told so, to where everybody can listen, and not from elsewhere to what only this machine
/// can reach.
///
/// # Errors
/// [`Kind::Network`] where it may not, naming the host.
pub(super) fn check_redirect(from: &Url, target: &Url, access: Access) -> Result<()> {
    let refuse = |why: &str| {
        let message = format!("`{}` sends on to `{}` {why}", from.host(), target.authority);
        Error::new(Kind::Network, message)
    };
    if is_local(&target.authority) && !is_loopback(&from.authority) {
        return Err(refuse("on this machine")
            .hint("a registry elsewhere has no business here; tell who runs it"));
    }
    if target.https || target.same_origin(from) {
        return Ok(());
    }
    if from.https {
        return Err(refuse("without TLS").hint("tell who runs the registry"));
    }
    match may_be_plain(&target.authority, access) {
        true => Ok(()),
        false => Err(refuse("without TLS")
            .hint("if you trust the network between, add `--tls-verify=false`")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn redirects_keep_tls_and_stay_away_from_this_machine() {
        let leads = |from: &str, target: &str, insecure: bool| {
            check_redirect(&url(from), &url(target), Access { insecure }).is_ok()
        };
        assert!(leads("https://r.example/v2/", "https://cdn.example/x", false));
        assert!(!leads("https://r.example/v2/", "http://cdn.example/x", true));
        assert!(leads("http://r.example/v2/", "http://r.example/x", false));
        assert!(!leads("http://r.example/v2/", "http://cdn.example/x", false));
        assert!(leads("http://r.example/v2/", "http://cdn.example/x", true));
        assert!(!leads("https://r.example/v2/", "https://127.0.0.1/x", true));
        assert!(leads("http://127.0.0.1:5000/v2/", "http://127.0.0.1:5001/x", false));
    }

    #[test]
    fn a_token_server_has_tls_or_is_the_registrys_own_host() {
        let trusted = |base: &str, realm: &str| trusted_realm("r", &url(base), realm).is_ok();
        assert!(trusted("https://r.example/v2/", "https://auth.example/token"));
        assert!(!trusted("https://r.example/v2/", "http://r.example/token"));
        assert!(trusted("http://r.example/v2/", "http://r.example:81/token"));
        assert!(!trusted("http://r.example/v2/", "http://auth.example/token"));
        assert!(trusted("http://127.0.0.1:5000/v2/", "http://localhost:5001/token"));
        assert!(!trusted("https://r.example/v2/", "ftp://r.example/token"));
    }

    #[test]
    fn a_secret_is_for_one_origin() {
        let shown = |to: &str| may_see_secret(&url("https://r.example/v2/"), &url(to));
        assert!(shown("https://r.example:443/v2/a/blobs/b"));
        assert!(!shown("http://r.example/v2/") && !shown("https://r.example:444/v2/"));
        assert!(!shown("https://cdn.example/v2/"));
    }
}
