//! `:watch`: a live diagram of a container's life cycle, and its resource usage.

use std::io::IsTerminal as _;
use std::time::Duration;

use crate::model::observe::stats::Stats;
use crate::model::{Kind, Result};
use crate::script::ScriptHost;
use crate::ui;

/// The time between two frames.
const EVERY: Duration = Duration::from_millis(500);
/// The number of samples in the plot.
const SAMPLES: usize = 60;

/// Returns the terminal's number of lines, `usize::MAX` without a terminal.
fn rows() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_row)).filter(|rows| *rows > 2).unwrap_or(usize::MAX)
}

/// Draws until Ctrl-C or until the container is removed. Draws once if standard output is not a
/// terminal.
///
/// # Errors
/// When the container cannot be found or measured.
pub fn watch(host: &ScriptHost, name: &str) -> Result<()> {
    let backend = host.backend.as_ref();
    let id = backend.find(name)?;
    let live = std::io::stdout().is_terminal();
    let mut samples: Vec<Stats> = Vec::new();
    if live && host.output.write_out(b"\x1b[H\x1b[2J").is_err() {
        return Ok(());
    }
    loop {
        let container = match backend.inspect(&id) {
            // The container was removed while being watched.
            Err(error) if error.kind() == Kind::NotFound && !samples.is_empty() => return Ok(()),
            container => container?,
        };
        samples.push(backend.stats(&id)?);
        if samples.len() > SAMPLES {
            samples.remove(0);
        }
        let current = Some((container.state.name.as_str(), container.state.status));
        let picture = ui::teach::diagram::picture(host.reader.language, current, host.reader.ascii);
        let disk = backend.container_size(&id)?;
        let measured = ui::table::resources::Measured { container, samples: samples.clone(), disk };
        let whole =
            format!("{}\n{picture}", ui::table::resources::resources(host.reader, &measured));
        let frame = match whole.lines().count() < rows() {
            true => whole,
            false => format!("{}{picture}", ui::table::resources::brief(host.reader, &measured)),
        };
        let frame: Vec<&str> = frame.lines().take(rows().saturating_sub(1)).collect();
        let frame = format!("{}\n", frame.join("\n"));
        // Draws from the top of the screen and clears the rest of each line.
        let frame = match live {
            true => format!("\x1b[H{}\x1b[J", frame.replace('\n', "\x1b[K\r\n")),
            false => frame,
        };
        if host.output.write_out(frame.as_bytes()).is_err() || !live {
            return Ok(());
        }
        if host.cancel.sleep(EVERY).is_err() {
            host.cancel.reset();
            return Ok(());
        }
    }
}
