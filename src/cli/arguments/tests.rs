//! Tests of parsing where Docker's rules may surprise.

use std::ffi::OsString;

use super::{Arguments, ContainerVerb, RunArguments, Verb, parse};

fn parsed(line: &str) -> Verb {
    let words = shlex::split(line).unwrap();
    let words: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    parse(&words).unwrap_or_else(|error| panic!("{line}: {error}")).verb
}

fn run(line: &str) -> RunArguments {
    match parsed(line) {
        Verb::Container(ContainerVerb::Run(arguments)) => arguments,
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn what_follows_the_image_belongs_to_the_command() {
    let check = |line: &str, expected: &str| {
        assert_eq!(run(line).new.image_and_command.join(" "), expected, "{line}");
    };
    check("run alpine", "alpine");
    check("run --rm alpine ls -l", "alpine ls -l");
    check("run -d alpine sh -c 'echo hi' --rm -d", "alpine sh -c echo hi --rm -d");
    check("run alpine --name x", "alpine --name x");
    check("run alpine --help", "alpine --help");
    check("run alpine -- x", "alpine -- x");
    check("run -- alpine x", "alpine x");
    check("run alpine --root /x", "alpine --root /x");
    assert!(!run("run alpine -d").detach);
}

#[test]
fn short_flags_of_run_are_dockers() {
    let arguments = run("run -di -h host -e A=1 -e B -l k=v -w /srv -u 1:2 --entrypoint '' alpine");
    let options = &arguments.new.options;
    assert!(arguments.detach && options.has("interactive") && arguments.sig_proxy);
    assert_eq!(options.values("hostname"), ["host"]);
    assert_eq!(options.values("env"), ["A=1", "B"]);
    assert_eq!(options.values("entrypoint"), [""]);
    assert!(!run("run --sig-proxy=false alpine").sig_proxy);
    assert_eq!(run("run --stop-timeout -1 alpine").new.options.values("stop-timeout"), ["-1"]);
}

#[test]
fn each_verb_is_found_under_its_noun_too() {
    for line in [
        "container ls -a",
        "container ps",
        "container inspect web",
        "container run alpine",
        "container rm -f web",
        "image ls -q",
        "image inspect host",
        "image rm host",
        "image load -i x.tar",
        "image tag a b",
        "tag a b",
        "image history -q --no-trunc a",
        "history -H=false a",
        "image prune -af --filter until=24h",
        "container prune -f",
        "system df -v",
        "images -a --digests alpine:3",
        "images --filter dangling=true",
        "stop -t -1 -s INT web db",
        "stop --timeout 3 web",
        "kill -s 9 web",
        "logs -f -n 5 --since 10m -t web",
        "logs --tail -1 web",
        "ps -aq -n 3 -f name=x --no-trunc",
        "ps -l",
        "version --format json",
        "script - a -b --c",
        "ps --root /x",
    ] {
        parsed(line);
    }
}

#[test]
fn the_definition_is_consistent() {
    use clap::CommandFactory as _;
    Arguments::command().debug_assert();
}
