//! The JSON documents of images, read as untrusted data.
//!
//! A document is limited in size, has no duplicate key (readers would disagree on its meaning), and
//! is what it claims to be: an image configuration for Linux whose layers are digests.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::image::bytes::spool::digest_of;
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::image::ImageConfig;
use crate::model::value::digest::Digest;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// The longest document, as in containers/image (`iolimits`).
pub(crate) const MAX_DOCUMENT: u64 = 4 << 20;
/// Docker creates up to 127, overlayfs stacks 500; more are merged (`merged_lowers`).
const MAX_LAYERS: usize = 1024;
/// The most entries of one list of a new image, such as its labels. There are as many ports.
const MAX_ENTRIES: usize = 1 << 16;

/// A checked image configuration.
#[derive(Debug)]
pub(crate) struct Document {
    pub(crate) id: Digest,
    pub(crate) value: Value,
    pub(crate) diff_ids: Vec<Digest>,
    pub(crate) config: ImageConfig,
    pub(crate) created: Option<Timestamp>,
    pub(crate) architecture: String,
    pub(crate) os: String,
}

impl Document {
    /// Parses an image configuration. The image's id is the digest of exactly these bytes.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Document> {
        Self::read(bytes).context(|| "the image's configuration is damaged".to_owned())
    }

    /// Refuses a new image that brings too much of one thing. An image that is in the store stays
    /// readable.
    pub(crate) fn check_size(&self) -> Result<()> {
        let config = &self.config;
        let words = |list: &Option<Vec<String>>| list.as_ref().map_or(0, Vec::len);
        let steps = self.value.get("history").and_then(Value::as_array);
        for (count, what) in [
            (config.env.len(), "environment variables"),
            (config.labels.len(), "labels"),
            (config.volumes.len(), "volumes"),
            (config.exposed_ports.len(), "exposed ports"),
            (words(&config.entrypoint), "words of the entrypoint"),
            (words(&config.cmd), "words of the command"),
            (steps.map_or(0, Vec::len), "steps of the history"),
        ] {
            if count > MAX_ENTRIES {
                let message = format!("the image has {count} {what}, more than {MAX_ENTRIES}");
                return Err(Error::new(Kind::Unsupported, message)
                    .hint(format!("build it with fewer {what}")));
            }
        }
        Ok(())
    }

    fn read(bytes: &[u8]) -> Result<Document> {
        let value: Value = parse(bytes)?;
        if value.get("manifests").is_some() || value.get("layers").is_some() {
            return Err(corrupt("it is a manifest, not a configuration"));
        }
        let text = |key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default();
        // Docker before 1.10 wrote no system, meaning the host's.
        let os = if text("os").is_empty() { "linux" } else { text("os") }.to_owned();
        if os != "linux" {
            let os = visible::short(&os);
            return Err(Error::new(Kind::Unsupported, format!("it is for `{os}`, not for linux")));
        }
        let diff_ids = value.pointer("/rootfs/diff_ids").cloned().unwrap_or(Value::Null);
        let diff_ids: Vec<Digest> = from_value(diff_ids, "rootfs.diff_ids")?;
        if diff_ids.len() > MAX_LAYERS {
            return Err(corrupt(format!(
                "it has {} layers, more than {MAX_LAYERS}",
                diff_ids.len()
            )));
        }
        let config = value.get("config").cloned().filter(|config| !config.is_null());
        let config: ImageConfig =
            config.map(|config| from_value(config, "config")).transpose()?.unwrap_or_default();
        check_config(&config)?;
        Ok(Document {
            id: digest_of(bytes),
            diff_ids,
            config,
            created: text("created").parse().ok(),
            architecture: text("architecture").to_owned(),
            os,
            value,
        })
    }
}

/// Returns how many steps the history of a configuration has, without the rest of it: an image may
/// have a thousand ancestors.
pub(crate) fn count_steps(bytes: &[u8]) -> Result<usize> {
    #[derive(serde::Deserialize)]
    struct Steps {
        history: Option<Vec<serde::de::IgnoredAny>>,
    }
    let steps: Steps = serde_json::from_slice(bytes).map_err(|error| corrupt(error.to_string()))?;
    Ok(steps.history.map_or(0, |history| history.len()))
}

/// Refuses texts that a program cannot be given. As in Docker, an entry of the environment may lack
/// the `=`: it sets nothing, and is never a request to import the host's variable, as podman took
/// it (CVE-2026-57231).
fn check_config(config: &ImageConfig) -> Result<()> {
    if let Some(entry) = config.env.iter().find(|entry| entry.contains('\0')) {
        let entry = visible::short(entry);
        return Err(corrupt(format!("the environment entry `{entry}` contains a NUL")));
    }
    let words = [&config.entrypoint, &config.cmd].into_iter().flatten().flatten();
    match words.chain([&config.user, &config.working_dir]).find(|word| word.contains('\0')) {
        Some(word) => Err(corrupt(format!("`{}` contains a NUL", visible::short(word)))),
        None => Ok(()),
    }
}

