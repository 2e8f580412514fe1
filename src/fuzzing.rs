//! Where data of strangers enters: one function an entry, each of the program's own readers.
//!
//! Two drivers feed them: the targets of `fuzz/`, and the tests below, which run for a moment with
//! every `cargo test`. An entry panics when a promise is broken: an input is read or refused, in
//! bounded time; what is printed is read back as it was; no archive leaves its directory.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::cli::from_docker;
use crate::engine::dockerfile::words::Expander;
use crate::engine::dockerfile::{self, instructions};
use crate::engine::{self, CancelToken, Settings};
use crate::image::Store;
use crate::image::build::ignore::Ignore;
use crate::image::layer::extract::extract;
use crate::image::registry::manifest::{self, Named};
use crate::image::store::document::Document;
use crate::image::store::index::{Index, MEDIA_INDEX, MEDIA_MANIFEST};
use crate::model::container::resources::Ulimit;
use crate::model::container::security::Device;
use crate::model::container::supervision::RestartPolicy;
use crate::model::observe::log::LogOptions;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::value::signal::Signal;
use crate::model::value::{shell, units};
use crate::runtime::log::reader::Reader;
use crate::runtime::protocol::message::{self, Frame};
use crate::runtime::protocol::{Reply, Request};
use crate::runtime::record::directory::Directory;
use crate::script::{Output, ScriptHost, Source};
use crate::sys::fs;
use crate::ui;
use crate::ui::format::template::Template;

/// A reader of a stranger's bytes.
pub type Entry = fn(&[u8]);

/// All of them, by name: the names of the targets.
pub const ENTRIES: &[(&str, Entry)] = &[
    ("archive", archive),
    ("compose", compose),
    ("docker_command", docker_command),
    ("dockerfile", dockerfile),
    ("dockerignore", dockerignore),
    ("frames", frames),
    ("image_json", image_json),
    ("log", log),
    ("records", records),
    ("reference", reference),
    ("script", script),
    ("tar", tar),
    ("tar_members", tar_members),
    ("template", template),
    ("words", words),
];

/// The longest time for one input of at most [`LARGEST`] bytes.
const BOUND: Duration = Duration::from_secs(10);
/// The largest input.
pub const LARGEST: usize = 64 << 10;

/// Feeds an entry.
///
/// # Panics
/// When there is no such entry, or a promise is broken.
pub fn run(name: &str, data: &[u8]) {
    let found = ENTRIES.iter().find(|(known, _)| *known == name);
    assert!(found.is_some(), "no entry `{name}`");
    let (begun, data) = (Instant::now(), data.get(..LARGEST).unwrap_or(data));
    found.into_iter().for_each(|(_, entry)| entry(data));
    assert!(begun.elapsed() < BOUND, "{name} takes {:?}", begun.elapsed());
}

/// A directory that is removed when it is dropped.
struct Scratch(PathBuf);

