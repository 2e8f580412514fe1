//! Merges image and options into a [`ContainerSpec`], by Docker's rules (moby `daemon/commit.go`).
//!
//! Pure: reads nothing of the host. The image's configuration is untrusted data: it is read as
//! Docker reads it, refused where no program can be given it, and never taken for a request
//! (CVE-2026-57231: an image's `FOO` without `=` once meant "copy FOO from the host").

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;

use crate::model::container::mounts::MountSpec;
use crate::model::container::options::{CreateOptions, EnvEntry};
use crate::model::container::storage::Driver;
use crate::model::container::supervision::RestartPolicy;
use crate::model::container::{Config, ContainerSpec, HostConfig, ImageUse, VERSION};
use crate::model::image::stacking::topmost_once;
use crate::model::image::{Image, ImageConfig};
use crate::model::value::account;
use crate::model::value::env::{DEFAULT_PATH, Environment, key};
use crate::model::value::health_check::HealthCheck;
use crate::model::value::id::ContainerId;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// How the annotations of lifebox begin, which tell the runtime what to mount.
const OWN_ANNOTATIONS: &str = "lifebox.";

/// The longest host name: the limit of sethostname(2).
const MAX_HOSTNAME: usize = 64;

/// The most volumes of an image: each is a directory and a mount of every container.
const MAX_VOLUMES: usize = 256;

/// Returns the spec of a container of `image`, which the user named `reference`, with `options`.
///
/// # Errors
/// [`Kind::Invalid`] where the options are wrong or nothing is left to run; [`Kind::Corrupt`]
/// where the image's own configuration is malformed.
pub fn spec(
    id: ContainerId,
    created: Timestamp,
    reference: &str,
    image: &Image,
    options: &CreateOptions,
) -> Result<ContainerSpec> {
    let of_image = &image.config;
    check_image(&image.display_name(), of_image)?;
    check_options(options)?;
    let (entrypoint, cmd) = command(of_image, options)?;
    let image_signal = of_image.stop_signal.as_deref().filter(|text| !text.is_empty());
    let stop_signal = match (&options.stop_signal, image_signal) {
        (Some(signal), _) => Some(signal.clone()),
        // As in Docker, a signal that does not exist is none.
        (None, text) => text.and_then(|text| text.parse().ok()),
    };
    let mut labels = of_image.labels.clone();
    labels.extend(options.labels.clone());
    let config = Config {
        hostname: options.hostname.clone().unwrap_or_else(|| id.short().to_owned()),
        user: user(&image.display_name(), of_image, options)?,
        open_stdin: options.interactive,
        attached: options.attached,
        tty: options.tty,
        env: environment(&of_image.env, &options.env),
        cmd,
        entrypoint,
        workdir: options.workdir.clone().unwrap_or_else(|| of_image.working_dir.clone()),
        volumes: volumes(of_image, options),
        exposed_ports: exposed_ports(of_image, options),
        labels,
        stop_signal,
        stop_timeout: options.stop_timeout,
    };
    let mut supervision = options.supervision.clone();
    supervision.health = health(&image.display_name(), of_image, &options.supervision.health)?;
    Ok(ContainerSpec {
        version: VERSION,
        id,
        created,
        image: ImageUse {
            reference: reference.to_owned(),
            id: image.id.clone(),
            layers: topmost_once(&image.layers),
        },
        config,
        host_config: HostConfig {
            auto_remove: options.auto_remove,
            annotations: options.annotations.clone(),
            security: options.security.clone(),
            resources: options.resources.clone(),
            mounts: options.mounts.with_image(&image.display_name(), of_image.volumes.keys())?,
            namespaces: options.namespaces.clone(),
            supervision,
            storage: Driver::default(),
        },
        session: options.session.clone(),
    })
}

/// Returns the environment of the container's first process: the defaults, which the configured
/// entries replace where they stand, then the rest of these in their order. An entry without `=`
/// removes its variable, a default included. Init adds `HOME`, from the user's record.
pub fn process_env(spec: &ContainerSpec) -> Vec<String> {
    let config = &spec.config;
    let defaults = [format!("PATH={DEFAULT_PATH}"), format!("HOSTNAME={}", config.hostname)];
    let terminal = config.tty.then(|| "TERM=xterm".to_owned());
    let mut env = Environment::new(defaults.into_iter().chain(terminal));
    config.env.iter().cloned().for_each(|entry| env.apply(entry));
    env.into_entries()
}

