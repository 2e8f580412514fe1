//! One request and what it answers: authentication, redirects, waiting, limits.

use std::io::Read;
use std::sync::Arc;
use std::time::Duration;

use ureq::http::{Method, Request, Response};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::unversioned::resolver::DefaultResolver;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _, TcpConnector};
use ureq::{Agent, Body, Proxy, ResponseExt as _, SendBody};

use super::Registry;
use super::address::{Url, is_local, is_loopback};
use super::{authentication, tls};
use crate::model::observe::progress::{Access, Event};
use crate::model::{Error, Kind, Result};

/// How long a name may take to be looked up, and a connection to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a connection may be silent.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a loopback registry may take to say that it does not speak TLS.
const TLS_PROBE: Duration = Duration::from_secs(3);
/// How many redirects are followed, as in Go's client.
const MAX_REDIRECTS: usize = 10;
/// How often a request is repeated because the registry is busy.
const MAX_WAITS: u32 = 4;
/// How often it is repeated because the registry failed.
const MAX_FAILURES: u32 = 3;
/// The longest time that a registry may ask to wait.
const MAX_WAIT: Duration = Duration::from_secs(30);
/// Errors of a registry and what they say, as in containers/image (`iolimits`).
const MAX_ERROR: u64 = 1 << 20;

/// What an exchange ends with.
pub(super) type RegistryResponse = Response<Body>;

/// A request.
pub(super) struct RegistryRequest<'a> {
    method: Method,
    url: Url,
    headers: Vec<(&'static str, String)>,
    payload: Payload<'a>,
    /// The rights that it needs, as a token server calls them.
    scope: &'a str,
}

/// What is sent with a request.
#[derive(Clone, Copy)]
pub(super) enum Payload<'a> {
    /// Nothing.
    Empty,
    /// A document.
    Bytes(&'a [u8]),
    /// So many bytes of a stream, which is opened for each attempt.
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

    /// Whether it may be sent twice without harm, and followed to another place.
    fn reads(&self) -> bool {
        matches!(self.method, Method::GET | Method::HEAD)
    }
}

