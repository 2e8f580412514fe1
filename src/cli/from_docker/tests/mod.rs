//! Options have one meaning in Docker's flags and in the language.

mod recorder;

use std::sync::{Arc, Mutex};

use expect_test::expect;
use proptest::prelude::*;
use recorder::Recorder;

use super::DockerTranslator;
use crate::cli::arguments::{ContainerVerb, Verb, parse};
use crate::cli::verb::{create, environment};
use crate::model::Result;
use crate::model::container::options::{AttachedStreams, CreateOptions};
use crate::model::creation::options::tests::options as any_options;
use crate::model::value::shell;
use crate::model::value::visible::is_hidden;
use crate::script::tests::host;
use crate::script::{ScriptHost, Session, Source, teaching};
use crate::ui;

/// Returns the image and the options that lifebox's parser reads from a Docker command.
fn parsed(line: &str) -> (String, CreateOptions) {
    let [words] = shell::commands(line).unwrap().try_into().unwrap();
    let words: Vec<_> = words.into_iter().skip(1).map(Into::into).collect();
    let verb = parse(&words).unwrap_or_else(|error| panic!("{line}\n{error}")).verb;
    let new = match verb {
        Verb::Container(ContainerVerb::Create(arguments)) => arguments.new,
        Verb::Container(ContainerVerb::Run(arguments)) => arguments.new,
        other => panic!("{line}: {other:?}"),
    };
    let env = environment::as_written(new.options.values("env")).unwrap();
    let [image, command @ ..] = new.image_and_command.as_slice() else { panic!("{line}") };
    (image.clone(), create::options(&new, command, env).unwrap())
}

/// Returns the Docker command for these options.
fn written(options: &CreateOptions) -> String {
    let words = ui::docker::words("host", options);
    ui::docker::line(&[vec!["create".to_owned()], words].concat()).unwrap()
}

fn translated(line: &str) -> Result<String> {
    teaching::from_docker(&DockerTranslator, line)
}

/// Returns the options of the container that a script creates.
fn evaluated(script: &str) -> CreateOptions {
    let (host, _output) = host();
    let recorder = Arc::new(Recorder { inner: host.backend.clone(), requested: Mutex::default() });
    let host = ScriptHost { backend: recorder.clone(), ..host };
    let text = Source::Text { name: "main.rhai".to_owned(), text: script.to_owned() };
    assert_eq!(crate::script::run(host, text).report, None, "{script}");
    let [options] = <[_; 1]>::try_from(recorder.requested.lock().unwrap().clone()).unwrap();
    options
}

#[track_caller]
fn goes_round(options: &CreateOptions) {
    let line = written(options);
    assert_eq!(parsed(&line), ("host".to_owned(), options.clone()), "{line}");
    let script = translated(&line).unwrap();
    assert_eq!(evaluated(&script), *options, "{line}\n{script}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_options_say_the_same_to_docker_and_to_the_language(options in any_options()) {
        goes_round(&options);
    }
}

#[test]
fn hostile_texts_stay_texts() {
    for text in [
        "\"; exit(1); \"",
        "\\",
        "\\\"",
        "'; rm -rf / #",
        "$(reboot)`reboot`$HOME",
        "${exit(1)}",
        "a\nb\r\t\u{0}".trim_end_matches('\0'),
        "\u{1b}[31m\u{202e}\u{feff}\u{1f980}\u{e0001}",
        "/* */ // #",
        "*?[a]{b,c}~!^&|<>",
        "--rm",
        "",
    ] {
        let mut options = CreateOptions {
            cmd: Some(vec!["echo".into(), text.into()]),
            // White space is refused in it.
            user: Some(text.replace(|c: char| c.is_whitespace() || is_hidden(c), "_")),
            ..CreateOptions::default()
        };
        options.labels.insert(format!("key{text}").replace('=', ""), text.to_owned());
        let (key, value) = ("A".to_owned(), text.to_owned());
        options.env.push(crate::model::container::options::EnvEntry::Set { key, value });
        goes_round(&options);
        let script = translated(&written(&options)).unwrap();
        assert!(!script.contains(char::is_control), "{script:?}");
    }
}

#[test]
fn the_same_container_comes_of_both() {
    for line in [
        "docker run -d host",
        "docker run -d --env B=1 -e A -e A=2 host",
        "docker run -d -i --entrypoint '' host sleep 100",
        "docker run -d -it --rm --entrypoint sh host -c 'echo hi'",
        "docker create -i -v /srv:/data:ro --mount type=volume,source=db,target=/db host",
        "docker run -d --tmpfs /run --volumes-from web:ro --ulimit nofile=1:2 --ulimit core=0 host",
        "docker run -d --net host --ipc shareable --pid host --uts host --init host",
        "docker run -d --memory 64m --memory-swap -1 --cpus 0.5 --pids-limit -1 --shm-size 1g host",
        "docker run -d --restart on-failure:3 --log-opt max-size=1m --log-opt max-file=2 host",
        "docker run -d --no-healthcheck --security-opt no-new-privileges --cap-drop all host",
        "docker run -d --health-cmd none --stop-timeout -1 --stop-signal 40 host",
        "docker run -d --health-cmd none --health-interval 1m30s --read-only host",
    ] {
        let script = translated(line).unwrap();
        let attached = line.starts_with("docker run -d").then(AttachedStreams::default);
        let expected = CreateOptions { attached, ..parsed(line).1 };
        assert_eq!(evaluated(&script), expected, "{line}\n{script}");
    }
}

#[test]
fn what_docker_prints_is_read_again() {
    let (host, output) = host();
    let host = ScriptHost { command_line: Some(Arc::new(DockerTranslator)), ..host };
    let mut session = Session::new(host);
    let make = r#"let c = create("host", #{ name: "web", env: #{ A: "it's" }, stdin: true });"#;
    for line in [make, "docker(c);", "c.start();", "docker(c);", "c.pause();", "docker(c);"] {
        session.line(line);
    }
    for line in ["c.unpause();", "c.kill();", "docker(c);", "print(from_docker(\"docker ps\"));"] {
        session.line(line);
    }
    expect![[r#"
        docker create --name web --env "A=it's" -i --network none host
        docker create --name web --env "A=it's" -i --network none host
        docker start web
        docker create --name web --env "A=it's" -i --network none host
        docker start web
        docker pause web
        docker create --name web --env "A=it's" -i --network none host
        docker start web
        docker wait web
        ps()
    "#]]
    .assert_eq(&output.text());
    let text = output.text();
    let mut lines = text.lines();
    let created = lines.next().unwrap();
    let again = evaluated(&translated(created).unwrap());
    assert_eq!(again, parsed(created).1);
    assert_eq!(lines.filter(|line| line.starts_with("docker start")).count(), 3);
    let script = translated("docker run -d host # first\ndocker pause box_0").unwrap();
    assert_eq!(script, "run(\"host\");\npause(\"box_0\")");
}

#[test]
fn each_verb_that_has_a_function_becomes_its_call() {
    let lines = include_str!("verbs.txt");
    let shown: Vec<String> = lines
        .lines()
        .filter(|line| line.starts_with("docker"))
        .map(|line| match translated(line) {
            Ok(script) => {
                // It is a whole text of the language.
                let engine = crate::script::tests::compiles(&script);
                assert!(engine, "{line}\n{script}");
                format!("{line}\n    {}\n", script.replace('\n', "\n    "))
            }
            Err(error) => format!("{line}\n    {}: {}\n", error.kind().as_str(), error.message()),
        })
        .collect();
    expect_test::expect_file!["verbs.txt"].assert_eq(&shown.concat());
}
