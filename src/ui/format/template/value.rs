//! What a template computes with: data of the engine, read as the Go types that Docker has for it.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::types::{self, Empty};
use crate::model::value::visible::escape_json;

/// A value. What the data says is borrowed; its text is escaped when it is shown.
#[derive(Clone, Debug)]
pub enum Value<'a> {
    Absent(Absent),
    Bool(bool),
    Int(i64),
    /// Nanoseconds, of Go's type for durations.
    Duration(i64),
    Float(f64),
    /// A text of the template's, or one that is escaped already.
    Text(Cow<'a, str>),
    /// A text of the data's.
    Foreign(Cow<'a, str>),
    List(Vec<Value<'a>>),
    /// An array or an object.
    Json(&'a Json, Shape),
}

/// What there is in place of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absent {
    /// Nothing: a key that a map does not have.
    Value,
    /// A nil pointer, or `nil` itself.
    Pointer,
    List,
    Map,
}

/// Whether Docker's type of an object has fields or keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    List,
    Map,
    Struct,
}

/// The fields of Docker's that are maps.
const MAPS: [&str; 18] = [
    "Annotations",
    "Attributes",
    "BuildArgs",
    "Data",
    "DriverOpts",
    "ExposedPorts",
    "Label",
    "Labels",
    "LogOpts",
    "Networks",
    "Options",
    "PortBindings",
    "Ports",
    "Runtimes",
    "StorageOpt",
    "Sysctls",
    "Tmpfs",
    "Volumes",
];

/// The fields of Docker's that are pointers: JSON has null where they are nil.
const POINTERS: [&str; 15] = [
    "Cluster",
    "Health",
    "Healthcheck",
    "Init",
    "IPAMConfig",
    "SizeRootFs",
    "SizeRw",
    "MemorySwappiness",
    "Node",
    "OomKillDisable",
    "PidsLimit",
    "Platform",
    "StopTimeout",
    "UsageData",
    "Descriptor",
];

/// The fields of Docker's that are durations.
const DURATIONS: [&str; 4] = ["Interval", "StartInterval", "StartPeriod", "Timeout"];

impl From<Empty> for Value<'_> {
    fn from(empty: Empty) -> Self {
        match empty {
            Empty::False => Value::Bool(false),
            Empty::Number => Value::Int(0),
            Empty::Duration => Value::Duration(0),
            Empty::Text => Value::Text("".into()),
            Empty::List => Value::Absent(Absent::List),
            Empty::Map => Value::Absent(Absent::Map),
            Empty::Pointer => Value::Absent(Absent::Pointer),
        }
    }
}

