//! `--filter` of `ps`, `images`, `image prune`, `volume ls` and `events`.

use jiff::Timestamp;

use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::image::filter::ImageFilter;
use crate::model::observe::event::EventFilter;
use crate::model::observe::volume::VolumeFilter;
use crate::model::value::health_check;
use crate::model::value::reference::Reference;
use crate::model::value::suggest::suggest;
use crate::model::{Error, Kind, Result};

const OF_CONTAINERS: [&str; 7] = ["ancestor", "exited", "health", "id", "label", "name", "status"];
const OF_IMAGES: [&str; 6] = ["before", "dangling", "label", "reference", "since", "until"];
/// The filters of `prune`; the first is for images only.
const OF_PRUNING: [&str; 4] = ["dangling", "label", "label!", "until"];

/// The filters that a verb takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterSet {
    /// The filters of `images`.
    Listing,
    /// The filters of `image prune`.
    Pruning,
    /// The filters of `container prune`.
    PruningContainers,
}

/// Splits a filter into key and value.
///
/// # Errors
/// [`Kind::Invalid`] for a filter without `=`.
pub fn pair(text: &str) -> Result<(String, String)> {
    let (key, value) = text.split_once('=').ok_or_else(|| {
        Error::new(Kind::Invalid, format!("bad format of filter `{text}`")).hint("write KEY=VALUE")
    })?;
    Ok((key.trim().to_lowercase(), value.to_owned()))
}

/// The filters of containers. Values of one key are alternatives, except those of `label`.
#[derive(Debug, Default)]
pub struct Filters {
    pairs: Vec<(String, String)>,
}

impl Filters {
    /// Parses the filters of `ps`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key, status or exit code.
    pub fn of_containers(texts: &[String]) -> Result<Self> {
        let filters = Filters::parse(texts, &OF_CONTAINERS)?;
        for (key, value) in &filters.pairs {
            // Docker's statuses; lifebox never has `removing`.
            let words =
                ["created", "running", "restarting", "removing", "paused", "exited", "dead"];
            let valid = match key.as_str() {
                "status" => words.contains(&value.as_str()),
                "exited" => value.parse::<i32>().is_ok(),
                "health" => health_check::FILTER_VALUES.contains(&value.as_str()),
                _ => true,
            };
            if !valid {
                let error = Error::new(Kind::Invalid, format!("invalid filter `{key}={value}`"));
                return Err(match key.as_str() {
                    "status" => error.hint(format!("use one of {}", words.join(", "))),
                    "health" => {
                        error.hint(format!("use one of {}", health_check::FILTER_VALUES.join(", ")))
                    }
                    _ => error.hint("write a number, such as exited=0"),
                });
            }
        }
        Ok(filters)
    }

    /// Parses the filters of `images` or `image prune`. `created` returns when the image of a
    /// reference was created; `time` parses a time.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key or value; the error of `created`.
    pub fn of_images(
        texts: &[String],
        known: FilterSet,
        created: impl Fn(&str) -> Result<Option<Timestamp>>,
        time: impl Fn(&str) -> Result<Timestamp>,
    ) -> Result<ImageFilter> {
        let keys: &[&str] = match known {
            FilterSet::Listing => &OF_IMAGES,
            FilterSet::Pruning => &OF_PRUNING,
            FilterSet::PruningContainers => &OF_PRUNING[1..],
        };
        let mut filter = ImageFilter::default();
        // An image without a creation time is older than all others.
        let built = |name: &str| Ok(Some(created(name)?.unwrap_or(Timestamp::MIN)));
        for (key, value) in Filters::parse(texts, keys)?.pairs {
            match key.as_str() {
                "before" => filter.before = built(&value)?,
                "since" => filter.since = built(&value)?,
                "until" => filter.before = Some(time(&value)?),
                "label" => filter.labels.push(value),
                "label!" => filter.without_labels.push(value),
                "reference" => filter.references.push(value),
                _ => filter.dangling = Some(truth(&value)?),
            }
        }
        Ok(filter)
    }

