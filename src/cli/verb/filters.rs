//! `--filter` of `ps`, `images`, `image prune`, `volume ls` and `events`.

use std::ops::RangeInclusive;

use jiff::Timestamp;
use regex::Regex;

use crate::model::container::Container;
use crate::model::container::status::Status;
use crate::model::image::filter::ImageFilter;
use crate::model::observe::event::EventFilter;
use crate::model::observe::volume::{VolumeFilter, VolumeUse};
use crate::model::value::health_check;
use crate::model::value::reference::Reference;
use crate::model::value::suggest::suggest;
use crate::model::value::units::parse_bool;
use crate::model::{Error, Kind, Result};

const OF_CONTAINERS: [&str; 14] = [
    "ancestor", "before", "exited", "expose", "health", "id", "is-task", "label", "name",
    "network", "publish", "since", "status", "volume",
];
const OF_VOLUMES: [&str; 4] = ["dangling", "driver", "label", "name"];
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

/// Returns the filters but for empty ones, which filter nothing.
fn given(texts: &[String]) -> impl Iterator<Item = &String> {
    texts.iter().filter(|text| !text.is_empty())
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

/// Regular expressions of names, which are alternatives; without one, each name matches.
#[derive(Debug, Default)]
struct Patterns(Vec<Regex>);

impl Patterns {
    /// Reads the values of a filter, in the syntax that Go's expressions share with Rust's.
    fn read(key: &str, values: &[&str]) -> Result<Self> {
        let read = |value: &&str| {
            // Docker compares names with the slash of `inspect` and without it.
            let bare = value.strip_prefix("^/").map(|rest| format!("^{rest}"));
            let bare = bare.or_else(|| value.strip_prefix('/').map(|rest| format!("^{rest}")));
            Regex::new(bare.as_deref().unwrap_or(value)).map_err(|error| {
                let error = error.to_string();
                let why = error.lines().last().unwrap_or_default();
                let why = why.strip_prefix("error: ").unwrap_or(why);
                Error::new(Kind::Invalid, format!("invalid filter `{key}={value}`: {why}"))
                    .hint(format!("write a regular expression: --filter '{key}=^web'"))
            })
        };
        values.iter().map(read).collect::<Result<_>>().map(Patterns)
    }

    fn matches(&self, name: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|pattern| pattern.is_match(name))
    }
}

/// The filters of containers. Values of one key are alternatives, except those of `label`.
#[derive(Debug, Default)]
pub struct Filters {
    pairs: Vec<(String, String)>,
    names: Patterns,
    ids: Patterns,
    /// The times of creation of the containers of `before` and `since`.
    before: Option<Timestamp>,
    since: Option<Timestamp>,
}

