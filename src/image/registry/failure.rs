//! Errors of a registry, with hints.

use std::io::ErrorKind;

use serde::Deserialize;
use ureq::ResponseExt as _;

use super::address::Url;
use super::client::Registry;
use super::response::{RegistryResponse, header, is_html};
use super::retry::retry_after;
use super::tls;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind};

/// How much of a registry's message is printed.
const MAX_MESSAGE: usize = 300;
/// The longest error of a registry, as in containers/image (`iolimits`).
const MAX_ERROR: u64 = 1 << 20;

impl Registry {
    /// Converts an answer that is an error; `what` is the path of the request.
    pub(super) fn refused(&self, answer: RegistryResponse, what: &str) -> Error {
        let status = answer.status().as_u16();
        let retry = header(&answer, "retry-after");
        let elsewhere =
            Url::parse(&answer.get_uri().to_string()).filter(|url| self.is_foreign_host(url));
        let elsewhere = elsewhere.map(|url| url.host().to_owned());
        let body = self.body(answer, MAX_ERROR, "an error message").unwrap_or_default();
        let known = self.0.rights.has_credentials();
        let error = refusal(self.name(), what, status, retry.as_deref(), &body, known);
        match elsewhere {
            Some(host) => {
                error.cause(format!("the answer came from `{host}`, to which it redirects"))
            }
            None => error,
        }
    }

    /// Returns the error for an answer that is not one of a registry.
    pub(super) fn no_registry(&self, answer: &RegistryResponse) -> Error {
        let what = match is_html(answer) {
            true => "it answers with an HTML page".to_owned(),
            false => format!("it answers with status {}", answer.status().as_u16()),
        };
        Error::new(Kind::Network, format!("`{}` is not a registry", self.name()))
            .cause(format!("{what} to `{}`", answer.get_uri().path()))
            .hint("check the host and the port of the registry, and the proxies")
    }

    /// Converts the error of a request without an answer.
    pub(super) fn unreachable(&self, url: &Url, error: &ureq::Error) -> Error {
        // The caller's own error, on its way through the client.
        if let ureq::Error::Other(inner) = error
            && let Some(error) = inner.downcast_ref::<Error>()
        {
            return error.clone();
        }
        if let Err(stopped) = self.check() {
            return stopped;
        }
        let name = self.name();
        let host = url.host();
        let who = match self.is_foreign_host(url) {
            true => format!("`{host}`, to which the registry `{name}` redirects,"),
            false => format!("the registry `{name}`"),
        };
        let failed = Error::new(Kind::Network, format!("{who} cannot be reached"));
        if let Some(why) = untrusted(error) {
            let (words, hint) = tls::explain(why, name);
            return Error::new(Kind::Network, format!("{who} is not trusted"))
                .cause(format!("`{host}`: {words}"))
                .hint(hint);
        }
        if matches!(error, ureq::Error::Rustls(_)) {
            return failed.cause(format!("`{host}`: {}", reason(error))).hint(format!(
                "if `{host}` has no TLS and you trust the network, add --tls-verify=false"
            ));
        }
        let hint = match is_unknown(error) {
            true => "check the name, and the network connection of the host",
            false => "check the network connection, and whether the registry runs",
        };
        let failed = failed.cause(format!("`{host}`: {}", reason(error))).hint(hint);
        match self.0.agent.config().proxy() {
            Some(proxy) => {
                let (host, port) = (proxy.host(), proxy.port());
                failed.cause(format!("the request goes through the proxy `{host}:{port}`"))
            }
            None => failed,
        }
    }
}

fn reason(error: &ureq::Error) -> String {
    match error {
        _ if is_unknown(error) => "the name cannot be resolved".to_owned(),
        ureq::Error::Timeout(_) => "it does not answer".to_owned(),
        ureq::Error::Io(error) => {
            let text = error.to_string().to_lowercase();
            text.split(" (os error").next().unwrap_or_default().to_owned()
        }
        ureq::Error::Rustls(error) => error.to_string(),
        other => other.to_string(),
    }
}

/// Returns whether the name could not be resolved. The standard library has no kind for that.
fn is_unknown(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::HostNotFound | ureq::Error::Timeout(ureq::Timeout::Resolve) => true,
        ureq::Error::Io(error) => error.to_string().starts_with("failed to lookup address"),
        _ => false,
    }
}

/// Returns whether no server is reachable.
pub(super) fn is_absent(error: &ureq::Error) -> bool {
    let timeouts = [ureq::Timeout::Resolve, ureq::Timeout::Connect];
    match error {
        ureq::Error::Io(error) => {
            let kinds = [
                ErrorKind::ConnectionRefused,
                ErrorKind::HostUnreachable,
                ErrorKind::NetworkUnreachable,
                ErrorKind::NetworkDown,
                ErrorKind::AddrNotAvailable,
            ];
            kinds.contains(&error.kind()) || error.to_string().starts_with("failed to lookup")
        }
        ureq::Error::HostNotFound => true,
        ureq::Error::Timeout(timeout) => timeouts.contains(timeout),
        _ => false,
    }
}

/// Returns whether the server's certificate is not trusted.
pub(super) fn is_untrusted(error: &ureq::Error) -> bool {
    untrusted(error).is_some()
}

