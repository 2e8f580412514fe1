//! All tags of a repository: `pull -a`, and the directory of `--config`.

use serde_json::json;

use super::server::{Answer, MANIFEST, Sample, Server, kept};
use crate::harness::TestEngine;

/// Base64 of `me:s3cret`.
const ME: &str = "bWU6czNjcmV0";

/// A page of tags, with the address of the next one.
fn page(tags: &[&str], next: Option<&str>) -> Answer {
    let link = next.map(|next| ("Link", format!("<{next}>; rel=\"next\"")));
    let body = json!({ "name": "a/b", "tags": tags }).to_string().into_bytes();
    Answer::Send(200, link.into_iter().collect(), body, None)
}

#[test]
fn all_tags_are_pulled_page_by_page_with_the_credentials_of_config() {
    let sample = Sample::new();
    let manifest = sample.manifest.clone();
    let server = sample.serve(move |request, _| {
        if request.header("authorization") != format!("Basic {ME}") {
            let basic = vec![("WWW-Authenticate", "Basic realm=x".to_owned())];
            return Some(Answer::Send(401, basic, Vec::new(), None));
        }
        match request.path.as_str() {
            "/v2/a/b/tags/list" => Some(page(&["1"], Some("/v2/a/b/tags/list?last=1&n=1"))),
            "/v2/a/b/tags/list?last=1&n=1" => Some(page(&["two", "1"], None)),
            "/v2/a/b/manifests/two" => {
                let media = vec![("Content-Type", MANIFEST.to_owned())];
                Some(Answer::Send(200, media, manifest.clone(), None))
            }
            _ => None,
        }
    });
    let engine = TestEngine::empty();
    let name = server.name("a/b");
    assert!(engine.fails(&["pull", "-a", &name], 1).contains("denied"));
    let directory = engine.root().join("client");
    let directory = directory.to_str().unwrap();
    let login = ["--config", directory, "login", "-u", "me", "--password-stdin", &server.address];
    let login = engine.run_with_input(&login, b"s3cret");
    assert!(login.status.success(), "{login:?}");
    let file = std::fs::read_to_string(format!("{directory}/config.json")).unwrap();
    assert!(file.contains(ME), "{file}");

    let config = format!("--config={directory}");
    let said = engine.ok(&[&config, "pull", "--all-tags", &name]);
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(said.matches("Digest: sha256:").count(), 2, "{said}");
    assert!(said.contains("two: Pulling from a/b") && !said.contains("default tag"), "{said}");
    let last = [&format!("Status: Downloaded newer image for {name}"), &name];
    assert_eq!(&lines[lines.len() - 2..], last);
    let tags = engine.ok(&["images", "--format", "{{.Tag}}", &name]);
    assert_eq!(tags.lines().collect::<std::collections::BTreeSet<_>>().len(), 2, "{tags}");
    assert_eq!(engine.ok(&[&config, "pull", "-aq", &name]), name);
    for verb in ["pull", "push"] {
        let said = engine.fails(&[verb, "-a", &format!("{name}:1")], 1);
        assert!(said.contains("tag can't be used with --all-tags/-a"), "{said}");
    }
    engine.ok(&[&config, "logout", &server.address]);
    let said = engine.fails(&[&config, "pull", "-a", &name], 1);
    assert!(said.contains("denied"), "{said}");
}

#[test]
fn a_list_of_tags_that_does_not_end_or_leads_away_is_refused() {
    type List = fn(&str) -> Answer;
    let cases: [(List, &str); 5] = [
        (|path| page(&["1"], Some(path)), "more than 200 pages of tags"),
        (|_| page(&["1"], Some("http://127.0.0.2:1/v2/a/b/tags/list")), "the next page"),
        (|_| page(&["../x"], None), "lists a tag that is none"),
        (|_| Answer::Endless, "is longer than"),
        (|_| Answer::Send(200, Vec::new(), b"[".to_vec(), None), "cannot list the tags"),
    ];
    for (list, why) in cases {
        let server: Server = Sample::new().serve(move |request, _| {
            request.path.contains("/tags/list").then(|| list(&request.path))
        });
        let engine = TestEngine::empty();
        let said = engine.fails(&["pull", "-a", &server.name("a/b")], 1);
        assert!(said.contains(why) && said.contains(&server.address), "{why}: {said}");
        assert_eq!(kept(&engine), Vec::<String>::new());
    }
}