/// Returns the user that the options or the image name.
fn user(image: &str, of_image: &ImageConfig, options: &CreateOptions) -> Result<String> {
    if let Some(user) = &options.user {
        return Ok(user.clone());
    }
    account::check_user(&of_image.user).map_err(|error| {
        corrupt(image, format!("has an {}", error.message())).hint("name one with --user 1000")
    })?;
    Ok(of_image.user.clone())
}

/// Returns the targets of anonymous volumes: the image's, and the user's of `-v`.
fn volumes(image: &ImageConfig, options: &CreateOptions) -> Vec<String> {
    let mounts = options.mounts.list.iter();
    let anonymous = mounts.filter(|mount| mount.anonymous && mount.spec != MountSpec::From);
    let mut all: Vec<String> = image.volumes.keys().cloned().collect();
    all.extend(anonymous.map(|mount| mount.target.clone()));
    all.sort();
    all.dedup();
    all
}

/// Returns the ports of the image and of the user, sorted.
fn exposed_ports(image: &ImageConfig, options: &CreateOptions) -> Vec<String> {
    let all: BTreeSet<&String> = image.exposed_ports.keys().chain(&options.exposed_ports).collect();
    all.into_iter().cloned().collect()
}

type OptionalWords = Vec<String>;

/// Returns entrypoint and command. A user's entrypoint drops the image's command,
/// because its arguments are for another program.
pub(crate) fn command(
    image: &ImageConfig,
    options: &CreateOptions,
) -> Result<(Option<OptionalWords>, Option<OptionalWords>)> {
    let some = |list: &Option<Vec<String>>| list.clone().filter(|list| !list.is_empty());
    let (entrypoint, image_cmd) = match &options.entrypoint {
        Some(words) => (Some(words.clone()).filter(|list| !list.is_empty()), None),
        // One empty word stands for none (moby, `getEntrypointAndArgs`).
        None => {
            let entrypoint = some(&image.entrypoint).filter(|list| *list != [""]);
            (entrypoint, some(&image.cmd))
        }
    };
    let cmd = some(&options.cmd).or(image_cmd);
    if entrypoint.is_none() && cmd.is_none() {
        return Err(Error::new(Kind::Invalid, "no command specified")
            .hint("write a command after the image: the image has none"));
    }
    let first = entrypoint.iter().chain(&cmd).flatten().next();
    if first.is_some_and(String::is_empty) {
        return Err(Error::new(Kind::Invalid, "the command is an empty string")
            .hint("write the program to run as the first word"));
    }
    Ok((entrypoint, cmd))
}

/// Returns the user's entries, then those of the image that the user does not name.
pub(crate) fn environment(image: &[String], user: &[EnvEntry]) -> Vec<String> {
    let written = |entry: &EnvEntry| match entry {
        EnvEntry::Set { key, value } => format!("{key}={value}"),
        EnvEntry::Unset { key } => key.clone(),
    };
    let mut env: Vec<String> = user.iter().map(written).collect();
    let set: HashSet<&str> = user.iter().map(EnvEntry::key).collect();
    let kept = image.iter().filter(|entry| !set.contains(key(entry)));
    env.extend(kept.cloned());
    env
}

/// Returns the user's health check; unset fields come from the image.
fn health(image: &str, of_image: &ImageConfig, user: &HealthCheck) -> Result<HealthCheck> {
    user.check()?;
    if let Some(check) = of_image.healthcheck.as_ref().filter(|_| !user.is_none()) {
        check.check().map_err(|error| {
            corrupt(image, format!("has an invalid health check: {error}"))
                .hint("leave it out with --no-healthcheck")
        })?;
    }
    Ok(user.clone().or(of_image.healthcheck.as_ref()))
}

/// Refuses a malformed configuration of an image.
fn check_image(image: &str, config: &ImageConfig) -> Result<()> {
    for entry in &config.env {
        if entry.starts_with('=') || entry.contains('\0') {
            let entry = visible::short(entry);
            return Err(corrupt(image, format!("has an invalid environment entry `{entry}`")));
        }
    }
    if config.volumes.len() > MAX_VOLUMES {
        let message = format!("has {} volumes, more than {MAX_VOLUMES}", config.volumes.len());
        return Err(corrupt(image, message)
            .hint("build an image with fewer: write fewer VOLUME instructions"));
    }
    let workdir = &config.working_dir;
    if !workdir.is_empty() && !workdir.starts_with('/') {
        return Err(corrupt(
            image,
            format!("has a working directory that is not absolute: `{}`", visible::short(workdir)),
        ));
    }
    let lists = [&config.entrypoint, &config.cmd];
    let words = lists.into_iter().flatten().flatten();
    let labels = config.labels.iter().flat_map(|(key, value)| [key, value]);
    let keys = config.volumes.keys().chain(config.exposed_ports.keys());
    let mut texts = words.chain(labels).chain(keys).chain([workdir, &config.user]);
    if texts.any(|text| text.contains('\0')) {
        return Err(corrupt(image, "has a NUL byte in its configuration".to_owned()));
    }
    Ok(())
}

