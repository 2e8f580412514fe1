//! Every example of the reference, run as a script on the native engine.

use std::path::Path;

use serde_json::Value;

use crate::harness::{TestEngine, fixture};
use crate::needs_root;

/// What asks a registry elsewhere: `peers_registry` runs these against one of its own; and what
/// needs somebody at the prompt: `lessons`.
const ELSEWHERE: [&str; 3] = ["pull", "push", "learn"];

/// The name of each function with its examples.
fn examples(engine: &TestEngine) -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&engine.ok(&["docs", "--format", "json"])).unwrap();
    let parts = document["parts"].as_array().unwrap().iter();
    let all = parts.chain(document["modules"].as_array().unwrap());
    let functions = all.flat_map(|part| part["functions"].as_array().unwrap());
    let example = |function: &Value| {
        let doc = function["doc"].as_str().unwrap();
        let (_, rest) = doc.split_once("```rhai\n")?;
        let (text, _) = rest.split_once("```")?;
        Some((function["signature"].as_str().unwrap().to_owned(), text.to_owned()))
    };
    functions.filter_map(example).collect()
}

/// What examples take for granted: containers, an image with two names, files here.
fn prepare(engine: &TestEngine, here: &Path, text: &str) {
    for name in ["web", "db", "job", "hello", "web-1"] {
        if text.contains(&format!("\"{name}\"")) && !text.contains(&format!("name: \"{name}\"")) {
            let program = "echo ready; echo ready >&2; echo ready >&2; echo hello; echo done; \
                           echo listening on 8080; touch /ready; exec sleep $0";
            // The ones that stay with it until it ends.
            let stays = ["attach(", "|line|", "|s|", "wait::port(", "wait("];
            let time = if stays.iter().any(|call| text.contains(call)) { "2" } else { "100" };
            let health = ["--health-cmd", "true", "--health-interval", "0.1s"];
            let command = ["host", "sh", "-c", program, time];
            let run = ["run", "-d", "--init", "--label", "app=web", "--name", name];
            engine.ok(&[&run[..], &health, &command].concat());
        }
    }
    if text.contains("\"die\"") {
        engine.ok(&["run", "-d", "host", "sleep", "1"]);
    }
    for tag in ["app:1", "app:latest", "alpine:3", "web:fixed"] {
        engine.ok(&["tag", "host", tag]);
    }
    engine.ok(&["load", "-q", "-i", &fixture("hundredcounter.docker.tar")]);
    std::fs::copy(fixture("hundredcounter.docker.tar"), here.join("hundredcounter.tar")).unwrap();
    std::fs::create_dir(here.join("site")).unwrap();
    std::fs::create_dir(here.join("app")).unwrap();
    let stages = "FROM scratch AS test\nARG VERSION\nCOPY Dockerfile /\n";
    std::fs::write(here.join("app/Dockerfile"), stages).unwrap();
    let mut tar = engine.shell("tar");
    let packed = tar.args(["-cf", "rootfs.tar", "app"]).current_dir(here).status().unwrap();
    assert!(packed.success());
    if text.starts_with("unpause(") {
        engine.ok(&["pause", "web"]);
    }
}

#[test]
fn every_example_of_the_reference_runs() {
    needs_root!();
    let engine = TestEngine::new();
    let mut failed = Vec::new();
    for (signature, text) in examples(&engine) {
        let name = signature.split('(').next().unwrap_or_default();
        if ELSEWHERE.contains(&name) {
            continue;
        }
        let here = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        prepare(&engine, here.path(), &text);
        let mut command = engine.command(&["script", "--timeout", "30s", "-"]);
        let script = here.path().join("example.rhai");
        std::fs::write(&script, &text).unwrap();
        command.current_dir(here.path()).stdin(std::fs::File::open(&script).unwrap());
        // Somebody else at the same container, for the ones that go on until it is removed.
        let beside = "sleep(1); restart(\"web\", 0); sleep(1); rm(\"web\", #{ force: true });";
        let other = text.contains("across_restarts").then(|| engine.spawn(&["-e", beside]));
        let output = command.output().unwrap();
        if let Some(mut other) = other {
            other.wait().unwrap();
        }
        // The one whose example says so.
        let wanted = if text.contains("exit(3)") { 3 } else { 0 };
        if output.status.code() != Some(wanted) {
            let said = String::from_utf8_lossy(&output.stderr);
            failed.push(format!("{signature}: {:?}\n{text}\n{said}", output.status.code()));
        }
        let left = engine.ok(&["ps", "-aq"]);
        for id in left.lines() {
            engine.ok(&["rm", "-f", id]);
        }
    }
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