/// Parses a document of type `T` without duplicate keys.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.len() as u64 > MAX_DOCUMENT {
        let message = format!("it has {} bytes, more than {MAX_DOCUMENT}", bytes.len());
        return Err(corrupt(message));
    }
    parse_of_any_length(bytes)
}

/// As [`parse`], for a document of the store's own.
pub(crate) fn parse_of_any_length<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let failed = |error: serde_json::Error| {
        corrupt(format!("it is not valid JSON for this document: {error}"))
    };
    let strict: Strict = serde_json::from_slice(bytes).map_err(failed)?;
    serde_json::from_value(strict.0).map_err(failed)
}

fn from_value<T: DeserializeOwned>(value: Value, what: &str) -> Result<T> {
    serde_json::from_value(value).map_err(|error| corrupt(format!("`{what}`: {error}")))
}

/// A JSON value without duplicate keys.
struct Strict(Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        deserializer.deserialize_any(StrictVisitor).map(Strict)
    }
}

struct StrictVisitor;

impl<'de> Visitor<'de> for StrictVisitor {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> std::result::Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> std::result::Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> std::result::Result<Value, A::Error> {
        let mut values = Vec::new();
        while let Some(Strict(value)) = seq.next_element()? {
            values.push(value);
        }
        Ok(values.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> std::result::Result<Value, A::Error> {
        let mut values = Map::new();
        while let Some((key, Strict(value))) = map.next_entry::<String, Strict>()? {
            if values.contains_key(&key) {
                let message = format!("the key `{}` is duplicate", visible::short(&key));
                return Err(serde::de::Error::custom(message));
            }
            values.insert(key, value);
        }
        Ok(values.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(config: &str, expected: &str) {
        let error = Document::parse(config.as_bytes()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn a_configuration_is_checked_before_it_is_believed() {
        check("{", "JSON");
        check(r#"{"os":"linux","os":"windows","rootfs":{"diff_ids":[]}}"#, "is duplicate");
        check(r#"{"os":"windows","rootfs":{"diff_ids":[]}}"#, "not for linux");
        check(r#"{"os":"linux"}"#, "rootfs.diff_ids");
        check(r#"{"rootfs":{"diff_ids":["sha256:../../x"]}}"#, "not a sha256 digest");
        check(r#"{"rootfs":{"diff_ids":[]},"layers":[]}"#, "a manifest");
        let nul = r#"{"rootfs":{"diff_ids":[]},"config":{"Env":["A\u0000=1"]}}"#;
        check(nul, "environment");
        let deep = "[".repeat(200);
        check(&deep, "recursion");
    }

    #[test]
    fn a_command_may_be_a_single_word() {
        let text = r#"{"config":{"Cmd":"sh","Entrypoint":["a","b"]},"rootfs":{"diff_ids":[]}}"#;
        let config = Document::parse(text.as_bytes()).unwrap().config;
        assert_eq!(config.cmd, Some(vec!["sh".to_owned()]));
        assert_eq!(config.entrypoint, Some(vec!["a".to_owned(), "b".to_owned()]));
    }

    #[test]
    fn a_new_image_may_not_bring_too_much_of_one_thing() {
        let lists = |count: usize| {
            let list =
                |item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
            let (env, label) =
                (list(&|n| format!("\"E{n}=\"")), list(&|n| format!("\"{n}\":\"\"")));
            let step = list(&|_| r#"{"empty_layer":true}"#.to_owned());
            [
                (format!(r#""config":{{"Env":[{env}]}}"#), "environment variables"),
                (format!(r#""config":{{"Labels":{{{label}}}}}"#), "labels"),
                (format!(r#""history":[{step}]"#), "steps of the history"),
            ]
        };
        let parse = |rest: &str| {
            Document::parse(format!(r#"{{"rootfs":{{"diff_ids":[]}},{rest}}}"#).as_bytes()).unwrap()
        };
        for (rest, _) in lists(MAX_ENTRIES) {
            parse(&rest).check_size().unwrap();
        }
        for (rest, what) in lists(MAX_ENTRIES + 1) {
            let error = parse(&rest).check_size().unwrap_err();
            let expected = format!("the image has 65537 {what}, more than 65536");
            assert_eq!(error.message(), expected);
        }
    }

    #[test]
    fn odd_texts_are_read_as_docker_reads_them() {
        let text = r#"{"rootfs":{"diff_ids":[]},"config":{"Env":["FOO","*","A*=1",null],
            "Labels":{"k":null,"l":"m"},"Cmd":["a",null],"Volumes":{"data":null}}}"#;
        let config = Document::parse(text.as_bytes()).unwrap().config;
        assert_eq!(config.env, ["FOO", "*", "A*=1", ""]);
        assert_eq!(config.cmd, Some(vec!["a".to_owned(), String::new()]));
        assert_eq!((&*config.labels["k"], &*config.labels["l"]), ("", "m"));
        assert!(config.volumes.contains_key("data"));
    }

    #[test]
    fn nulls_are_absent() {
        let text = r#"{"created":null,"config":{"Env":null,"Cmd":null},"rootfs":{"diff_ids":[]}}"#;
        let document = Document::parse(text.as_bytes()).unwrap();
        assert_eq!(document.config, ImageConfig::default());
        assert_eq!(document.os, "linux");
    }
}
