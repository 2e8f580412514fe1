//! Image and options become one configuration, as with Docker.

use serde_json::json;

use super::*;

fn image(config: serde_json::Value) -> Image {
    let digest = format!("sha256:{}", "a".repeat(64));
    Image {
        id: digest.parse().unwrap(),
        tags: vec!["app".parse().unwrap()],
        layers: vec![digest.parse().unwrap()],
        config: serde_json::from_value(config).unwrap(),
        ..Image::plain(0xaa)
    }
}

fn merged(config: serde_json::Value, options: &CreateOptions) -> Result<ContainerSpec> {
    let id = ContainerId::from_random([0xab; 32]).unwrap();
    spec(id, Timestamp::UNIX_EPOCH, "app", &image(config), options)
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn set(key: &str, value: &str) -> EnvEntry {
    EnvEntry::Set { key: key.into(), value: value.into() }
}

fn unset(key: &str) -> EnvEntry {
    EnvEntry::Unset { key: key.into() }
}

#[test]
fn entrypoint_and_command_merge_as_dockers() {
    // image's entrypoint, image's cmd, user's entrypoint, user's cmd, what runs
    let table = [
        ("", "sh", None, None, "sh"),
        ("", "sh", None, Some("ls -l"), "ls -l"),
        ("tini --", "sh", None, None, "tini -- sh"),
        ("tini --", "sh", None, Some("ls"), "tini -- ls"),
        ("tini --", "sh -c x", Some("bash"), None, "bash"),
        ("tini --", "sh", Some("bash"), Some("-l"), "bash -l"),
        ("tini --", "sh", Some(""), Some("ls"), "ls"),
        ("tini --", "", None, None, "tini --"),
    ];
    for (entrypoint, cmd, own_entrypoint, own_cmd, expected) in table {
        let options = CreateOptions {
            entrypoint: own_entrypoint.map(words),
            cmd: own_cmd.map(words),
            ..CreateOptions::default()
        };
        let config = json!({ "Entrypoint": words(entrypoint), "Cmd": words(cmd) });
        let spec = merged(config, &options).unwrap();
        assert_eq!(spec.config.argv().join(" "), expected);
    }
}

#[test]
fn nothing_to_run_is_an_error() {
    let own = CreateOptions { entrypoint: Some(vec![]), ..CreateOptions::default() };
    for (config, options) in
        [(json!({}), CreateOptions::default()), (json!({ "Cmd": ["sh"] }), own)]
    {
        let error = merged(config, &options).unwrap_err();
        assert_eq!((error.kind(), error.message()), (Kind::Invalid, "no command specified"));
    }
    assert!(merged(json!({ "Cmd": [""] }), &CreateOptions::default()).is_err());
}

#[test]
fn environment_of_user_comes_first_and_overrides() {
    let config = json!({ "Cmd": ["x"], "Env": ["PATH=/bin", "A=image", "B=image"] });
    let table = [
        (vec![], "PATH=/bin A=image B=image", "PATH=/bin HOSTNAME=h A=image B=image"),
        (
            vec![set("B", "1"), set("C", "")],
            "B=1 C= PATH=/bin A=image",
            "PATH=/bin HOSTNAME=h B=1 C= A=image",
        ),
        (vec![unset("A")], "A PATH=/bin B=image", "PATH=/bin HOSTNAME=h B=image"),
        (vec![unset("PATH")], "PATH A=image B=image", "HOSTNAME=h A=image B=image"),
        (
            vec![set("A", "1"), set("A", "2")],
            "A=1 A=2 PATH=/bin B=image",
            "PATH=/bin HOSTNAME=h A=2 B=image",
        ),
        (
            vec![set("HOSTNAME", "x"), set("A", "k=v")],
            "HOSTNAME=x A=k=v PATH=/bin B=image",
            "PATH=/bin HOSTNAME=x A=k=v B=image",
        ),
    ];
    for (env, stored, given) in table {
        let hostname = Some("h".to_owned());
        let options = CreateOptions { env, hostname, ..CreateOptions::default() };
        let spec = merged(config.clone(), &options).unwrap();
        assert_eq!(spec.config.env.join(" "), stored);
        assert_eq!(process_env(&spec).join(" "), given);
    }
}

#[test]
fn path_hostname_and_user_have_defaults() {
    let spec = merged(json!({ "Cmd": ["x"] }), &CreateOptions::default()).unwrap();
    assert_eq!(spec.config.env, Vec::<String>::new());
    let expected = format!("PATH={DEFAULT_PATH} HOSTNAME=abababababab");
    assert_eq!(process_env(&spec).join(" "), expected);
    assert_eq!((spec.config.user.as_str(), spec.config.workdir.as_str()), ("", ""));
}

#[test]
fn labels_merge_and_single_values_fall_back() {
    let config = json!({
        "Cmd": ["x"], "Labels": { "a": "1", "b": "1" }, "User": "www", "WorkingDir": "/srv",
        "StopSignal": "SIGQUIT", "ExposedPorts": { "80/tcp": {} }, "Volumes": { "/data": {} },
    });
    let labels = [("b".to_owned(), "2".to_owned())].into();
    let options = CreateOptions { labels, ..CreateOptions::default() };
    let config = merged(config, &options).unwrap().config;
    assert_eq!(format!("{:?}", config.labels), r#"{"a": "1", "b": "2"}"#);
    assert_eq!((config.user.as_str(), config.workdir.as_str()), ("www", "/srv"));
    assert_eq!(config.stop_signal().number(), 3);
    assert_eq!((config.exposed_ports, config.volumes), (words("80/tcp"), words("/data")));
}

#[test]
fn hostile_images_are_refused() {
    for config in [
        json!({ "Env": ["=x"] }),
        json!({ "Env": ["a=\u{0}"] }),
        json!({ "WorkingDir": "../x" }),
        json!({ "Labels": { "a": "\u{0}" } }),
        json!({ "User": "\u{0}" }),
        json!({ "Volumes": { "/\u{0}": {} } }),
    ] {
        let mut config = config;
        config["Cmd"] = json!(["x"]);
        let error = merged(config.clone(), &CreateOptions::default()).unwrap_err();
        assert_eq!(error.kind(), Kind::Corrupt, "{config}");
    }
}

#[test]
fn odd_images_run_as_with_docker_and_ask_for_nothing_of_the_host() {
    let config = json!({
        "Cmd": ["x"], "Entrypoint": [""], "StopSignal": "SIGNOPE", "Volumes": { "data": {} },
        "Env": ["HOME", "*", "", "a*=x", "HOSTNAME", "b\nc=y"],
    });
    let spec = merged(config, &CreateOptions::default()).unwrap();
    assert_eq!((spec.config.argv(), &spec.config.stop_signal), (vec!["x".to_owned()], &None));
    let env = process_env(&spec);
    assert_eq!(env, [&format!("PATH={DEFAULT_PATH}"), "a*=x", "b\nc=y"]);
    assert_eq!(spec.host_config.mounts.list[0].target, "/data");
}

#[test]
fn wrong_options_are_refused() {
    let some = |text: &str| Some(text.to_owned());
    let default = CreateOptions::default;
    for options in [
        CreateOptions { env: vec![set("", "x")], ..default() },
        CreateOptions { env: vec![set("a", "\0")], ..default() },
        CreateOptions { cmd: Some(vec!["a\0".into()]), ..default() },
        CreateOptions { workdir: some("srv"), ..default() },
        CreateOptions { workdir: some(""), ..default() },
        CreateOptions { user: some("\0"), ..default() },
        CreateOptions { hostname: some(""), ..default() },
        CreateOptions { hostname: some("a..b"), ..default() },
        CreateOptions { hostname: some("a b"), ..default() },
        CreateOptions { hostname: some(&"a".repeat(65)), ..default() },
    ] {
        let error = merged(json!({ "Cmd": ["x"] }), &options).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid, "{options:?}");
    }
}

#[test]
fn an_image_may_bring_no_user_out_of_range_and_no_thousands_of_volumes() {
    let config = |extra: serde_json::Value| {
        let mut config = json!({ "Cmd": ["true"] });
        config.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
        config
    };
    let error = merged(config(json!({ "User": "4294967296" })), &CreateOptions::default());
    let error = error.unwrap_err();
    assert!(
        error.kind() == Kind::Corrupt && error.message().contains("range 0-2147483647"),
        "{error}"
    );
    let own = CreateOptions { user: Some("7".to_owned()), ..CreateOptions::default() };
    assert_eq!(merged(config(json!({ "User": "-1" })), &own).unwrap().config.user, "7");
    let volumes = |count: usize| {
        let paths = (0..count).map(|number| (format!("/v{number}"), json!({})));
        config(json!({ "Volumes": paths.collect::<serde_json::Map<_, _>>() }))
    };
    assert!(merged(volumes(MAX_VOLUMES), &CreateOptions::default()).is_ok());
    let error = merged(volumes(MAX_VOLUMES + 1), &CreateOptions::default()).unwrap_err();
    assert!(error.message().contains("257 volumes, more than 256"), "{error}");
}