fn untrusted(error: &ureq::Error) -> Option<&rustls::CertificateError> {
    let inner = match error {
        ureq::Error::Rustls(error) => Some(error),
        ureq::Error::Io(error) => error.get_ref().and_then(|inner| inner.downcast_ref()),
        _ => None,
    };
    match inner {
        Some(rustls::Error::InvalidCertificate(why)) => Some(why),
        _ => None,
    }
}

/// Returns whether an established connection broke.
pub(super) fn is_broken(error: &ureq::Error) -> bool {
    match error {
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionReset
                | ErrorKind::ConnectionAborted
                | ErrorKind::BrokenPipe
                | ErrorKind::UnexpectedEof
        ),
        _ => false,
    }
}

/// The errors of the distribution specification.
#[derive(Deserialize)]
struct ErrorBody {
    errors: Vec<ErrorEntry>,
}

#[derive(Deserialize)]
struct ErrorEntry {
    #[serde(default)]
    code: String,
    #[serde(default)]
    message: String,
}

/// Converts an answer that is an error. `what` is the path of the request, empty if it is not part
/// of a repository; `known` is whether credentials were sent.
pub(super) fn refusal(
    registry: &str,
    what: &str,
    status: u16,
    retry: Option<&str>,
    body: &[u8],
    known: bool,
) -> Error {
    let (repository, name) = what.split_once("/manifests/").unwrap_or((what, ""));
    let repository = repository.split("/blobs/").next().unwrap_or_default();
    let place = match repository {
        "" => format!("`{registry}`"),
        _ => format!("`{repository}` in `{registry}`"),
    };
    let error = match status {
        401 if known => Error::new(Kind::Denied, format!("`{registry}` refuses your credentials"))
            .hint(format!("log in again: lifebox login {registry}")),
        401 => Error::new(Kind::Denied, format!("access to {place} is denied"))
            .hint(format!("check the name, or log in: lifebox login {registry}")),
        403 => Error::new(Kind::Denied, format!("access to {place} is denied")).hint(match known {
            true => "log in as a user with access to it".to_owned(),
            false => format!("log in: lifebox login {registry}"),
        }),
        404 if !name.is_empty() => {
            let joint = if name.starts_with("sha256:") { '@' } else { ':' };
            let message = format!("no such image `{repository}{joint}{name}` in `{registry}`");
            Error::new(Kind::NotFound, message).hint("check its name, tag and registry")
        }
        404 => Error::new(Kind::NotFound, format!("not found in {place}")),
        429 => {
            let wait = retry.and_then(retry_after).map(|time| time.as_secs());
            let login = if known { "" } else { "; a login may allow more" };
            let message = format!("`{registry}` gets too many requests");
            Error::new(Kind::Network, message).hint(match wait {
                Some(seconds) => format!("try again in {seconds} seconds{login}"),
                None => format!("try again later{login}"),
            })
        }
        500..=599 => Error::new(Kind::Network, format!("`{registry}` failed with status {status}"))
            .hint("try again later"),
        _ => Error::new(Kind::Network, format!("{place} answers with status {status}")),
    };
    let error = match subject(what).filter(|_| status >= 500) {
        Some(subject) => error.cause(format!("the request was for {subject}")),
        None => error,
    };
    match message_of(body) {
        Some(text) => error.cause(text),
        None => error,
    }
}

/// Describes the object of a request's path, such as ``blob `0123456789ab` ``.
pub(super) fn subject(path: &str) -> Option<String> {
    let path = path.split('?').next().unwrap_or_default();
    if let Some((_, blob)) = path.split_once("/blobs/") {
        let digest = blob.parse::<Digest>().ok()?;
        return Some(format!("blob `{}`", digest.short()));
    }
    let (_, name) = path.split_once("/manifests/")?;
    Some(format!("manifest `{name}`"))
}

/// Returns the registry's message as one printable line.
fn message_of(body: &[u8]) -> Option<String> {
    let errors = serde_json::from_slice::<ErrorBody>(body).ok()?.errors;
    let first = errors.into_iter().next()?;
    let text = if first.message.is_empty() { first.code } else { first.message };
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    Some(text).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_say_what_to_do() {
        let body = br#"{"errors":[{"code":"X","message":"no\u001b[31m way"}]}"#;
        let check = |status: u16, known: bool, kind: Kind, message: &str, hint: &str| {
            let error = refusal("r.example", "a/b/manifests/c", status, Some("7"), body, known);
            assert_eq!(error.kind(), kind, "{error}");
            assert!(error.message().contains(message), "{error}");
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{error:?}");
            assert_eq!(error.causes().last().unwrap(), "no[31m way");
        };
        check(401, true, Kind::Denied, "refuses your credentials", "lifebox login r.example");
        check(401, false, Kind::Denied, "`a/b` in `r.example`", "lifebox login r.example");
        check(403, true, Kind::Denied, "denied", "with access");
        check(404, false, Kind::NotFound, "`a/b:c` in `r.example`", "check");
        check(429, false, Kind::Network, "too many requests", "7 seconds");
        check(503, false, Kind::Network, "503", "later");
        let error = refusal("r.example", "a/b/manifests/c", 503, None, b"", false);
        assert_eq!(error.causes(), ["the request was for manifest `c`"]);
        check(418, false, Kind::Network, "418", "");
    }
}
