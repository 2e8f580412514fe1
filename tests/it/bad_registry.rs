//! Registries that break off, lie, stall or send elsewhere: a small server of the test's own.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::harness::{PATIENCE, TestEngine, signal, wait_until};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A request: its line, and its headers by lower-case name.
#[derive(Clone, Debug)]
struct Request {
    method: String,
    path: String,
    headers: HashMap<String, String>,
}

impl Request {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What the server does.
enum Answer {
    /// Status, headers and body; of the body only so many bytes before the connection closes.
    Send(u16, Vec<(&'static str, String)>, Vec<u8>, Option<usize>),
    /// A body that never ends.
    Endless,
    /// A few bytes, and then nothing.
    Stall,
}

fn status(code: u16) -> Answer {
    Answer::Send(code, Vec::new(), Vec::new(), None)
}

type Behaviour = dyn Fn(&Request, usize) -> Option<Answer> + Send + Sync;

/// Serves contents by path, unless its behaviour says otherwise. The number given to that is
/// how often the path was asked for before.
struct Server {
    address: String,
    asked: Arc<Mutex<Vec<Request>>>,
    closed: Arc<AtomicBool>,
}

/// Contents by path: media type and bytes.
type Contents = HashMap<String, (String, Vec<u8>)>;

impl Server {
    fn start(
        contents: Contents,
        behaviour: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let closed = Arc::new(AtomicBool::new(false));
        let server = Server { address, asked: asked.clone(), closed: closed.clone() };
        let (contents, behaviour) = (Arc::new(contents), Arc::new(behaviour));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { return };
                let (contents, behaviour) = (contents.clone(), behaviour.clone());
                let (asked, closed) = (asked.clone(), closed.clone());
                std::thread::spawn(move || talk(&stream, &contents, &*behaviour, &asked, &closed));
            }
        });
        server
    }

    fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// The requests of paths that contain `part`.
    fn asked(&self, part: &str) -> Vec<Request> {
        let asked = self.asked.lock().unwrap();
        asked.iter().filter(|request| request.path.contains(part)).cloned().collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
    }
}

/// One connection, until it is closed.
fn talk(
    stream: &TcpStream,
    contents: &Contents,
    behaviour: &Behaviour,
    asked: &Mutex<Vec<Request>>,
    closed: &AtomicBool,
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let before = {
            let mut asked = asked.lock().unwrap();
            let before = asked.iter().filter(|known| known.path == request.path).count();
            asked.push(request.clone());
            before
        };
        let answer = behaviour(&request, before).unwrap_or_else(|| usual(contents, &request));
        if !give(stream, answer, request.method == "HEAD", closed) {
            return;
        }
    }
}

/// `None` where the connection has ended, or somebody speaks TLS.
fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
    let mut line = Vec::new();
    if reader.fill_buf().ok()?.first()? == &0x16 {
        return None;
    }
    reader.read_until(b'\n', &mut line).ok()?;
    let line = String::from_utf8(line).ok()?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let request = Request { method, path, headers };
    // What is uploaded is not kept.
    let length = request.header("content-length").parse().unwrap_or(0);
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok()?;
    Some(request)
}

/// What an honest registry answers, ranges included.
fn usual(contents: &Contents, request: &Request) -> Answer {
    if request.path == "/v2/" {
        return status(200);
    }
    let Some((media, bytes)) = contents.get(&request.path) else { return status(404) };
    let mut headers = vec![("Content-Type", media.clone())];
    let range = request.header("range").strip_prefix("bytes=").and_then(|r| r.strip_suffix('-'));
    match range.and_then(|from| from.parse::<usize>().ok()) {
        Some(from) => {
            let whole = bytes.len();
            headers.push(("Content-Range", format!("bytes {from}-{}/{whole}", whole - 1)));
            Answer::Send(206, headers, bytes[from..].to_vec(), None)
        }
        None => Answer::Send(200, headers, bytes.clone(), None),
    }
}

/// False where the connection is to be closed.
fn give(mut stream: &TcpStream, answer: Answer, bare: bool, closed: &AtomicBool) -> bool {
    let until_closed = || {
        wait_until(PATIENCE, || closed.load(Ordering::SeqCst));
        false
    };
    match answer {
        Answer::Send(status, headers, body, only) => {
            let mut head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let part = if bare { &[] } else { &body[..only.unwrap_or(body.len())] };
            let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(part));
            sent.is_ok() && only.is_none()
        }
        Answer::Endless => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\nContent-Type: x/y\r\n\r\n");
            while stream.write_all(&[b' '; 65536]).is_ok() && !closed.load(Ordering::SeqCst) {}
            false
        }
        Answer::Stall => {
            let _ = stream.write_all(b"HTTP/1.1 200 X\r\n\r\nabc");
            until_closed()
        }
    }
}

