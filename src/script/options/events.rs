//! The options of `events`.

use jiff::Timestamp;
use rhai::{Array, Dynamic, Map};

use super::super::values;
use super::read::{pairs, texts};
use super::{Key, Options, Takes, key};
use crate::model::observe::event::{EventFilter, EventOptions};
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::script::flow::events::Watch;
use crate::script::values::handle::{Container, Image};

pub(super) const KEYS: &[Key] = &[
    key("since", Takes::Time, "only what happened from then on"),
    key("before", Takes::Time, "only what happens before then"),
    key("until", Takes::Time, "the same; in quotes, for it is a word of Rhai"),
    key("filter", Takes::Filter, "only these; keys: container, event, image, label, type, volume"),
    key("follow", Takes::Flag, "go on with what happens"),
    key("timeout", Takes::Duration, "give up following after so long"),
];

/// The options of `events`.
pub fn events(map: Map) -> Result<Watch> {
    let given = Options::new("events", map)?;
    let options = EventOptions {
        since: given.try_get("since", |value| values::moment(value, Timestamp::now()))?,
        until: given.end()?,
        follow: given.flag("follow")?,
        filter: given.try_get("filter", filter)?.unwrap_or_default(),
    };
    Ok(Watch { options, timeout: given.try_get("timeout", values::duration)? })
}

/// The keys of `on`.
pub const ON: &[Key] = &[
    key("container", Takes::Named, "only these containers, or what happens to them"),
    key("image", Takes::Named, "only these images, and containers made of them"),
    key("volume", Takes::Named, "only these volumes"),
    key("type", Takes::OneOf(&["container", "image", "volume"]), "only what is of this type"),
    key("label", Takes::Pairs, "only with these labels; \"key\" or \"key=value\""),
];

/// The options of `on`, and the actions that it is for.
pub fn on(action: Dynamic, map: Map) -> Result<EventFilter> {
    let named = |error: Error| {
        let named = Error::new(error.kind(), format!("on(): {}", error.message()));
        error.hint_text().map_or_else(|| named.clone(), |hint| named.clone().hint(hint))
    };
    let given = Options::new("on", map)?;
    let mut filter = filter(&Dynamic::from(given.map)).map_err(named)?;
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
            for value in wanted(key, value)? {
                filter.add(key, &value)?;
            }
        }
        return Ok(filter);
    }
    let wrong = || Error::new(Kind::Invalid, format!("it takes {}", Takes::Filter.describe()));
    for text in texts(value).ok_or_else(wrong)? {
        let (key, value) = text.split_once('=').ok_or_else(wrong)?;
        filter.add(key, value)?;
    }
    Ok(filter)
}

/// The values of one key: texts, handles, or labels as a map.
fn wanted(key: &str, value: &Dynamic) -> Result<Vec<String>> {
    let value = value.clone().flatten();
    let all = if value.is_map() {
        let pairs = pairs(&value).filter(|_| key == "label");
        pairs.map(|pairs| pairs.iter().map(|(key, value)| format!("{key}={value}")).collect())
    } else if let Some(list) = value.read_lock::<Array>() {
        list.iter().map(one).collect::<Option<Vec<_>>>().map(|names| names.concat())
    } else {
        one(&value)
    };
    all.ok_or_else(|| {
        let message = format!("filter `{key}` takes a string, a handle or an array of them");
        Error::new(Kind::Invalid, message)
    })
}

/// What a text or a handle is called in events. Containers tell their image as it was typed.
fn one(value: &Dynamic) -> Option<Vec<String>> {
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
