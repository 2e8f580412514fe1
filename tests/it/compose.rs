//! Compose files: which keys are read, and as what.

use crate::harness::TestEngine;
use crate::needs_root;

/// Writes files into a folder, and returns what a script of `print(...)` says of `compose.yaml`.
fn shown(files: &[(&str, &str)], expression: &str) -> String {
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    let script = format!(
        "import \"compose\" as compose; let s = (); \
         try {{ s = compose::services(\"compose.yaml\", #{{}}); }} \
         catch (e) {{ print(e.message); exit(0); }} print({expression});"
    );
    let mut command = engine.command(&["-e", &script]);
    command.current_dir(folder.path()).env("HOME", "/home/me").env("FROM_OUTSIDE", "outside");
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{ran:?}");
    let out = String::from_utf8(ran.stdout).unwrap();
    let folder = folder.path().canonicalize().unwrap();
    out.trim_end().replace(folder.to_str().unwrap(), "HERE")
}

#[test]
fn variables_come_from_the_file_env_after_the_environment() {
    let files = [
        (".env", "TAG=1\nIMAGE=\"host:${TAG}\"\nFROM_OUTSIDE=inside\n"),
        (
            "compose.yaml",
            "services:\n  s:\n    image: ${IMAGE}\n    environment: [TAG, FROM_OUTSIDE]\n",
        ),
    ];
    assert_eq!(
        shown(&files, "s.s"),
        r#"#{"env": #{"FROM_OUTSIDE": "outside", "TAG": "1"}, "image": "host:1"}"#
    );
}

#[test]
fn paths_begin_at_the_file_or_at_the_home_directory() {
    let text = "services:\n  s:\n    image: host\n    volumes: [./a:/a, ~/b:/b:ro, ~:/c, d:/d]\n";
    assert_eq!(
        shown(&[("compose.yaml", text)], "s.s.volumes").replace("HERE", ""),
        r#"["/a:/a", "/home/me/b:/b:ro", "/home/me:/c", "d:/d"]"#
    );
}

