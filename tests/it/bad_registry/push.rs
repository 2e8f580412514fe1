//! Pushes to registries that refuse, lie or send elsewhere.

use super::server::{Answer, Contents, Sample, Server, digest, refused, status};
use crate::harness::TestEngine;

#[test]
fn nothing_is_uploaded_to_where_everybody_can_listen() {
    let sample = Sample::new();
    let engine = TestEngine::empty();
    let source = sample.serve(|_, _| None);
    engine.ok(&["pull", "-q", &source.name("a/b:1")]);
    let server = Server::start(Contents::new(), |request, _| {
        let location = vec![("Location", "http://registry.example/x".to_owned())];
        (request.method == "POST").then(|| Answer::Send(202, location, Vec::new(), None))
    });
    let name = server.name("a/b:1");
    engine.ok(&["tag", &source.name("a/b:1"), &name]);
    let said = engine.fails(&["push", &name], 1);
    assert!(said.contains("redirects to `registry.example` without TLS"), "{said}");
}

/// An engine that has the sample image under the name that it would have at `server`.
fn with_image_for(server: &Server) -> (TestEngine, String) {
    let (engine, sample) = (TestEngine::empty(), Sample::new());
    let source = sample.serve(|_, _| None);
    engine.ok(&["pull", "-q", &source.name("a/b:1")]);
    let name = server.name("a/b:1");
    engine.ok(&["tag", &source.name("a/b:1"), &name]);
    (engine, name)
}

#[test]
fn a_web_server_is_no_registry() {
    let server = Server::start(Contents::new(), |_, _| {
        let html = vec![("Content-Type", "text/html; charset=utf-8".to_owned())];
        Some(Answer::Send(200, html, b"<html>Welcome</html>".to_vec(), None))
    });
    let (engine, name) = with_image_for(&server);
    let said = engine.fails(&["push", &name], 1);
    assert!(said.contains("is not a registry"), "{said}");
    let login = ["login", "-u", "me", "--password-stdin", &server.address];
    let login = engine.run_with_input(&login, b"s3cret");
    assert_eq!(login.status.code(), Some(1), "{login:?}");
    refused(&server, "network", &["is not a registry", "/v2/a/b/manifests/1"]);
}

#[test]
fn what_a_registry_says_about_a_push_is_looked_at() {
    /// What it answers to a question for a layer, to the manifest, and afterwards.
    type Says = (Answer, Answer, Answer);
    /// What it says, and what is said about it.
    type TestResult = (fn() -> Says, &'static str);
    let with = |code: u16, name: &'static str, value: &str| {
        Answer::Send(code, vec![(name, value.to_owned())], Vec::new(), None)
    };
    let wrong = format!("sha256:{}", "0".repeat(64));
    let own = digest(&Sample::new().manifest);
    let length = Sample::new().manifest.len();
    let cases: [TestResult; 4] = [
        (
            || (Answer::Send(200, Vec::new(), b"0".to_vec(), None), status(201), status(200)),
            "has 1 bytes",
        ),
        (|| (status(404), status(201), status(404)), "accepted the manifest but does not have it"),
        (|| (status(404), status(202), status(404)), "is not a registry"),
        (|| (status(404), status(201), status(200)), "has 0 bytes instead of"),
    ];
    let play = |says: Box<dyn Fn() -> Says + Send + Sync>| {
        let server = Server::start(Contents::new(), move |request, _| {
            let (layer, put, after) = says();
            let place = vec![("Location", "/upload".to_owned())];
            match (request.method.as_str(), request.path.contains("/manifests/")) {
                ("POST", _) => Some(Answer::Send(202, place, Vec::new(), None)),
                ("PUT", true) => Some(put),
                ("PUT", false) => Some(status(201)),
                ("HEAD", true) => Some(after),
                ("HEAD", false) => Some(layer),
                _ => None,
            }
        });
        let (engine, name) = with_image_for(&server);
        engine.run(&["push", &name])
    };
    for (says, expected) in cases {
        let ran = play(Box::new(says));
        assert!(ran.code == 1 && ran.err.contains(expected), "{expected}: {}", ran.err);
    }
    let named = "Docker-Content-Digest";
    let ran = play(Box::new(move || (status(404), with(201, named, &wrong), status(200))));
    assert!(ran.code == 1 && ran.err.contains("has other content"), "{}", ran.err);
    let body = vec![b' '; length];
    let ran = play(Box::new(move || {
        let headers = vec![(named, own.clone())];
        (status(404), status(201), Answer::Send(200, headers, body.clone(), None))
    }));
    assert_eq!(ran.code, 0, "{}", ran.err);
}

#[test]
fn an_upload_that_fails_for_a_while_is_sent_again() {
    let manifest = Sample::new().manifest;
    let server = Server::start(Contents::new(), move |request, before| {
        let place = vec![("Location", "/upload".to_owned())];
        Some(match (request.method.as_str(), request.path.contains("/manifests/")) {
            ("POST", _) => Answer::Send(202, place, Vec::new(), None),
            ("PUT", _) if before == 0 => status(503),
            ("PUT", _) => status(201),
            ("HEAD", true) => Answer::Send(200, Vec::new(), manifest.clone(), None),
            ("HEAD", _) => status(404),
            _ => return None,
        })
    });
    let (engine, name) = with_image_for(&server);
    let said = engine.ok(&["push", &name]);
    assert!(said.contains("failed, trying again in 1 second"), "{said}");
    assert!(said.contains(": Pushed"), "{said}");
}