/// The HTTP client of one registry. It follows no redirect and takes no status for an error:
/// both are decided here.
pub(super) fn agent(domain: &str, access: Access) -> Result<Agent> {
    // In a static binary only what is compiled in can look names up.
    crate::sys::net::look_names_up_without_plugins();
    let tls = TlsConfig::builder()
        .disable_verification(access.insecure)
        .root_certs(RootCerts::Specific(Arc::new(Vec::new())))
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .build();
    // As Go does: what is on this machine is asked without a proxy.
    let proxy = if is_loopback(domain) { None } else { Proxy::try_from_env() };
    let config = Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .proxy(proxy)
        .user_agent(concat!("lifebox/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT_TIMEOUT))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(READ_TIMEOUT))
        .timeout_per_write(Some(READ_TIMEOUT))
        .tls_config(tls)
        .build();
    if access.insecure {
        return Ok(config.new_agent());
    }
    let connector =
        ().chain(ConnectProxyConnector::default())
            .chain(TcpConnector::default())
            .chain(tls::connector(tls::listed(domain)?)?);
    Ok(Agent::with_parts(config, connector, DefaultResolver::default()))
}

impl Registry {
    /// Sends a request until there is an answer to act upon. Its status may still be an error.
    ///
    /// # Errors
    /// [`Kind::Network`] where nobody answers, [`Kind::Denied`] where no credentials help.
    pub(super) fn request(&self, ask: &RegistryRequest<'_>) -> Result<RegistryResponse> {
        let mut url = ask.url.clone();
        let (mut authenticated, mut redirects, mut waits) = (false, 0, 0);
        loop {
            let shown = self.0.rights.authorization(ask.scope);
            let answer = match self.send(ask, &url, shown.as_deref()) {
                // A kept connection may have been closed meanwhile.
                Err(error) if waits == 0 && ask.reads() && super::failure::is_broken(&error) => {
                    waits += 1;
                    self.check()?;
                    continue;
                }
                result => result.map_err(|error| self.unreachable(&url, &error))?,
            };
            match answer.status().as_u16() {
                401 if !authenticated && url.same_origin(self.base()?) => {
                    authenticated = true;
                    self.authenticate(&answer, ask.scope, shown.is_some())?;
                }
                301 | 302 | 303 | 307 | 308 if ask.reads() => {
                    redirects += 1;
                    if redirects > MAX_REDIRECTS {
                        let message = format!("`{}` redirects without end", self.name());
                        return Err(Error::new(Kind::Network, message));
                    }
                    url = self.redirected(&url, &answer)?;
                }
                // An upload is begun again as a whole.
                500..=599 if matches!(ask.payload, Payload::Stream(..)) => return Ok(answer),
                _ if self.should_retry(&answer, &url, &mut waits)? => {}
                _ => return Ok(answer),
            }
        }
    }

    /// Waits, where a registry is busy or failed and may do better when it is asked again.
    fn should_retry(&self, answer: &RegistryResponse, url: &Url, waits: &mut u32) -> Result<bool> {
        let status = answer.status().as_u16();
        let most = match status {
            429 => MAX_WAITS,
            500 | 502 | 503 | 504 => MAX_FAILURES,
            _ => 0,
        };
        if *waits >= most {
            return Ok(false);
        }
        *waits += 1;
        let Some(time) = retry_delay(answer, *waits) else { return Ok(false) };
        let why = match status {
            429 => "is asked too often".to_owned(),
            _ => format!("failed with status {status}"),
        };
        let asked = super::failure::subject(&url.path);
        let asked = asked.map_or(String::new(), |asked| format!(" when asked for {asked}"));
        self.report_waiting(format!("{} {why}{asked}", self.name()), time);
        self.pause(time)?;
        Ok(true)
    }

    pub(super) fn report_waiting(&self, reason: String, time: Duration) {
        let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
        self.0.progress.report(&Event::Waiting { reason, seconds });
    }

    fn send(
        &self,
        ask: &RegistryRequest<'_>,
        url: &Url,
        authorization: Option<&str>,
    ) -> Result<RegistryResponse, ureq::Error> {
        let mut request = Request::builder().method(ask.method.clone()).uri(url.to_string());
        for (name, value) in &ask.headers {
            request = request.header(*name, value);
        }
        let ours = self.0.base.get().is_some_and(|base| url.same_origin(base));
        if let Some(authorization) = authorization.filter(|_| ours) {
            request = request.header("authorization", authorization);
        }
        match ask.payload {
            Payload::Empty if ask.reads() => self.0.agent.run(request.body(())?),
            Payload::Empty => self.0.agent.run(request.body(&[] as &[u8])?),
            Payload::Bytes(bytes) => self.0.agent.run(request.body(bytes)?),
            Payload::Stream(open, length) => {
                let mut reader = open().map_err(|error| ureq::Error::Other(Box::new(error)))?;
                let body = SendBody::from_reader(&mut reader);
                let request = request.header("content-length", length.to_string());
                self.0.agent.run(request.body(body)?)
            }
        }
    }

    /// Where a redirect leads.
    fn redirected(&self, from: &Url, answer: &RegistryResponse) -> Result<Url> {
        let location = location(answer);
        let target = location.as_deref().and_then(|location| from.join(location));
        let target = target.ok_or_else(|| {
            Error::new(Kind::Network, format!("`{}` redirects to no address", self.name()))
        })?;
        self.check_redirect(from, &target)?;
        Ok(target)
    }

    /// Whether an answer may send on from one address to another: not from TLS, or without being
    /// told so, to where everybody can listen, and not from elsewhere to what only this machine
    /// can reach.
    ///
    /// # Errors
    /// [`Kind::Network`] where it may not, naming the host.
    pub(super) fn check_redirect(&self, from: &Url, target: &Url) -> Result<()> {
        let refuse = |why: &str| {
            let message = format!("`{}` sends on to `{}` {why}", from.host(), target.authority);
            Error::new(Kind::Network, message)
        };
        if is_local(&target.authority) && !is_loopback(&from.authority) {
            return Err(refuse("on this machine")
                .hint("a registry elsewhere has no business here; tell who runs it"));
        }
        if target.https || target.same_origin(from) {
            return Ok(());
        }
        if from.https {
            return Err(refuse("without TLS").hint("tell who runs the registry"));
        }
        match self.0.access.insecure || is_loopback(&target.authority) {
            true => Ok(()),
            false => Err(refuse("without TLS")
                .hint("if you trust the network between, add `--tls-verify=false`")),
        }
    }

    /// Whether the registry speaks TLS.
    ///
    /// # Errors
    /// [`Kind::Network`] where nobody answers at all.
    pub(super) fn speaks_tls(&self, base: &Url) -> Result<bool> {
        let request = Request::get(base.to_string()).body(());
        let request = request.map_err(|error| self.unreachable(base, &error.into()))?;
        let request = self.0.agent.configure_request(request);
        let answer = self.0.agent.run(request.timeout_global(Some(TLS_PROBE)).build());
        self.check()?;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if super::failure::is_untrusted(&error) => {
                Err(self.unreachable(base, &error))
            }
            Err(error) if super::failure::is_absent(&error) => Err(self.unreachable(base, &error)),
            Err(_) => Ok(false),
        }
    }

    /// The body of an answer, of at most `limit` bytes.
    ///
    /// # Errors
    /// [`Kind::Corrupt`] where it is longer.
    pub(super) fn body(&self, answer: RegistryResponse, limit: u64, what: &str) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let reader = answer.into_body().into_with_config().limit(u64::MAX).reader();
        let read = reader.take(limit + 1).read_to_end(&mut bytes);
        self.check()?;
        read.map_err(|error| {
            Error::new(Kind::Network, format!("`{}` broke off in {what}", self.name())).cause(error)
        })?;
        if bytes.len() as u64 > limit {
            let message = format!("{what} of `{}` is longer than {limit} bytes", self.name());
            return Err(Error::new(Kind::Corrupt, message));
        }
        Ok(bytes)
    }

    /// Whether this is another host than the registry's.
    pub(super) fn is_foreign_host(&self, url: &Url) -> bool {
        self.0.base.get().is_some_and(|base| !url.host().eq_ignore_ascii_case(base.host()))
    }

    /// What went wrong, from an answer that is an error; `what` was asked for.
    pub(super) fn refused(&self, answer: RegistryResponse, what: &str) -> Error {
        let status = answer.status().as_u16();
        let retry = header(&answer, "retry-after");
        let elsewhere =
            Url::parse(&answer.get_uri().to_string()).filter(|url| self.is_foreign_host(url));
        let elsewhere = elsewhere.map(|url| url.host().to_owned());
        let said = self.body(answer, MAX_ERROR, "an error message").unwrap_or_default();
        let known = self.0.rights.has_credentials();
        let error =
            super::failure::refusal(self.name(), what, status, retry.as_deref(), &said, known);
        match elsewhere {
            Some(host) => {
                error.cause(format!("it was `{host}` that answered, where it sends on to"))
            }
            None => error,
        }
    }

    fn authenticate(&self, answer: &RegistryResponse, scope: &str, shown: bool) -> Result<()> {
        let all = answer.headers().get_all("www-authenticate");
        let texts = all.iter().filter_map(|value| value.to_str().ok());
        let challenge = super::challenge::choose(texts);
        authentication::answer(self, challenge, scope, shown)
    }

    /// Asks a token server, which may be elsewhere: with these headers and nothing else.
    pub(super) fn ask_token(
        &self,
        url: &Url,
        authorization: Option<&str>,
        form: Option<&str>,
    ) -> Result<RegistryResponse> {
        let mut waits = 0;
        loop {
            let builder = match form {
                Some(_) => Request::post(url.to_string())
                    .header("content-type", "application/x-www-form-urlencoded"),
                None => Request::get(url.to_string()),
            };
            let builder = match authorization {
                Some(value) => builder.header("authorization", value),
                None => builder,
            };
            let agent = &self.0.agent;
            let sent = match form {
                Some(form) => builder.body(form).map_err(Into::into).and_then(|ask| agent.run(ask)),
                None => builder.body(()).map_err(Into::into).and_then(|ask| agent.run(ask)),
            };
            let answer = sent.map_err(|error| self.unreachable(url, &error))?;
            if !self.should_retry(&answer, url, &mut waits)? {
                return Ok(answer);
            }
        }
    }
}

pub(super) fn header(answer: &RegistryResponse, name: &str) -> Option<String> {
    answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

pub(super) fn location(answer: &RegistryResponse) -> Option<String> {
    header(answer, "location")
}

/// How long to wait before the next attempt; `None` where that is too long.
fn retry_delay(answer: &RegistryResponse, attempt: u32) -> Option<Duration> {
    let asked = header(answer, "retry-after").and_then(|text| retry_after(&text));
    let default = Duration::from_millis(250 << attempt);
    Some(asked.unwrap_or(default)).filter(|time| *time <= MAX_WAIT)
}

/// `Retry-After`, RFC 9110 section 10.2.3: seconds or a date.
pub(super) fn retry_after(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    let date = jiff::fmt::rfc2822::parse(text.trim()).ok()?;
    let left = date.timestamp().as_second() - jiff::Timestamp::now().as_second();
    Some(Duration::from_secs(u64::try_from(left).unwrap_or(0)))
}
