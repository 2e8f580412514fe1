//! Who asks: nobody, name and password, or a token that a token server gave for them.
//!
//! The token flow is that of Docker's registry (distribution, `docs/spec/auth`).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use serde::Deserialize;

use super::Registry;
use super::address::{Url, encoded, is_loopback};
use super::challenge::Challenge;
use super::credential::Credentials;
use crate::model::{Error, Kind, Result};

/// The longest answer of a token server, as in containers/image (`iolimits`).
const MAX_TOKEN: u64 = 1 << 20;
/// What token servers are told about this program.
const CLIENT: &str = "lifebox";

/// What is shown to a registry for which rights. Shows no secret.
#[derive(Default)]
pub(super) struct Rights {
    credentials: Option<Credentials>,
    known: Mutex<KnownRights>,
}

#[derive(Default)]
struct KnownRights {
    /// The header for all rights, where the registry wants name and password.
    basic: Option<String>,
    /// The header by scope.
    tokens: HashMap<String, String>,
}

impl Rights {
    pub(super) fn new(credentials: Option<Credentials>) -> Self {
        Rights { credentials, known: Mutex::default() }
    }

    pub(super) fn has_credentials(&self) -> bool {
        self.credentials.is_some()
    }

    /// The `Authorization` for a scope, where one is known.
    pub(super) fn authorization(&self, scope: &str) -> Option<String> {
        let known = self.known();
        known.basic.clone().or_else(|| known.tokens.get(scope).cloned())
    }

    fn known(&self) -> MutexGuard<'_, KnownRights> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rights").field("credentials", &self.credentials).finish_non_exhaustive()
    }
}

/// The scope of reading a repository.
pub(super) fn pull(repository: &str) -> String {
    format!("repository:{repository}:pull")
}

/// The scope of writing it.
pub(super) fn push(repository: &str) -> String {
    format!("repository:{repository}:pull,push")
}

/// Does what a registry asks for, so that the next request for `scope` shows it; `shown` tells
/// whether the one that was refused showed something already.
///
/// # Errors
/// [`Kind::Denied`] where there is nothing to show, or it is not accepted.
pub(super) fn answer(
    registry: &Registry,
    challenge: Option<Challenge>,
    scope: &str,
    shown: bool,
) -> Result<()> {
    let rights = &registry.0.rights;
    match challenge {
        Some(Challenge::Basic) => {
            let Some(Credentials::Password(user, password)) = &rights.credentials else {
                return Err(denied(registry, rights.has_credentials()));
            };
            // It was not good enough.
            if shown {
                return Err(denied(registry, true));
            }
            rights.known().basic = Some(basic(user, password));
            Ok(())
        }
        Some(Challenge::Bearer { realm, service, scope: asked }) => {
            let realm = trusted_realm(registry, &realm)?;
            let scopes = joined(scope, asked.as_deref());
            let token = fetch(registry, &realm, service.as_deref(), &scopes)?;
            rights.known().tokens.insert(scope.to_owned(), format!("Bearer {token}"));
            Ok(())
        }
        None => Err(denied(registry, rights.has_credentials())
            .cause("it does not say which credentials it wants")),
    }
}

/// The rights that are needed, and what else the registry asks for.
fn joined(scope: &str, asked: Option<&str>) -> Vec<String> {
    let mut all: Vec<String> = scope.split(' ').filter(|s| !s.is_empty()).map(Into::into).collect();
    // One that asks for reading where writing is wanted adds nothing.
    let covered = |one: &str| {
        all.iter().any(|ours| ours == one || ours.strip_suffix(",push").is_some_and(|o| o == one))
    };
    let more: Vec<String> = asked
        .into_iter()
        .flat_map(|asked| asked.split(' '))
        .filter(|one| !one.is_empty() && !covered(one))
        .map(Into::into)
        .collect();
    all.extend(more);
    all
}

/// The token server, if it may see a secret: by TLS, or where the registry itself is reached
/// without, on the registry's own host.
fn trusted_realm(registry: &Registry, realm: &str) -> Result<Url> {
    let refuse = |why: String| {
        let message =
            format!("`{}` sends to a token server that can't be trusted", registry.name());
        Error::new(Kind::Denied, message).cause(why)
    };
    let url = Url::parse(realm).ok_or_else(|| {
        refuse(format!("`{}` is not an address", realm.chars().take(200).collect::<String>()))
    })?;
    let base = registry.base()?;
    let both_here = is_loopback(&url.authority) && is_loopback(&base.authority);
    let same_host = url.host().eq_ignore_ascii_case(base.host()) || both_here;
    if url.https || (!base.https && same_host) {
        Ok(url)
    } else {
        Err(refuse(format!("`{}` is another host, without TLS", url.host())))
    }
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
            registry.ask_token(realm, None, Some(&form))?
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
            registry.ask_token(&url, authorization.as_deref(), None)?
        }
    };
    let status = answer.status().as_u16();
    match status {
        200 => {}
        400 | 401 | 403 => return Err(denied(registry, credentials.is_some())),
        _ => return Err(registry.refused(answer, "")),
    }
    let bytes = registry.body(answer, MAX_TOKEN, "the answer of the token server")?;
    // Its text may hold a token, so an error shows none of it.
    let token = serde_json::from_slice::<Token>(&bytes).ok();
    let token = token.and_then(|token| token.token.or(token.access_token));
    let sound = |token: &String| !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    token.filter(sound).ok_or_else(|| {
        Error::new(
            Kind::Network,
            format!("the token server of `{}` gave no token", registry.name()),
        )
    })
}

fn basic(user: &str, password: &str) -> String {
    let text = format!("{user}:{password}");
    format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
}

fn denied(registry: &Registry, known: bool) -> Error {
    super::failure::refusal(registry.name(), "", 401, None, b"", known)
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
