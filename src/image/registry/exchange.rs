//! One exchange with a registry: a request with authentication, redirects and retries, until there
//! is a final answer.

use std::io::Read;

use ureq::SendBody;
use ureq::http::{Method, Request};

use super::address::Url;
use super::client::Registry;
use super::failure::is_broken;
use super::policy::{check_redirect, may_see_secret};
use super::response::{RegistryResponse, location};
use crate::model::{Error, Kind, Result};

/// How many redirects are followed, as in Go's client.
const MAX_REDIRECTS: usize = 10;

/// A request.
pub(super) struct RegistryRequest<'a> {
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    payload: Payload<'a>,
    /// The scope that it needs, in the words of token servers.
    scope: &'a str,
}

/// The body of a request.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    /// Nothing.
    Empty,
    /// A document.
    Bytes(&'a [u8]),
    /// A stream of this many bytes, which is opened for each attempt.
    Stream(&'a dyn Fn() -> Result<Box<dyn Read + Send>>, u64),
}

impl<'a> RegistryRequest<'a> {
    pub(super) fn new(method: Method, url: Url, scope: &'a str) -> Self {
        RegistryRequest { method, url, headers: Vec::new(), payload: Payload::Empty, scope }
    }

    pub(super) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    pub(super) fn payload(mut self, payload: Payload<'a>) -> Self {
        self.payload = payload;
        self
    }

    /// Returns whether the request is safe to repeat, and may follow a redirect.
    fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

impl Registry {
    /// Sends a request until there is a final answer, whose status may still be an error.
    ///
    /// # Errors
    /// [`Kind::Network`] without an answer, [`Kind::Denied`] if no credentials help.
    pub(super) fn request(&self, request: &RegistryRequest<'_>) -> Result<RegistryResponse> {
        let mut url = request.url.clone();
        let (mut authenticated, mut redirects, mut waits) = (false, 0, 0);
        loop {
            let authorization = self.0.rights.authorization(request.scope);
            let answer = match self.send(request, &url, authorization.as_deref()) {
                // A kept connection may have been closed meanwhile.
                Err(error) if waits == 0 && request.reads() && is_broken(&error) => {
                    waits += 1;
                    self.check()?;
                    continue;
                }
                result => result.map_err(|error| self.unreachable(&url, &error))?,
            };
            match answer.status().as_u16() {
                401 if !authenticated && may_see_secret(self.base()?, &url) => {
                    authenticated = true;
                    self.authenticate(&answer, request.scope, authorization.is_some())?;
                }
                301 | 302 | 303 | 307 | 308 if request.reads() => {
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        let message =
                            format!("`{}` exceeded {MAX_REDIRECTS} redirects", self.name());
                        return Err(Error::new(Kind::Network, message));
                    }
                    url = self.redirected(&url, &answer)?;
                }
                // An upload is restarted from its beginning.
                500..=599 if matches!(request.payload, Payload::Stream(..)) => return Ok(answer),
                _ if self.should_retry(&answer, &url, &mut waits)? => {}
                _ => return Ok(answer),
            }
        }
    }

    fn send(
        &self,
        request: &RegistryRequest<'_>,
        url: &Url,
        authorization: Option<&str>,
    ) -> Result<RegistryResponse, ureq::Error> {
        let mut builder = Request::builder().method(request.method.clone()).uri(url.to_string());
        for (name, value) in &request.headers {
            builder = builder.header(*name, value);
        }
        let ours = self.0.base.get().is_some_and(|base| may_see_secret(base, url));
        if let Some(authorization) = authorization.filter(|_| ours) {
            builder = builder.header("authorization", authorization);
        }
        match request.payload {
            Payload::Empty if request.reads() => self.0.agent.run(builder.body(())?),
            Payload::Empty => self.0.agent.run(builder.body(&[] as &[u8])?),
            Payload::Bytes(bytes) => self.0.agent.run(builder.body(bytes)?),
            Payload::Stream(open, length) => {
                let mut reader = open().map_err(|error| ureq::Error::Other(Box::new(error)))?;
                let body = SendBody::from_reader(&mut reader);
                let builder = builder.header("content-length", length.to_string());
                self.0.agent.run(builder.body(body)?)
            }
        }
    }

    /// Returns the target of a redirect.
    fn redirected(&self, from: &Url, answer: &RegistryResponse) -> Result<Url> {
        let location = location(answer);
        let target = location.as_deref().and_then(|location| from.join(location));
        let target = target.ok_or_else(|| {
            Error::new(Kind::Network, format!("`{}` redirects without an address", self.name()))
        })?;
        check_redirect(from, &target, self.0.access)?;
        Ok(target)
    }
}
