//! Builds an image from a folder with a Dockerfile.
//!
//! `cargo run --example build -- FOLDER NAME:TAG`
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use lifebox::engine::{self, CancelToken, Settings};
use lifebox::model::image::Image;
use lifebox::model::image::build::BuildOptions;
use lifebox::model::observe::progress::{NoProgress, Progress};
use lifebox::model::{Error, Kind, Result};

fn main() -> ExitCode {
    if let Some(code) = lifebox::dispatch() {
        return ExitCode::from(code);
    }
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let built = match arguments.as_slice() {
        [folder, tag] => build(Path::new(folder), tag),
        _ => Err(Error::new(Kind::Invalid, "expected a folder and the image's name")),
    };
    match built {
        Ok(image) => {
            println!("built {}", image.id);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn build(folder: &Path, tag: &str) -> Result<Image> {
    let settings = Settings::from_environment();
    engine::enter_user_namespace(&settings)?;
    let engine = engine::open(&settings)?;

    let options = BuildOptions { tags: vec![tag.parse()?], ..BuildOptions::default() };
    // Implement `Progress` to draw how far the layers of a pulled image are.
    let progress: Arc<dyn Progress> = Arc::new(NoProgress);
    let mut output = io::stderr();
    engine.build(Some(folder), &options, &progress, &mut output, &CancelToken::new()?)
}
