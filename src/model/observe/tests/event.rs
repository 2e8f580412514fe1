//! Events and filters as values.

use super::*;

fn read(text: &str) -> Event {
    serde_json::from_str(text).unwrap()
}

fn filter(pairs: &[(&str, &str)]) -> EventFilter {
    let mut filter = EventFilter::default();
    for (key, value) in pairs {
        filter.add(key, value).unwrap();
    }
    filter
}

#[test]
fn filters_choose_as_dockers_do() {
    let exec = read(
        r#"{"time":"2026-01-02T15:04:05Z","type":"container","action":"exec_create: sh -c x",
            "id":"abcd","attributes":{"image":"team/web:1","name":"web","tier":"front"}}"#,
    );
    let image = read(
        r#"{"time":"2026-01-02T15:04:05Z","type":"image","action":"pull","id":"team/web:1",
            "attributes":{"name":"team/web"}}"#,
    );
    let volume =
        read(r#"{"time":"2026-01-02T15:04:05Z","type":"volume","action":"create","id":"data"}"#);
    for (pairs, expected) in [
        (&[][..], [true, true, true]),
        (&[("container", "web")], [true, false, false]),
        (&[("container", "ab")], [true, false, false]),
        (&[("container", "eb")], [false, false, false]),
        (&[("container", "x"), ("container", "web")], [true, false, false]),
        (&[("event", "exec_create")], [true, false, false]),
        (&[("event", "exec_create: sh -c x")], [true, false, false]),
        (&[("event", "create")], [false, false, true]),
        (&[("image", "team/web")], [true, true, false]),
        (&[("image", "team/web:1")], [true, true, false]),
        (&[("image", "team")], [false, false, false]),
        (&[("label", "tier=front"), ("label", "image")], [true, false, false]),
        (&[("label", "tier=back"), ("label", "image")], [false, false, false]),
        (&[("type", "image"), ("type", "volume")], [false, true, true]),
        (&[("type", "image"), ("event", "create")], [false, false, false]),
        (&[("volume", "data")], [false, false, true]),
    ] {
        let filter = filter(pairs);
        assert_eq!(
            [&exec, &image, &volume].map(|event| filter.matches(event)),
            expected,
            "{pairs:?}"
        );
    }
}

#[test]
fn what_can_not_happen_is_refused_with_what_can() {
    for (key, value, hint) in [
        ("colour", "red", "use one of container, event"),
        ("event", "dei", "did you mean `die`?"),
        ("event", "health_statu: healthy", "did you mean `health_status`?"),
        ("type", "networks", "container, image, volume"),
    ] {
        let error = EventFilter::default().add(key, value).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(
            error.message().contains(key) && error.hint_text().unwrap().contains(hint),
            "{error:?}"
        );
    }
    filter(&[("event", "health_status: healthy")]);
}

#[test]
fn an_event_stays_short_whatever_labels_say() {
    let labels: BTreeMap<String, String> =
        (0..100).map(|n| (format!("label{n:03}"), "\u{e9}".repeat(2000))).collect();
    let event = Event::of_image(EventAction::Tag, "id", "name", &labels);
    assert!(serde_json::to_string(&event).unwrap().len() < 20_000);
    let left_out: usize = event.attributes[LABELS_OMITTED].parse().unwrap();
    assert_eq!(event.attributes.len() + left_out, 102);
    assert!(event.attributes["label000"].ends_with("\u{e9}..."));
    let command = EventAction::ExecCreate.of(&"x".repeat(5000));
    assert_eq!(shortened(&command).len(), MAX_TEXT);
}

#[test]
fn a_label_can_not_stand_for_what_happened() {
    let labels = BTreeMap::from([("name".to_owned(), "other".to_owned())]);
    assert_eq!(Event::of_image(EventAction::Tag, "id", "mine", &labels).name(), "mine");
}

#[test]
fn the_last_end_of_a_container_tells_its_exit_code() {
    let (own, other) = ("a".repeat(64), "b".repeat(64));
    let id: ContainerId = own.parse().unwrap();
    let event = |action: &str, id: &str, code: &str| {
        read(&format!(
            r#"{{"time":"2026-01-02T15:04:05Z","type":"container","action":"{action}","id":"{id}",
                "attributes":{{"name":"{own}x","exitCode":"{code}"}}}}"#
        ))
    };
    assert_eq!(event("die", &own, "3").exit_code(), Some(3));
    assert_eq!(event("exec_die", &own, "4").exit_code(), None);
    let events = [
        event("die", &own, "3"),
        event("die", &own, "5"),
        event("exec_die", &own, "4"),
        // Another container, whose name begins with the id.
        event("die", &other, "6"),
    ];
    let filter = EventOptions::ends_of(&id).filter;
    let matching = events.iter().filter(|event| filter.matches(event)).cloned();
    assert_eq!(last_exit_code(&id, matching), Some(5));
    assert_eq!(last_exit_code(&id, [event("start", &own, "1")].into_iter()), None);
}