impl Scratch {
    fn new() -> Scratch {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("lifebox-test-fuzzing-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        assert!(std::fs::create_dir_all(path.join("layer")).is_ok(), "{}", path.display());
        let written = std::fs::write(path.join("precious"), "precious");
        assert!(written.is_ok(), "{}", path.display());
        Scratch(path)
    }

    fn write(&self, name: &str, data: &[u8]) -> PathBuf {
        let path = self.0.join(name);
        assert!(std::fs::write(&path, data).is_ok(), "{}", path.display());
        path
    }

    /// What stands beside the layer.
    fn outside(&self) -> BTreeMap<PathBuf, (u32, u64, i64)> {
        let entries = std::fs::read_dir(&self.0).into_iter().flatten().flatten();
        let known = entries.filter_map(|entry| {
            let found = entry.path().symlink_metadata().ok()?;
            let changed = if entry.file_name() == "layer" { 0 } else { found.ctime_nsec() };
            let mode = if entry.file_name() == "layer" { 0 } else { found.mode() };
            Some((entry.path(), (mode, found.ino(), changed)))
        });
        known.collect()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = crate::sys::tree::remove_tree_at(&self.0);
    }
}

/// A layer as a stream: nothing outside its directory is created or changed.
fn tar(data: &[u8]) {
    let scratch = Scratch::new();
    let before = scratch.outside();
    let Ok(root) = fs::open_dir(&scratch.0.join("layer")) else { return };
    let _ = extract(&mut &data[..], &root, &|| Ok(Vec::new()), &|| Ok(()));
    assert_eq!(before, scratch.outside());
    let precious = std::fs::read(scratch.0.join("precious"));
    assert!(precious.is_ok_and(|text| text == b"precious"));
}

/// A layer whose members are composed of parts that are odd: the same promise, reached sooner.
fn tar_members(data: &[u8]) {
    const PARTS: [&str; 16] = [
        "a",
        "b",
        "..",
        ".",
        "",
        "/",
        ".wh.a",
        ".wh..wh..opq",
        "precious",
        "../precious",
        "layer",
        "/etc/lifebox-test-canary",
        "a/b",
        "proc/self/root",
        "\u{202e}",
        "long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-long-name",
    ];
    const KINDS: [u8; 12] = *b"00055122xgL9";
    let path = |bytes: &[u8]| {
        let parts: Vec<&str> = bytes.iter().map(|byte| PARTS[usize::from(byte % 16)]).collect();
        parts.join("/")
    };
    let mut stream = Vec::new();
    for member in data.chunks(12) {
        let at = |index: usize| member.get(index).copied().unwrap_or(0);
        let names = [at(1), at(2), at(3)];
        let name = path(&names[..usize::from(at(4) % 3) + 1]);
        let link = path(&[at(5), at(6)][..usize::from(at(7) % 2) + 1]);
        let kind = KINDS[usize::from(at(0) % 12)];
        let body: Vec<u8> = match kind {
            b'x' | b'g' => {
                let key = ["path", "linkpath", "size", "uid"][usize::from(at(8) % 4)];
                let record = |length: usize| format!("{length} {key}={name}\n");
                let length = record(100).len();
                record(length).into_bytes()
            }
            b'L' => format!("{name}\0").into_bytes(),
            _ => vec![at(9); usize::from(at(10))],
        };
        let size = if at(11) < 250 { body.len() as u64 } else { u64::MAX };
        stream.extend(header(&name, &link, kind, u32::from(at(8)) << 4, size));
        stream.extend(&body);
        stream.resize(stream.len().next_multiple_of(512), 0);
    }
    stream.resize(stream.len() + 1024, 0);
    tar(&stream);
}

fn header(name: &str, link: &str, kind: u8, mode: u32, size: u64) -> [u8; 512] {
    let mut header = [0; 512];
    let mut put = |at: usize, most: usize, text: &[u8]| {
        let count = text.len().min(most);
        header[at..at + count].copy_from_slice(&text[..count]);
    };
    put(0, 100, name.as_bytes());
    put(100, 8, format!("{mode:07o}\0").as_bytes());
    put(108, 8, b"0000000\0");
    put(116, 8, b"0000000\0");
    put(124, 12, format!("{:011o}\0", size & 0o77_777_777_777).as_bytes());
    put(136, 12, b"00000000000\0");
    put(148, 8, b"        ");
    put(156, 1, &[kind]);
    put(157, 100, link.as_bytes());
    put(257, 8, b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    header
}

/// An archive of images, for `load`.
fn archive(data: &[u8]) {
    let scratch = Scratch::new();
    let file = scratch.write("archive.tar", data);
    let Ok(store) = Store::open(&scratch.0.join("store")) else { return };
    let _ = store.load_file(&file, None, &|| Ok(()));
    let precious = std::fs::read(scratch.0.join("precious"));
    assert!(precious.is_ok_and(|text| text == b"precious"));
}

/// Configuration, manifest and index of an image, and the list of images.
fn image_json(data: &[u8]) {
    let _ = Document::parse(data);
    for media in [MEDIA_MANIFEST, MEDIA_INDEX, "", "application/json"] {
        if let Ok(Named::Index(choices)) = manifest::read(media, data) {
            let _ = manifest::choose(&choices, None);
        }
    }
    let scratch = Scratch::new();
    scratch.write("index.json", data);
    if let Ok(index) = Index::read(&scratch.0) {
        let again = index.write(&scratch.0).and_then(|()| Index::read(&scratch.0));
        let again = again.map(|again| again.ids().len());
        assert!(again.is_ok_and(|count| count == index.ids().len()));
    }
}

/// A Dockerfile, as a file and as the lines of `--change`.
fn dockerfile(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let lookup = |name: &str| Some(format!("${name}"));
    let escape = match dockerfile::parse(text) {
        Ok(file) => file.escape,
        Err(_) => '\\',
    };
    let expander = Expander { escape, lookup: &lookup };
    let _ = expander.word(text);
    let _ = expander.document(text);
    let lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let _ = instructions::change(&mut json!({ "config": {} }), &lines);
}

/// A `.dockerignore`; after a zero byte a path.
fn dockerignore(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let (rules, path) = text.split_once('\0').unwrap_or((text, "a/b/c"));
    if let Ok(ignore) = Ignore::new(rules.lines()) {
        ignore.paths().leaves_out(&path[..path.floor_char_boundary(4096)]);
        ignore.takes_back();
    }
}

/// A YAML document and a compose file, in a dry run.
fn compose(data: &[u8]) {
    let scratch = Scratch::new();
    let file = scratch.write("compose.yaml", data);
    let Ok(cancel) = CancelToken::new() else { return };
    let settings = Settings {
        root: scratch.0.join("store"),
        cgroup_parent: "lifebox-test".to_owned(),
        storage: None,
        docker_config: None,
        registries: false,
    };
    let opened = engine::open_read_only(&settings, None)
        .and_then(|real| engine::dry::open(real, &settings.root, true, Arc::new(|_| ())));
    let Ok(backend) = opened else { return };
    let args = vec![file.display().to_string()];
    let host = ScriptHost { args, ..ScriptHost::new(backend, Arc::new(Nowhere), cancel) };
    let text = "import \"stack\" as stack; print(parse_yaml(read_text(args()[0])));
        print(stack::from_compose(args()[0]));";
    let source = Source::Text { name: "-e".to_owned(), text: text.to_owned() };
    let outcome = crate::script::run(host, source);
    let report = outcome.report.unwrap_or_default();
    assert!(!report.contains("lifebox itself failed"), "{report}");
    assert!(outcome.exit_code <= 1, "{report}");
}

/// An output without a reader.
#[derive(Debug)]
struct Nowhere;

impl Output for Nowhere {
    fn write_out(&self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn write_err(&self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }
}

/// The text of a script, as `check` reads it.
fn script(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let _ = crate::script::check(Source::Text { name: "-e".to_owned(), text: text.to_owned() });
}

/// A shell command and its translation, which is a script that can be parsed.
fn docker_command(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(commands) = shell::commands(text) else { return };
    for words in commands {
        if let Ok(quoted) = shell::quoted(words.iter().map(String::as_str)) {
            let again = shell::commands(&quoted);
            assert!(again.is_ok_and(|again| again == [words.clone()]), "{quoted}");
        }
        if let Ok(statements) = from_docker::read(&words) {
            let script = ui::expression::lines(&statements);
            let parsed = rhai::Engine::new_raw().compile(&script);
            assert!(parsed.is_ok(), "{words:?}: {script}: {parsed:?}");
        }
    }
}

/// A reference of an image: what is printed is read back.
fn reference(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(reference) = text.parse::<Reference>() {
        for printed in [reference.to_string(), reference.familiar()] {
            let again = printed.parse::<Reference>();
            assert!(again.is_ok_and(|again| again == reference), "{text}: {printed}");
        }
    }
    if let Ok(digest) = text.parse::<Digest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(platform) = text.parse::<Platform>() {
        let again = platform.to_string().parse::<Platform>();
        assert!(again.is_ok_and(|again| again == platform), "{text}");
    }
}

/// Messages on the monitor's socket, cut anywhere.
fn frames(data: &[u8]) {
    let mut buffer = data.to_vec();
    let mut encoded = Vec::new();
    while let Ok(Some(frame)) = message::decode(&mut buffer) {
        match frame {
            Frame::Message(json) => {
                encoded.push(0);
                encoded.extend(u32::try_from(json.len()).unwrap_or(u32::MAX).to_le_bytes());
                encoded.extend(&json);
                same_message::<Request>(&json);
                same_message::<Reply>(&json);
            }
            Frame::Output(stream, bytes) => {
                message::encode_output(stream, &bytes, &mut encoded);
            }
            Frame::Input(bytes) => message::encode_input(&bytes, &mut encoded),
        }
        assert_eq!(encoded.len() + buffer.len(), data.len());
    }
    assert!(data.starts_with(&encoded));
    same_message::<Request>(data);
    same_message::<Reply>(data);
}

fn same_message<T: serde::Serialize + serde::de::DeserializeOwned>(json: &[u8]) {
    let Ok(read) = message::parse::<T>(json) else { return };
    let mut framed = Vec::new();
    message::encode(&read, &mut framed);
    let frame = message::decode(&mut framed).ok().flatten();
    let Some(Frame::Message(again)) = frame else { panic!("not a message: {frame:?}") };
    let value = |text: &[u8]| serde_json::from_slice::<Value>(text).ok();
    let printed = message::parse::<T>(&again).map(|read| serde_json::to_value(&read).ok());
    assert!(printed.is_ok_and(|printed| printed == value(&again)));
}

/// The records of a container.
fn records(data: &[u8]) {
    let scratch = Scratch::new();
    for file in ["state.json", "spec.json", "config.json"] {
        scratch.write(file, data);
    }
    let directory = Directory::new(scratch.0.clone());
    if let Ok(state) = directory.read_state() {
        let again = directory.write_state(&state).and_then(|()| directory.read_state());
        assert!(again.is_ok_and(|again| again == state));
    }
    if let Ok(spec) = directory.read_spec() {
        let printed = serde_json::to_vec(&spec).unwrap_or_default();
        scratch.write("spec.json", &printed);
        let again = directory.read_spec().ok().and_then(|spec| serde_json::to_vec(&spec).ok());
        assert_eq!(again, Some(printed));
    }
}

/// A log, read whole, from its end, and from a time on.
fn log(data: &[u8]) {
    let scratch = Scratch::new();
    let path = scratch.write("log.jsonl", data);
    let Ok(cancel) = CancelToken::new() else { return };
    let all = LogOptions::default();
    let tail = LogOptions { tail: Some(3), ..all.clone() };
    let since = LogOptions { since: Some(jiff::Timestamp::UNIX_EPOCH), ..all.clone() };
    for options in [all, tail, since] {
        let Ok(mut reader) = Reader::open(&path, &options, None) else { continue };
        let mut bytes = 0;
        while let Ok(Some(line)) = reader.next_line(Some(Duration::ZERO), &cancel) {
            bytes += line.bytes.len() + 1;
            // A torn or damaged line is shown as it is; none is shown twice.
            assert!(bytes <= 4 * data.len() + 4096, "{bytes} bytes of {}", data.len());
        }
    }
}

/// The template of `--format`.
fn template(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let row = json!({ "ID": "1", "Names": ["a", "b"], "Map": { "k": 1 }, "Size": 7, "None": null });
    if let Ok(template) = Template::parse(text) {
        let _ = template.render(&row);
        let _ = template.line(&row);
        let _ = template.lines(&json!({ "ID": "ID" }), &[row.clone(), row]);
    }
}

/// Times, sizes and other words of the command line.
fn words(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(time) = units::parse_duration(text) {
        let printed = units::format_duration(time);
        assert!(units::parse_duration(&printed).is_ok(), "{text}: {printed}");
        let _ = units::human_duration(time);
    }
    if let Ok(bytes) = units::parse_bytes(text) {
        let _ = (units::human_size(bytes), units::human_bytes(bytes), units::human_memory(bytes));
    }
    if let Ok(signal) = text.parse::<Signal>() {
        assert_eq!(signal.to_string().parse::<Signal>().ok(), Some(signal), "{text}");
    }
    let _ = text.parse::<Ulimit>();
    let _ = text.parse::<Device>();
    let _ = text.parse::<RestartPolicy>();
    let _ = Path::new(text).file_name();
}

#[cfg(test)]
#[path = "fuzzing_tests.rs"]
mod tests;
