//! The options of `events` and `on`.

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

/// The options of `events`.
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

/// The options of `events`: which events, and for how long.
#[derive(Clone, Debug, Default)]
pub struct Watch {
    /// The options for the engine.
    pub options: EventOptions,
    /// How long to follow.
    pub timeout: Option<Duration>,
}

/// Reads the options of `events`.
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

/// The options of `on`.
pub const ON: &[OptionSpec] = &[
    option_spec("container", ValueType::Handles, "Only events of these containers"),
    option_spec("image", ValueType::Handles, "Only events of these images and their containers"),
    option_spec("volume", ValueType::Handles, "Only events of these volumes"),
    option_spec(
        "type",
        ValueType::OneOf(&["container", "image", "volume"]),
        "Only events of this type",
    ),
    option_spec("label", ValueType::Pairs, "Only with these labels: \"key\" or \"key=value\""),
];

/// Reads the options of `on` and its actions.
pub fn on(action: Dynamic, map: Map) -> Result<EventFilter> {
    let named = |error: Error| {
        let named = Error::new(error.kind(), format!("on(): {}", error.message()));
        error.hint_text().map_or_else(|| named.clone(), |hint| named.clone().hint(hint))
    };
    let given = ParsedOptions::new("on", ON, map)?;
    let mut filter = filter(&Dynamic::from(given.into_map())).map_err(named)?;
    let action = action.flatten();
    let actions = texts(&action).ok_or_else(|| no_action(values::type_of(&action)))?;
    if actions.is_empty() {
        return Err(no_action("an empty array"));
    }
    for action in actions {
        filter.add("event", &action).map_err(named)?;
    }
    Ok(filter)
}

fn no_action(got: &str) -> Error {
    let message = format!("on(): expected the name of an action or an array of names, got {got}");
    Error::new(Kind::Invalid, message).hint("write \"die\" or [\"start\", \"die\"]")
}

/// Returns what is wrong with a key of the filter, or with a text as its value.
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
    let mismatch = |got: &str| ValueType::Filter.mismatch(got);
    for text in texts(value).ok_or_else(|| mismatch(values::type_of(value)))? {
        let pair = text.split_once('=');
        let (key, value) = pair.ok_or_else(|| mismatch(&format!("\"{text}\"")))?;
        filter.add(key, value)?;
    }
    Ok(filter)
}

/// Reads the values of one key: texts, handles, or labels as a map.
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
        let message = format!("filter `{key}`: expected a string, a handle or an array of them");
        Error::new(Kind::Invalid, message)
    })
}

/// Returns the names of a text or a handle in events: those of containers have the image's name
/// as it was typed.
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
