//! Images on their way, on the screen: bars on a terminal, else a line for each thing.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::{Stream, stderr, stdout};
use crate::model::digest::Digest;
use crate::model::progress::{Event, Progress, Silent, Step};
use crate::ui::progress;

/// Docker's look; the length of the bar is 50 there as well.
const MOVING: &str = "{prefix}: {msg:<11} [{bar:50}] {decimal_bytes}/{decimal_total_bytes}";
const STILL: &str = "{prefix}: {msg}";

/// On standard output, as `pull` and `push` do.
pub fn on_stdout() -> Arc<dyn Progress> {
    match std::io::stdout().is_terminal() {
        true => Arc::new(Bars::new(ProgressDrawTarget::stdout, stdout())),
        false => Arc::new(Lines(Mutex::new(stdout()))),
    }
}

/// On standard error: `run` of an image that is missing writes what its container writes.
pub fn on_stderr() -> Arc<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::new(ProgressDrawTarget::stderr, stderr())),
        false => Arc::new(Lines(Mutex::new(stderr()))),
    }
}

/// On standard error, if somebody sits there: what a script prints is its own.
pub fn of_script() -> Arc<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::new(ProgressDrawTarget::stderr, stderr())),
        false => Arc::new(Silent),
    }
}

/// A line for each thing.
#[derive(Debug)]
struct Lines(Mutex<Stream>);

impl Progress for Lines {
    fn tell(&self, event: &Event) {
        if let Some(line) = progress::line(event) {
            let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // Where nobody reads any more, the verb itself finds out.
            let _ = stream.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// A bar for each layer. It is drawn when something happens, by no thread of its own.
#[derive(Debug)]
struct Bars {
    target: fn() -> ProgressDrawTarget,
    /// The same, for the end of the last line.
    stream: Mutex<Stream>,
    picture: Mutex<Option<Picture>>,
}

/// The bars of one pull or push. When it is over they stay on the screen, and the next one gets
/// its own below them.
#[derive(Debug)]
struct Picture {
    multi: MultiProgress,
    bars: HashMap<Digest, ProgressBar>,
}

impl Bars {
    fn new(target: fn() -> ProgressDrawTarget, stream: Stream) -> Self {
        Bars { target, stream: Mutex::new(stream), picture: Mutex::default() }
    }
}

impl Picture {
    fn new(target: ProgressDrawTarget) -> Self {
        Picture { multi: MultiProgress::with_draw_target(target), bars: HashMap::new() }
    }

    fn layer(&mut self, digest: &Digest, step: &Step) {
        let bar = self.bars.entry(digest.clone()).or_insert_with(|| {
            let bar = self.multi.add(ProgressBar::new(0).with_style(style(STILL)));
            bar.set_prefix(digest.short().to_owned());
            bar
        });
        if let Step::Downloading(done, all) | Step::Uploading(done, all) = step {
            if bar.length() != Some(*all) {
                bar.set_length(*all);
                bar.set_style(style(MOVING));
                bar.set_message(progress::word(step));
            }
            bar.set_position(*done);
            return;
        }
        bar.set_style(style(STILL));
        bar.set_message(progress::word(step));
        bar.force_draw();
    }
}

impl Progress for Bars {
    fn tell(&self, event: &Event) {
        let mut held = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = held.get_or_insert_with(|| Picture::new((self.target)()));
        match event {
            Event::Layer(digest, step) => picture.layer(digest, step),
            Event::End => {
                // All that matters was drawn when it happened. Drawing once more would begin in the
                // wrong line where a `^C` has moved the cursor.
                picture.multi.set_draw_target(ProgressDrawTarget::hidden());
                if !picture.bars.is_empty() {
                    let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
                    let _ = stream.write_all(b"\n");
                }
                *held = None;
            }
            _ => {
                if let Some(line) = progress::line(event) {
                    let _ = picture.multi.println(line);
                }
            }
        }
    }
}

fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template);
    style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("=> ")
}
