//! Who one is at a registry: the files and helpers that Docker and Podman keep it in.
//!
//! Read in this order: `REGISTRY_AUTH_FILE`; Docker's `config.json` (in `DOCKER_CONFIG` or
//! `~/.docker`); Podman's `auth.json` (in `XDG_RUNTIME_DIR` or `/run`, then `~/.config`).
//! Written is only Docker's file, or the helper that it names. A secret is never part of an
//! error, an argument or an environment variable.

use std::ffi::OsString;
use std::fmt;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use base64::Engine as _;
use docker_credential::{CredentialRetrievalError, DockerCredential};
use serde_json::{Map, Value, json};

use crate::image::bytes::whole::write_secret;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

/// The longest file of credentials that is read.
const MAX_FILE: u64 = 1 << 20;
/// The name under which everybody keeps the credentials of docker.io.
const HUB: &str = "https://index.docker.io/v1/";
/// What a helper prints where it knows nothing; docker-credential-helpers, `credentials/error.go`.
const UNKNOWN: &str = "credentials not found";

/// A name and password, or a token that stands for both.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Credentials {
    /// Name and password.
    Password(String, String),
    /// A refresh token.
    Token(String),
}

/// Shows no secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Password(user, _) => write!(f, "Password({user})"),
            Credentials::Token(_) => write!(f, "Token"),
        }
    }
}

/// Where credentials are kept.
#[derive(Clone, Debug, Default)]
pub(crate) struct Keychain {
    /// Docker's `config.json`.
    docker: Option<PathBuf>,
    /// Files to look into before it.
    before: Vec<PathBuf>,
    /// Files to look into after it.
    after: Vec<PathBuf>,
}

impl Keychain {
    /// As the environment says.
    pub(crate) fn from_environment() -> Self {
        Keychain::new(|name| std::env::var_os(name).filter(|value| !value.is_empty()))
    }

