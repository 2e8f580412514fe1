//! `--filter` of `ps` and `images`.

use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::reference::Reference;
use crate::model::status::Status;
use crate::model::{Error, Kind, Result};
use crate::ui::nearest::nearest;

const OF_CONTAINERS: [&str; 6] = ["ancestor", "exited", "id", "label", "name", "status"];
const OF_IMAGES: [&str; 2] = ["dangling", "reference"];

/// What containers or images must be. Values of one key are alternatives, except of `label`.
#[derive(Debug, Default)]
pub struct Filters {
    pairs: Vec<(String, String)>,
}

impl Filters {
    /// The filters of `ps`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key, status or exit code.
    pub fn of_containers(texts: &[String]) -> Result<Self> {
        let filters = Filters::parse(texts, &OF_CONTAINERS)?;
        for (key, value) in &filters.pairs {
            // Docker's words; of these lifebox never shows the middle two.
            let words =
                ["created", "running", "restarting", "removing", "paused", "exited", "dead"];
            let valid = match key.as_str() {
                "status" => words.contains(&value.as_str()),
                "exited" => value.parse::<i32>().is_ok(),
                _ => true,
            };
            if !valid {
                let error = Error::new(Kind::Invalid, format!("invalid filter `{key}={value}`"));
                return Err(match key.as_str() {
                    "status" => error.hint(format!("a status is one of {}", words.join(", "))),
                    _ => error.hint("an exit code is a number"),
                });
            }
        }
        Ok(filters)
    }

    /// The filters of `images`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key or value.
    pub fn of_images(texts: &[String]) -> Result<Self> {
        let filters = Filters::parse(texts, &OF_IMAGES)?;
        match filters.pairs.iter().find(|(k, v)| k == "dangling" && truth(v).is_none()) {
            Some((_, value)) => {
                Err(Error::new(Kind::Invalid, format!("invalid filter `dangling={value}`"))
                    .hint("write dangling=true or dangling=false"))
            }
            None => Ok(filters),
        }
    }

    /// Adds what one image must be called.
    pub fn add_reference(&mut self, pattern: &str) {
        self.pairs.push(("reference".to_owned(), pattern.to_owned()));
    }

    fn parse(texts: &[String], known: &[&str]) -> Result<Self> {
        let mut pairs = Vec::new();
        for text in texts {
            let Some((key, value)) = text.split_once('=') else {
                return Err(Error::new(Kind::Invalid, format!("bad format of filter `{text}`"))
                    .hint("write KEY=VALUE"));
            };
            let key = key.trim().to_lowercase();
            if !known.contains(&key.as_str()) {
                let error = Error::new(Kind::Invalid, format!("invalid filter `{key}`"));
                return Err(match nearest(&key, known.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean `{near}`?")),
                    None => error.hint(format!("the filters are {}", known.join(", "))),
                });
            }
            pairs.push((key, value.to_owned()));
        }
        Ok(Filters { pairs })
    }

    /// Whether a status was asked for, so that `ps` looks at all containers.
    pub fn name_status(&self) -> bool {
        self.pairs.iter().any(|(key, _)| key == "status" || key == "exited")
    }

    /// Whether a container is wanted.
    pub fn take_container(&self, container: &Container) -> bool {
        OF_CONTAINERS.iter().all(|key| self.holds(key, |value| container_is(container, key, value)))
    }

    /// Whether an image is wanted.
    pub fn take_image(&self, image: &Image) -> bool {
        OF_IMAGES.iter().all(|key| {
            self.holds(key, |value| match *key {
                "dangling" => truth(value) == Some(image.tags.is_empty()),
                _ => image.tags.iter().any(|tag| reference_matches(value, tag)),
            })
        })
    }

    /// Whether one of the values of `key` holds, or all of a label's; so too where there is none.
    fn holds(&self, key: &str, is: impl Fn(&str) -> bool) -> bool {
        let mut values = self.pairs.iter().filter(|(k, _)| k == key).map(|(_, v)| v).peekable();
        match key {
            "label" => values.all(|value| is(value)),
            _ => values.peek().is_none() || values.any(|value| is(value)),
        }
    }
}

