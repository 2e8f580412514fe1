//! The client's side of the OCI distribution specification: manifests and blobs, both ways.
//!
//! Everything that a registry says is hostile: each body has a limit, what has a digest is
//! checked against it, and a secret goes to no other host than the one it is for
//! (CVE-2020-15157). Requests are made on threads of their own: a caller that is interrupted
//! leaves at once, and the connections are shut behind it.
//!
//! Reading order: [`Registry`] here; `exchange` sends one request and follows what it answers;
//! `authentication` (`challenge`, `credentials`, `keeper`) says who asks; `manifest` reads the documents;
//! `download` and `upload` move blobs; `trust` says who is believed; `failure` puts what went wrong into words.

mod address;
mod authentication;
mod challenge;
mod credential;
mod credential_helper;
pub(crate) mod credentials;
mod download;
mod exchange;
mod failure;
pub(crate) mod login;
pub(crate) mod manifest;
mod pull;
mod push;
mod tls;
mod upload;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ureq::Agent;
use ureq::http::Method;

use self::address::{Url, is_loopback};
use self::authentication::Rights;
use self::credential::Credentials;
use self::exchange::RegistryRequest;
pub(crate) use self::upload::{Outgoing, Sent};
use crate::model::observe::progress::{Access, Progress};
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};

/// The longest manifest, as in containers/image (`iolimits`).
pub(crate) const MAX_MANIFEST: u64 = 4 << 20;
/// How often a waiting caller looks whether it was interrupted.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The media types of manifests and indexes that are understood.
const ACCEPT: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, \
    application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// One registry. Copies are the same connection.
#[derive(Clone, Debug)]
pub(crate) struct Registry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// As references name it: `docker.io`.
    name: String,
    /// Where it is: found out at the first request.
    base: OnceLock<Url>,
    access: Access,
    agent: Agent,
    rights: Rights,
    stopped: AtomicBool,
    progress: Arc<dyn Progress>,
}

impl Registry {
    /// The registry of a reference's domain. Nothing is sent yet.
    ///
    /// # Errors
    /// When the certificates that this machine trusts can't be read.
    pub(crate) fn new(
        domain: &str,
        access: Access,
        credentials: Option<Credentials>,
        progress: Arc<dyn Progress>,
    ) -> Result<Registry> {
        Ok(Registry(Arc::new(Inner {
            name: domain.to_owned(),
            base: OnceLock::new(),
            access,
            agent: exchange::agent(domain, access)?,
            rights: Rights::new(credentials),
            stopped: AtomicBool::new(false),
            progress,
        })))
    }

