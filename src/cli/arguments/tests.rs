//! Tests of parsing where Docker's rules may surprise.

use std::ffi::OsString;

use super::command_line::parse_whole;
use super::one_verb;
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
fn switches_take_a_value_and_the_last_one_counts() {
    for (line, expected) in [
        ("run --rm=true alpine", [true, false]),
        ("run --rm=false alpine", [false, false]),
        ("run --rm --rm=0 -d=T alpine", [false, true]),
        ("run --rm=false --rm -d -d alpine", [true, true]),
        ("run -itd=false --rm=1 alpine", [true, false]),
    ] {
        let arguments = run(line);
        assert_eq!([arguments.new.options.has("rm"), arguments.detach], expected, "{line}");
    }
    for line in ["run -P=false alpine", "run -iP=0 -d alpine", "run --ip= --publish-all=F alpine"] {
        run(line);
    }
    for line in ["run -P alpine", "run -iP=true alpine", "run -eP=false -iP alpine"] {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert!(parse(&words).is_err(), "{line}");
    }
    let both = run("run -it=false alpine");
    assert!(both.new.options.has("interactive") && !both.new.options.has("tty"));
    for line in ["run --rm=maybe alpine", "run --rm= alpine", "ps -a=2"] {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        assert!(parse(&words).is_err(), "{line}");
    }
}

#[test]
fn an_option_that_stands_twice_counts_once() {
    let arguments = run("run --name aa --name bb -m 64m -m 128m -e A=1 -e B=2 alpine");
    let options = arguments.new.options.options().unwrap();
    assert_eq!(options.name.map(|name| name.to_string()).as_deref(), Some("bb"));
    assert_eq!(arguments.new.options.values("env"), ["A=1", "B=2"]);
    for line in [
        "ps -a -a --format x --format y -n 1 -n 2",
        "build -f a -f b .",
        "stop -t 1 -t 2 web",
        "logs --tail 1 --tail 2 web",
        "images -q -q",
        "rm -f -f web",
    ] {
        parsed(line);
    }
}

#[test]
fn a_value_may_begin_with_a_minus() {
    let arguments = run("run -u -1 -e -x=1 -l -y=1 -w -z --hostname -a --entrypoint -b alpine");
    for (flag, value) in [
        ("user", "-1"),
        ("env", "-x=1"),
        ("label", "-y=1"),
        ("workdir", "-z"),
        ("hostname", "-a"),
        ("entrypoint", "-b"),
    ] {
        assert_eq!(arguments.new.options.values(flag), [value]);
    }
    for line in ["kill -s -1 web", "logs --since -1s web", "logs -n -1 web", "exec -u -1 web true"]
    {
        parsed(line);
    }
}

#[test]
fn help_is_a_verb_and_shows_plain_flags() {
    let help = |line: &str| {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse(&words).unwrap_err().render().to_string()
    };
    assert!(help("help").contains("A scriptable container engine"));
    for line in ["help run", "-D help run", "run --rm=true --help", "container run --help"] {
        let text = help(line);
        assert!(text.contains("--rm") && !text.contains("--rm["), "{line}: {text}");
    }
    assert!(help("help image ls").contains("--digests"));
    assert!(help("help xyzzy").contains("xyzzy"));
    assert!(matches!(parsed("-D --log-level info -l warn ps -l"), Verb::Container(_)));
}

#[test]
fn the_definition_is_consistent() {
    use clap::CommandFactory as _;
    Arguments::command().debug_assert();
}

fn words(line: &str) -> Vec<OsString> {
    shlex::split(line).unwrap().into_iter().map(OsString::from).collect()
}

#[test]
fn a_line_read_by_its_verb_alone_means_the_same() {
    let lines = [
        "run --rm -it -e A=1 --name a -v /x:/y:ro -m 64m --cpus=0.5 alpine sh -c 'echo --rm'",
        "--root /r -D --log-level info run -d --rm=false --init alpine",
        "run --lang ko --trace alpine --root x",
        "run --memory 1g -m 2g --read-only=true --label a=b --label c alpine -- x",
        "run -q --pull always --platform linux/amd64 alpine",
        "create --name container -i alpine",
        "start -ai --detach-keys ctrl-x web",
        "stop -t -1 web db",
        "restart --signal HUP web",
        "kill -s -1 web",
        "pause web",
        "unpause web",
        "rm -fv web",
        "wait web db",
        "rename a b",
        "ps -aq --no-trunc --filter name=x --filter status=running --format '{{.ID}}'",
        "ps -n 3",
        "logs -ft --tail 10 --since -1s web",
        "inspect -f '{{.Id}}' --type container -s web",
        "update -m 64m --restart no web",
        "stats --no-stream web",
        "exec -it -u 1:2 -e A web sh -c 'ls -l'",
        "attach --no-stdin --sig-proxy=false web",
        "top web -eo pid,comm",
        "cp -a web:/x -",
        "diff web",
        "commit -m x -c 'ENV a=b' web a:b",
        "export -o x web",
        "images -q --digests host",
        "rmi -f a b",
        "tag a b",
        "load -q -i x",
        "save -o x a b",
        "build -t a --build-arg X=1 -f d --network none .",
    ];
    for line in lines {
        let words = words(line);
        let quick = one_verb::parse_frequent(&words).unwrap_or_else(|| panic!("{line}: not read"));
        let whole = parse_whole(&words).unwrap_or_else(|error| panic!("{line}: {error}"));
        assert_eq!(format!("{quick:?}"), format!("{whole:?}"), "{line}");
    }
    for (name, _) in one_verb::VERBS {
        assert!(lines.iter().any(|line| line.split(' ').any(|word| word == name)), "{name}");
    }
}

#[test]
fn what_needs_an_explanation_is_for_the_whole_tree() {
    for line in [
        "run",
        "run --bogus alpine",
        "run --help",
        "ps x",
        "stop -t x web",
        "container run alpine",
        "bogus run",
        "--bogus run alpine",
        "help run",
        "--version",
        "",
        "run -m",
        "rm",
    ] {
        let found = one_verb::parse_frequent(&words(line));
        assert!(found.is_none(), "{line}: {found:?}");
    }
}
