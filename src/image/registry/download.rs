//! Downloads manifests, and blobs into files: hashed in transit, and resumed where a connection
//! broke.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use sha2::{Digest as _, Sha256};
use ureq::http::Method;

use super::client::Registry;
use super::exchange::RegistryRequest;
use super::manifest::{ACCEPT, Descriptor};
use super::response::{RegistryResponse, header, is_html};
use super::rights;
use crate::image::bytes::spool::digest_of;
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// The longest manifest, as in containers/image (`iolimits`).
const MAX_MANIFEST: u64 = 4 << 20;
/// How often a download is retried without a new byte in between.
const ATTEMPTS: u32 = 4;
/// The most attempts: a server that disconnects after each byte would never finish.
const MAX_ATTEMPTS: u32 = 100;
/// The wait before the first repetition; it doubles.
const WAIT: Duration = Duration::from_millis(200);
/// How long no other attempt for the same blob is reported.
const QUIET: Duration = Duration::from_secs(5);
const BUFFER: usize = 128 * 1024;

/// The part of a blob that was received.
struct Received<'a> {
    file: &'a File,
    hash: Sha256,
    done: u64,
}

/// The end of a connection.
enum End {
    /// The blob is complete.
    Whole,
    /// The connection broke, for this reason.
    Broken(String),
}

impl Registry {
    /// Fetches the manifest or index of a tag or digest: its media type and its exact bytes.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if the bytes do not match the digest.
    pub(crate) fn manifest(&self, repository: &str, name: &str) -> Result<(String, Vec<u8>)> {
        let url = self.url(&format!("{repository}/manifests/{name}"))?;
        let scope = rights::pull(repository);
        let request = RegistryRequest::new(Method::GET, url, &scope).header("accept", ACCEPT);
        let answer = self.request(&request)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(self.refused(answer, &format!("{repository}/manifests/{name}")));
        }
        if is_html(&answer) {
            return Err(self.no_registry(&answer));
        }
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (media_type, claimed) = (header("content-type"), header("docker-content-digest"));
        let bytes = self.body(answer, MAX_MANIFEST, "the manifest")?;
        let found = digest_of(&bytes);
        let requested = name.parse::<Digest>().ok();
        let claimed = claimed.and_then(|text| text.parse::<Digest>().ok());
        match requested.or(claimed) {
            Some(digest) if digest != found => Err(Error::new(
                Kind::Corrupt,
                format!("`{}` sent a manifest with another digest", self.name()),
            )
            .cause(format!("`{found}` instead of `{digest}`"))
            .hint("try again; if it fails again, check the registry and the proxies")),
            _ => Ok((media_type.unwrap_or_default(), bytes)),
        }
    }

    /// Fetches a small blob, such as a configuration.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if it does not match its descriptor.
    pub(crate) fn small_blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        limit: u64,
    ) -> Result<Vec<u8>> {
        if descriptor.size > limit {
            let message = format!("its configuration is longer than {limit} bytes");
            return Err(Error::new(Kind::Corrupt, message));
        }
        let answer = self.get_blob(repository, &descriptor.digest, 0)?;
        let bytes = self.body(answer, descriptor.size, "the configuration")?;
        let found = digest_of(&bytes);
        if bytes.len() as u64 != descriptor.size || found != descriptor.digest {
            return Err(self.damaged(&descriptor.digest, &format!("its digest is `{found}`")));
        }
        Ok(bytes)
    }

    /// Fetches a blob into an empty file. Calls `progress` with how many bytes are there, and how
    /// many were just received.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] if it does not match its descriptor, [`Kind::Network`] if the connection
    /// breaks repeatedly.
    pub(crate) fn blob(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        file: &File,
        progress: &dyn Fn(u64, usize) -> Result<()>,
    ) -> Result<()> {
        let mut received = Received { file, hash: Sha256::new(), done: 0 };
        let (mut fruitless, mut reported) = (0, None);
        for _ in 0..MAX_ATTEMPTS {
            let before = received.done;
            let why = match self.receive(repository, descriptor, &mut received, progress)? {
                End::Whole => return self.verified(&received, descriptor),
                End::Broken(why) => why,
            };
            self.check()?;
            fruitless = if received.done > before { 1 } else { fruitless + 1 };
            if fruitless > ATTEMPTS {
                return Err(self.broken(&descriptor.digest).cause(why));
            }
            let wait = WAIT * 2u32.pow(fruitless - 1);
            // A download that progresses is not reported, nor is each of many attempts.
            let stuck = received.done == before;
            if stuck && reported.is_none_or(|reported: Instant| reported.elapsed() >= QUIET) {
                reported = Some(Instant::now());
                let short = descriptor.digest.short();
                self.report_waiting(
                    format!("the connection to {} broke in layer {short}", self.name()),
                    wait,
                );
            }
            self.pause(wait)?;
        }
        Err(self.broken(&descriptor.digest))
    }

    fn broken(&self, digest: &Digest) -> Error {
        let message = format!("the connection to `{}` breaks repeatedly", self.name());
        Error::new(Kind::Network, message)
            .cause(format!("layer `{}`", digest.short()))
            .hint("try again later")
    }

    fn damaged(&self, digest: &Digest, why: &str) -> Error {
        let message = format!("`{}` sent a damaged blob `{}`", self.name(), digest.short());
        Error::new(Kind::Corrupt, message)
            .cause(why)
            .hint("try again; if it fails again, check the registry and the proxies")
    }

    fn verified(&self, received: &Received<'_>, descriptor: &Descriptor) -> Result<()> {
        let found = Digest::from_bytes(&received.hash.clone().finalize().into());
        if found == descriptor.digest {
            return Ok(());
        }
        Err(self.damaged(&descriptor.digest, &format!("its digest is `{found}`")))
    }

    fn get_blob(&self, repository: &str, digest: &Digest, from: u64) -> Result<RegistryResponse> {
        let path = format!("{repository}/blobs/{digest}");
        let scope = rights::pull(repository);
        let request = RegistryRequest::new(Method::GET, self.url(&path)?, &scope);
        let request =
            if from > 0 { request.header("range", &format!("bytes={from}-")) } else { request };
        let answer = self.request(&request)?;
        match answer.status().as_u16() {
            200 | 206 => Ok(answer),
            404 => Err(Error::new(
                Kind::NotFound,
                format!("`{repository}` in `{}` lacks the blob `{}`", self.name(), digest.short()),
            )
            .hint("push the image again: it is incomplete there")),
            _ => Err(self.refused(answer, &path)),
        }
    }

    /// Receives over one connection.
    fn receive(
        &self,
        repository: &str,
        descriptor: &Descriptor,
        received: &mut Received<'_>,
        progress: &dyn Fn(u64, usize) -> Result<()>,
    ) -> Result<End> {
        if received.done == descriptor.size && received.done > 0 {
            return Ok(End::Whole);
        }
        let answer = match self.get_blob(repository, &descriptor.digest, received.done) {
            // The first attempt fails immediately, with its reason.
            Err(error) if error.kind() == Kind::Network && received.done > 0 => {
                return Ok(End::Broken(error.to_string()));
            }
            result => result?,
        };
        let range = header(&answer, "content-range");
        if answer.status() == 200 && received.done > 0 {
            // The server cannot resume.
            received.restart()?;
        } else if received.done > 0 && !starts_at(range.as_deref(), received.done) {
            return Err(self.damaged(&descriptor.digest, "it sent another range than requested"));
        }
        let length = header(&answer, "content-length").and_then(|text| text.parse::<u64>().ok());
        if length.is_some_and(|length| received.done.checked_add(length) != Some(descriptor.size)) {
            let why = format!(
                "it has {} bytes instead of {}",
                received.done.saturating_add(length.unwrap_or(0)),
                descriptor.size
            );
            return Err(self.damaged(&descriptor.digest, &why));
        }
        self.copy(answer, descriptor, received, progress)
    }

    fn copy(
        &self,
        answer: RegistryResponse,
        descriptor: &Descriptor,
        received: &mut Received<'_>,
        progress: &dyn Fn(u64, usize) -> Result<()>,
    ) -> Result<End> {
        let mut reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let mut buffer = vec![0; BUFFER];
        loop {
            let amount = match reader.read(&mut buffer) {
                Ok(0) if received.done == descriptor.size => return Ok(End::Whole),
                Ok(0) => return Ok(End::Broken("it ended too early".to_owned())),
                Ok(amount) => amount,
                Err(error) => return Ok(End::Broken(error.to_string())),
            };
            self.check()?;
            let part = &buffer[..amount];
            received.done += amount as u64;
            if received.done > descriptor.size {
                let why = format!("it is longer than {} bytes", descriptor.size);
                return Err(self.damaged(&descriptor.digest, &why));
            }
            received.file.write_all(part).context(|| "cannot write a layer".to_owned())?;
            received.hash.update(part);
            progress(received.done, amount)?;
        }
    }
}

