//! Derives the options that reproduce a container from its image: the inverse of `merge`.

use std::collections::HashMap;

use super::merge::command;
use crate::model::container::mounts::{Mount, MountSpec, Mounts};
use crate::model::container::namespaces::{NamespaceMode, Namespaces};
use crate::model::container::options::{CreateOptions, EnvEntry};
use crate::model::container::supervision::Supervision;
use crate::model::container::{Config, Container};
use crate::model::image::ImageConfig;
use crate::model::value::env::key;
use crate::model::value::health_check::HealthCheck;
use crate::model::value::signal::StopSignal;

/// Returns the fewest options that turn the image into this container, as `update` left it.
pub fn overrides(container: &Container, image: &ImageConfig) -> CreateOptions {
    let (config, host) = (&container.spec.config, &container.spec.host_config);
    let (entrypoint, cmd) = entrypoint_and_cmd(config, image);
    let changed = |text: &String, of_image: &String| Some(text.clone()).filter(|t| t != of_image);
    let labels = config.labels.iter().filter(|(key, value)| image.labels.get(*key) != Some(value));
    let ports = config.exposed_ports.iter();
    let ports = ports.filter(|port| !image.exposed_ports.contains_key(*port));
    let image_signal =
        image.stop_signal.as_deref().and_then(|text| text.parse::<StopSignal>().ok());
    CreateOptions {
        name: Some(container.state.name.clone()),
        cmd,
        entrypoint,
        env: env(&config.env, &image.env),
        workdir: changed(&config.workdir, &image.working_dir),
        user: changed(&config.user, &image.user),
        hostname: hostname(container, &host.namespaces),
        labels: labels.map(|(key, value)| (key.clone(), value.clone())).collect(),
        stop_signal: config
            .stop_signal
            .clone()
            .filter(|signal| Some(signal) != image_signal.as_ref()),
        stop_timeout: config.stop_timeout,
        interactive: config.open_stdin,
        attached: config.attached,
        tty: config.tty,
        auto_remove: host.auto_remove,
        exposed_ports: ports.cloned().collect(),
        annotations: host.annotations.clone(),
        session: None,
        security: host.security.clone(),
        resources: host.resources.clone(),
        mounts: mounts(&host.mounts),
        namespaces: host.namespaces.clone(),
        supervision: Supervision {
            health: health(&host.supervision.health, image),
            ..host.supervision.clone()
        },
    }
}

type OptionalWords = Option<Vec<String>>;

/// Returns entrypoint and command where they differ from the image's.
fn entrypoint_and_cmd(config: &Config, image: &ImageConfig) -> (OptionalWords, OptionalWords) {
    let entrypoint = config.entrypoint.clone().or(Some(Vec::new()));
    let candidates = [
        (None, None),
        (None, config.cmd.clone()),
        (entrypoint.clone(), None),
        (entrypoint, config.cmd.clone()),
    ];
    let gives = |(entrypoint, cmd): &(OptionalWords, OptionalWords)| {
        let (entrypoint, cmd) = (entrypoint.clone(), cmd.clone());
        let options = CreateOptions { entrypoint, cmd, ..CreateOptions::default() };
        let given = command(image, &options).ok();
        given.is_some_and(|given| given == (config.entrypoint.clone(), config.cmd.clone()))
    };
    candidates.into_iter().find(gives).unwrap_or_default()
}

/// Returns the user's variables: the shortest beginning of the list that yields the whole list with
/// the image's variables.
fn env(all: &[String], image: &[String]) -> Vec<EnvEntry> {
    let entry = |text: &String| match text.split_once('=') {
        Some((key, value)) => EnvEntry::Set { key: key.to_owned(), value: value.to_owned() },
        None => EnvEntry::Unset { key: text.clone() },
    };
    all[..shortest(all, image)].iter().map(entry).collect()
}

/// Returns the length of the shortest beginning of `all` that `merge::environment` completes to
/// `all`: what comes after it is the image's list without the variables of the beginning. One pass
/// from the end, because an image may bring tens of thousands.
fn shortest(all: &[String], image: &[String]) -> usize {
    let mut places: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, entry) in all.iter().enumerate() {
        places.entry(key(entry)).or_default().push(place);
    }
    let mut of_image: HashMap<&str, Vec<usize>> = HashMap::new();
    for (place, entry) in image.iter().enumerate() {
        of_image.entry(key(entry)).or_default().push(place);
    }
    // What the user does not name would be in the list.
    if of_image.keys().any(|name| !places.contains_key(name)) {
        return all.len();
    }
    // The image's entry of each entry of the list: the first of a variable is the image's first.
    let mut origins: Vec<Option<usize>> = vec![None; all.len()];
    for (name, places) in &places {
        let Some(from) = of_image.get(name).filter(|from| from.len() == places.len()) else {
            continue;
        };
        for (place, from) in places.iter().zip(from) {
            origins[*place] = Some(*from).filter(|from| image[*from] == all[*place]);
        }
    }
    let (mut count, mut first_named, mut after) = (all.len(), all.len(), image.len());
    for (place, entry) in all.iter().enumerate().rev() {
        let Some(origin) = origins[place].filter(|origin| *origin < after) else { break };
        after = origin;
        // A variable that is named twice is the image's in both places, or in none.
        first_named = first_named.min(places[key(entry)][0]);
        if place <= first_named {
            count = place;
        }
    }
    count
}

/// Returns the host name, unless it comes from the id or from a shared namespace.
fn hostname(container: &Container, namespaces: &Namespaces) -> Option<String> {
    let name = &container.spec.config.hostname;
    let shared = namespaces.uts == NamespaceMode::Host
        || matches!(namespaces.network, NamespaceMode::Container(_));
    (!shared && !name.is_empty() && name != container.spec.id.short()).then(|| name.clone())
}

/// Returns the mounts without those of the image and of other containers, and without generated
/// names of volumes.
fn mounts(all: &Mounts) -> Mounts {
    let from_user = |mount: &&Mount| !matches!(mount.spec, MountSpec::Image | MountSpec::From);
    let unnamed = |mount: &Mount| match mount.anonymous {
        true => Mount { source: String::new(), ..mount.clone() },
        false => mount.clone(),
    };
    Mounts {
        list: all.list.iter().filter(from_user).map(unnamed).collect(),
        from: all.from.clone(),
        driver_local: all.driver_local,
    }
}

fn health(check: &HealthCheck, image: &ImageConfig) -> HealthCheck {
    let of_image = image.healthcheck.clone().unwrap_or_default();
    if check.is_none() && !of_image.is_none() {
        return HealthCheck::none();
    }
    let changed = |time: i64, of_image: i64| if time == of_image { 0 } else { time };
    HealthCheck {
        test: if check.test == of_image.test { Vec::new() } else { check.test.clone() },
        interval: changed(check.interval, of_image.interval),
        timeout: changed(check.timeout, of_image.timeout),
        start_period: changed(check.start_period, of_image.start_period),
        start_interval: changed(check.start_interval, of_image.start_interval),
        retries: changed(check.retries, of_image.retries),
    }
}

#[cfg(test)]
#[path = "tests/overrides.rs"]
mod tests;
