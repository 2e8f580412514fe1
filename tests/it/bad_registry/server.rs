//! A small registry of the tests' own, and an image on it.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::harness::{TIMEOUT, TestEngine, wait_until};

/// How often a dripping server sends a byte.
const DRIP: std::time::Duration = std::time::Duration::from_millis(20);

pub const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
pub const INDEX: &str = "application/vnd.oci.image.index.v1+json";
pub const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
pub const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// A request: its line, and its headers by lower-case name.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    pub headers: HashMap<String, String>,
}

impl Request {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What the server does.
pub enum Answer {
    /// Status, headers and body; of the body only so many bytes before the connection closes.
    Send(u16, Vec<(&'static str, String)>, Vec<u8>, Option<usize>),
    /// A body that never ends.
    Endless,
    /// A few bytes, and then nothing.
    Stall,
    /// This, and then a byte now and then: never silent, never at an end.
    Drip(&'static str),
}

pub fn status(code: u16) -> Answer {
    Answer::Send(code, Vec::new(), Vec::new(), None)
}

pub type Behaviour = dyn Fn(&Request, usize) -> Option<Answer> + Send + Sync;

/// Serves contents by path, unless its behaviour says otherwise. The number given to that is
/// how often the path was asked for before.
pub struct Server {
    pub address: String,
    pub asked: Arc<Mutex<Vec<Request>>>,
    pub closed: Arc<AtomicBool>,
}

/// Contents by path: media type and bytes.
pub type Contents = HashMap<String, (String, Vec<u8>)>;

impl Server {
    pub fn start(
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

    pub fn name(&self, image: &str) -> String {
        format!("{}/{image}", self.address)
    }

    /// The requests of paths that contain `part`.
    pub fn asked(&self, part: &str) -> Vec<Request> {
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
pub fn talk(
    stream: &TcpStream,
    contents: &Contents,
    behaviour: &Behaviour,
    asked: &Mutex<Vec<Request>>,
    closed: &AtomicBool,
) {
    // Head and body are two writes: the second would wait for the answer to the first.
    let _ = stream.set_nodelay(true);
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
pub fn read_request(reader: &mut BufReader<&TcpStream>) -> Option<Request> {
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
pub fn usual(contents: &Contents, request: &Request) -> Answer {
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
pub fn give(mut stream: &TcpStream, answer: Answer, bare: bool, closed: &AtomicBool) -> bool {
    let until_closed = || {
        wait_until(TIMEOUT, || closed.load(Ordering::SeqCst));
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
        Answer::Drip(head) => {
            let _ = stream.write_all(head.as_bytes());
            while !closed.load(Ordering::SeqCst) && stream.write_all(b"x").is_ok() {
                std::thread::sleep(DRIP);
            }
            false
        }
    }
}

pub fn digest(bytes: &[u8]) -> String {
    let hash = <sha2::Sha256 as sha2::Digest>::digest(bytes);
    hash.iter().fold("sha256:".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// An image of one layer, which holds 400 kB that do not compress.
pub struct Sample {
    pub contents: Contents,
    pub layer: String,
    pub layer_path: String,
    pub manifest: Vec<u8>,
}

impl Sample {
    pub fn new() -> Sample {
        Sample::with("amd64", |_| {})
    }

    /// The same, with a change of its manifest.
    pub fn with(architecture: &str, change: impl Fn(&mut serde_json::Value)) -> Sample {
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

    pub fn serve(
        &self,
        behaviour: impl Fn(&Request, usize) -> Option<Answer> + Send + Sync + 'static,
    ) -> Server {
        Server::start(self.contents.clone(), behaviour)
    }
}

/// The files of the store, which must be as they were after a failure.
pub fn kept(engine: &TestEngine) -> Vec<String> {
    let names = |part: &str| {
        let directory = engine.root().join("images").join(part);
        let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    ["staging", "blobs/sha256", "layers"].iter().flat_map(|part| names(part)).collect()
}

/// A pull that must fail with the kind `kind`, saying all of `expected`, and leave nothing.
#[track_caller]
pub fn refused(server: &Server, kind: &str, expected: &[&str]) -> String {
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
