//! Docker's `Config` and its times, which containers and images have in common.

use jiff::Timestamp;
use serde_json::{Value, json};

/// Docker's text for a time that never came.
pub(super) const ZERO_TIME: &str = "0001-01-01T00:00:00Z";

pub(super) fn time(time: Option<Timestamp>) -> String {
    time.map_or_else(|| ZERO_TIME.to_owned(), |time| time.to_string())
}

pub(super) fn extend(object: &mut Value, more: Value) {
    if let (Value::Object(object), Value::Object(more)) = (object, more) {
        object.extend(more);
    }
}

/// Returns Docker's `Config` with all keys in Docker's order. A value of the wrong type in
/// `source`, which is untrusted, is read as absent.
pub(super) fn docker_config(source: &Value) -> Value {
    let text = |key: &str| source.get(key).and_then(Value::as_str).unwrap_or_default();
    let flag = |key: &str| source.get(key).and_then(Value::as_bool).unwrap_or_default();
    let list = |key: &str| source.get(key).filter(|value| value.is_array()).cloned();
    let filled = |key: &str| {
        let object = source.get(key).and_then(Value::as_object);
        object.filter(|object| !object.is_empty()).cloned().map(Value::Object)
    };
    let mut config = json!({
        "Hostname": text("Hostname"),
        "Domainname": text("Domainname"),
        "User": text("User"),
        "AttachStdin": flag("AttachStdin"),
        "AttachStdout": flag("AttachStdout"),
        "AttachStderr": flag("AttachStderr"),
    });
    if let Some(ports) = filled("ExposedPorts") {
        config["ExposedPorts"] = ports;
    }
    extend(
        &mut config,
        json!({
            "Tty": flag("Tty"),
            "OpenStdin": flag("OpenStdin"),
            "StdinOnce": flag("StdinOnce"),
            "Env": list("Env").unwrap_or_else(|| json!([])),
            "Cmd": list("Cmd"),
            "Image": text("Image"),
            "Volumes": filled("Volumes"),
            "WorkingDir": text("WorkingDir"),
            "Entrypoint": list("Entrypoint"),
            "OnBuild": list("OnBuild"),
            "Labels": filled("Labels").unwrap_or_else(|| json!({})),
        }),
    );
    for key in ["StopSignal", "StopTimeout", "Healthcheck", "Shell"] {
        let has_type = |value: &&Value| match key {
            "StopSignal" => value.is_string(),
            "StopTimeout" => value.is_i64(),
            "Healthcheck" => value.is_object(),
            _ => value.is_array(),
        };
        if let Some(value) = source.get(key).filter(has_type) {
            config[key] = value.clone();
        }
    }
    config
}