fn digest(bytes: &[u8]) -> String {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// An image of one layer, which holds 400 kB that do not compress.
struct Sample {
    contents: Contents,
    layer: String,
    layer_path: String,
    manifest: Vec<u8>,
}

impl Sample {
    fn new() -> Sample {
        Sample::with("amd64", |_| {})
    }

    /// The same, with a change of its manifest.
    fn with(architecture: &str, change: impl Fn(&mut serde_json::Value)) -> Sample {
        let mut noise = 1u32;
        let content = std::iter::repeat_with(|| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            noise.to_be_bytes()[0]
        });
        let content = content.take(400_000).collect::<Vec<u8>>();
        let mut header = tar::Header::new_gnu();
        header.set_path("noise").unwrap();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, content.as_slice()).unwrap();
        let layer = builder.into_inner().unwrap();
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&layer).unwrap();
        let blob = gzip.finish().unwrap();
        let config = json!({
            "os": "linux", "architecture": architecture, "config": { "Cmd": ["x"] },
            "rootfs": { "type": "layers", "diff_ids": [digest(&layer)] },
        });
        let config = config.to_string().into_bytes();
        let mut manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": { "mediaType": CONFIG, "digest": digest(&config), "size": config.len() },
            "layers": [{ "mediaType": LAYER, "digest": digest(&blob), "size": blob.len() }],
        });
        change(&mut manifest);
        let layer = manifest["layers"][0]["digest"].as_str().unwrap().to_owned();
        let manifest = manifest.to_string().into_bytes();
        let layer_path = format!("/v2/a/b/blobs/{layer}");
        let entry =
            |path: String, media: &str, bytes: &[u8]| (path, (media.to_owned(), bytes.to_vec()));
        let contents = HashMap::from([
            entry(layer_path.clone(), "application/octet-stream", &blob),
            entry(format!("/v2/a/b/blobs/{}", digest(&config)), "x/y", &config),
            entry(format!("/v2/a/b/manifests/{}", digest(&manifest)), MANIFEST, &manifest),
            entry("/v2/a/b/manifests/1".to_owned(), MANIFEST, &manifest),
        ]);
        Sample { contents, layer, layer_path, manifest }
    }

    fn serve(
        &self,
        behaviour: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Server {
        Server::start(self.contents.clone(), behaviour)
    }
}

/// The files of the store, which must be as they were after a failure.
fn kept(engine: &TestEngine) -> Vec<String> {
    let names = |part: &str| {
        let directory = engine.root().join("images").join(part);
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    ["staging", "blobs/sha256", "layers"].iter().flat_map(|part| names(part)).collect()
}

/// A pull that must fail with the kind `kind`, saying all of `expected`, and leave nothing.
#[track_caller]
fn refused(server: &Server, kind: &str, expected: &[&str]) -> String {
    let engine = TestEngine::empty();
    let name = server.name("a/b:1");
    let said = engine.fails(&["pull", &name], 1);
    for text in expected.iter().chain(&[server.address.as_str(), "a/b"]) {
        assert!(said.contains(text), "{text}: {said}");
    }
    assert_eq!(kept(&engine), Vec::<String>::new());
    let script = format!("try {{ pull(\"{name}\") }} catch (e) {{ print(e.kind) }}");
    assert_eq!(engine.script(&script), kind);
    said
}

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
    assert!(both.err.contains("at once"), "{}", both.err);
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let sample = Sample::new();
    let path = sample.layer_path.clone();
    let server = sample.serve(move |request, _| (request.path == path).then_some(Answer::Stall));
    let engine = TestEngine::empty();
    let child = engine.spawn(&["pull", &server.name("a/b:1")]);
    assert!(wait_until(PATIENCE, || server.asked(&sample.layer_path).len() == 1));
    let begun = Instant::now();
    signal(child.id(), rustix::process::Signal::INT);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(kept(&engine), Vec::<String>::new());
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
    assert!(wait_until(PATIENCE, || begun.exists()));
    signal(child.id(), rustix::process::Signal::INT);
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(130));
}

#[test]
fn a_logout_of_what_is_unknown_is_no_failure() {
    let said = TestEngine::empty().ok(&["logout", "nosuch"]);
    assert_eq!(said, "Not logged in to nosuch");
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
