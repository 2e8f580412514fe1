//! The options of `events`.

use std::time::Duration;

use jiff::Timestamp;
use rhai::{Array, Dynamic, Map};

use super::convert::{pairs, texts};
use super::parsed::ParsedOptions;
use crate::model::observe::event::{EventFilter, EventOptions};
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::script::values;
use crate::script::values::handle::{Container, Image};

pub(super) const KEYS: &[OptionSpec] = &[
    option_spec("since", ValueType::Time, "Show events created since this time"),
    option_spec("before", ValueType::Time, "Show events created before this time"),
    option_spec("until", ValueType::Time, "As before; quote the key, it is a keyword of Rhai"),
    option_spec(
        "filter",
        ValueType::Filter,
        "Filter by container, event, image, label, type or volume",
    ),
    option_spec("follow", ValueType::Flag, "Follow new events"),
    option_spec("timeout", ValueType::Duration, "Stop following after this time"),
];

/// Which events, and for how long they are waited for.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// For the engine.
    pub options: EventOptions,
    /// When to give up.
    pub timeout: Option<Duration>,
}

/// The options of `events`.
pub fn events(map: Map) -> Result<Watch> {
    let given = ParsedOptions::new("events", KEYS, map)?;
    let options = EventOptions {
        since: given.get_with("since", |value| values::moment(value, Timestamp::now()))?,
        until: given.end_time()?,
        follow: given.flag("follow")?,
        filter: given.get_with("filter", filter)?.unwrap_or_default(),
    };
    Ok(Watch { options, timeout: given.get_with("timeout", values::duration)? })
}

/// The keys of `on`.
pub const ON: &[OptionSpec] = &[
    option_spec("container", ValueType::Handles, "Only events of these containers"),
    option_spec("image", ValueType::Handles, "Only events of these images and their containers"),
    option_spec("volume", ValueType::Handles, "Only events of these volumes"),
    option_spec(
        "type",
        ValueType::OneOf(&["container", "image", "volume"]),
        "only what is of this type",
    ),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
];

/// The options of `on`, and the actions that it is for.
pub fn on(action: Dynamic, map: Map) -> Result<EventFilter> {
    let named = |error: Error| {
        let named = Error::new(error.kind(), format!("on(): {}", error.message()));
        error.hint_text().map_or_else(|| named.clone(), |hint| named.clone().hint(hint))
    };
    let given = ParsedOptions::new("on", ON, map)?;
    let mut filter = filter(&Dynamic::from(given.into_map())).map_err(named)?;
    let actions = texts(&action.flatten()).filter(|actions| !actions.is_empty());
    let actions = actions.ok_or_else(|| {
        Error::new(Kind::Invalid, "on(): the name of an action is wanted, or an array of them")
            .hint("such as \"die\" or [\"start\", \"die\"]")
    })?;
    for action in actions {
        filter.add("event", &action).map_err(named)?;
    }
    Ok(filter)
}

/// What is wrong with a key of the filter, or with a text that is written for it.
pub fn wrong_filter(key: &str, value: Option<&str>) -> Option<Error> {
    let mut filter = EventFilter::default();
    match value {
        Some(value) => filter.add(key, value).err(),
        None if EventFilter::KEYS.contains(&key) => None,
        None => filter.add(key, "").err(),
    }
}

fn filter(value: &Dynamic) -> Result<EventFilter> {
    let mut filter = EventFilter::default();
    if let Some(map) = value.read_lock::<Map>() {
        for (key, value) in map.iter() {
            for value in filter_values(key, value)? {
                filter.add(key, &value)?;
            }
        }
        return Ok(filter);
    }
    let wrong = || Error::new(Kind::Invalid, format!("it takes {}", ValueType::Filter.describe()));
    for text in texts(value).ok_or_else(wrong)? {
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        filter.add(key, value)?;
    }
    Ok(filter)
}

/// The values of one key: texts, handles, or labels as a map.
fn filter_values(key: &str, value: &Dynamic) -> Result<Vec<String>> {
    let value = value.clone().flatten();
    let all = if value.is_map() {
        let pairs = pairs(&value).filter(|_| key == "label");
        pairs.map(|pairs| pairs.iter().map(|(key, value)| format!("{key}={value}")).collect())
    } else if let Some(list) = value.read_lock::<Array>() {
        list.iter().map(subject_name).collect::<Option<Vec<_>>>().map(|names| names.concat())
    } else {
        subject_name(&value)
    };
    all.ok_or_else(|| {
        let message = format!("filter `{key}` takes a string, a handle or an array of them");
        Error::new(Kind::Invalid, message)
    })
}

/// What a text or a handle is called in events. Containers tell their image as it was typed.
fn subject_name(value: &Dynamic) -> Option<Vec<String>> {
    let value = value.clone().flatten();
    if let Some(container) = value.read_lock::<Container>() {
        return Some(vec![container.id().as_str().to_owned()]);
    }
    if let Some(image) = value.read_lock::<Image>() {
        let tags = image.metadata().tags.iter().map(Reference::familiar);
        let names = tags.flat_map(|tag| {
            let short = tag.strip_suffix(":latest").map(str::to_owned);
            short.into_iter().chain([tag])
        });
        return Some(names.chain([image.metadata().id.to_string()]).collect());
    }
    values::text(&value).map(|text| vec![text])
}
