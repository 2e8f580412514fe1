//! The files and helpers in which Docker and Podman keep credentials.
//!
//! With `--config DIR` that directory's `config.json` alone; else read in this order:
//! `REGISTRY_AUTH_FILE`; Docker's `config.json` (in `DOCKER_CONFIG` or `~/.docker`); Podman's
//! `auth.json` (in `XDG_RUNTIME_DIR` or `/run`, then `~/.config`). A login is written to Docker's
//! file alone, or stored by the helper that it names; a logout removes the credentials from all of
//! them. A secret is never part of an error, an argument or an environment variable.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::{Map, Value, json};

use super::credential::Credentials;
use super::credential_helper::CredentialHelper;
use crate::image::bytes::atomic_file::write_secret;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::stream::open_regular;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};
use crate::sys::userns;

/// The longest file of credentials that is read.
const MAX_FILE: u64 = 1 << 20;
/// The key of docker.io in all files of credentials.
const HUB: &str = "https://index.docker.io/v1/";

/// The places of credentials.
#[derive(Clone, Debug, Default)]
pub struct Keychain {
    /// Docker's `config.json`.
    docker: Option<PathBuf>,
    /// Files that are read before it.
    before: Vec<PathBuf>,
    /// Files that are read after it.
    after: Vec<PathBuf>,
}

impl Keychain {
    /// Returns Docker's file in this directory, and no other place; without one, the places that
    /// the environment defines.
    pub fn of(config: Option<&Path>) -> Self {
        match config {
            Some(config) => {
                Keychain { docker: Some(config.join("config.json")), ..Keychain::default() }
            }
            None => Keychain::from_environment(),
        }
    }

    /// Returns where Docker's `config.json` is.
    pub(crate) fn docker(self) -> Option<PathBuf> {
        self.docker
    }

    fn from_environment() -> Self {
        Keychain::new(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).map(PathBuf::from);
        let home = path("HOME");
        let docker =
            path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
        let runtime = path("XDG_RUNTIME_DIR").unwrap_or_else(|| {
            let caller = userns::identity().root_outside();
            let caller = caller.unwrap_or_else(|| rustix::process::geteuid().as_raw());
            PathBuf::from(format!("/run/containers/{caller}"))
        });
        let podman = match variable("XDG_RUNTIME_DIR") {
            Some(_) => runtime.join("containers/auth.json"),
            None => runtime.join("auth.json"),
        };
        let config = path("XDG_CONFIG_HOME").or_else(|| home.map(|home| home.join(".config")));
        let config = config.map(|config| config.join("containers/auth.json"));
        Keychain {
            docker: docker.map(|docker| docker.join("config.json")),
            before: path("REGISTRY_AUTH_FILE").into_iter().collect(),
            after: std::iter::once(podman).chain(config).collect(),
        }
    }

