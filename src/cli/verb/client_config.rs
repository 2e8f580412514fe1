//! What Docker's client takes from its `config.json` and the environment where no flag says it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;

use crate::engine::CancelToken;
use crate::engine::stream::read_text;
use crate::model::container::options::EnvEntry;
use crate::model::value::platform::Platform;
use crate::model::{Error, Kind, Result};

/// The largest file that is read, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// What verbs take from `config.json`; credentials are read elsewhere. The file is described in
/// <https://docs.docker.com/reference/cli/docker/#configuration-files>.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClientConfig {
    /// The `--format` of `ps`.
    pub ps_format: Option<String>,
    /// The `--format` of `images`.
    pub images_format: Option<String>,
    /// The `--format` of `volume ls`.
    pub volumes_format: Option<String>,
    /// The `--format` of `stats`.
    pub stats_format: Option<String>,
    /// The `--detach-keys` of `attach`, `exec`, `run` and `start`.
    pub detach_keys: Option<String>,
    /// Proxies by engine; `default` is for all.
    proxies: Option<BTreeMap<String, Option<Proxies>>>,
}

/// The proxies of containers and builds.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Proxies {
    http_proxy: Option<String>,
    https_proxy: Option<String>,
    no_proxy: Option<String>,
    ftp_proxy: Option<String>,
    all_proxy: Option<String>,
}

impl ClientConfig {
    /// Reads the file; one that is missing says nothing.
    ///
    /// # Errors
    /// When the file cannot be read, or its JSON has another shape.
    pub fn read(path: &Path, cancel: &CancelToken) -> Result<Self> {
        match read_text(path, MAX_FILE, &|| cancel.check()) {
            Ok(text) => serde_json::from_str(&text)
                .map_err(|error| Error::new(Kind::Invalid, error.to_string())),
            Err(error) if error.kind() == Kind::NotFound => Ok(ClientConfig::default()),
            Err(error) => Err(error),
        }
    }

    /// Returns the variables of the proxies, in both spellings, that `given` does not name.
    pub fn proxies_beside(&self, given: &[EnvEntry]) -> Vec<EnvEntry> {
        let Some(Some(proxies)) = self.proxies.as_ref().and_then(|all| all.get("default")) else {
            return Vec::new();
        };
        let named = [
            ("HTTP_PROXY", &proxies.http_proxy),
            ("HTTPS_PROXY", &proxies.https_proxy),
            ("NO_PROXY", &proxies.no_proxy),
            ("FTP_PROXY", &proxies.ftp_proxy),
            ("ALL_PROXY", &proxies.all_proxy),
        ];
        let named = named.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        named
            .filter(|(_, value)| !value.is_empty())
            .flat_map(|(name, value)| {
                [name.to_owned(), name.to_lowercase()].map(|key| (key, value))
            })
            .filter(|(key, _)| !given.iter().any(|entry| entry.key() == key))
            .map(|(key, value)| EnvEntry::Set { key, value: value.clone() })
            .collect()
    }
}

/// Returns the platform of `--platform`, else that of `DOCKER_DEFAULT_PLATFORM`. An empty flag is
/// none.
///
/// # Errors
/// [`Kind::Invalid`] if it does not name one.
pub fn platform(flag: Option<&str>) -> Result<Option<Platform>> {
    let default = || std::env::var("DOCKER_DEFAULT_PLATFORM").ok();
    let text = flag.map(str::to_owned).or_else(default).unwrap_or_default();
    (!text.is_empty()).then(|| text.parse()).transpose()
}
