//! The rules of security: which hosts are reached without TLS, which get a secret, and where a
//! registry may redirect this program (CVE-2020-15157).

use super::address::{Url, is_local, is_loopback};
use crate::model::observe::progress::Access;
use crate::model::{Error, Kind, Result};

/// Returns whether a host may be reached without TLS: the local host, and those of
/// `--tls-verify=false`.
pub(super) fn may_be_plain(authority: &str, access: Access) -> bool {
    access.insecure || is_loopback(authority)
}

/// Returns whether a secret for the registry at `base` may be sent to `url`, or requested there.
pub(super) fn may_see_secret(base: &Url, url: &Url) -> bool {
    url.same_origin(base)
}

/// Returns the token server, if it may get a secret: by TLS, or, if the registry itself is reached
/// without, on the registry's own host.
pub(super) fn trusted_realm(registry: &str, base: &Url, realm: &str) -> Result<Url> {
    let refuse = |why: String| {
        let message = format!("the token server of `{registry}` is not trusted");
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

/// Refuses redirects from TLS to an unencrypted connection, to one that is not allowed, and from
/// another host to an address that only the local host can reach.
///
/// # Errors
/// [`Kind::Network`] with the host.
pub(super) fn check_redirect(from: &Url, target: &Url, access: Access) -> Result<()> {
    let refuse = |why: &str| {
        let message = format!("`{}` redirects to `{}` {why}", from.host(), target.authority);
        Error::new(Kind::Network, message)
    };
    if is_local(&target.authority) && !is_loopback(&from.authority) {
        return Err(refuse("on the local host").hint("report it to the operator of the registry"));
    }
    if target.https || target.same_origin(from) {
        return Ok(());
    }
    if from.https {
        return Err(refuse("without TLS").hint("report it to the operator of the registry"));
    }
    match may_be_plain(&target.authority, access) {
        true => Ok(()),
        false => {
            Err(refuse("without TLS").hint("if you trust the network, add --tls-verify=false"))
        }
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
        let may_see = |to: &str| may_see_secret(&url("https://r.example/v2/"), &url(to));
        assert!(may_see("https://r.example:443/v2/a/blobs/b"));
        assert!(!may_see("http://r.example/v2/") && !may_see("https://r.example:444/v2/"));
        assert!(!may_see("https://cdn.example/v2/"));
    }
}
