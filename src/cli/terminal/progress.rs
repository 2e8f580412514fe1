//! Progress of images being transferred: bars on a terminal, lines elsewhere.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::os::fd::BorrowedFd;
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::{Stream, stderr, stdout};
use crate::engine::CancelToken;
use crate::model::observe::progress::{Event, NoProgress, Progress, Step};
use crate::model::value::digest::Digest;
use crate::ui::format::columns::ellipsis;
use crate::ui::table::progress;

/// The maximum length of a bar, as Docker's.
const BAR: usize = 50;
/// The width beside a bar: layer, word, brackets, and two sizes such as `123.45 MB`.
const BESIDE: usize = 12 + 2 + 11 + 1 + 2 + 1 + 21;
/// The minimum length of a bar.
const SHORTEST: usize = 5;
/// The width of a terminal that does not report it.
const COLUMNS: usize = 80;

/// Shows progress on standard output, as `pull` and `push` do; `cancel` ends the wait for a reader.
pub fn on_stdout(cancel: &CancelToken) -> Arc<dyn Progress> {
    match std::io::stdout().is_terminal() {
        true => Arc::new(Bars::new(&OUT, stdout().until(cancel))),
        false => Arc::new(Lines(Mutex::new(stdout().until(cancel)))),
    }
}

/// Shows progress on standard error: the standard output of `run` is the container's. `cancel` is
/// as for [`on_stdout`].
pub fn on_stderr(cancel: &CancelToken) -> Arc<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::new(&ERR, stderr().until(cancel))),
        false => Arc::new(Lines(Mutex::new(stderr().until(cancel)))),
    }
}

/// Shows progress on standard error if that is a terminal: standard output is the script's.
pub fn of_script() -> Arc<dyn Progress> {
    match std::io::stderr().is_terminal() {
        true => Arc::new(Bars::new(&ERR, stderr())),
        false => Arc::new(NoProgress),
    }
}

/// Progress as lines.
#[derive(Debug)]
struct Lines(Mutex<Stream>);

impl Progress for Lines {
    fn report(&self, event: &Event) {
        if let Some(line) = progress::line(event) {
            let mut stream = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            // If the output is closed, the verb itself notices.
            let _ = stream.write_all(format!("{line}\n").as_bytes());
        }
    }
}

/// A terminal that bars are drawn on.
#[derive(Debug)]
struct Canvas {
    target: fn() -> ProgressDrawTarget,
    columns: fn() -> usize,
}

static OUT: Canvas =
    Canvas { target: ProgressDrawTarget::stdout, columns: || columns(rustix::stdio::stdout()) };
static ERR: Canvas =
    Canvas { target: ProgressDrawTarget::stderr, columns: || columns(rustix::stdio::stderr()) };

fn columns(terminal: BorrowedFd<'_>) -> usize {
    let width = rustix::termios::tcgetwinsize(terminal).map_or(0, |size| size.ws_col.into());
    if width == 0 { COLUMNS } else { width }
}

/// Progress as one bar per layer. Bars are drawn at each event, without a thread.
#[derive(Debug)]
struct Bars {
    canvas: &'static Canvas,
    /// The terminal of `canvas`, to end the last line.
    stream: Mutex<Stream>,
    picture: Mutex<Option<Picture>>,
}

/// The bars of one pull or push. The bars stay on the screen; the next pull draws new ones below.
#[derive(Debug)]
struct Picture {
    multi: MultiProgress,
    bars: Vec<Bar>,
    places: HashMap<Digest, usize>,
    /// The width that the bars are drawn for.
    columns: usize,
}

#[derive(Debug)]
struct Bar {
    bar: ProgressBar,
    step: Step,
}

impl Bars {
    fn new(canvas: &'static Canvas, stream: Stream) -> Self {
        Bars { canvas, stream: Mutex::new(stream), picture: Mutex::default() }
    }

    fn write(&self, text: &str) {
        let mut stream = self.stream.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = stream.write_all(text.as_bytes());
    }