#[test]
fn empty_lists_and_maps_say_nothing() {
    let keys = "ports: []\n    networks: {}\n    secrets: []\n    volumes: {}\n    healthcheck: {}\n    \
                depends_on: []\n    command: []\n    runtime: runc\n    labels: []\n";
    let text = format!("volumes:\nnetworks: {{}}\nservices:\n  s:\n    image: host\n    {keys}");
    assert_eq!(shown(&[("compose.yaml", &text)], "s"), r#"#{"s": #{"cmd": [], "image": "host"}}"#);
    let text = "services:\n  s:\n    image: host\n    ports: [80]\n";
    let said = shown(&[("compose.yaml", text)], "s");
    assert_eq!(said, "compose.yaml: service `s`: `ports` is not supported");
}

#[test]
fn a_service_extends_one_of_its_file_or_of_another() {
    let files = [
        ("base/.env", "NAME=unseen\n"),
        (".env", "NAME=seen\n"),
        ("base/env", "FROM_FILE=1\n"),
        (
            "base/common.yaml",
            "services:\n  root:\n    image: host\n    command: [a, b]\n    \
             environment: [A=1, \"N=$NAME\"]\n    env_file: env\n    \
             volumes: [\"./v:/v\", \"w:/w\", \"~/h:/h\"]\n  mid:\n    extends: {service: root}\n    \
             cap_add: [NET_RAW]\n    labels: [x=1]\n    build: {args: {P: 1}}\n",
        ),
        (
            "compose.yaml",
            "services:\n  web:\n    extends: {file: base/common.yaml, service: mid}\n    \
             command: c\n    environment: {B: 2}\n    volumes: [\"./other:/w\"]\n    \
             cap_add: [NET_RAW, CHOWN]\n    labels: {y: 2}\n    build: {target: t}\n  \
             twin:\n    extends: web\n    hostname: twin\n",
        ),
    ];
    let print = |key: &str| shown(&files, &format!("s.{key}"));
    let expected = [
        ("env", r#"#{"A": "1", "B": 2, "FROM_FILE": "1", "N": "seen"}"#),
        ("cmd", "c"),
        ("cap_add", r#"["NET_RAW", "CHOWN"]"#),
        ("labels", r#"#{"x": "1", "y": 2}"#),
        ("volumes", r#"["HERE/base/v:/v", "/home/me/h:/h", "HERE/other:/w"]"#),
        ("build", r#"#{"args": #{"P": 1}, "context": "HERE/base", "target": "t"}"#),
    ];
    for (key, value) in expected {
        assert_eq!(print(&format!("web.{key}")), value, "{key}");
        assert_eq!(print(&format!("twin.{key}")), value, "{key}");
    }
    assert_eq!(print("twin.hostname"), "twin");
    for (text, said) in [
        ("a: {extends: b}\n  b: {extends: a}", "compose.yaml: service `a` extends itself"),
        ("a: {extends: nobody}", "compose.yaml has no service `nobody`"),
    ] {
        let text = format!("services:\n  {text}\n");
        assert_eq!(shown(&[("compose.yaml", &text)], "s"), said);
    }
}

#[test]
fn a_file_includes_projects_with_folders_and_variables_of_their_own() {
    let files = [
        (".env", "TAG=outer\n"),
        ("db/.env", "TAG=inner\nONLY=db\n"),
        (
            "db/compose.yaml",
            "services:\n  db:\n    image: \"host:$TAG-$ONLY\"\n    volumes: [\"./data:/d\", \"v:/v\"]\n\
             volumes:\n  v: {name: named}\n",
        ),
        ("db/more.yaml", "services:\n  db:\n    hostname: more\n"),
        ("x.yaml", "services:\n  x: {image: host}\n"),
        (
            "compose.yaml",
            "include:\n  - x.yaml\n  - path: [db/compose.yaml, db/more.yaml]\n\
             services:\n  web: {image: host, depends_on: [db]}\n",
        ),
    ];
    assert_eq!(shown(&files, "s.keys()"), r#"["db", "web", "x"]"#);
    assert_eq!(
        shown(&files, "s.db"),
        "#{\"hostname\": \"more\", \"image\": \"host:outer-db\", \
         \"volumes\": [\"HERE/db/data:/d\", \"named:/v\"]}"
    );
    let twice = [
        ("x.yaml", "services:\n  x: {image: host}\n"),
        ("compose.yaml", "include: [x.yaml]\nservices:\n  x: {image: host}\n"),
    ];
    assert!(shown(&twice, "s").contains("the service `x` is also in an included file"));
    let circle = [("compose.yaml", "include: [compose.yaml]\n")];
    assert!(shown(&circle, "s").ends_with("compose.yaml includes itself"));
}

#[test]
fn profiles_choose_services() {
    let text = "services:\n  web: {image: host}\n  debug:\n    image: host\n    profiles: [debug, all]\n    \
                depends_on: {web: {condition: service_started}}\n";
    let keys = |given: &str| {
        let call = format!("compose::services(\"compose.yaml\", #{{ {given} }}).keys()");
        shown(&[("compose.yaml", text)], &call)
    };
    assert_eq!(keys(""), r#"["web"]"#);
    assert_eq!(keys("profiles: [\"debug\"]"), r#"["debug", "web"]"#);
    assert_eq!(keys("profiles: \"*\""), r#"["debug", "web"]"#);
    assert_eq!(keys("profiles: [\"other\"]"), r#"["web"]"#);
}

#[test]
fn keys_of_images_labels_and_shared_volumes_are_read() {
    let files = [
        ("labels", "a=of file\nb=of file\n"),
        (
            "compose.yaml",
            "services:\n  data: {image: host}\n  s:\n    image: host\n    platform: linux/amd64\n    \
             pull_policy: if_not_present\n    label_file: labels\n    labels: {b: own}\n    \
             volumes_from: [\"data:ro\", \"container:other\"]\n    pid: service:data\n    \
             build:\n      dockerfile_inline: |\n        FROM host\n",
        ),
    ];
    assert_eq!(
        shown(&files, "s.s"),
        "#{\"build\": #{\"context\": \"HERE\", \"dockerfile\": \"FROM host\\n\"}, \
         \"depends_on\": [\"data\"], \"image\": \"host\", \
         \"labels\": #{\"a\": \"of file\", \"b\": \"own\"}, \"pid\": \"service:data\", \
         \"platform\": \"linux/amd64\", \"pull\": \"missing\", \
         \"volumes_from\": [\"service:data:ro\", \"other\"]}"
    );
    let text = "services:\n  s: {image: host, pull_policy: daily}\n";
    let said = shown(&[("compose.yaml", text)], "s");
    assert_eq!(said, "compose.yaml: service `s`: `pull_policy: daily` is not supported");
}

#[test]
fn services_share_what_one_of_them_has_and_are_built_from_a_text() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = tempfile::tempdir().unwrap();
    let text = "services:\n  a:\n    build:\n      dockerfile_inline: |\n        FROM host\n        \
                ENV FROM_TEXT=yes\n    platform: ''\n    command: [sh, -c, 'echo $$FROM_TEXT > /v/f; sleep 100']\n    \
                volumes: [/v]\n    healthcheck: {test: test -s /v/f, interval: 50ms}\n  \
                b:\n    image: host\n    pull_policy: never\n    volumes_from: [\"a:ro\"]\n    pid: service:a\n    \
                command: [sh, -c, 'cat /v/f; cat /proc/1/comm']\n";
    std::fs::write(folder.path().join("compose.yaml"), text).unwrap();
    let file = folder.path().join("compose.yaml");
    let script = format!(
        "import \"stack\" as stack; let all = stack::up(\"shares\", stack::from_compose({file:?})); \
         all.b.wait(); print(all.b.logs()); stack::down(\"shares\", #{{ grace: \"0s\", volumes: true }});"
    );
    assert_eq!(engine.script(&script), "yes\nsh");
}