    fn new(variable: impl Fn(&str) -> Option<OsString>) -> Self {
        let path = |name: &str| variable(name).map(PathBuf::from);
        let home = path("HOME");
        let docker =
            path("DOCKER_CONFIG").or_else(|| home.as_ref().map(|home| home.join(".docker")));
        let runtime = path("XDG_RUNTIME_DIR").unwrap_or_else(|| {
            PathBuf::from(format!("/run/containers/{}", rustix::process::geteuid().as_raw()))
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

    /// The credentials for a repository; Podman may keep some for a part of a registry.
    pub(crate) fn find(&self, domain: &str, repository: &str) -> Result<Option<Credentials>> {
        let podmans = self.before.iter().map(|path| (path, true));
        let dockers = self.docker.iter().map(|path| (path, false));
        let rest = self.after.iter().map(|path| (path, true));
        for (path, by_repository) in podmans.chain(dockers).chain(rest) {
            let Some(bytes) = read(path)? else { continue };
            for key in keys(domain, repository, by_repository) {
                if let Some(found) = look_up(path, &bytes, &key)? {
                    return Ok(Some(found));
                }
            }
        }
        Ok(None)
    }

    /// Keeps name and password. Returns the file, where they lie in one and not with a helper.
    pub(crate) fn store(
        &self,
        domain: &str,
        user: &str,
        password: &str,
    ) -> Result<Option<PathBuf>> {
        let path = self.docker_file()?;
        let mut config = parsed(path)?;
        let key = server(domain);
        if let Some(helper) = helper(&config, &key) {
            let message = json!({ "ServerURL": key, "Username": user, "Secret": password });
            run_helper(&helper, "store", message.to_string().as_bytes())?;
            put(&mut config, key, json!({}));
            write(path, &config)?;
            return Ok(None);
        }
        let auth = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
        put(&mut config, key, json!({ "auth": auth }));
        write(path, &config)?;
        Ok(Some(path.to_owned()))
    }

    /// Forgets them. False where there were none in Docker's file.
    pub(crate) fn erase(&self, domain: &str) -> Result<bool> {
        let path = self.docker_file()?;
        let mut config = parsed(path)?;
        let key = server(domain);
        let helper = helper(&config, &key);
        let mut known = false;
        if let Some(auths) = config.get_mut("auths").and_then(Value::as_object_mut) {
            for name in [key.as_str(), domain, &format!("https://{domain}")] {
                known |= auths.remove(name).is_some();
            }
        }
        if let Some(helper) = helper {
            match run_helper(&helper, "erase", key.as_bytes()) {
                Err(error) if !error.to_string().contains(UNKNOWN) => return Err(error),
                erased => known |= erased.is_ok(),
            }
        }
        if known {
            write(path, &config)?;
        }
        Ok(known)
    }

    fn docker_file(&self) -> Result<&Path> {
        self.docker.as_deref().ok_or_else(|| {
            Error::new(Kind::NotFound, "there is no place for credentials")
                .hint("set HOME or DOCKER_CONFIG")
        })
    }
}

/// The key of a registry in Docker's file.
fn server(domain: &str) -> String {
    if domain == "docker.io" { HUB.to_owned() } else { domain.to_owned() }
}

/// Under which keys the credentials may be, the most special first.
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

fn look_up(path: &Path, bytes: &[u8], key: &str) -> Result<Option<Credentials>> {
    use CredentialRetrievalError as Why;
    // A login that keeps the secret with a helper leaves `"auth": ""`, or nothing.
    match docker_credential::get_credential_from_reader(bytes, key) {
        Ok(DockerCredential::UsernamePassword(user, password)) => {
            let empty = user.is_empty() && password.is_empty();
            Ok((!empty).then_some(Credentials::Password(user, password)))
        }
        Ok(DockerCredential::IdentityToken(token)) => Ok(Some(Credentials::Token(token))),
        Err(Why::NoCredentialConfigured) => Ok(None),
        Err(Why::HelperFailure { stdout, stderr, .. })
            if stdout.contains(UNKNOWN) || stderr.contains(UNKNOWN) =>
        {
            Ok(None)
        }
        Err(why) => {
            // What a helper printed may be a secret, so it is not shown.
            let why = match why {
                Why::HelperFailure { helper, .. } => format!("`{helper}` failed"),
                Why::HelperCommunicationError => "its credential helper can't be run".to_owned(),
                Why::MalformedHelperResponse => "its helper's answer can't be read".to_owned(),
                Why::ConfigReadError => "it is not the right JSON".to_owned(),
                _ => format!("the entry `{key}` can't be read"),
            };
            let message = format!("cannot read the credentials in `{}`", path.display());
            Err(Error::new(Kind::Invalid, message)
                .cause(why)
                .hint("mend the file, or set DOCKER_CONFIG to another directory"))
        }
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    let what = || format!("cannot read the credentials in `{}`", path.display());
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        // Another user's directory holds nothing for this one.
        Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => return Ok(None),
        Err(error) => return Err(Error::from_io(what(), &error)),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).context(what)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(Error::new(Kind::Invalid, what()).cause("it is longer than 1 MiB"));
    }
    // Podman makes empty ones.
    Ok(Some(bytes).filter(|bytes| !bytes.trim_ascii().is_empty()))
}

/// Docker's file as it is, with all that other programs keep in it.
fn parsed(path: &Path) -> Result<Map<String, Value>> {
    let Some(bytes) = read(path)? else { return Ok(Map::new()) };
    serde_json::from_slice(&bytes).map_err(|_| {
        Error::new(Kind::Invalid, format!("`{}` is not the right JSON", path.display()))
            .hint("mend the file, or set DOCKER_CONFIG to another directory")
    })
}

/// Puts an entry among the registries that one is logged in to.
fn put(config: &mut Map<String, Value>, key: String, value: Value) {
    let auths = config.entry("auths").or_insert_with(|| json!({}));
    match auths.as_object_mut() {
        Some(auths) => drop(auths.insert(key, value)),
        None => *auths = Value::Object(Map::from_iter([(key, value)])),
    }
}

fn helper(config: &Map<String, Value>, key: &str) -> Option<String> {
    let special = config.get("credHelpers").and_then(|helpers| helpers.get(key));
    let name = special.or_else(|| config.get("credsStore"))?.as_str()?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    Some(name.to_owned()).filter(|name| !name.is_empty() && name.chars().all(plain))
}

/// Runs `docker-credential-NAME VERB`; what it shall know comes on its standard input.
fn run_helper(name: &str, verb: &str, input: &[u8]) -> Result<()> {
    let program = format!("docker-credential-{name}");
    let failed = || format!("cannot run the credential helper `{program}`");
    let mut child = Command::new(&program)
        .arg(verb)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .context(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read says why by its exit code.
        let _ = stdin.write_all(input);
    }
    let output = child.wait_with_output().context(failed)?;
    if output.status.success() {
        return Ok(());
    }
    let known = String::from_utf8_lossy(&output.stdout).contains(UNKNOWN);
    let why = if known { UNKNOWN.to_owned() } else { output.status.to_string() };
    Err(Error::new(Kind::System, format!("`{program} {verb}` failed")).cause(why))
}

/// Replaces the file in one step; only its owner can read it.
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
