//! Tests that the derived options reproduce a container.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::model::container::options::StopTimeout;
use crate::model::container::{ContainerSpec, State};
use crate::model::creation::merge::{self, environment};
use crate::model::image::Image;
use crate::model::value::id::ContainerId;

fn image(config: serde_json::Value) -> Image {
    Image {
        tags: vec!["app".parse().unwrap()],
        config: serde_json::from_value(config).unwrap(),
        ..Image::plain(0xaa)
    }
}

fn images() -> [Image; 3] {
    [
        image(json!({ "Cmd": ["sh"] })),
        image(
            json!({ "Entrypoint": ["tini", "--"], "Cmd": ["app"], "User": "app", "Volumes": { "/db": {} },
                      "Env": ["PATH=/bin", "A=1"], "WorkingDir": "/srv", "Labels": { "a": "1", "b": "2" },
                      "StopSignal": "SIGINT", "Healthcheck": { "Test": ["CMD", "true"], "Interval": 5_000_000_000_i64 } }),
        ),
        image(json!({ "Entrypoint": ["only"], "Env": ["B=2", "A=1"] })),
    ]
}

fn container(image: &Image, options: &CreateOptions) -> Option<Container> {
    let id = ContainerId::from_random([0xab; 32]).unwrap();
    let spec = merge::spec(id, Timestamp::UNIX_EPOCH, "app", image, options).ok()?;
    let name = options.name.clone().unwrap_or_else(|| "web".parse().unwrap());
    Some(Container { spec, state: State::created(name) })
}

fn words(text: &str) -> Option<Vec<String>> {
    Some(text.split_whitespace().map(str::to_owned).collect())
}

fn some_options() -> Vec<CreateOptions> {
    let none = CreateOptions::default();
    let set = |key: &str, value: &str| EnvEntry::Set { key: key.into(), value: value.into() };
    let env = |list: &[EnvEntry]| CreateOptions { env: list.to_vec(), ..none.clone() };
    let labels = [("a", "1"), ("b", "x"), ("c", "")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    let health = |check: HealthCheck| CreateOptions {
        supervision: Supervision { health: check, ..Supervision::default() },
        ..none.clone()
    };
    vec![
        none.clone(),
        CreateOptions { cmd: words("app"), ..none.clone() },
        CreateOptions { cmd: words("ls -l"), entrypoint: words(""), ..none.clone() },
        CreateOptions { entrypoint: words("tini --"), ..none.clone() },
        CreateOptions { entrypoint: words("tini --"), cmd: words("app"), ..none.clone() },
        CreateOptions { entrypoint: words("sh -c"), cmd: words("ls"), ..none.clone() },
        env(&[set("A", "1")]),
        env(&[set("Z", "1"), set("A", "2"), set("A", "3"), EnvEntry::Unset { key: "PATH".into() }]),
        env(&[set("PATH", "/bin"), set("A", "1")]),
        CreateOptions { user: Some("1:2".into()), workdir: Some("/".into()), ..none.clone() },
        CreateOptions { user: Some("app".into()), workdir: Some("/srv".into()), ..none.clone() },
        CreateOptions { hostname: Some("box".into()), labels: labels.into(), ..none.clone() },
        CreateOptions {
            stop_signal: "INT".parse().ok(),
            stop_timeout: Some(StopTimeout::NoLimit),
            auto_remove: true,
            ..none.clone()
        },
        health(HealthCheck::none()),
        health(HealthCheck { test: HealthCheck::shell("x"), retries: 3, ..HealthCheck::default() }),
        health(HealthCheck { interval: 7_000_000_000, ..HealthCheck::default() }),
    ]
}

#[test]
fn what_was_asked_for_makes_the_same_container_again() {
    let spec = |container: &Container| -> ContainerSpec { container.spec.clone() };
    for image in images() {
        for options in some_options() {
            let Some(first) = container(&image, &options) else { continue };
            let derived = overrides(&first, &image.config);
            let again = container(&image, &derived).unwrap();
            assert_eq!(spec(&again), spec(&first), "{options:?}\n{derived:?}");
        }
    }
}

#[test]
fn what_is_the_images_was_not_asked_for() {
    for image in images() {
        let first = container(&image, &CreateOptions::default()).unwrap();
        let name = Some(first.state.name.clone());
        let derived = overrides(&first, &image.config);
        assert_eq!(derived, CreateOptions { name, ..CreateOptions::default() });
    }
}

#[test]
fn the_users_variables_are_the_shortest_beginning_that_yields_all() {
    // Short names and values, so that an image and a user often name the same, also twice.
    let entry = "[AB]=[12]|[AB]";
    let list = || proptest::collection::vec(entry, 0..6);
    proptest::proptest!(|(image in list(), user in list(), random in list(), merged: bool)| {
        let entry = |text: &String| match text.split_once('=') {
            Some((key, value)) => EnvEntry::Set { key: key.to_owned(), value: value.to_owned() },
            None => EnvEntry::Unset { key: text.clone() },
        };
        let entries = |texts: &[String]| texts.iter().map(entry).collect::<Vec<_>>();
        let all = if merged { environment(&image, &entries(&user)) } else { random };
        let by_trial = (0..all.len()).find(|count| environment(&image, &entries(&all[..*count])) == all);
        proptest::prop_assert_eq!(shortest(&all, &image), by_trial.unwrap_or(all.len()));
    });
}

#[test]
fn many_variables_are_derived_at_once() {
    // Trial after trial, these took minutes.
    let variables =
        |letter: &str| (0..40_000).map(|n| format!("{letter}{n}=x")).collect::<Vec<_>>();
    let (user, image) = (variables("U"), variables("I"));
    let all = [user.clone(), image.clone()].concat();
    let begun = Instant::now();
    assert_eq!(env(&all, &image).len(), user.len());
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
