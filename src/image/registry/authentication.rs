//! Authentication: none, by name and password, or by a token of a token server.
//!
//! The token flow is that of Docker's registry (distribution, `docs/spec/auth`).

use base64::Engine as _;
use serde::Deserialize;
use ureq::http::Request;

use super::address::{Url, encoded};
use super::challenge::{Challenge, choose};
use super::client::Registry;
use super::credential::Credentials;
use super::failure::refusal;
use super::policy::trusted_realm;
use super::response::RegistryResponse;
use crate::model::{Error, Kind, Result};

/// The longest answer of a token server, as in containers/image (`iolimits`).
const MAX_TOKEN: u64 = 1 << 20;
/// The client id that token servers get.
const CLIENT: &str = "lifebox";

impl Registry {
    /// Answers the challenge of a refused request, so that the next request for `scope` is
    /// authorized; `was_authorized` is whether the refused request had an authorization already.
    ///
    /// # Errors
    /// [`Kind::Denied`] without credentials, or if they are not accepted.
    pub(super) fn authenticate(
        &self,
        answer: &RegistryResponse,
        scope: &str,
        was_authorized: bool,
    ) -> Result<()> {
        let all = answer.headers().get_all("www-authenticate");
        let texts = all.iter().filter_map(|value| value.to_str().ok());
        let challenge = choose(texts);
        answer_challenge(self, challenge, scope, was_authorized)
    }

    /// Requests a token of a token server, which may be another host: with these headers and
    /// nothing else.
    fn request_token(
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
                Some(form) => {
                    builder.body(form).map_err(Into::into).and_then(|request| agent.run(request))
                }
                None => builder.body(()).map_err(Into::into).and_then(|request| agent.run(request)),
            };
            let answer = sent.map_err(|error| self.unreachable(url, &error))?;
            if !self.should_retry(&answer, url, &mut waits)? {
                return Ok(answer);
            }
        }
    }
}

fn answer_challenge(
    registry: &Registry,
    challenge: Option<Challenge>,
    scope: &str,
    was_authorized: bool,
) -> Result<()> {
    let rights = &registry.0.rights;
    match challenge {
        Some(Challenge::Basic) => {
            let Some(Credentials::Password(user, password)) = &rights.credentials else {
                return Err(denied(registry, rights.has_credentials()));
            };
            // The registry did not accept the authorization.
            if was_authorized {
                return Err(denied(registry, true));
            }
            rights.known().basic = Some(basic(user, password));
            Ok(())
        }
        Some(Challenge::Bearer { realm, service, scope: challenged }) => {
            let realm = trusted_realm(registry.name(), registry.base()?, &realm)?;
            let scopes = joined(scope, challenged.as_deref());
            let token = fetch(registry, &realm, service.as_deref(), &scopes)?;
            rights.known().tokens.insert(scope.to_owned(), format!("Bearer {token}"));
            Ok(())
        }
        None => {
            Err(denied(registry, rights.has_credentials())
                .cause("its challenge names no known scheme"))
        }
    }
}

/// Joins the needed scopes and those of the registry's challenge.
fn joined(scope: &str, challenged: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = scope.split(' ').filter(|s| !s.is_empty()).map(Into::into).collect();
    // A scope for reading adds nothing to one for writing.
    let covered = |one: &str| {
        all.iter().any(|ours| ours == one || ours.strip_suffix(",push").is_some_and(|o| o == one))
    };
    let more: Vec<String> = challenged
        .into_iter()
        .flat_map(|scopes| scopes.split(' '))
        .filter(|one| !one.is_empty() && !covered(one))
        .map(Into::into)
        .collect();
    all.extend(more);
    all
}

#[derive(Deserialize)]
struct Token {
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    access_token: Option<String>,
}

fn fetch(
    registry: &Registry,
    realm: &Url,
    service: Option<&str>,
    scopes: &[String],
) -> Result<String> {
    let credentials = &registry.0.rights.credentials;
    let answer = match credentials {
        Some(Credentials::Token(token)) => {
            let mut form = format!("grant_type=refresh_token&refresh_token={}", encoded(token));
            form.push_str(&format!("&client_id={CLIENT}&scope={}", encoded(&scopes.join(" "))));
            if let Some(service) = service {
                form.push_str(&format!("&service={}", encoded(service)));
            }
            registry.request_token(realm, None, Some(&form))?
        }
        _ => {
            let mut url = realm.clone();
            if let Some(service) = service {
                url = url.with("service", service);
            }
            for scope in scopes {
                url = url.with("scope", scope);
            }
            let authorization = match credentials {
                Some(Credentials::Password(user, password)) => {
                    url = url.with("account", user);
                    Some(basic(user, password))
                }
                _ => None,
            };
            registry.request_token(&url, authorization.as_deref(), None)?
        }
    };
    let status = answer.status().as_u16();
    match status {
        200 => {}
        400 | 401 | 403 => return Err(denied(registry, credentials.is_some())),
        _ => return Err(registry.refused(answer, "")),
    }
    let bytes = registry.body(answer, MAX_TOKEN, "the answer of the token server")?;
    // The text may contain a token, so an error contains none of it.
    let token = serde_json::from_slice::<Token>(&bytes).ok();
    let token = token.and_then(|token| token.token.or(token.access_token));
    let sound = |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    token.filter(sound).ok_or_else(|| {
        Error::new(
            Kind::Network,
            format!("the token server of `{}` returned no token", registry.name()),
        )
    })
}

fn basic(user: &str, password: &str) -> String {
    let text = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

fn denied(registry: &Registry, known: bool) -> Error {
    refusal(registry.name(), "", 401, None, b"", known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_asked_for_once() {
        let joined = |scope: &str, asked: &str| joined(scope, Some(asked)).join(" ");
        assert_eq!(joined("repository:a:pull", "repository:a:pull"), "repository:a:pull");
        assert_eq!(joined("repository:a:pull,push", "repository:a:pull"), "repository:a:pull,push");
        assert_eq!(joined("", "x y"), "x y");
        assert_eq!(joined("a", "b"), "a b");
    }
}