    /// Redraws all bars if the terminal's width has changed. A narrower terminal has wrapped the
    /// lines, so there are more of them than were drawn.
    fn fit(&self, picture: &mut Picture) {
        let columns = (self.canvas.columns)();
        if columns == picture.columns || picture.bars.is_empty() {
            picture.columns = columns;
            return;
        }
        let rows = picture.rows_at(columns);
        picture.multi.set_draw_target(ProgressDrawTarget::hidden());
        let up = rows.saturating_sub(1);
        let up = if up > 0 { format!("\x1b[{up}A") } else { String::new() };
        self.write(&format!("{up}\r\x1b[J"));
        picture.multi = MultiProgress::with_draw_target((self.canvas.target)());
        picture.columns = columns;
        for number in 0..picture.bars.len() {
            let step = picture.bars[number].step.clone();
            let bar = picture.multi.add(ProgressBar::new(0));
            bar.set_prefix(picture.bars[number].bar.prefix());
            picture.bars[number] = Bar { bar, step: Step::Waiting };
            picture.show(number, step);
        }
    }
}

impl Picture {
    fn new(canvas: &Canvas) -> Self {
        Picture {
            multi: MultiProgress::with_draw_target((canvas.target)()),
            bars: Vec::new(),
            places: HashMap::new(),
            columns: (canvas.columns)(),
        }
    }

    fn layer(&mut self, digest: &Digest, step: &Step) {
        let number = *self.places.entry(digest.clone()).or_insert_with(|| {
            let bar = self.multi.add(ProgressBar::new(0));
            bar.set_prefix(digest.short().to_owned());
            self.bars.push(Bar { bar, step: Step::Waiting });
            self.bars.len() - 1
        });
        self.show(number, step.clone());
    }

    fn show(&mut self, number: usize, step: Step) {
        let Bar { bar, step: before } = &mut self.bars[number];
        if let Step::Downloading(done, all) | Step::Uploading(done, all) = step {
            if bar.length() != Some(all) || all == 0 {
                bar.set_length(all);
                bar.set_style(style(&moving(self.columns)));
                bar.set_message(progress::word(&step));
            }
            bar.set_position(done);
        } else {
            // The last column stays free: a character there may wrap.
            let free = self.columns.saturating_sub(15);
            bar.set_style(style("{prefix}: {msg}"));
            bar.set_message(ellipsis(&progress::word(&step), free));
            bar.force_draw();
        }
        *before = step;
    }

    /// Returns how many lines the drawn bars take on a terminal of this width.
    fn rows_at(&self, columns: usize) -> usize {
        let rows = |bar: &Bar| {
            let length = match &bar.step {
                Step::Downloading(..) | Step::Uploading(..) => drawn(self.columns),
                step => 14 + progress::word(step).chars().count(),
            };
            length.min(self.columns).div_ceil(columns)
        };
        self.bars.iter().map(rows).sum()
    }
}

/// Returns the template of a moving layer as Docker draws it, with as long a bar as fits.
fn moving(columns: usize) -> String {
    match columns.saturating_sub(BESIDE + 1).min(BAR) {
        length if length >= SHORTEST => format!(
            "{{prefix}}: {{msg:<11}} [{{bar:{length}}}] {{decimal_bytes}}/{{decimal_total_bytes}}"
        ),
        _ if columns > 36 => "{prefix}: {decimal_bytes}/{decimal_total_bytes}".to_owned(),
        _ => "{prefix}: {percent}%".to_owned(),
    }
}

/// Returns the approximate length of such a line.
fn drawn(columns: usize) -> usize {
    match columns.saturating_sub(BESIDE + 1).min(BAR) {
        length if length >= SHORTEST => BESIDE + length - 2,
        _ if columns > 36 => 33,
        _ => 18,
    }
}

impl Progress for Bars {
    fn report(&self, event: &Event) {
        let mut held = self.picture.lock().unwrap_or_else(PoisonError::into_inner);
        let picture = held.get_or_insert_with(|| Picture::new(self.canvas));
        self.fit(picture);
        match event {
            Event::Layer(digest, step) => picture.layer(digest, step),
            Event::End => {
                // Every event is drawn already. Drawing again would begin in the wrong line if a
                // `^C` has moved the cursor.
                picture.multi.set_draw_target(ProgressDrawTarget::hidden());
                if !picture.bars.is_empty() {
                    self.write("\n");
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_never_longer_than_the_terminal() {
        for columns in 19..200 {
            assert!(drawn(columns) < columns, "{columns}");
        }
        assert!(moving(200).contains("{bar:50}"));
        assert!(moving(80).contains("{bar:29}"), "{}", moving(80));
        assert!(!moving(40).contains("bar") && moving(40).contains("bytes"));
        assert!(moving(30).contains("percent"));
    }
}
