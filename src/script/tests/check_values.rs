//! `check`: values, options and properties.

use super::check::{finds, found};

#[test]
fn options_that_cannot_be_are_found() {
    finds(
        "run(\"host\", #{ nmae: 1 });",
        &["1:16 error: run(): no option `nmae` (did you mean `name`? see help(\"run\"))"],
    );
    finds(
        "\"w\".stop(#{ time: true });",
        &[
            "1:19 error: stop(): option `time`: expected seconds, or a duration such as \"10s\"; -1 for no limit, got true",
        ],
    );
    finds(
        "exec(\"w\", \"ls\", #{ timeout: \"soon\" });",
        &[
            "1:29 error: exec(): option `timeout`: expected seconds, or a duration such as \"500ms\", \"10s\", \"2m\", \
         got \"soon\"",
        ],
    );
    finds(
        "wait_for(\"w\", #{ any: [#{ all: [#{ logg: \"x\" }] }] });",
        &["1:36 error: wait_for(): no option `logg` (did you mean `log`? see help(\"wait_for\"))"],
    );
}

#[test]
fn options_in_options_and_in_variables_are_looked_at() {
    for (text, wanted) in [
        (
            "events(#{ filter: #{ contaner: \"x\" } });",
            "1:22 error: events(): invalid filter `contaner` (use one of container, event, image, \
             label, scope, type, volume)",
        ),
        (
            "events(#{ filter: #{ type: [\"image\", \"boat\"] } });",
            "1:38 error: events(): invalid filter `type=boat` (use one of container, image, volume)",
        ),
        (
            "create(\"host\", #{ health: #{ cmd: \"x\", intervall: 3 } });",
            "1:40 error: option `health`: no option `intervall` (did you mean `interval`? see help(\"create\"))",
        ),
        (
            "create(\"host\", #{ health: #{ retries: -1 } });",
            "1:39 error: option `health`: option `retries`: expected a whole number from 0, got -1",
        ),
        (
            "let o = #{ nmae: \"x\" }; run(\"host\", o);",
            "1:12 error: run(): no option `nmae` (did you mean `name`? see help(\"run\"))",
        ),
        (
            "run(\"host\", #{ name: \"x\" } + #{ memroy: 3 });",
            "1:33 error: run(): no option `memroy` (did you mean `memory`? see help(\"run\"))",
        ),
        (
            "logs(\"web\", #{ since: \"yesterday\" });",
            "1:23 error: logs(): option `since`: expected how long ago, such as \"10m\", or a date, got \
             \"yesterday\"",
        ),
    ] {
        finds(text, &[wanted]);
    }
}

#[test]
fn values_that_a_function_cannot_take_are_found() {
    for (text, wanted) in [
        (
            "wait(\"x\", \"10 parsecs\");",
            "1:11 error: wait(): `timeout`: expected seconds, or a duration such as \"500ms\", \"10s\", \"2m\", got \
             \"10 parsecs\"",
        ),
        (
            "\"x\".kill(\"SIGFOO\");",
            "1:10 error: kill(): `signal`: expected a signal such as \"TERM\" or 15, got \"SIGFOO\"",
        ),
        (
            "engine::stop(\"x\", -2);",
            "1:19 error: stop(): `time`: expected seconds, or a duration such as \"10s\"; -1 for no limit, got -2",
        ),
        ("create(1);", "1:8 error: create(): `image`: expected an Image or a reference, got 1"),
        (
            "run(\"host\", 5);",
            "1:13 error: run(): `cmd`: expected an array of strings, or a string of words, or a map, got 5",
        ),
        (
            "on(\"dye\", |e| e);",
            "1:4 error: on(): `action`: expected the name of an action, such as \"die\", or an array of \
             them, got \"dye\"",
        ),
    ] {
        finds(text, &[wanted]);
    }
}

#[test]
fn a_curry_without_values_is_found() {
    finds(
        "let f = curry(Fn(\"start\")); f.call(1);",
        &[
            "1:9 error: curry() takes a function and its first arguments (write curry(f, 1), or f.curry(1))",
        ],
    );
    finds("let f = curry(Fn(\"start\"), 1); f.curry(2); Fn(\"stop\").curry(1);", &[]);
}

#[test]
fn properties_that_are_not_there_are_found_where_the_type_is_known() {
    for (text, place) in [
        ("run(\"host\").statsu;", "1:13"),
        ("let c = container(\"web\"); print(c.statsu);", "1:35"),
        ("let c = container(\"web\"); c.pause().statsu.len;", "1:37"),
    ] {
        let said = "error: Container has no property `statsu` (did you mean `status`?)";
        finds(text, &[&format!("{place} {said}")]);
    }
    let found = found("exec(\"web\", \"ls\").exit;");
    assert!(
        found[0].contains("ExecResult has no property `exit` (see help(\"ExecResult\"))"),
        "{found:?}"
    );
}
