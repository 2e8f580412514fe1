//! Pulls from registries that break off, lie, stall or send elsewhere.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::json;

use super::server::{
    Answer, Contents, INDEX, MANIFEST, Request, Sample, Server, digest, kept, refused, status,
    usual,
};
use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, signal, wait_until};

#[test]
fn a_broken_connection_goes_on_where_it_broke() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let server = sample.serve(move |request, before| {
        let broken = request.path == path && before < 3;
        let Answer::Send(status, headers, body, _) = usual(&Sample::new().contents, request) else {
            return None;
        };
        broken.then_some(Answer::Send(status, headers, body, Some(100_000)))
    });
    let engine = TestEngine::empty();
    let said = engine.ok(&["pull", &server.name("a/b:1")]);
    assert!(!said.contains("broke"), "what goes on is not worth a line: {said}");
    let asked = server.asked(&sample.layer_path);
    let ranges: Vec<&str> = asked.iter().map(|request| request.header("range")).collect();
    assert_eq!(ranges, ["", "bytes=100000-", "bytes=200000-", "bytes=300000-"]);
}

#[test]
fn a_registry_without_ranges_is_asked_for_all_again() {
    let sample = Sample::new();
    let (path, body) = (sample.layer_path.clone(), sample.contents[&sample.layer_path].1.clone());
    let server = sample.serve(move |request, before| {
        let only = (before == 0).then_some(100_000);
        (request.path == path).then(|| Answer::Send(200, Vec::new(), body.clone(), only))
    });
    TestEngine::empty().ok(&["pull", "-q", &server.name("a/b:1")]);
    assert_eq!(server.asked(&sample.layer_path).len(), 2);
}

#[test]
fn a_connection_that_breaks_again_and_again_is_given_up() {
    let sample = Sample::new();
    let (path, body) = (sample.layer_path.clone(), sample.contents[&sample.layer_path].1.clone());
    let server = sample.serve(move |request, _| {
        (request.path == path).then(|| Answer::Send(200, Vec::new(), body.clone(), Some(0)))
    });
    let engine = TestEngine::empty();
    let said = engine.fails(&["pull", &server.name("a/b:1")], 1);
    assert!(said.contains("breaks repeatedly"), "{said}");
    let ran = engine.run(&["pull", &server.name("a/b:1")]);
    let line = format!("broke in layer {}, trying again in 1 second\n", &sample.layer[7..19]);
    assert_eq!(ran.out.matches("trying again").count(), 1, "{}", ran.out);
    assert!(ran.out.contains(&line), "{}", ran.out);
    assert_eq!(kept(&engine), Vec::<String>::new());
}

#[test]
fn what_is_not_what_its_descriptor_says_is_refused() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let mut body = sample.contents[&path].1.clone();
    *body.last_mut().unwrap() ^= 1;
    let wrong = path.clone();
    let server = sample.serve(move |request, _| {
        (request.path == wrong).then(|| Answer::Send(200, Vec::new(), body.clone(), None))
    });
    refused(&server, "corrupt", &["damaged", &sample.layer[7..19]]);
    // Of another size.
    let short = Sample::with("amd64", |manifest| manifest["layers"][0]["size"] = json!(7));
    let server = short.serve(|_, _| None);
    refused(&server, "corrupt", &["damaged", "instead of 7"]);
    // A manifest that is not the one of its digest.
    let named = digest(&sample.manifest);
    let mut other = sample.manifest.clone();
    other.push(b' ');
    let server = sample.serve(move |request, _| {
        let wanted = request.path.contains("/manifests/sha256");
        let headers = vec![("Content-Type", MANIFEST.to_owned())];
        wanted.then(|| Answer::Send(200, headers, other.clone(), None))
    });
    let engine = TestEngine::empty();
    let said = engine.fails(&["pull", &server.name(&format!("a/b@{named}"))], 1);
    assert!(said.contains("another digest"), "{said}");
    assert_eq!(kept(&engine), Vec::<String>::new());
}

#[test]
fn a_body_without_end_is_cut() {
    let sample = Sample::new();
    let server =
        sample.serve(|request, _| request.path.contains("/manifests/").then_some(Answer::Endless));
    refused(&server, "corrupt", &["longer than 4194304 bytes"]);
}

