//! The effect of a step on an image's configuration and history.
//!
//! The document is edited as JSON, so that unknown fields are kept.

use serde_json::{Value, json};

use crate::model::container::Config;
use crate::model::image::build::{BuildStep, CommandLine, CopyItem, CopyStep, Healthcheck};
use crate::model::value::account;
use crate::model::value::env::{DEFAULT_PATH, Environment};
use crate::model::value::platform::Platform;
use crate::model::value::port;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

/// Returns the configuration of an empty image.
pub(super) fn empty(platform: &Platform) -> Value {
    let mut document = json!({
        "architecture": platform.architecture,
        "os": platform.os,
        "config": {},
        "rootfs": { "type": "layers", "diff_ids": [] },
        "history": [],
    });
    if !platform.variant.is_empty() {
        document["variant"] = json!(platform.variant);
    }
    document
}

/// Returns the document with the default `PATH`: the start of a build without a base.
pub(super) fn with_path(mut document: Value) -> Value {
    config(&mut document)["Env"] = json!([format!("PATH={DEFAULT_PATH}")]);
    document
}

/// Returns the object at `key`, created if it is missing or of another type.
fn object<'a>(value: &'a mut Value, key: &str) -> &'a mut Value {
    if !value.is_object() {
        *value = json!({});
    }
    let place = &mut value[key];
    if !place.is_object() {
        *place = json!({});
    }
    place
}

/// Returns the `config` of a document.
fn config(document: &mut Value) -> &mut Value {
    object(document, "config")
}

fn remove(value: &mut Value, key: &str) {
    if let Some(map) = value.as_object_mut() {
        map.shift_remove(key);
    }
}

/// Returns the shell of a document, which runs commands in shell form.
pub(crate) fn shell(document: &Value) -> Vec<String> {
    let words = document.pointer("/config/Shell").and_then(Value::as_array);
    let words: Vec<String> =
        words.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
    if words.is_empty() { vec!["/bin/sh".to_owned(), "-c".to_owned()] } else { words }
}

/// Returns the words of a command.
pub(crate) fn words(document: &Value, command: &CommandLine) -> Vec<String> {
    match command {
        CommandLine::Exec(words) => words.clone(),
        CommandLine::Shell(line) => {
            let mut words = shell(document);
            words.push(line.clone());
            words
        }
    }
}

/// Applies a step to a configuration. Steps that only add files change nothing here.
pub(crate) fn configure(document: &mut Value, step: &BuildStep) -> Result<()> {
    match step {
        BuildStep::Env(pairs) => set_variables(config(document), pairs)?,
        BuildStep::Label(pairs) => set_labels(config(document), pairs)?,
        BuildStep::Cmd(command) => set_command(document, "Cmd", command)?,
        BuildStep::Entrypoint { command, keep_cmd } => {
            set_command(document, "Entrypoint", command)?;
            if !keep_cmd {
                remove(config(document), "Cmd");
            }
        }
        BuildStep::Workdir(path) => {
            no_nul([path])?;
            if path.is_empty() {
                return Err(invalid("the path of a working directory is empty"));
            }
            let path = absolute(document, path);
            config(document)["WorkingDir"] = json!(path);
        }
        BuildStep::User(user) => {
            no_nul([user])?;
            account::check_user(user)?;
            config(document)["User"] = json!(user);
        }
        BuildStep::Expose(ports) => {
            let ports: Vec<_> =
                ports.iter().map(|port| port::expand(port)).collect::<Result<_>>()?;
            add_keys(document, "ExposedPorts", &ports.concat())?;
        }
        BuildStep::Volume(paths) => add_keys(document, "Volumes", paths)?,
        BuildStep::StopSignal(signal) => {
            signal.parse::<Signal>()?;
            config(document)["StopSignal"] = json!(signal);
        }
        BuildStep::Healthcheck(health) => {
            let value = health_value(health.as_ref());
            config(document)["Healthcheck"] = value;
        }
        BuildStep::Shell(words) => {
            no_nul(words)?;
            config(document)["Shell"] = json!(words);
        }
        BuildStep::OnBuild(line) => match &mut config(document)["OnBuild"] {
            Value::Array(lines) => lines.push(json!(line)),
            other => *other = json!([line]),
        },
        BuildStep::ForgetOnBuild => remove(config(document), "OnBuild"),
        BuildStep::Maintainer(name) => {
            config(document);
            document["author"] = json!(name);
        }
        BuildStep::File { .. } | BuildStep::Copy(_) | BuildStep::Run(_) => {}
    }
    Ok(())
}

fn set_labels(config: &mut Value, pairs: &[(String, String)]) -> Result<()> {
    let labels = object(config, "Labels");
    for (key, value) in pairs {
        no_nul([key, value])?;
        if key.is_empty() {
            return Err(invalid("a label needs a key"));
        }
        labels[key] = json!(value);
    }
    Ok(())
}

/// Adds keys to an object without values, as images keep volumes and ports.
fn add_keys(document: &mut Value, key: &str, names: &[String]) -> Result<()> {
    no_nul(names)?;
    if names.iter().any(String::is_empty) {
        return Err(invalid("a mount point has an empty path"));
    }
    for name in names {
        object(config(document), key)[name] = json!({});
    }
    Ok(())
}

fn set_command(document: &mut Value, key: &str, command: &CommandLine) -> Result<()> {
    let words = words(document, command);
    no_nul(&words)?;
    match words.is_empty() {
        true => remove(config(document), key),
        false => config(document)[key] = json!(words),
    }
    Ok(())
}