fn corrupt(image: &str, what: String) -> Error {
    Error::new(Kind::Corrupt, format!("image `{image}` {what}"))
}

/// Refuses options that are wrong with every image.
///
/// # Errors
/// [`Kind::Invalid`].
pub fn check_options(options: &CreateOptions) -> Result<()> {
    options.check_namespaces()?;
    options.resources.check()?;
    options.supervision.check_log()?;
    check_annotations(&options.annotations)?;
    if options.auto_remove && options.supervision.restart != RestartPolicy::No {
        let message = "conflicting options: cannot specify both --restart and --rm";
        return Err(Error::new(Kind::Invalid, message));
    }
    for entry in &options.env {
        let key = entry.key();
        if key.is_empty() || key.contains('=') {
            let written = if let EnvEntry::Set { value, .. } = entry { value } else { "" };
            let message = format!("invalid environment variable: {key}={written}");
            return Err(Error::new(Kind::Invalid, message).hint("write KEY=VALUE, or KEY"));
        }
        let value = if let EnvEntry::Set { value, .. } = entry { value } else { "" };
        no_nul("environment", [key, value])?;
    }
    let words = [&options.entrypoint, &options.cmd].into_iter().flatten().flatten();
    no_nul("command", words.map(String::as_str))?;
    no_nul("labels", options.labels.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]))?;
    check_accounts(options)?;
    options.security.check()?;
    if let Some(hostname) = &options.hostname {
        check_hostname(hostname)?;
    }
    if let Some(workdir) = &options.workdir {
        no_nul("working directory", [workdir.as_str()])?;
        if !workdir.starts_with('/') {
            let message = format!(
                "the working directory `{workdir}` is invalid, it needs to be an absolute path"
            );
            return Err(Error::new(Kind::Invalid, message));
        }
    }
    Ok(())
}

fn check_annotations(annotations: &BTreeMap<String, String>) -> Result<()> {
    no_nul("annotations", annotations.iter().flat_map(|(k, v)| [k.as_str(), v.as_str()]))?;
    match annotations.keys().find(|key| key.starts_with(OWN_ANNOTATIONS)) {
        Some(key) => {
            let key = visible::short(key);
            let message = format!("annotation `{key}` has the prefix of those of lifebox");
            Err(Error::new(Kind::Invalid, message).hint("write --annotation example.com/KEY=VALUE"))
        }
        None => Ok(()),
    }
}

fn check_accounts(options: &CreateOptions) -> Result<()> {
    let groups = &options.security.groups;
    no_nul("user", options.user.as_deref())?;
    no_nul("groups", groups.iter().map(String::as_str))?;
    options.user.as_deref().map_or(Ok(()), account::check_user)?;
    groups.iter().try_for_each(|group| account::check_group(group))
}

fn no_nul<'a>(what: &str, texts: impl IntoIterator<Item = &'a str>) -> Result<()> {
    match texts.into_iter().find(|text| text.contains('\0')) {
        Some(text) => {
            let message = format!("NUL byte in the {what}: {text:?}");
            Err(Error::new(Kind::Invalid, message))
        }
        None => Ok(()),
    }
}

/// Returns whether a host name has only letters, digits, `-` and `_` in labels joined by dots: more
/// than RFC 1123 allows, as with Docker, but nothing that `/etc/hosts` would read otherwise.
fn check_hostname(hostname: &str) -> Result<()> {
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_');
    let label = |label: &str| !label.is_empty() && label.bytes().all(inner);
    if hostname.len() <= MAX_HOSTNAME && hostname.split('.').all(label) {
        return Ok(());
    }
    Err(Error::new(Kind::Invalid, format!("invalid hostname {hostname:?}"))
        .hint(format!("use 1 to {MAX_HOSTNAME} letters, digits, `-`, `_` and `.`")))
}

#[cfg(test)]
#[path = "tests/merge.rs"]
mod tests;