impl Received<'_> {
    fn restart(&mut self) -> Result<()> {
        let what = || "cannot write a layer".to_owned();
        self.file.set_len(0).context(what)?;
        self.file.seek(SeekFrom::Start(0)).context(what)?;
        self.hash = Sha256::new();
        self.done = 0;
        Ok(())
    }
}

/// Returns whether `Content-Range: bytes 5-9/10` starts at `offset`.
fn starts_at(range: Option<&str>, offset: u64) -> bool {
    let range = range.and_then(|range| range.trim().strip_prefix("bytes "));
    let first = range.and_then(|range| range.split('-').next());
    first.and_then(|first| first.trim().parse().ok()) == Some(offset)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::image::registry::address::Url;
    use crate::model::observe::progress::{Access, NoProgress};

    #[test]
    fn a_range_begins_where_it_says() {
        assert!(starts_at(Some("bytes 5-9/10"), 5));
        assert!(starts_at(Some("bytes 5-9/*"), 5));
        assert!(!starts_at(Some("bytes 4-9/10"), 5));
        assert!(!starts_at(Some("bytes */10"), 5));
        assert!(!starts_at(None, 5));
    }

    #[test]
    fn who_is_interrupted_leaves_at_once() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let name = listener.local_addr().unwrap().to_string();
        let registry = Registry::new(&name, Access::default(), None, Arc::new(NoProgress)).unwrap();
        let interrupted = || match registry.0.base.get() {
            Some(_) => Err(Error::new(Kind::Cancelled, "interrupted")),
            None => Ok(()),
        };
        // A connection that is accepted and never answered.
        let base = Url::parse(&format!("http://{name}/v2/")).unwrap();
        registry.0.base.set(base).unwrap();
        let result = registry.run_cancellable(&interrupted, |registry| registry.manifest("a", "1"));
        assert_eq!(result.unwrap_err().kind(), Kind::Cancelled);
    }
}
