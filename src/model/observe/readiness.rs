//! Readiness probes, which run outside of the container: no program runs inside for them.

use std::fmt;
use std::time::Duration;

use crate::model::{Error, Kind, Result};

/// The longest path of an HTTP probe, in bytes.
const MAX_PATH: usize = 2048;

/// A readiness probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A process in the container listens on this TCP port.
    TcpSocket(u16),
    /// A server in the container answers.
    HttpGet(HttpGet),
    /// A file exists at this path inside; links resolve inside the container.
    FileExists(String),
}

/// The result of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeResult {
    /// The probe succeeded.
    Ready,
    /// The probe failed; holds what was found instead.
    NotReady(String),
}

/// An HTTP GET request to the container's loopback address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpGet {
    /// The TCP port.
    pub port: u16,
    /// The path, from `/` on.
    path: String,
    /// The status of a good answer; any from 200 to 399 where unset.
    pub status: Option<u16>,
    /// The timeout of one request.
    pub timeout: Duration,
}

impl HttpGet {
    /// Returns a request for `path` on `port`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for a path that a request cannot carry as it is.
    pub fn new(port: u16, path: &str, status: Option<u16>, patience: Duration) -> Result<Self> {
        let fits = path.len() <= MAX_PATH && path.bytes().all(|byte| byte.is_ascii_graphic());
        if !fits || !path.starts_with('/') {
            return Err(Error::new(Kind::Invalid, format!("{path:?} is not a request path")).hint(
                "write a path such as \"/health\", with other characters escaped as in %20",
            ));
        }
        Ok(HttpGet { port, path: path.to_owned(), status, timeout: patience })
    }

    /// Returns the path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Returns whether an answer with this status is a success.
    pub fn accepts(&self, status: u16) -> bool {
        self.status.map_or((200..400).contains(&status), |wanted| wanted == status)
    }
}

/// Writes the condition, as in "was not ... in time".
impl fmt::Display for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Probe::TcpSocket(port) => write!(f, "listening on port {port}"),
            Probe::HttpGet(question) => {
                write!(f, "answering {} on port {}", question.path, question.port)?;
                question.status.map_or(Ok(()), |status| write!(f, " with {status}"))
            }
            Probe::FileExists(path) => write!(f, "having `{path}`"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_can_smuggle_nothing_into_a_request() {
        let ask = |path: &str| HttpGet::new(80, path, None, Duration::ZERO);
        for path in
            ["", "health", "/a b", "/a\r\nHost: b", "/\u{e4}", &format!("/{}", "x".repeat(2048))]
        {
            assert_eq!(ask(path).unwrap_err().kind(), Kind::Invalid, "{path:?}");
        }
        assert_eq!(ask("/a%20b?c=d#e").unwrap().path(), "/a%20b?c=d#e");
    }

    #[test]
    fn a_good_answer_is_a_success_or_a_redirect_unless_one_is_named() {
        let takes =
            |wanted, given| HttpGet::new(80, "/", wanted, Duration::ZERO).unwrap().accepts(given);
        assert!(takes(None, 200) && takes(None, 302) && !takes(None, 404) && !takes(None, 100));
        assert!(takes(Some(401), 401) && !takes(Some(401), 200));
    }
}
