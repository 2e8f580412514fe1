//! The answers of a registry: headers, and a body of limited length.

use std::io::Read;

use ureq::Body;
use ureq::http::Response;

use super::client::Registry;
use crate::model::{Error, Kind, Result};

/// The final answer of an exchange.
pub(super) type RegistryResponse = Response<Body>;

/// Returns the value of a header, if it is text.
pub(super) fn header(answer: &RegistryResponse, name: &str) -> Option<String> {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

/// Returns the target of a redirect or of an upload.
pub(super) fn location(answer: &RegistryResponse) -> Option<String> {
    header(answer, "location")
}

/// Returns whether the answer is an HTML page.
pub(super) fn is_html(answer: &RegistryResponse) -> bool {
    let media = header(answer, "content-type").unwrap_or_default().to_ascii_lowercase();
    ["text/html", "application/xhtml"].iter().any(|page| media.trim_start().starts_with(page))
}

impl Registry {
    /// Reads the body of an answer, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if it is longer.
    pub(super) fn body(&self, answer: RegistryResponse, limit: u64, what: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let read = reader.take(limit + 1).read_to_end(&mut bytes);
        self.check()?;
        read.map_err(|error| {
            Error::new(
                Kind::Network,
                format!("`{}` closed the connection during {what}", self.name()),
            )
            .cause(error)
        })?;
        if bytes.len() as u64 > limit {
            let message = format!("{what} of `{}` is longer than {limit} bytes", self.name());
            return Err(Error::new(Kind::Corrupt, message));
        }
        Ok(bytes)
    }
}