fn container_is(container: &Container, key: &str, value: &str) -> bool {
    let (spec, state) = (&container.spec, &container.state);
    match key {
        "id" => spec.id.as_str().starts_with(value),
        "status" => state.status.as_str() == value,
        "exited" => {
            let ended = state.status == Status::Exited && state.started_at.is_some();
            ended && value.parse() == Ok(state.exit_code)
        }
        "label" => match value.split_once('=') {
            Some((key, value)) => spec.config.labels.get(key).is_some_and(|own| own == value),
            None => spec.config.labels.contains_key(value),
        },
        "ancestor" => {
            let used = &spec.image;
            let same = |text: &str| text.parse::<Reference>().ok();
            let id = value.strip_prefix("sha256:").unwrap_or(value);
            (same(value).is_some() && same(value) == same(&used.reference))
                || (id.len() >= 4 && used.id.hex().starts_with(id))
        }
        _ => name_matches(value, state.name.as_str()),
    }
}

/// A part of the name; `^` and `$` hold it to the beginning and the end. A leading `/` is the one
/// that `inspect` shows.
fn name_matches(pattern: &str, name: &str) -> bool {
    let (pattern, at_start) = match pattern.strip_prefix('^') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let (pattern, at_end) = match pattern.strip_suffix('$') {
        Some(rest) => (rest, true),
        None => (pattern, false),
    };
    let at_start = at_start || pattern.starts_with('/');
    let pattern = pattern.strip_prefix('/').unwrap_or(pattern);
    match (at_start, at_end) {
        (true, true) => name == pattern,
        (true, false) => name.starts_with(pattern),
        (false, true) => name.ends_with(pattern),
        (false, false) => name.contains(pattern),
    }
}

fn reference_matches(pattern: &str, reference: &Reference) -> bool {
    let whole = reference.to_string();
    let texts = [reference.familiar(), reference.repository(), whole];
    texts.iter().any(|text| glob(pattern.as_bytes(), text.as_bytes()))
}

/// Whether `text` is as `pattern` says: `*` is any number of characters but `/`, `?` is one.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t) = (0, 0);
    // Where the last star stands, and where in the text what it takes ends so far.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'?') if text[t] != b'/' => (p, t) = (p + 1, t + 1),
            Some(byte) if *byte == text[t] => (p, t) = (p + 1, t + 1),
            _ => match star {
                Some((at, taken)) if text[taken] != b'/' => {
                    star = Some((at, taken + 1));
                    (p, t) = (at + 1, taken + 1);
                }
                _ => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

fn truth(text: &str) -> Option<bool> {
    match text {
        "true" | "1" | "True" | "TRUE" | "t" => Some(true),
        "false" | "0" | "False" | "FALSE" | "f" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_filters_are_refused_with_the_nearest() {
        let check = |filter: &str, hint: &str| {
            let error = Filters::of_containers(&[filter.to_owned()]).unwrap_err();
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{error:?}");
        };
        check("nmae=x", "did you mean `name`?");
        check("colour=x", "the filters are ancestor");
        check("name", "KEY=VALUE");
        check("status=stopped", "a status is one of created, running");
        check("exited=x", "a number");
        assert!(Filters::of_images(&["dangling=maybe".to_owned()]).is_err());
    }

    #[test]
    fn names_match_in_part_or_whole() {
        for (pattern, name, expected) in [
            ("we", "web", true),
            ("eb", "web", true),
            ("^eb", "web", false),
            ("^/web$", "web", true),
            ("/web", "web1", true),
            ("web$", "web1", false),
        ] {
            assert_eq!(name_matches(pattern, name), expected, "{pattern} {name}");
        }
    }

    #[test]
    fn references_match_as_globs() {
        for (pattern, reference, expected) in [
            ("alpine", "alpine:3", true),
            ("alpine:3", "alpine:3", true),
            ("alp*:3*", "alpine:3.20", true),
            ("*", "team/app", false),
            ("*/*", "team/app", true),
            ("docker.io/library/alpine:3", "alpine:3", true),
            ("alpine:4", "alpine:3", false),
            ("a?pine", "alpine", true),
        ] {
            let reference: Reference = reference.parse().unwrap();
            assert_eq!(reference_matches(pattern, &reference), expected, "{pattern}");
        }
    }
}
