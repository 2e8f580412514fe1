//! The base address of a registry, with or without TLS.

use std::time::Duration;

use ureq::http::Request;

use super::address::Url;
use super::client::Registry;
use super::failure::{is_absent, is_untrusted};
use super::policy::may_be_plain;
use crate::model::{Error, Kind, Result};

/// How long a loopback registry may take to show that it does not speak TLS.
const TLS_PROBE: Duration = Duration::from_secs(3);

impl Registry {
    /// Returns the base address. On the local host, and with `--tls-verify=false`, the registry is
    /// probed for TLS first.
    pub(super) fn base(&self) -> Result<&Url> {
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
        let may_be_plain = may_be_plain(authority, self.0.access);
        let https = !may_be_plain || self.speaks_tls(&base)?;
        Ok(self.0.base.get_or_init(|| Url { https, ..base }))
    }

    /// Returns the address of `path` below the base address.
    pub(super) fn url(&self, path: &str) -> Result<Url> {
        Ok(self.base()?.at(format!("/v2/{path}")))
    }

    /// Returns whether the registry speaks TLS.
    ///
    /// # Errors
    /// [`Kind::Network`] without any answer.
    fn speaks_tls(&self, base: &Url) -> Result<bool> {
        let request = Request::get(base.to_string()).body(());
        let request = request.map_err(|error| self.unreachable(base, &error.into()))?;
        let request = self.0.agent.configure_request(request);
        let answer = self.0.agent.run(request.timeout_global(Some(TLS_PROBE)).build());
        self.check()?;
        match answer {
            Ok(_) => Ok(true),
            Err(error) if is_untrusted(&error) => Err(self.unreachable(base, &error)),
            Err(error) if is_absent(&error) => Err(self.unreachable(base, &error)),
            Err(_) => Ok(false),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::observe::progress::{Access, NoProgress};

    #[test]
    fn only_who_may_go_without_tls_is_asked_whether_it_has_it() {
        // Both would fail on a request: nothing listens there.
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
}