impl<'a> Value<'a> {
    /// Reads data; `name` is the field or key that has it.
    pub fn of(json: &'a Json, name: &str) -> Value<'a> {
        match json {
            Json::Null if POINTERS.contains(&name) => Value::Absent(Absent::Pointer),
            Json::Null if MAPS.contains(&name) => Value::Absent(Absent::Map),
            Json::Null => Value::Absent(Absent::List),
            Json::Bool(value) => Value::Bool(*value),
            Json::Number(number) => match number.as_i64() {
                Some(value) if DURATIONS.contains(&name) => Value::Duration(value),
                Some(value) => Value::Int(value),
                None => Value::Float(number.as_f64().unwrap_or_default()),
            },
            Json::String(text) => Value::Foreign(text.into()),
            Json::Array(_) => Value::Json(json, Shape::List),
            // `Config` of a log driver is a map, that of a container has fields.
            Json::Object(map) => {
                match MAPS.contains(&name) || (name == "Config" && !map.contains_key("Image")) {
                    true => Value::Json(json, Shape::Map),
                    false => Value::Json(json, Shape::Struct),
                }
            }
        }
    }

    /// Returns the name of Go's type.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Absent(Absent::List) => "[]interface {}",
            Value::Absent(Absent::Map) => "map[string]interface {}",
            Value::Absent(_) => "<nil>",
            Value::Bool(_) => "bool",
            Value::Int(_) => "int",
            Value::Duration(_) => "time.Duration",
            Value::Float(_) => "float64",
            Value::Text(_) | Value::Foreign(_) => "string",
            Value::List(_) => "[]string",
            Value::Json(Json::Array(list), _) if list.iter().all(Json::is_string) => "[]string",
            Value::Json(_, Shape::List) => "[]interface {}",
            Value::Json(Json::Object(map), Shape::Map) if map.values().all(Json::is_string) => {
                "map[string]string"
            }
            Value::Json(_, Shape::Map) => "map[string]interface {}",
            Value::Json(_, Shape::Struct) => "struct",
        }
    }

    /// Returns whether `if` takes the value for true.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Absent(_) => false,
            Value::Bool(value) => *value,
            Value::Int(value) | Value::Duration(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) | Value::Foreign(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Json(_, Shape::Struct) => true,
            Value::Json(..) => self.len() != Some(0),
        }
    }

    /// Returns the number of bytes, elements or keys.
    pub fn len(&self) -> Option<usize> {
        match self {
            Value::Absent(Absent::List | Absent::Map) => Some(0),
            Value::Text(text) | Value::Foreign(text) => Some(text.len()),
            Value::List(list) => Some(list.len()),
            Value::Json(Json::Array(list), _) => Some(list.len()),
            Value::Json(Json::Object(map), Shape::Map) => Some(map.len()),
            _ => None,
        }
    }

    /// Returns the elements of a list.
    pub fn elements(&self) -> Option<Vec<Value<'a>>> {
        match self {
            Value::Absent(Absent::List) => Some(Vec::new()),
            Value::List(list) => Some(list.clone()),
            Value::Json(Json::Array(list), _) => {
                Some(list.iter().map(|json| Value::of(json, "")).collect())
            }
            _ => None,
        }
    }

    /// Returns the entries of a map in the order of their keys, or the fields of a struct in their
    /// own.
    pub fn entries(&self) -> Option<Vec<(&'a str, Value<'a>)>> {
        let Value::Json(Json::Object(map), shape) = self else {
            return matches!(self, Value::Absent(Absent::Map)).then(Vec::new);
        };
        let named = map.iter().map(|(key, json)| match shape {
            Shape::Map => (key.as_str(), Value::of(json, "")),
            Shape::List | Shape::Struct => (key.as_str(), Value::of(json, key)),
        });
        let mut entries: Vec<_> = named.collect();
        if *shape == Shape::Map {
            entries.sort_by_key(|(key, _)| *key);
        } else {
            for (before, name, empty) in types::left_out(map) {
                if !map.contains_key(*name) {
                    let before = entries.iter().position(|(field, _)| field == before);
                    entries.insert(before.map_or(0, |at| at + 1), (name, (*empty).into()));
                }
            }
        }
        Some(entries)
    }

    /// Returns a field of a struct, or the value of a key.
    pub fn get(&self, name: &str) -> Option<Value<'a>> {
        let Value::Json(Json::Object(map), shape) = self else { return None };
        if *shape == Shape::Map {
            return map.get(name).map(|json| Value::of(json, ""));
        }
        let named = |name: &str| map.get_key_value(name).map(|(key, json)| Value::of(json, key));
        named(name)
            .or_else(|| named(&types::json_name(name)?))
            .or_else(|| named(types::event_name(name)?))
            .or_else(|| types::empty(map, name).map(Value::from))
    }

    /// Returns what an index beyond the keys of a map gives: the zero value of its type.
    pub fn zero(&self) -> Value<'a> {
        match self.type_name() {
            "map[string]string" => Value::Text("".into()),
            _ => Value::Absent(Absent::Value),
        }
    }

    /// Returns the value as JSON, with what a terminal would obey as escapes.
    pub fn json(&self) -> String {
        escape_json(&self.to_json().to_string())
    }

    fn to_json(&self) -> Json {
        match self {
            Value::Absent(_) => Json::Null,
            Value::Bool(value) => (*value).into(),
            Value::Int(number) | Value::Duration(number) => (*number).into(),
            Value::Float(number) => (*number).into(),
            Value::Text(text) | Value::Foreign(text) => text.as_ref().into(),
            Value::List(list) => list.iter().map(Value::to_json).collect::<Vec<_>>().into(),
            Value::Json(json, _) => (*json).clone(),
        }
    }
}
