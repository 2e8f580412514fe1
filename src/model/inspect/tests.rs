//! Our JSON against Docker's, key by key.

use serde_json::{Value, json};

use super::config::ZERO_TIME;
use super::*;
use crate::model::container::options::CreateOptions;
use crate::model::container::{Container, ContainerSpec, State};
use crate::model::creation::merge;
use crate::model::image::Image;

const CREATED: &str = include_str!("../../../tests/reference/inspect-created.json");
const PAUSED: &str = include_str!("../../../tests/reference/inspect-paused.json");
const EXITED: &str = include_str!("../../../tests/reference/inspect-exited.json");
const IMAGE: &str = include_str!("../../../tests/reference/image-inspect.json");

fn docker(text: &str) -> Value {
    serde_json::from_str::<Value>(text).unwrap()[0].clone()
}

/// Returns the image that the reference was measured with.
fn measured_image() -> Image {
    let docker = docker(IMAGE);
    let list = |value: &Value| serde_json::from_value(value.clone()).unwrap();
    Image {
        id: docker["Id"].as_str().unwrap().parse().unwrap(),
        tags: list(&docker["RepoTags"]),
        created: docker["Created"].as_str().unwrap().parse().ok(),
        tagged: docker["Metadata"]["LastTagTime"].as_str().unwrap().parse().ok(),
        size: docker["Size"].as_u64().unwrap(),
        layers: serde_json::from_value(docker["RootFS"]["Layers"].clone()).unwrap(),
        config: serde_json::from_value(docker["Config"].clone()).unwrap(),
        document: json!({
            "config": docker["Config"], "container_config": docker["ContainerConfig"],
            "container": docker["Container"], "docker_version": docker["DockerVersion"],
            "rootfs": { "type": "layers", "diff_ids": docker["RootFS"]["Layers"] },
        }),
        ..Image::plain(0)
    }
}

fn measured_container(docker: &Value) -> Container {
    let id = format!("e854826f8f20{}", "0".repeat(52)).parse().unwrap();
    let created = docker["Created"].as_str().unwrap().parse().unwrap();
    let options = CreateOptions::default();
    let reference = "devwikirepo/hundredcounter";
    let spec: ContainerSpec =
        merge::spec(id, created, reference, &measured_image(), &options).unwrap();
    let mut state = State::created("hundredcounter".parse().unwrap());
    let of = |key: &str| &docker["State"][key];
    let time = |key: &str| {
        of(key).as_str().filter(|text| *text != ZERO_TIME).map(|text| text.parse().unwrap())
    };
    state.status = serde_json::from_value(of("Status").clone()).unwrap();
    state.pid = serde_json::from_value(of("Pid").clone()).unwrap();
    state.exit_code = serde_json::from_value(of("ExitCode").clone()).unwrap();
    (state.started_at, state.finished_at) = (time("StartedAt"), time("FinishedAt"));
    Container { spec, state }
}

/// Checks that two documents have equal keys in equal order, with values of equal types.
fn same_shape(path: &str, theirs: &Value, ours: &Value) {
    match (theirs, ours) {
        (Value::Object(theirs), Value::Object(ours)) => {
            let (their_keys, our_keys): (Vec<_>, Vec<_>) =
                (theirs.keys().collect(), ours.keys().collect());
            assert_eq!(their_keys, our_keys, "keys of {path}");
            for (key, theirs) in theirs {
                same_shape(&format!("{path}.{key}"), theirs, &ours[key]);
            }
        }
        (Value::Array(theirs), Value::Array(ours)) => {
            if let (Some(theirs), Some(ours)) = (theirs.first(), ours.first()) {
                same_shape(&format!("{path}[0]"), theirs, ours);
            }
        }
        // lifebox has a default limit, Docker has none.
        (Value::Null, Value::Number(_)) if path.ends_with(".PidsLimit") => {}
        _ => {
            let (theirs_type, our_type) =
                (std::mem::discriminant(theirs), std::mem::discriminant(ours));
            assert_eq!(theirs_type, our_type, "type of {path}: {theirs} and {ours}");
        }
    }
}

#[test]
fn containers_have_dockers_keys_and_types() {
    for text in [CREATED, PAUSED, EXITED] {
        let docker = docker(text);
        let ours = container(&measured_container(&docker), &ContainerPaths::default(), &[]);
        same_shape("", &docker, &ours);
        for equal in ["Created", "Path", "Args", "State", "Name", "Config"] {
            assert_eq!(docker[equal], ours[equal], "{equal}");
        }
    }
}

#[test]
fn images_have_dockers_keys_and_values() {
    let docker = docker(IMAGE);
    let layers: Vec<String> = ["c", "b", "a"].map(str::to_owned).to_vec();
    let ours = image(&measured_image(), &layers);
    same_shape("", &docker, &ours);
    for (key, theirs) in docker.as_object().unwrap() {
        if !matches!(key.as_str(), "Parent" | "GraphDriver") {
            assert_eq!(theirs, &ours[key], "{key}");
        }
    }
    assert_eq!(ours["GraphDriver"]["Data"]["LowerDir"], "b:a");
    assert_eq!(ours["GraphDriver"]["Data"]["UpperDir"], "c");
}

#[test]
fn documents_of_strangers_never_change_a_type() {
    let mut hostile = measured_image();
    hostile.document = json!({
        "config": { "Hostname": 7, "OnBuild": "x", "Domainname": [] }, "container_config": "x",
        "container": {}, "docker_version": 1, "author": null, "comment": [],
    });
    let ours = image(&hostile, &[]);
    assert_eq!(ours["Config"]["Hostname"], "");
    assert_eq!(ours["Config"]["OnBuild"], Value::Null);
    assert_eq!(ours["ContainerConfig"]["Labels"], json!({}));
    assert_eq!(ours["DockerVersion"], "");
}

#[test]
fn paths_show_once_the_container_has_started() {
    let paths = ContainerPaths { log: "/log".into(), ..ContainerPaths::default() };
    let created = container(&measured_container(&docker(CREATED)), &paths, &[]);
    let exited = container(&measured_container(&docker(EXITED)), &paths, &[]);
    assert_eq!((&created["LogPath"], &exited["LogPath"]), (&json!(""), &json!("/log")));
}
