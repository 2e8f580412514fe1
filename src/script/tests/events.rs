//! Events as values, loops and callbacks.

use super::{check, report};

#[test]
fn what_happened_is_an_array() {
    check(
        r#"
        run("host", "exit 3", #{ name: "web", labels: #{ tier: "front" } });
        let all = events();
        print(all.map(|e| e.action));
        let e = all[2];
        print(`${e.type} ${e.name} ${e.image} ${e.attributes.exitCode} ${e.attributes.tier}`);
        print(e.id == container("web").id);
        print(e.to_debug());
        print(e.to_string().contains(" container die "));
        "#,
        "[\"create\", \"start\", \"die\"]\ncontainer web host 3 front\ntrue\n\
         Event(container die \"web\")\ntrue",
    );
}

#[test]
fn filters_are_texts_handles_and_labels() {
    check(
        r#"
        let a = run("host", "exit 1", #{ name: "aa", labels: #{ tier: "front" } });
        let b = run("host", "exit 2", #{ name: "bb" });
        let seen = |filter| events(#{ filter: filter }).map(|e| `${e.name} ${e.action}`);
        print(seen.call(#{ container: a, event: "die" }));
        print(seen.call(#{ container: [a, "bb"], event: ["die", "start"] }));
        print(seen.call(#{ label: #{ tier: "front" }, type: "container", event: "create" }));
        print(seen.call(["event=die", "container=bb"]));
        print(seen.call(#{ image: image("host"), event: "die" }));
        "#,
        "[\"aa die\"]\n[\"aa start\", \"aa die\", \"bb start\", \"bb die\"]\n[\"aa create\"]\n\
         [\"bb die\"]\n[\"aa die\", \"bb die\"]",
    );
}

#[test]
fn a_followed_stream_goes_on_where_it_was_left() {
    check(
        r#"
        run("host", "exit 0", #{ name: "old" });
        let coming = events(#{ follow: true, timeout: "20s" });
        run("host", "exit 7", #{ name: "web" });
        for e in coming { print(e.action); if e.action == "start" { break; } }
        for e in coming { print(`${e.action} ${e.attributes.exitCode}`); break; }
        for e in events(#{ follow: true, since: "1h" }) { print(e.name); break; }
        "#,
        "create\nstart\ndie 7\nold",
    );
}

#[test]
fn a_callback_gets_events_until_it_has_enough() {
    check(
        r#"
        run("host", "exit 0", #{ name: "web" });
        events(#{ since: "1h" }, |e| { print(e.action); e.action != "start" });
        try { events(#{ timeout: "5ms" }, |e| ()); } catch (e) { print(e.kind); }
        try {
            for e in events(#{ follow: true, timeout: "5ms" }) { print(e); }
        } catch (e) { print(e.kind); }
        "#,
        "create\nstart\ntimeout\ntimeout",
    );
}

#[test]
fn what_is_wrong_in_a_filter_is_named_with_what_is_allowed() {
    for (filter, expected) in [
        ("#{ colour: 1 }", "filter `colour`: expected a string"),
        ("#{ colour: \"red\" }", "use one of container, event, image, label, scope, type, volume"),
        ("#{ event: \"dei\" }", "did you mean `die`?"),
        ("#{ type: \"networks\" }", "use one of container, image, volume"),
        ("7", "a map such as #{ container: c"),
    ] {
        let report = report(&format!("events(#{{ filter: {filter} }});"));
        assert!(report.contains(expected), "{filter}: {report}");
    }
}

#[test]
fn the_end_has_a_name_that_needs_no_quotes() {
    check(
        r#"
        run("host", "exit 0");
        print(events(#{ "until": "0s" }).len + events(#{ before: "0s" }).len);
        print(logs(run("host", "echo hi"), #{ before: "2000-01-01" }).lines.len);
        "#,
        "6\n2",
    );
}