#[test]
fn refusals_have_their_kinds() {
    let answer = |code: u16, headers: Vec<(&'static str, String)>| {
        move |request: &Request, _: usize| {
            let wanted = request.path.contains("/manifests/");
            let body = br#"{"errors":[{"code":"X","message":"because of this"}]}"#.to_vec();
            wanted.then(|| Answer::Send(code, headers.clone(), body, None))
        }
    };
    let sample = Sample::new();
    let basic = vec![("WWW-Authenticate", "Basic realm=x".to_owned())];
    refused(&sample.serve(answer(404, vec![])), "not_found", &["no such image", "because"]);
    refused(&sample.serve(answer(401, basic)), "denied", &["lifebox login"]);
    refused(&sample.serve(answer(403, vec![])), "denied", &["denied", "because"]);
    let later = vec![("Retry-After", "3600".to_owned())];
    refused(&sample.serve(answer(429, later)), "network", &["too many requests", "3600 seconds"]);
    refused(&sample.serve(answer(500, vec![])), "network", &["500", "manifest `1`", "because"]);
}

#[test]
fn a_busy_registry_is_asked_again_when_it_says() {
    let sample = Sample::new();
    let server = sample.serve(|request, before| {
        let busy = request.path.contains("/manifests/1") && before == 0;
        let headers = vec![("Retry-After", "1".to_owned())];
        busy.then(|| Answer::Send(429, headers, Vec::new(), None))
    });
    let begun = Instant::now();
    let said = TestEngine::empty().ok(&["pull", &server.name("a/b:1")]);
    assert!(begun.elapsed() >= Duration::from_secs(1), "it waits as long as it is told");
    assert!(said.contains("trying again in 1 second\n"), "{said}");
    assert_eq!(server.asked("/manifests/1").len(), 2);
}

#[test]
fn an_index_is_read_for_the_platform() {
    let images: Vec<Sample> =
        ["amd64", "arm64", "s390x"].iter().map(|name| Sample::with(name, |_| ())).collect();
    let descriptor = |(sample, name): (&Sample, &str)| {
        json!({ "mediaType": MANIFEST, "digest": digest(&sample.manifest),
            "size": sample.manifest.len(), "platform": { "os": "linux", "architecture": name } })
    };
    let all = images.iter().zip(["amd64", "arm64", "s390x"]).map(descriptor).collect::<Vec<_>>();
    let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": all }).to_string();
    let outer = |inner: &str| {
        let one = json!({ "mediaType": INDEX, "digest": digest(inner.as_bytes()), "size": inner.len(),
            "platform": { "os": "linux", "architecture": "s390x" } });
        json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [one] }).to_string()
    };
    let (nested, deeper) = (outer(&index), outer(&outer(&index)));
    let mut contents: Contents = images.iter().flat_map(|sample| sample.contents.clone()).collect();
    let mut both: serde_json::Value = serde_json::from_slice(&images[0].manifest).unwrap();
    both["manifests"] = json!([]);
    let both = both.to_string();
    for (tag, text) in [("1", &index), ("nested", &nested), ("deeper", &deeper)] {
        let text = text.as_bytes().to_vec();
        contents
            .insert(format!("/v2/a/b/manifests/{}", digest(&text)), (INDEX.into(), text.clone()));
        contents.insert(format!("/v2/a/b/manifests/{tag}"), (INDEX.into(), text));
    }
    contents.insert("/v2/a/b/manifests/both".into(), (MANIFEST.into(), both.into_bytes()));
    let server = Server::start(contents, |_, _| None);
    let engine = TestEngine::empty();
    let pull = |platform: &str, tag: &str| {
        engine.run(&["pull", "--platform", platform, &server.name(&format!("a/b:{tag}"))])
    };
    let ran = pull("linux/s390x", "1");
    assert_eq!(ran.code, 0, "{}", ran.err);
    // The digest is that of the index, as Docker's.
    assert!(ran.out.contains(&format!("Digest: {}", digest(index.as_bytes()))), "{}", ran.out);
    let name = server.name("a/b:1");
    let architecture = || engine.ok(&["image", "inspect", "-f", "{{.Architecture}}", &name]);
    assert_eq!(architecture(), "s390x");
    assert_eq!(pull("linux/arm64", "1").code, 0);
    assert_eq!(architecture(), "arm64");
    let missing = pull("linux/riscv64", "1");
    assert!(missing.err.contains("linux/riscv64") && missing.err.contains("linux/arm64"));
    assert_eq!(pull("linux/s390x", "nested").code, 0);
    let deep = pull("linux/s390x", "deeper");
    assert!(deep.err.contains("nested"), "{}", deep.err);
    let both = pull("linux/amd64", "both");
    assert!(both.err.contains("both an index and an image"), "{}", both.err);
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let server = sample.serve(move |request, _| (request.path == path).then_some(Answer::Stall));
    let engine = TestEngine::empty();
    let child = engine.spawn(&["pull", &server.name("a/b:1")]);
    assert!(wait_until(TIMEOUT, || server.asked(&sample.layer_path).len() == 1));
    let begun = Instant::now();
    signal(child.id(), rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(kept(&engine), Vec::<String>::new());
}

