//! The engine of these tests: the simulated one, whose programs are a few words.

use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use serde_json::json;

use crate::engine::dry::{self, Program};
use crate::engine::{self, Backend, Settings};
use crate::model::image::{Image, ImageConfig};
use crate::model::observe::log::{LogLine, Stream};
use crate::model::{Error, Kind, Result};

/// An engine with the images `host` and `alpine:3`, and no containers. It keeps below `root` what
/// the simulation leaves to the native engine.
pub fn engine(root: &Path) -> Arc<dyn Backend> {
    let settings = Settings {
        root: root.to_owned(),
        cgroup_parent: "lifebox-test".to_owned(),
        storage: None,
        docker_config: None,
        registries: false,
    };
    let native = engine::open(&settings).unwrap();
    let images = vec![image("host:latest", 1), image("alpine:3", 2)];
    dry::simulate(native, root, images, Arc::new(program)).unwrap()
}

/// What a command does: `echo TEXT`, `exit N` and `count` write or exit; `missing` cannot start,
/// `panic` is a bug of the engine, and all others run until they are stopped.
fn program(argv: &[String]) -> Result<Program> {
    let words: Vec<&str> = argv.iter().map(String::as_str).collect();
    Ok(match words.as_slice() {
        ["missing", ..] => {
            let error = Error::new(Kind::NotFound, "`missing`: executable file not found");
            return Err(error.with_exit_code(127));
        }
        ["panic", ..] => panic!("the engine tripped"),
        ["echo", words @ ..] => {
            let text = words.join(" ");
            let lines = vec![line(Stream::Stdout, &text), line(Stream::Stderr, "done")];
            Program { lines, exit_code: Some(0) }
        }
        ["exit", code] => Program { exit_code: code.parse().ok(), ..Program::default() },
        ["count"] => {
            let lines = ["1", "2", "3", "4"].map(|number| line(Stream::Stdout, number));
            Program { lines: lines.to_vec(), exit_code: None }
        }
        _ => Program::default(),
    })
}

fn line(stream: Stream, text: &str) -> LogLine {
    LogLine {
        time: Timestamp::UNIX_EPOCH,
        stream,
        bytes: format!("{text}\n").into_bytes(),
        lost: None,
    }
}

fn image(tag: &str, seed: u8) -> Image {
    Image {
        tags: vec![tag.parse().unwrap()],
        size: 1_500_000,
        config: ImageConfig {
            cmd: Some(vec!["sh".to_owned()]),
            env: vec!["PATH=/bin".to_owned()],
            ..ImageConfig::default()
        },
        document: json!({ "config": { "Cmd": ["sh"], "Env": ["PATH=/bin"] } }),
        ..Image::plain(seed)
    }
}