    /// Finds the credentials for a repository; Podman may keep some for a part of a registry.
    pub(crate) fn find(
        &self,
        domain: &str,
        repository: &str,
        check: CancelCheck<'_>,
    ) -> Result<Option<Credentials>> {
        let podmans = self.before.iter().map(|path| (path, true));
        let dockers = self.docker.iter().map(|path| (path, false));
        let rest = self.after.iter().map(|path| (path, true));
        for (path, by_repository) in podmans.chain(dockers).chain(rest) {
            let config = parsed(path)?;
            for key in keys(domain, repository, by_repository) {
                // Helpers have credentials for registries, not for parts of them.
                let is_whole = !key.starts_with(&format!("{domain}/"));
                let found = match helper(&config, &key, check).filter(|_| is_whole) {
                    Some(helper) => {
                        let context = || format!("cannot read the credentials for `{domain}`");
                        helper.get(&key).context(context)?
                    }
                    None => look_up(path, &config, &key)?,
                };
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// Stores name and password. Returns the file; `None` if a helper stores them.
    pub(crate) fn store(
        &self,
        domain: &str,
        user: &str,
        password: &str,
        check: CancelCheck<'_>,
    ) -> Result<Option<PathBuf>> {
        let path = self.docker_file()?;
        let mut config = parsed(path)?;
        let key = server(domain);
        if let Some(helper) = helper(&config, &key, check) {
            let message = json!({ "ServerURL": key, "Username": user, "Secret": password });
            helper.store(&message.to_string())?;
            put(&mut config, key, json!({}));
            write(path, &config)?;
            return Ok(None);
        }
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        put(&mut config, key, json!({ "auth": auth }));
        write(path, &config)?;
        Ok(Some(path.to_owned()))
    }

    /// Removes the credentials from all places. Returns false if there were none.
    pub(crate) fn erase(&self, domain: &str, check: CancelCheck<'_>) -> Result<bool> {
        let mut known = false;
        for path in self.before.iter().chain(&self.docker).chain(&self.after) {
            known |= erase_in(path, domain, check)?;
        }
        Ok(known)
    }

    fn docker_file(&self) -> Result<&Path> {
        self.docker.as_deref().ok_or_else(|| {
            Error::new(Kind::NotFound, "cannot find the file of credentials: HOME is not set")
                .hint("set HOME or DOCKER_CONFIG")
        })
    }
}

fn erase_in(path: &Path, domain: &str, check: CancelCheck<'_>) -> Result<bool> {
    let mut config = parsed(path)?;
    let key = server(domain);
    let mut known = false;
    if let Some(auths) = config.get_mut("auths").and_then(Value::as_object_mut) {
        for name in [key.as_str(), domain, &format!("https://{domain}")] {
            known |= auths.remove(name).is_some();
        }
    }
    let kept = helper(&config, &key, check).map(|helper| helper.erase(&key));
    if known {
        write(path, &config)?;
    }
    Ok(kept.transpose()?.unwrap_or(false) || known)
}

/// Returns the key of a registry in Docker's file.
fn server(domain: &str) -> String {
    if domain == "docker.io" { HUB.to_owned() } else { domain.to_owned() }
}

/// Returns the keys under which the credentials may be, the most specific first.
fn keys(domain: &str, repository: &str, by_repository: bool) -> Vec<String> {
    let mut keys = Vec::new();
    if by_repository {
        let mut path = repository;
        while !path.is_empty() {
            keys.push(format!("{domain}/{path}"));
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
    }
    keys.push(server(domain));
    if domain == "docker.io" {
        keys.push(domain.to_owned());
    }
    keys
}

fn look_up(path: &Path, config: &Map<String, Value>, key: &str) -> Result<Option<Credentials>> {
    use CredentialRetrievalError as Why;
    let auths = config.get("auths").cloned().unwrap_or_else(|| json!({}));
    let bytes = json!({ "auths": auths }).to_string();
    // A login that keeps the secret with a helper leaves `"auth": ""`, or nothing.
    match docker_credential::get_credential_from_reader(bytes.as_bytes(), key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            let empty = user.is_empty() && password.is_empty();
            Ok((!empty).then_some(Credentials::Password(user, password)))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credentials::Token(token))),
        Err(Why::NoCredentialConfigured) => Ok(None),
        Err(why) => {
            let why = match why {
                Why::ConfigReadError => "it is not valid JSON".to_owned(),
                _ => format!("the entry `{key}` cannot be read"),
            };
            Err(unreadable(path).cause(why))
        }
    }
}

fn unreadable(path: &Path) -> Error {
    Error::new(Kind::Invalid, format!("cannot read the credentials in `{}`", path.display()))
        .hint("fix the file, or use another directory: --config DIR")
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let what = || format!("cannot read the credentials in `{}`", path.display());
    let file = match open_regular(path) {
        Ok(file) => file,
        // A path below a file does not exist.
        Err(error) if matches!(error.errno(), Some(libc::ENOENT | libc::ENOTDIR)) => {
            return Ok(None);
        }
        Err(error) => return Err(error.context(what())),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).context(what)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::new(Kind::Invalid, what()).cause("it is longer than 1 MiB"));
    }
    // Podman creates empty ones.
    Ok(Some(bytes).filter(|bytes| !bytes.trim_ascii().is_empty()))
}

/// Parses a file, with all entries of other programs.
fn parsed(path: &Path) -> Result<Map<String, Value>> {
    let Some(bytes) = read(path)? else { return Ok(Map::new()) };
    serde_json::from_slice(&bytes).map_err(|_| unreadable(path).cause("it is not valid JSON"))
}

/// Adds an entry to the registries with a login.
fn put(config: &mut Map<String, Value>, key: String, value: Value) {
    let auths = config.entry("auths").or_insert_with(|| json!({}));
    match auths.as_object_mut() {
        Some(auths) => drop(auths.insert(key, value)),
        None => *auths = Value::Object(Map::from_iter([(key, value)])),
    }
}

fn helper<'a>(
    config: &Map<String, Value>,
    key: &str,
    check: CancelCheck<'a>,
) -> Option<CredentialHelper<'a>> {
    let special = config.get("credHelpers").and_then(|helpers| helpers.get(key));
    let name = special.or_else(|| config.get("credsStore"))?.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let sound = !name.is_empty() && name.chars().all(plain);
    sound.then(|| CredentialHelper { name: name.to_owned(), check })
}

/// Replaces the file atomically; only its owner can read it.
fn write(path: &Path, config: &Map<String, Value>) -> Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    let what = || format!("cannot write `{}`", path.display());
    if let Some(parent) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent).context(what)?;
    }
    let mut text = serde_json::to_string_pretty(config)
        .map_err(|error| Error::new(Kind::Bug, what()).cause(error))?;
    text.push('\n');
    write_secret(path, text.as_bytes())
}

#[cfg(test)]
#[path = "tests/credentials.rs"]
mod tests;