    fn parse(texts: &[String], known: &[&str]) -> Result<Self> {
        let mut pairs = Vec::new();
        for text in texts {
            let (key, value) = pair(text)?;
            if !known.contains(&key.as_str()) {
                let error = Error::new(Kind::Invalid, format!("invalid filter `{key}`"));
                let all = format!("use one of {}", known.join(", "));
                return Err(match suggest(&key, known.iter().copied()) {
                    Some(near) => error.hint(format!("did you mean `{near}`? ({all})")),
                    None => error.hint(all),
                });
            }
            pairs.push((key, value));
        }
        Ok(Filters { pairs })
    }

    /// Returns whether there is a filter `status`, which makes `ps` list all containers.
    pub fn name_status(&self) -> bool {
        self.pairs.iter().any(|(key, _)| key == "status" || key == "exited")
    }

    /// Returns whether a container passes the filters.
    pub fn take_container(&self, container: &Container) -> bool {
        OF_CONTAINERS.iter().all(|key| self.holds(key, |value| container_is(container, key, value)))
    }

    /// Returns whether one of the values of `key` matches, or all of those of `label`. True without
    /// values.
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
        "health" => container.health() == value,
        "exited" => {
            let ended = state.status == Status::Exited && state.started_at.is_some();
            ended && value.parse() == Ok(state.exit_code)
        }
        "label" => match value.split_once('=') {
            Some((key, value)) => spec.config.labels.get(key).is_some_and(|found| found == value),
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

/// Returns whether a pattern is part of the name; `^` and `$` anchor it. A leading `/` is the one
/// in the output of `inspect`.
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

/// Parses the filters of `volume ls` and `volume prune`.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown key or value.
pub fn volume_filter(texts: &[String], known: &[&str]) -> Result<VolumeFilter> {
    let mut filter = VolumeFilter::default();
    for (key, value) in Filters::parse(texts, known)?.pairs {
        match key.as_str() {
            "dangling" => filter.dangling = Some(truth(&value)?),
            "label" => filter.labels.push(value),
            "label!" => filter.without_labels.push(value),
            _ => filter.names.push(value),
        }
    }
    Ok(filter)
}

/// Parses the filters of `events`.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown key, action or type.
pub fn event_filter(texts: &[String]) -> Result<EventFilter> {
    let mut filter = EventFilter::default();
    for (key, value) in Filters::parse(texts, &EventFilter::KEYS)?.pairs {
        filter.add(&key, &value)?;
    }
    Ok(filter)
}

fn truth(text: &str) -> Result<bool> {
    match text {
        "true" | "1" | "True" | "TRUE" | "t" => Ok(true),
        "false" | "0" | "False" | "FALSE" | "f" => Ok(false),
        _ => Err(Error::new(Kind::Invalid, format!("invalid filter `dangling={text}`"))
            .hint("write dangling=true or dangling=false")),
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
        check("colour=x", "use one of ancestor");
        check("name", "KEY=VALUE");
        check("status=stopped", "use one of created, running");
        check("exited=x", "a number");
    }

    #[test]
    fn the_filters_of_images_are_read() {
        let read = |known, texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
            let created = |name: &str| match name {
                "missing" => Err(Error::new(Kind::NotFound, "no such image")),
                _ => Ok(None),
            };
            Filters::of_images(&texts, known, created, |_| Ok(Timestamp::UNIX_EPOCH))
        };
        let filter = read(FilterSet::Listing, &["dangling=1", "label=k=v", "before=x"]).unwrap();
        assert_eq!((filter.dangling, filter.before), (Some(true), Some(Timestamp::MIN)));
        assert_eq!(filter.labels, ["k=v"]);
        let filter = read(FilterSet::Pruning, &["label!=k", "until=1h"]).unwrap();
        assert_eq!(filter.before, Some(Timestamp::UNIX_EPOCH));
        assert_eq!(filter.without_labels, ["k"]);
        for (known, text) in [
            (FilterSet::Listing, "dangling=maybe"),
            (FilterSet::Listing, "label!=k"),
            (FilterSet::Pruning, "reference=x"),
            (FilterSet::PruningContainers, "dangling=1"),
            (FilterSet::Listing, "since=missing"),
        ] {
            assert!(read(known, &[text]).is_err(), "{text}");
        }
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
}
