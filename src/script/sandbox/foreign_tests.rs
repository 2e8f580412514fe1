//! What an untrusted script sees of containers of others.

use super::*;
use crate::engine::CancelToken;
use crate::model::container::ImageUse;
use crate::model::container::mounts::Mount;
use crate::model::inspect::{self, ContainerPaths};
use crate::model::value::digest::Digest;

const SECRET: &str = "secret";

/// Returns a container with a secret in each field that may have one.
fn with_secrets() -> Container {
    let text = || SECRET.to_owned();
    let label = BTreeMap::from([("key".to_owned(), text())]);
    let config = Config {
        hostname: text(),
        user: text(),
        env: vec![format!("PASS={SECRET}")],
        cmd: Some(vec![text()]),
        entrypoint: Some(vec![text()]),
        workdir: format!("/{SECRET}"),
        volumes: vec![format!("/{SECRET}")],
        labels: label,
        ..Config::default()
    };
    let mut host = HostConfig::default();
    host.mounts.list = vec![Mount::from_volume("/secret:/secret").unwrap()];
    let image = Digest::from_bytes(&[1; 32]);
    let spec = ContainerSpec {
        version: 1,
        id: "a".repeat(64).parse().unwrap(),
        created: jiff::Timestamp::UNIX_EPOCH,
        image: ImageUse { reference: "host".to_owned(), id: image, layers: Vec::new() },
        config,
        host_config: host,
        session: Some(text()),
    };
    let state = State { error: text(), pid: 77, ..State::created("web".parse().unwrap()) };
    Container { spec, state }
}

#[test]
fn of_a_foreign_container_only_name_status_image_and_times_are_seen() {
    let found = with_secrets();
    assert!(format!("{found:?}").contains(SECRET));
    let seen = container(found.clone());
    assert!(!format!("{seen:?}").contains(SECRET), "{seen:?}");
    let json = inspect::container(&seen, &ContainerPaths::default(), &[]).to_string();
    assert!(!json.contains(SECRET), "{json}");
    assert_eq!((seen.state.name, seen.state.status), (found.state.name, found.state.status));
    assert_eq!((seen.spec.image, seen.spec.created), (found.spec.image, found.spec.created));
    assert_eq!(seen.spec.config.labels["key"], HIDDEN);
}

#[test]
fn of_a_foreign_event_no_label_and_no_command_is_seen() {
    let mut found = with_secrets();
    // A label may have the name of an attribute.
    found.spec.config.labels.insert("exitCode".to_owned(), SECRET.to_owned());
    let (spec, name) = (&found.spec, &found.state.name);
    for action in EventAction::ALL {
        let seen = event(Event::of_container(spec, name, action.of(SECRET), &[]));
        let own = [EventAction::Die.as_str(), EventAction::HealthStatus.as_str()];
        if !own.contains(&seen.verb()) {
            assert!(!format!("{seen:?}").contains(SECRET), "{seen:?}");
        }
        assert_eq!((seen.name(), seen.image(), seen.verb()), ("web", "host", action.as_str()));
    }
    let exit = [("exitCode", "3".to_owned())];
    let died = event(Event::of_container(spec, name, EventAction::Die, &exit));
    assert_eq!(died.attributes["exitCode"], "3");
    assert!(!format!("{died:?}").contains(SECRET));
}

/// Events in order.
#[derive(Debug)]
struct Listed(std::vec::IntoIter<Event>);

impl EventStream for Listed {
    fn take_unreadable(&mut self) -> u64 {
        0
    }

    fn next_event(&mut self, _: Option<Duration>, _: &CancelToken) -> Result<Option<Event>> {
        Ok(self.0.next())
    }
}

#[test]
fn a_filter_does_not_find_what_is_hidden() {
    let found = with_secrets();
    let told = |action: String| Event::of_container(&found.spec, &found.state.name, action, &[]);
    let policy = Arc::new(SandboxPolicy::new(std::path::Path::new("/")).unwrap());
    let cancel = CancelToken::new().unwrap();
    let count = |key: &str, value: &str| {
        let events = vec![told(EventAction::Start.into()), told(EventAction::ExecStart.of(SECRET))];
        let mut filter = EventFilter::default();
        filter.add(key, value).unwrap();
        let all = Box::new(Listed(events.into_iter()));
        let mut seen = SeenEvents { all, filter, policy: Arc::clone(&policy) };
        std::iter::from_fn(|| seen.next_event(None, &cancel).unwrap()).count()
    };
    assert_eq!(count("label", "key=secret"), 0);
    assert_eq!(count("event", "exec_start: secret"), 0);
    assert_eq!(count("event", "exec_start"), 1);
    assert_eq!(count("container", "web"), 2);
    policy.note_created(found.spec.id.clone());
    assert_eq!((count("label", "key=secret"), count("event", "exec_start: secret")), (2, 1));
}
