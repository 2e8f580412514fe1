//! URLs of a registry: the parts that decide where a request goes.

use std::fmt;
use std::net::IpAddr;

/// `scheme://host[:port]/path?query`, without a user in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) https: bool,
    /// Host and port, as written.
    pub(super) authority: String,
    /// Path and query; begins with `/`.
    pub(super) path: String,
}

impl Url {
    /// Parses an absolute `http` or `https` URL; `None` for anything else.
    pub(super) fn parse(text: &str) -> Option<Url> {
        let (scheme, rest) = text.split_once("://")?;
        let https = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return None,
        };
        let (authority, path) = match rest.find(['/', '?', '#']) {
            Some(end) => rest.split_at(end),
            None => (rest, ""),
        };
        let path = path.split('#').next().unwrap_or_default();
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let plain = |b: u8| b.is_ascii_graphic() && !matches!(b, b'@' | b'\\' | b'"' | b'<' | b'>');
        let port = port_text(authority).unwrap_or("1");
        let sound = !host_of(authority).is_empty()
            && authority.bytes().all(plain)
            && path.bytes().all(|b| b.is_ascii_graphic())
            && port.parse::<u16>().is_ok();
        sound.then(|| Url { https, authority: authority.to_owned(), path })
    }

    /// Resolves `location`, an absolute URL or an absolute path, against this URL.
    pub(super) fn join(&self, location: &str) -> Option<Url> {
        if location.starts_with("//") {
            return Url::parse(&format!("{}:{location}", self.scheme()));
        }
        if location.starts_with('/') {
            return Url::parse(&format!("{}://{}{location}", self.scheme(), self.authority));
        }
        Url::parse(location)
    }

    /// Returns this URL with another path.
    pub(super) fn at(&self, path: String) -> Url {
        Url { path, ..self.clone() }
    }

    /// Adds a query parameter.
    pub(super) fn with(mut self, key: &str, value: &str) -> Url {
        self.path.push(if self.path.contains('?') { '&' } else { '?' });
        self.path.push_str(&format!("{key}={}", encoded(value)));
        self
    }

    pub(super) fn host(&self) -> &str {
        host_of(&self.authority)
    }

    /// Returns whether both have the same scheme, host and port, so that a secret for one may be
    /// sent to the other.
    pub(super) fn same_origin(&self, other: &Url) -> bool {
        self.https == other.https
            && self.host().eq_ignore_ascii_case(other.host())
            && self.port() == other.port()
    }

    fn scheme(&self) -> &'static str {
        if self.https { "https" } else { "http" }
    }

    fn port(&self) -> u16 {
        let default = if self.https { 443 } else { 80 };
        port_text(&self.authority).and_then(|text| text.parse().ok()).unwrap_or(default)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme(), self.authority, self.path)
    }
}

/// Returns whether this host can only be the local host.
pub(super) fn is_loopback(authority: &str) -> bool {
    let host = host_of(authority);
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// Returns whether this host may be the local host or a link-local neighbour, also in spellings
/// that only the C library takes for an address, such as `127.1`.
pub(super) fn is_local(authority: &str) -> bool {
    let host = host_of(authority);
    let bare = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let last = bare.rsplit('.').next().unwrap_or_default();
    match bare.parse::<IpAddr>().map(|ip| ip.to_canonical()) {
        Ok(IpAddr::V4(ip)) => ip.is_loopback() || ip.is_link_local() || ip.is_unspecified(),
        Ok(IpAddr::V6(ip)) => ip.is_loopback() || ip.is_unicast_link_local() || ip.is_unspecified(),
        Err(_) => {
            last.eq_ignore_ascii_case("localhost") || last.starts_with(|c: char| c.is_ascii_digit())
        }
    }
}

fn host_of(authority: &str) -> &str {
    match authority.rfind(']') {
        Some(end) => &authority[..=end],
        None => authority.split(':').next().unwrap_or_default(),
    }
}

fn port_text(authority: &str) -> Option<&str> {
    authority[host_of(authority).len()..].strip_prefix(':')
}

/// Percent-encodes all but the unreserved characters of RFC 3986, section 2.3.
pub(super) fn encoded(text: &str) -> String {
    use fmt::Write as _;
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_http_without_a_user_is_an_address() {
        for (text, whole) in [
            ("https://a.example/v2/", "https://a.example/v2/"),
            ("HTTP://a:5000", "http://a:5000/"),
            ("https://[::1]:5000?x=1#y", "https://[::1]:5000/?x=1"),
        ] {
            assert_eq!(Url::parse(text).unwrap().to_string(), whole, "{text}");
        }
        for text in ["ftp://a/", "/v2/", "https://", "https://u:p@a/", "http://a:x/", "http://a b/"]
        {
            assert!(Url::parse(text).is_none(), "{text}");
        }
    }

    #[test]
    fn locations_are_paths_or_whole() {
        let base = Url::parse("http://a:5000/v2/x?y").unwrap();
        let joined = |text: &str| base.join(text).map(|url| url.to_string());
        assert_eq!(joined("/z?q=1").unwrap(), "http://a:5000/z?q=1");
        assert_eq!(joined("//b/z").unwrap(), "http://b/z");
        assert_eq!(joined("https://b/z").unwrap(), "https://b/z");
        assert_eq!(joined("z"), None);
        assert_eq!(joined("file:///etc/passwd"), None);
    }

    #[test]
    fn a_secret_stays_with_scheme_host_and_port() {
        let same_origin = |one: &str, other: &str| {
            Url::parse(one).unwrap().same_origin(&Url::parse(other).unwrap())
        };
        assert!(same_origin("https://a/", "https://A:443/x"));
        assert!(!same_origin("https://a/", "http://a/"));
        assert!(!same_origin("https://a/", "https://a:444/"));
        assert!(!same_origin("https://a/", "https://a.b/"));
    }

    #[test]
    fn loopback_is_an_address_or_localhost() {
        for host in ["localhost", "localhost:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]:5000"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "128.0.0.1", "127.0.0.1.example.org:80", "[::2]"] {
            assert!(!is_loopback(host), "{host}");
        }
    }
    #[test]
    fn local_is_what_only_this_machine_can_mean() {
        for host in [
            "localhost:80",
            "a.localhost",
            "localhost.",
            "127.0.0.1:1",
            "127.1",
            "2130706433",
            "0x7f000001",
            "0.0.0.0",
            "169.254.169.254",
            "[::1]:1",
            "[::]",
            "[fe80::1]",
            "[::ffff:127.0.0.1]",
        ] {
            assert!(is_local(host), "{host}");
        }
        for host in ["registry.example:80", "10.0.0.1", "192.168.0.1:5000", "[2001:db8::1]", "a"] {
            assert!(!is_local(host), "{host}");
        }
    }
}
