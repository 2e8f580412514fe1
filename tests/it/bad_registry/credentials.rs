//! Who is shown a password, and what a credential helper does wrong.

use std::sync::{Arc, Mutex};

use serde_json::json;

use super::server::{Answer, Contents, Sample, Server, status};
use crate::harness::{TIMEOUT, TestEngine, signal, wait_until};

/// Base64 of `me:s3cret`.
const ME: &str = "bWU6czNjcmV0";

fn logged_in(server: &Server) -> TestEngine {
    let engine = TestEngine::empty();
    let docker = engine.root().join(".docker");
    std::fs::create_dir_all(&docker).unwrap();
    let config = json!({ "auths": { &server.address: { "auth": ME } } });
    std::fs::write(docker.join("config.json"), config.to_string()).unwrap();
    engine
}

#[test]
fn a_secret_is_shown_to_its_registry_alone() {
    let sample = Sample::new();
    let blob = sample.contents[&sample.layer_path].1.clone();
    let store = Server::start(Contents::new(), move |request, _| {
        let found = request.path == "/elsewhere?sign=1";
        found.then(|| Answer::Send(200, Vec::new(), blob.clone(), None))
    });
    let (path, target) =
        (sample.layer_path.clone(), format!("http://{}/elsewhere?sign=1", store.address));
    let server = sample.serve(move |request, _| {
        if request.header("authorization") != format!("Basic {ME}") {
            let basic = vec![("WWW-Authenticate", "Basic realm=x".to_owned())];
            return Some(Answer::Send(401, basic, Vec::new(), None));
        }
        let location = vec![("Location", target.clone())];
        (request.path == path).then(|| Answer::Send(307, location, Vec::new(), None))
    });
    logged_in(&server).ok(&["pull", "-q", &server.name("a/b:1")]);
    let asked = store.asked("/elsewhere");
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), "");
    // Nothing was shown before it was asked for, either.
    assert_eq!(server.asked("/manifests/1")[0].header("authorization"), "");
}

#[test]
fn a_token_is_fetched_for_the_rights_that_are_needed() {
    let sample = Sample::new();
    let address = Arc::new(Mutex::new(String::new()));
    let realm = address.clone();
    let server = sample.serve(move |request, _| {
        if request.path.starts_with("/token") {
            let rights = "/token?service=the%20one&scope=repository%3Aa%2Fb%3Apull&account=me";
            let right = request.path == rights && request.header("authorization") == format!("Basic {ME}");
            let token = br#"{"token":"t0ken"}"#.to_vec();
            return Some(match right {
                true => Answer::Send(200, Vec::new(), token, None),
                false => status(401),
            });
        }
        if request.path == "/v2/" || request.header("authorization") == "Bearer t0ken" {
            return None;
        }
        let realm = realm.lock().unwrap().clone();
        let bearer = format!("Bearer realm=\"http://{realm}/token\",service=\"the one\",scope=\"repository:a/b:pull\"");
        Some(Answer::Send(401, vec![("WWW-Authenticate", bearer)], Vec::new(), None))
    });
    address.lock().unwrap().clone_from(&server.address);
    logged_in(&server).ok(&["pull", "-q", &server.name("a/b:1")]);
    assert_eq!(server.asked("/token").len(), 1, "one token serves for all");
    // Without or with wrong credentials the token server gives none.
    let said = TestEngine::empty().fails(&["pull", &server.name("a/b:1")], 1);
    assert!(said.contains("denied") && said.contains("lifebox login"), "{said}");
}

#[test]
fn a_token_server_that_everybody_can_listen_to_gets_no_password() {
    let sample = Sample::new();
    let server = sample.serve(|request, _| {
        let bearer = "Bearer realm=\"http://registry.example/token\"".to_owned();
        let headers = vec![("WWW-Authenticate", bearer)];
        (request.path != "/v2/").then(|| Answer::Send(401, headers, Vec::new(), None))
    });
    let said = logged_in(&server).fails(&["pull", &server.name("a/b:1")], 1);
    assert!(said.contains("is not trusted") && said.contains("registry.example"), "{said}");
}

#[test]
fn a_credential_helper_that_fails_is_named_with_its_words() {
    use std::os::unix::fs::PermissionsExt as _;
    let server = Sample::new().serve(|_, _| None);
    let engine = TestEngine::empty();
    let (docker, bin) = (engine.root().join(".docker"), engine.root().join("bin"));
    std::fs::create_dir_all(&docker).unwrap();
    std::fs::create_dir_all(&bin).unwrap();
    std::fs::write(docker.join("config.json"), r#"{"credsStore":"odd"}"#).unwrap();
    let path = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    let name = server.name("a/b:1");
    let pull = || {
        let mut command = engine.command(&["pull", "-q", &name]);
        command.env("PATH", &path).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let failed = |said: &[&str]| {
        let output = pull().wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{err}");
        assert!(said.iter().all(|part| err.contains(part)), "{err}");
    };
    failed(&["cannot find the credential helper `docker-credential-odd`", "install it"]);
    let play = |script: &str| {
        let helper = bin.join("docker-credential-odd");
        std::fs::write(&helper, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).unwrap();
    };
    play("echo the keychain is locked >&2; exit 3");
    failed(&["`docker-credential-odd get` failed", "3", "the keychain is locked"]);
    let begun = engine.root().join("begun");
    play(&format!("touch {}; exec sleep 1000", begun.display()));
    let child = pull();
    assert!(wait_until(TIMEOUT, || begun.exists()));
    signal(child.id(), rustix::process::Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn a_logout_of_what_is_unknown_is_no_failure() {
    let said = TestEngine::empty().ok(&["logout", "nosuch"]);
    assert_eq!(said, "Not logged in to nosuch");
}
