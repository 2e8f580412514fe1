//! Uploads blobs to a registry: checked first, mounted if another repository has them, else
//! streamed. Then the manifest, which is confirmed by a second request.

use std::io::Read;
use std::time::Duration;

use ureq::http::Method;

use super::address::Url;
use super::client::Registry;
use super::exchange::{Payload, RegistryRequest};
use super::manifest::ACCEPT;
use super::policy::check_redirect;
use super::response::{RegistryResponse, header, is_html, location};
use super::rights;
use crate::image::bytes::spool::digest_of;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// How often an upload is started.
const ATTEMPTS: u32 = 3;
const WAIT: Duration = Duration::from_millis(500);

/// How the registry got a blob.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Sent {
    /// The registry had the blob.
    Known,
    /// From another repository of the registry.
    Mounted,
    /// Uploaded.
    Uploaded,
}

/// A blob to send.
pub(crate) struct Outgoing<'a> {
    pub(crate) digest: &'a Digest,
    pub(crate) size: u64,
    /// A repository of the same registry that probably has it.
    pub(crate) from: Option<&'a str>,
    /// Opens its bytes, once for each attempt.
    pub(crate) open: &'a dyn Fn() -> Result<Box<dyn Read + Send>>,
}

impl Registry {
    /// Ensures that a repository has a blob.
    ///
    /// # Errors
    /// The registry's error; [`Kind::Network`] if the connection breaks repeatedly.
    pub(crate) fn send_blob(&self, repository: &str, blob: &Outgoing<'_>) -> Result<Sent> {
        let scope = match blob.from {
            Some(from) => {
                format!("{} {}", rights::push(repository), rights::pull(from))
            }
            None => rights::push(repository),
        };
        let there = self.url(&format!("{repository}/blobs/{}", blob.digest))?;
        let answer = self.request(&RegistryRequest::new(Method::HEAD, there, &scope))?;
        match answer.status().as_u16() {
            200 if self.confirms(&answer, blob.digest, Some(blob.size))? => return Ok(Sent::Known),
            // The answer does not show that the registry has the blob, so it is sent.
            200 | 404 => {}
            _ => return Err(self.refused(answer, repository)),
        }
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            if attempt > 0 {
                let reason = format!("sending {} to {} failed", blob.digest.short(), self.name());
                self.report_waiting(reason, WAIT * attempt);
                self.pause(WAIT * attempt)?;
            }
            match self.upload(repository, &scope, blob) {
                Err(error) if error.kind() == Kind::Network => failure = Some(error),
                result => return result,
            }
        }
        let failure = failure.unwrap_or_else(|| Error::new(Kind::Bug, "nothing was sent"));
        Err(failure.cause(format!("blob `{}` was not sent", blob.digest.short())))
    }

    fn upload(&self, repository: &str, scope: &str, blob: &Outgoing<'_>) -> Result<Sent> {
        let mut start = self.url(&format!("{repository}/blobs/uploads/"))?;
        if let Some(from) = blob.from {
            start = start.with("mount", blob.digest.as_str()).with("from", from);
        }
        let answer = self.request(&RegistryRequest::new(Method::POST, start.clone(), scope))?;
        match answer.status().as_u16() {
            201 if blob.from.is_some() => {
                self.confirms(&answer, blob.digest, None)?;
                return Ok(Sent::Mounted);
            }
            202 => {}
            200..=299 => return Err(self.no_registry(&answer)),
            _ => return Err(self.refused(answer, repository)),
        }
        let place = self.upload_place(&start, &answer)?.with("digest", blob.digest.as_str());
        let request = RegistryRequest::new(Method::PUT, place, scope)
            .header("content-type", "application/octet-stream")
            .payload(Payload::Stream(blob.open, blob.size));
        let answer = self.request(&request)?;
        match answer.status().as_u16() {
            201 | 204 => {
                self.confirms(&answer, blob.digest, None)?;
                Ok(Sent::Uploaded)
            }
            200..=299 => Err(self.no_registry(&answer)),
            _ => Err(self.refused(answer, repository)),
        }
    }

    fn upload_place(&self, start: &Url, answer: &RegistryResponse) -> Result<Url> {
        let place = location(answer).and_then(|location| start.join(&location));
        let place = place.ok_or_else(|| {
            let message = format!("`{}` returned no upload location", self.name());
            Error::new(Kind::Network, message)
        })?;
        check_redirect(start, &place, self.0.access)?;
        Ok(place)
    }

    /// Uploads a manifest under a tag or its digest, and confirms that the registry has it.
    ///
    /// # Errors
    /// The registry's error; [`Kind::Network`] if it accepted the manifest and lacks it.
    pub(crate) fn put_manifest(
        &self,
        repository: &str,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<()> {
        let path = format!("{repository}/manifests/{name}");
        let scope = rights::push(repository);
        let request = RegistryRequest::new(Method::PUT, self.url(&path)?, &scope)
            .header("content-type", media_type)
            .payload(Payload::Bytes(bytes));
        let answer = self.request(&request)?;
        let digest = digest_of(bytes);
        match answer.status().as_u16() {
            // The specification has 201 alone; containerd accepts the others as well.
            200 | 201 | 204 => self.confirms(&answer, &digest, None)?,
            202..=299 => return Err(self.no_registry(&answer)),
            _ => return Err(self.refused(answer, &path)),
        };
        let there = self.url(&format!("{repository}/manifests/{digest}"))?;
        let request = RegistryRequest::new(Method::HEAD, there, &scope).header("accept", ACCEPT);
        let answer = self.request(&request)?;
        let status = answer.status().as_u16();
        if status == 200 && self.confirms(&answer, &digest, Some(bytes.len() as u64))? {
            return Ok(());
        }
        let message = format!("`{}` accepted the manifest but does not have it", self.name());
        Err(Error::new(Kind::Network, message)
            .cause(format!("a request for `{repository}@{digest}` returns status {status}"))
            .hint("push again; if it fails again, check the registry and the proxies"))
    }

    /// Returns whether an answer confirms the expected content; false if it contains nothing about
    /// it.
    ///
    /// # Errors
    /// [`Kind::Network`] if it has other content.
    fn confirms(
        &self,
        answer: &RegistryResponse,
        digest: &Digest,
        size: Option<u64>,
    ) -> Result<bool> {
        if is_html(answer) {
            return Err(self.no_registry(answer));
        }
        let other = |what: String| {
            let message = format!("`{}` has other content as `{}`", self.name(), digest.short());
            Err(Error::new(Kind::Network, message)
                .cause(what)
                .hint("check the address of the registry, and the proxies"))
        };
        let known = header(answer, "docker-content-digest");
        let known = known.and_then(|text| text.parse::<Digest>().ok());
        if let Some(known) = known.as_ref().filter(|known| *known != digest) {
            return other(format!("its digest is `{known}`"));
        }
        let length = header(answer, "content-length").and_then(|text| text.parse::<u64>().ok());
        let length = length.filter(|_| size.is_some());
        if let (Some(length), Some(size)) = (length, size)
            && length != size
        {
            return other(format!("it has {length} bytes instead of {size}"));
        }
        Ok(known.is_some() || length.is_some())
    }
}