impl Filters {
    /// Parses the filters of `ps`. `created` returns when a container was created.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key, or a wrong status, exit code or regular expression;
    /// the error of `created`.
    pub fn of_containers(
        texts: &[String],
        created: impl Fn(&str) -> Result<Timestamp>,
    ) -> Result<Self> {
        let mut filters = Filters::parse(texts, &OF_CONTAINERS)?;
        filters.names = Patterns::read("name", &filters.values("name"))?;
        filters.ids = Patterns::read("id", &filters.values("id"))?;
        filters.before = filters.values("before").last().map(|name| created(name)).transpose()?;
        filters.since = filters.values("since").last().map(|name| created(name)).transpose()?;
        for (key, value) in &filters.pairs {
            // Docker's statuses; lifebox never has `removing`.
            let words =
                ["created", "running", "restarting", "removing", "paused", "exited", "dead"];
            let valid = match key.as_str() {
                "status" => words.contains(&value.as_str()),
                "exited" => value.parse::<i32>().is_ok(),
                "health" => health_check::FILTER_VALUES.contains(&value.as_str()),
                "is-task" => truth(key, value).is_ok(),
                "expose" | "publish" => port_range(value).is_some(),
                _ => true,
            };
            if !valid {
                let error = Error::new(Kind::Invalid, format!("invalid filter `{key}={value}`"));
                return Err(match key.as_str() {
                    "status" => error.hint(format!("use one of {}", words.join(", "))),
                    "health" => {
                        error.hint(format!("use one of {}", health_check::FILTER_VALUES.join(", ")))
                    }
                    "is-task" => error.hint("write is-task=true or is-task=false"),
                    "expose" | "publish" => error.hint(format!("write {key}=80, 80/udp or 80-90")),
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
                _ => filter.dangling = Some(truth(&key, &value)?),
            }
        }
        Ok(filter)
    }

    fn parse(texts: &[String], known: &[&str]) -> Result<Self> {
        let mut pairs = Vec::new();
        for text in given(texts) {
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
        Ok(Filters { pairs, ..Filters::default() })
    }

    /// Returns the filters of volumes, but for names and drivers.
    fn of_volume(&self) -> Result<VolumeFilter> {
        let mut filter = VolumeFilter::default();
        for (key, value) in &self.pairs {
            match key.as_str() {
                "dangling" => filter.dangling = Some(truth(key, value)?),
                "label" => filter.labels.push(value.clone()),
                "label!" => filter.without_labels.push(value.clone()),
                _ => {}
            }
        }
        Ok(filter)
    }

    fn values(&self, key: &str) -> Vec<&str> {
        let own = self.pairs.iter().filter(|(known, _)| known == key);
        own.map(|(_, value)| value.as_str()).collect()
    }

    /// Returns whether there is a filter `status`, which makes `ps` list all containers.
    pub fn name_status(&self) -> bool {
        self.pairs.iter().any(|(key, _)| key == "status" || key == "exited")
    }

    /// Returns whether a container passes the filters.
    pub fn take_container(&self, container: &Container) -> bool {
        let created = container.spec.created;
        self.names.matches(container.state.name.as_str())
            && self.ids.matches(container.spec.id.as_str())
            && self.before.is_none_or(|before| created < before)
            && self.since.is_none_or(|since| created > since)
            && OF_CONTAINERS
                .iter()
                .all(|key| self.holds(key, |value| container_is(container, key, value)))
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
        // No container of lifebox is a task of a swarm.
        "is-task" => truth(key, value) == Ok(false),
        "network" => spec.host_config.namespaces.network.show("none") == value,
        "volume" => {
            let mut mounts = spec.host_config.mounts.list.iter();
            mounts.any(|mount| mount.source == value || mount.target == value)
        }
        "expose" => spec.config.exposed_ports.iter().any(|port| is_in_range(port, value)),
        // No port is published.
        "publish" => false,
        // Compared before.
        _ => true,
    }
}

/// Reads `80`, `80/udp` or `80-90/tcp`.
fn port_range(text: &str) -> Option<(RangeInclusive<u16>, &str)> {
    let (ports, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let (first, last) = ports.split_once('-').unwrap_or((ports, ports));
    let range = first.parse().ok()?..=last.parse().ok()?;
    (!range.is_empty() && ["tcp", "udp", "sctp"].contains(&protocol)).then_some((range, protocol))
}

/// Returns whether a port such as `80/tcp` is one of a filter's.
fn is_in_range(port: &str, filter: &str) -> bool {
    let (Some((port, protocol)), Some((range, of_filter))) = (port_range(port), port_range(filter))
    else {
        return false;
    };
    protocol == of_filter && range.contains(port.start())
}

/// The filters of `volume ls`.
#[derive(Debug, Default)]
pub struct VolumeFilters {
    filter: VolumeFilter,
    names: Patterns,
    drivers: Vec<String>,
}

impl VolumeFilters {
    /// Parses the filters of `volume ls`.
    ///
    /// # Errors
    /// [`Kind::Invalid`] for an unknown key, or a wrong value or regular expression.
    pub fn of_volumes(texts: &[String]) -> Result<Self> {
        let all = Filters::parse(texts, &OF_VOLUMES)?;
        Ok(VolumeFilters {
            filter: all.of_volume()?,
            names: Patterns::read("name", &all.values("name"))?,
            drivers: all.values("driver").into_iter().map(str::to_owned).collect(),
        })
    }

    /// Returns whether a volume passes the filters.
    pub fn take_volume(&self, one: &VolumeUse) -> bool {
        self.filter.matches(one)
            && self.names.matches(&one.volume.name)
            && (self.drivers.is_empty() || self.drivers.iter().any(|driver| driver == "local"))
    }
}

/// Parses the filters of `volume prune`.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown key or value.
pub fn volume_prune_filter(texts: &[String]) -> Result<VolumeFilter> {
    Filters::parse(texts, &["label", "label!"])?.of_volume()
}

/// Parses the filters of `events`.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown key, action or type.
pub fn event_filter(texts: &[String]) -> Result<EventFilter> {
    let mut filter = EventFilter::default();
    for text in given(texts) {
        let (key, value) = pair(text)?;
        filter.add(&key, &value)?;
    }
    Ok(filter)
}

fn truth(key: &str, text: &str) -> Result<bool> {
    parse_bool(text).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("invalid filter `{key}={text}`"))
            .hint(format!("write {key}=true or {key}=false"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_filters_are_refused_with_the_nearest() {
        let check = |filter: &str, hint: &str| {
            let error = Filters::of_containers(&[filter.to_owned()], |_| Ok(Timestamp::UNIX_EPOCH))
                .unwrap_err();
            assert!(error.hint_text().unwrap_or_default().contains(hint), "{error:?}");
        };
        check("nmae=x", "did you mean `name`?");
        check("colour=x", "use one of ancestor");
        check("name", "KEY=VALUE");
        check("status=stopped", "use one of created, running");
        check("exited=x", "a number");
    }

    #[test]
    fn truths_of_filters_are_gos_booleans() {
        for (texts, expected) in [
            (["1", "t", "T", "true", "TRUE", "True"], true),
            (["0", "f", "F", "false", "FALSE", "False"], false),
        ] {
            for text in texts {
                let filters = VolumeFilters::of_volumes(&[format!("dangling={text}")]).unwrap();
                assert_eq!(filters.filter.dangling, Some(expected), "{text}");
            }
        }
        assert!(VolumeFilters::of_volumes(&["dangling=yes".to_owned()]).is_err());
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
    fn names_match_as_regular_expressions() {
        for (pattern, name, expected) in [
            ("we", "web", true),
            ("eb", "web", true),
            ("^eb", "web", false),
            ("^/web$", "web", true),
            ("/web", "web1", true),
            ("web$", "web1", false),
            ("w[aeiou]b", "web", true),
            ("^w.b$", "web", true),
            ("web|db", "my-db", true),
            ("(?i)WEB", "web", true),
        ] {
            let patterns = Patterns::read("name", &[pattern]).unwrap();
            assert_eq!(patterns.matches(name), expected, "{pattern} {name}");
        }
        let error = Patterns::read("name", &["we[b"]).unwrap_err();
        assert!(error.message().contains("unclosed character class"), "{error}");
    }

    #[test]
    fn ports_match_by_range_and_protocol() {
        for (port, filter, expected) in [
            ("80/tcp", "80", true),
            ("80/tcp", "80/tcp", true),
            ("80/tcp", "80/udp", false),
            ("85/udp", "80-90/udp", true),
            ("91/tcp", "80-90", false),
        ] {
            assert_eq!(is_in_range(port, filter), expected, "{port} {filter}");
        }
        assert!(port_range("90-80").is_none() && port_range("web").is_none());
    }
}
