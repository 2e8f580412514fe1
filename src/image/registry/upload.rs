//! Blobs to a registry: asked for first, mounted where it has them elsewhere, else streamed.

use std::io::Read;
use std::time::Duration;

use ureq::http::Method;

use super::Registry;
use super::address::Url;
use super::authentication;
use super::exchange::{Answer, Ask, Payload, location};
use crate::model::digest::Digest;
use crate::model::{Error, Kind, Result};

/// How often an upload is begun.
const ATTEMPTS: u32 = 3;
const WAIT: Duration = Duration::from_millis(500);

/// How a blob came to be there.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// It was there.
    Known,
    /// From another repository of the registry.
    Mounted,
    /// From here.
    Uploaded,
}

/// A blob to send.
pub(crate) struct Outgoing<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) size: u64,
    /// A repository of the same registry that probably has it.
    pub(crate) from: Option<&'a str>,
    /// Opens its bytes; once for each attempt.
    pub(crate) open: &'a dyn Fn() -> Result<Box<dyn Read + Send>>,
}

impl Registry {
    /// Makes sure that a repository has a blob.
    ///
    /// # Errors
    /// What the registry says; [`Kind::Network`] where the connection breaks again and again.
    pub(crate) fn send_blob(&self, repository: &str, blob: &Outgoing<'_>) -> Result<Sent> {
        let scope = match blob.from {
            Some(from) => {
                format!("{} {}", authentication::push(repository), authentication::pull(from))
            }
            None => authentication::push(repository),
        };
        let there = self.url(&format!("{repository}/blobs/{}", blob.digest))?;
        let answer = self.ask(&Ask::new(Method::HEAD, there, &scope))?;
        match answer.status().as_u16() {
            200 => return Ok(Sent::Known),
            404 => {}
            _ => return Err(self.refused(answer, repository)),
        }
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                self.pause(WAIT * attempt)?;
            }
            match self.upload(repository, &scope, blob) {
                Err(error) if error.kind() == Kind::Network => failure = Some(error),
                result => return result,
            }
        }
        Err(failure.unwrap_or_else(|| Error::new(Kind::Bug, "nothing was sent")))
    }

    fn upload(&self, repository: &str, scope: &str, blob: &Outgoing<'_>) -> Result<Sent> {
        let mut begin = self.url(&format!("{repository}/blobs/uploads/"))?;
        if let Some(from) = blob.from {
            begin = begin.with("mount", blob.digest.as_str()).with("from", from);
        }
        let answer = self.ask(&Ask::new(Method::POST, begin.clone(), scope))?;
        match answer.status().as_u16() {
            201 => return Ok(Sent::Mounted),
            202 => {}
            _ => return Err(self.refused(answer, repository)),
        }
        let place = self.upload_place(&begin, &answer)?.with("digest", blob.digest.as_str());
        let ask = Ask::new(Method::PUT, place, scope)
            .header("content-type", "application/octet-stream")
            .payload(Payload::Stream(blob.open, blob.size));
        let answer = self.ask(&ask)?;
        match answer.status().as_u16() {
            201 | 204 => Ok(Sent::Uploaded),
            _ => Err(self.refused(answer, repository)),
        }
    }

    fn upload_place(&self, begin: &Url, answer: &Answer) -> Result<Url> {
        let place = location(answer).and_then(|location| begin.join(&location));
        let place = place.ok_or_else(|| {
            let message = format!("`{}` names no place to upload to", self.name());
            Error::new(Kind::Network, message)
        })?;
        self.may_lead(begin, &place)?;
        Ok(place)
    }
}