    /// As references name it.
    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    /// Does `work` on a thread of its own and waits for it; leaves at once when `check` fails,
    /// and shuts the connections then.
    ///
    /// # Errors
    /// Those of `work` and of `check`.
    pub(crate) fn run_cancellable<T: Send + 'static>(
        &self,
        check: crate::image::bytes::cancel_check::CancelCheck<'_>,
        work: impl FnOnce(&Registry) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let (sender, receiver) = sync_channel(1);
        let registry = self.clone();
        self.spawn(move || {
            // Nobody waits any more where the caller was interrupted.
            let _ = sender.send(work(&registry));
        })?;
        loop {
            match receiver.recv_timeout(POLL_INTERVAL) {
                Ok(result) => return result,
                Err(RecvTimeoutError::Timeout) => check().inspect_err(|_| self.stop())?,
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Error::new(Kind::Bug, "a thread of a pull panicked"));
                }
            }
        }
    }

    /// Begins a thread that nobody waits for: it ends soon after [`Registry::stop`].
    pub(crate) fn spawn(&self, work: impl FnOnce() + Send + 'static) -> Result<()> {
        let thread = std::thread::Builder::new().name("registry".to_owned()).spawn(work);
        let begun = thread.map_err(|error| Error::from_io("begin a thread", &error));
        begun.map(drop)
    }

    /// Ends all that is under way, for good.
    pub(crate) fn stop(&self) {
        self.0.stopped.store(true, Ordering::SeqCst);
        self.0.agent.clone().shutdown();
    }

    /// Fails after [`Registry::stop`].
    pub(crate) fn check(&self) -> Result<()> {
        match self.0.stopped.load(Ordering::SeqCst) {
            true => Err(Error::new(Kind::Cancelled, "interrupted")),
            false => Ok(()),
        }
    }

    /// Sleeps; fails soon after [`Registry::stop`].
    fn pause(&self, mut time: Duration) -> Result<()> {
        while !time.is_zero() {
            let part = time.min(POLL_INTERVAL);
            std::thread::sleep(part);
            time -= part;
            self.check()?;
        }
        self.check()
    }

    /// Where the registry is. On this machine, and where TLS is not insisted on, it is asked
    /// which way it speaks, TLS first.
    fn base(&self) -> Result<&Url> {
        if let Some(base) = self.0.base.get() {
            return Ok(base);
        }
        // The registry of Docker Hub does not have its name.
        let authority =
            if self.0.name == "docker.io" { "registry-1.docker.io" } else { self.name() };
        let whole = format!("https://{authority}/v2/");
        let base = Url::parse(&whole).ok_or_else(|| {
            Error::new(Kind::Invalid, format!("`{}` is not the address of a registry", self.name()))
        })?;
        let may_be_plain = self.0.access.insecure || is_loopback(authority);
        let https = !may_be_plain || self.speaks_tls(&base)?;
        Ok(self.0.base.get_or_init(|| Url { https, ..base }))
    }

    fn url(&self, path: &str) -> Result<Url> {
        Ok(self.base()?.at(format!("/v2/{path}")))
    }

    /// The manifest or index of a tag or digest: its media type and its exact bytes.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] where the bytes are not what the digest says.
    pub(crate) fn manifest(&self, repository: &str, name: &str) -> Result<(String, Vec<u8>)> {
        let url = self.url(&format!("{repository}/manifests/{name}"))?;
        let scope = authentication::pull(repository);
        let ask = RegistryRequest::new(Method::GET, url, &scope).header("accept", ACCEPT);
        let answer = self.request(&ask)?;
        let status = answer.status().as_u16();
        if status != 200 {
            return Err(self.refused(answer, &format!("{repository}/manifests/{name}")));
        }
        if upload::is_html(&answer) {
            return Err(self.no_registry(&answer));
        }
        let header = |name: &str| {
            let value = answer.headers().get(name).and_then(|value| value.to_str().ok());
            value.map(str::to_owned)
        };
        let (media_type, claimed) = (header("content-type"), header("docker-content-digest"));
        let bytes = self.body(answer, MAX_MANIFEST, "the manifest")?;
        let found = crate::image::bytes::spool::digest_of(&bytes);
        let wanted = name.parse::<Digest>().ok();
        let claimed = claimed.and_then(|text| text.parse::<Digest>().ok());
        match wanted.or(claimed) {
            Some(digest) if digest != found => Err(Error::new(
                Kind::Corrupt,
                format!("`{}` sent a manifest with another digest", self.name()),
            )
            .cause(format!("`{found}` instead of `{digest}`"))
            .hint("try again; if it stays, the registry or what lies between is damaged")),
            _ => Ok((media_type.unwrap_or_default(), bytes)),
        }
    }

    /// Whether the registry accepts the credentials.
    ///
    /// # Errors
    /// [`Kind::Denied`] where it does not.
    pub(crate) fn log_in(&self) -> Result<()> {
        let url = self.url("")?;
        let answer = self.request(&RegistryRequest::new(Method::GET, url, ""))?;
        match answer.status().as_u16() {
            200..=299 if upload::is_html(&answer) => Err(self.no_registry(&answer)),
            200..=299 => Ok(()),
            404 => Err(Error::new(Kind::Network, format!("`{}` is not a registry", self.name()))
                .hint("give the registry's host and port alone, such as `registry.example:5000`")),
            _ => Err(self.refused(answer, "")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::observe::progress::NoProgress;

    #[test]
    fn only_who_may_go_without_tls_is_asked_whether_it_has_it() {
        // Both would fail if they asked: nobody is there.
        for (name, base) in [
            ("docker.io", "https://registry-1.docker.io/v2/"),
            ("registry.invalid:5000", "https://registry.invalid:5000/v2/"),
        ] {
            let registry =
                Registry::new(name, Access::default(), None, Arc::new(NoProgress)).unwrap();
            assert_eq!(registry.base().unwrap().to_string(), base);
        }
        let registry =
            Registry::new("127.0.0.1:1", Access::default(), None, Arc::new(NoProgress)).unwrap();
        assert_eq!(registry.base().unwrap_err().kind(), Kind::Network);
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
        // A connection that is taken and never answered.
        let base = Url::parse(&format!("http://{name}/v2/")).unwrap();
        registry.0.base.set(base).unwrap();
        let asked = registry.run_cancellable(&interrupted, |registry| registry.manifest("a", "1"));
        assert_eq!(asked.unwrap_err().kind(), Kind::Cancelled);
    }
}