#[test]
fn ctrl_c_and_a_time_limit_end_what_comes_byte_by_byte() {
    let sample = Sample::new();
    let (manifest, layer) = ("/v2/a/b/manifests/1".to_owned(), sample.layer_path.clone());
    const BODY: &str = "HTTP/1.1 200 X\r\nContent-Type: x/y\r\n\r\n{";
    const HEADER: &str = "HTTP/1.1 200 X\r\nX: ";
    for (path, head) in [(&manifest, BODY), (&manifest, HEADER), (&layer, BODY), (&layer, HEADER)] {
        let slow = path.clone();
        let server =
            sample.serve(move |request, _| (request.path == slow).then_some(Answer::Drip(head)));
        let engine = TestEngine::empty();
        let name = server.name("a/b:1");
        let child = engine.spawn(&["pull", &name]);
        assert!(wait_until(TIMEOUT, || server.asked(path).len() == 1));
        signal(child.id(), rustix::process::Signal::INT);
        let ran = ran_to_its_end(child);
        assert_eq!(ran.code, 130, "{path} {head:?}: {}", ran.err);
        let limited = ["--timeout", "300ms", "-e", &format!("pull(\"{name}\")")];
        let ran = ran_to_its_end(engine.spawn(&limited));
        assert_eq!(ran.code, 124, "{path} {head:?}: {}", ran.err);
        assert_eq!(kept(&engine), Vec::<String>::new());
    }
}

#[test]
fn what_is_here_is_not_asked_for() {
    let sample = Sample::new();
    let server = sample.serve(|_, _| None);
    let engine = TestEngine::empty();
    let name = server.name("a/b:1");
    engine.ok(&["pull", "-q", &name]);
    let before = server.asked("/").len();
    engine.ok(&["create", "--name", "one", &name]);
    engine.script(&format!("image(\"{name}\"); image(\"{name}\", #{{ pull: \"never\" }})"));
    assert_eq!(server.asked("/").len(), before);
    engine.ok(&["create", "--pull", "always", &name]);
    assert!(server.asked("/manifests/1").len() > 1);
    let layers = server.asked(&sample.layer_path).len();
    assert_eq!(layers, 1, "a layer that is here does not come again");
}

#[test]
fn who_can_t_be_reached_is_said_after_what_is_missing() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let engine = TestEngine::empty();
    let name = format!("127.0.0.1:{port}/a/b:1");
    let begun = Instant::now();
    let said = engine.fails(&["create", &name], 1);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let first = said.lines().find(|line| line.starts_with("error: ")).unwrap();
    assert!(first.contains("no such image"), "{said}");
    assert!(said.contains("cannot be reached") && said.contains("hint: "), "{said}");
    let caught =
        engine.script(&format!("try {{ image(\"{name}\") }} catch (e) {{ print(e.kind) }}"));
    assert_eq!(caught, "network");
}

#[test]
fn nobody_is_sent_on_to_where_everybody_can_listen() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let server = sample.serve(move |request, _| {
        let location = vec![("Location", "http://registry.example/x".to_owned())];
        (request.path == path).then(|| Answer::Send(307, location, Vec::new(), None))
    });
    refused(&server, "network", &["redirects to `registry.example` without TLS", "--tls-verify"]);
}

#[test]
fn who_can_t_be_reached_after_a_redirect_is_named() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let server = sample.serve(move |request, _| {
        let location = vec![("Location", format!("http://127.0.0.2:{port}/x"))];
        (request.path == path).then(|| Answer::Send(307, location, Vec::new(), None))
    });
    refused(&server, "network", &["`127.0.0.2`, to which the registry", "cannot be reached"]);
}

#[test]
fn a_registry_that_fails_for_a_while_is_asked_again() {
    for code in [500, 502, 503, 504] {
        let sample = Sample::new();
        let path = sample.layer_path.clone();
        let server = sample.serve(move |request, before| {
            let begin = request.path == path || request.path.ends_with("/manifests/1");
            (begin && before == 0).then(|| status(code))
        });
        let said = TestEngine::empty().ok(&["pull", &server.name("a/b:1")]);
        let short = &sample.layer[7..19];
        for what in ["manifest `1`".to_owned(), format!("blob `{short}`")] {
            let line = format!(
                "{} failed with status {code} at the request for {what}, trying again in 1 second",
                server.address
            );
            assert!(said.contains(&line), "{line}: {said}");
        }
    }
}

#[test]
fn an_answer_that_can_t_be_read_is_said_with_the_question() {
    let server = Sample::new().serve(|request, _| {
        let page = b"<html>Log in to the hotel's network</html>".to_vec();
        let wanted = request.path.contains("/manifests/");
        wanted.then(|| Answer::Send(200, Vec::new(), page, None))
    });
    let question = format!("the request to `{}` was for `a/b/manifests/1`", server.address);
    refused(&server, "corrupt", &["not valid JSON", &question]);
}