fn set_variables(config: &mut Value, pairs: &[(String, String)]) -> Result<()> {
    let place = &mut config["Env"];
    let entries = place.as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut env = Environment::new(entries.map(str::to_owned));
    for (key, value) in pairs {
        if key.is_empty() || key.contains(['=', '*', '\n']) {
            return Err(invalid(format!("`{key}` is not a valid name of a variable")));
        }
        no_nul([key, value])?;
        env.apply(format!("{key}={value}"));
    }
    *place = json!(env.into_entries());
    Ok(())
}

fn health_value(health: Option<&Healthcheck>) -> Value {
    let Some(health) = health else { return json!({ "Test": ["NONE"] }) };
    let test = match &health.command {
        None => vec!["NONE".to_owned()],
        Some(CommandLine::Exec(words)) => [vec!["CMD".to_owned()], words.clone()].concat(),
        Some(CommandLine::Shell(line)) => vec!["CMD-SHELL".to_owned(), line.clone()],
    };
    let mut value = json!({ "Test": test });
    let times = [
        ("Interval", health.interval),
        ("Timeout", health.timeout),
        ("StartPeriod", health.start_period),
        ("StartInterval", health.start_interval),
        ("Retries", health.retries),
    ];
    for (key, time) in times.into_iter().filter(|(_, time)| *time != 0) {
        value[key] = json!(time);
    }
    value
}

/// Resolves `path` from the working directory of a document, without `.` and `..`.
pub(crate) fn absolute(document: &Value, path: &str) -> String {
    let workdir = document.pointer("/config/WorkingDir").and_then(Value::as_str);
    let from = if path.starts_with('/') { "" } else { workdir.unwrap_or_default() };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// Copies a container's configuration into a document: the start of a `commit`.
pub(crate) fn take_container(document: &mut Value, container: &Config) {
    let set = |paths: &[String]| {
        Value::Object(paths.iter().map(|path| (path.clone(), json!({}))).collect())
    };
    let env: Vec<&String> = container.env.iter().filter(|entry| entry.contains('=')).collect();
    let values = [
        ("User", json!(container.user)),
        ("ExposedPorts", set(&container.exposed_ports)),
        ("Env", json!(env)),
        ("Entrypoint", json!(container.entrypoint)),
        ("Cmd", json!(container.cmd)),
        ("Volumes", set(&container.volumes)),
        ("WorkingDir", json!(container.workdir)),
        ("Labels", json!(container.labels)),
        ("StopSignal", json!(container.stop_signal)),
    ];
    let config = config(document);
    for (key, value) in values {
        let empty = match &value {
            Value::Null => true,
            Value::String(text) => text.is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Object(map) => map.is_empty(),
            _ => false,
        };
        if empty {
            remove(config, key);
        } else {
            config[key] = value;
        }
    }
}

/// Describes a step for the history.
pub(crate) fn describe(document: &Value, step: &BuildStep) -> String {
    let command = |command: &CommandLine| json!(words(document, command)).to_string();
    match step {
        BuildStep::Env(list) => format!("ENV {}", pairs(list)),
        BuildStep::Label(list) => format!("LABEL {}", pairs(list)),
        BuildStep::Cmd(line) => format!("CMD {}", command(line)),
        BuildStep::Entrypoint { command: line, .. } => format!("ENTRYPOINT {}", command(line)),
        BuildStep::Workdir(path) => format!("WORKDIR {}", absolute(document, path)),
        BuildStep::User(user) => format!("USER {user}"),
        BuildStep::Expose(ports) => format!("EXPOSE {}", ports.join(" ")),
        BuildStep::Volume(paths) => format!("VOLUME {}", json!(paths)),
        BuildStep::StopSignal(signal) => format!("STOPSIGNAL {signal}"),
        BuildStep::Healthcheck(health) => {
            format!("HEALTHCHECK {}", health_value(health.as_ref()))
        }
        BuildStep::Shell(words) => format!("SHELL {}", json!(words)),
        BuildStep::OnBuild(line) => format!("ONBUILD {line}"),
        BuildStep::ForgetOnBuild => "ONBUILD".to_owned(),
        BuildStep::Maintainer(name) => format!("MAINTAINER {name}"),
        BuildStep::File { path, .. } => format!("COPY {path}"),
        BuildStep::Copy(copy) => describe_copy(copy),
        BuildStep::Run(run) => {
            let count = run.arguments.len();
            let known: Vec<String> =
                run.arguments.iter().map(|(k, v)| format!("{k}={v}")).collect();
            let line = words(document, &run.command).join(" ");
            match count {
                0 => format!("RUN {line}"),
                // As Docker marks the arguments that a command saw.
                _ => format!("RUN |{count} {} {line}", known.join(" ")),
            }
        }
    }
}

fn describe_copy(copy: &CopyStep) -> String {
    let mut text = copy.verb.to_owned();
    if let Some(owner) = &copy.owner {
        text = format!("{text} --chown={owner}");
    }
    if let Some(mode) = copy.mode {
        text = format!("{text} --chmod={mode:o}");
    }
    let names = copy.sources.iter().map(|item| match item {
        CopyItem::Path(path) | CopyItem::Name(path) => path,
        CopyItem::Text { name, .. } => name,
    });
    for name in names.chain([&copy.to]) {
        text.push(' ');
        text.push_str(name);
    }
    text
}

fn pairs(list: &[(String, String)]) -> String {
    list.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(" ")
}

fn no_nul<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Result<()> {
    match texts.into_iter().find(|text| text.as_ref().contains('\0')) {
        Some(text) => Err(invalid(format!("NUL byte in {:?}", text.as_ref()))),
        None => Ok(()),
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(Kind::Invalid, message)
}
