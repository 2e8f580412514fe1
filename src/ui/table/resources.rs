//! The resources of a container: a table by status, and a small plot over time.

use std::time::Duration;

use crate::model::container::Container;
use crate::model::container::phase::UsagePhase;
use crate::model::container::status::Status;
use crate::model::observe::stats::Stats;
use crate::model::value::language::{Language, ReaderProfile};
use crate::model::value::units::{human_memory, human_size};
use crate::ui::format::columns::align;
use crate::ui::messages::format_message;
use crate::ui::teach::trace::format_duration_for;

/// The measurements of a container.
#[derive(Clone, Debug)]
pub struct Measured {
    /// The container.
    pub container: Container,
    /// Samples, oldest first; one if the container is not running.
    pub samples: Vec<Stats>,
    /// The size of the container's writable layer, in bytes.
    pub disk: u64,
}

/// Formats the table, and the plot if there are enough samples.
pub fn resources(reader: ReaderProfile, measured: &Measured) -> String {
    let ReaderProfile { language, ascii, .. } = reader;
    let state = &measured.container.state;
    let label = |id: &str| format_message(language, id, &[]);
    let mut text = format!(
        "{}\n",
        format_message(language, "resources-title", &[("name", state.name.as_str())])
    );
    let head = ["status", "time", "cpu", "cpu-share", "memory", "disk", "processes"];
    let head = head.map(|column| label(&format!("resources-{column}"))).join("\t");
    let disk = human_size(measured.disk);
    let mut rows = vec![head];
    rows.push(row(language, Status::Created, None, &disk));
    rows.extend(state.phases.iter().map(|phase| row(language, phase.status, Some(phase), &disk)));
    if state.status == Status::Exited {
        rows.push(row(language, Status::Exited, None, &disk));
    }
    rows.push(now(language, measured, &disk));
    text.push_str(&align(&rows.join("\n")));
    if measured.samples.len() > 2 && state.status.is_live() {
        text.push('\n');
        text.push_str(&plot(language, &measured.samples, ascii));
    }
    text
}

/// Formats the resources in one line, for a small screen.
pub fn brief(reader: ReaderProfile, measured: &Measured) -> String {
    let ReaderProfile { language, ascii, .. } = reader;
    let samples = &measured.samples;
    let cpu: Vec<f64> = shares(samples);
    let last = samples.last().copied().unwrap_or_default();
    format!(
        "{} {:.1}% {}  {} {}\n",
        format_message(language, "resources-cpu-share", &[]),
        cpu.last().copied().unwrap_or(0.0),
        bars(&cpu[cpu.len().saturating_sub(30)..], 100.0, ascii),
        format_message(language, "resources-memory", &[]),
        human_memory(last.memory),
    )
}

/// Returns the CPU usage between each two samples.
fn shares(samples: &[Stats]) -> Vec<f64> {
    let pairs = samples.iter().zip(samples.iter().skip(1));
    pairs.map(|(before, now)| now.cpu_percent(before)).collect()
}

/// Formats a status with its usage of CPU and memory. A status without a phase has no process, so
/// it uses neither.
fn row(language: Language, status: Status, phase: Option<&UsagePhase>, disk: &str) -> String {
    let name = format_message(language, &format!("status-{status}"), &[]);
    let Some(phase) = phase else { return format!("{name}\t-\t0\t0%\t0B\t{disk}\t0") };
    let share = share(phase.cpu, phase.duration);
    let (lasted, cpu) = (format_duration_for(phase.duration), format_duration_for(phase.cpu));
    format!("{name}\t{lasted}\t{cpu}\t{share}\t{}\t{disk}\t-", human_memory(phase.memory))
}

fn now(language: Language, measured: &Measured, disk: &str) -> String {
    let status = measured.container.state.status;
    let status = format_message(language, &format!("status-{status}"), &[]);
    let name = format_message(language, "resources-now", &[("status", &status)]);
    let (first, last) = (measured.samples.first(), measured.samples.last());
    let last = last.copied().unwrap_or_default();
    let percent = first.map_or(0.0, |first| last.cpu_percent(first));
    let (cpu, memory) = (format_duration_for(last.cpu_time), human_memory(last.memory));
    format!("{name}\t-\t{cpu}\t{percent:.1}%\t{memory}\t{disk}\t{}", last.pids)
}

fn share(cpu: Duration, lasted: Duration) -> String {
    match lasted.is_zero() {
        true => "0%".to_owned(),
        false => format!("{:.1}%", cpu.as_secs_f64() / lasted.as_secs_f64() * 100.0),
    }
}

/// Formats two lines of bars: CPU and memory.
fn plot(language: Language, samples: &[Stats], ascii: bool) -> String {
    let cpu = shares(samples);
    let memory: Vec<f64> = samples.iter().skip(1).map(|stats| stats.memory as f64).collect();
    let most = memory.iter().copied().fold(0.0, f64::max);
    let (first, last) = (samples.first(), samples.last());
    let times = first.and_then(|first| first.at).zip(last.and_then(|last| last.at));
    let seconds = times.map_or(0.0, |(first, last)| last.duration_since(first).as_secs_f64());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes of memory")]
    let shown = human_memory(most as u64);
    let seconds = format!("{seconds:.1}");
    let title =
        format_message(language, "resources-plot", &[("most", &shown), ("seconds", &seconds)]);
    let label =
        |id: &str| crate::ui::format::columns::padded(&format_message(language, id, &[]), 8);
    format!(
        "{title}\n{}{}\n{}{}\n",
        label("resources-cpu-share"),
        bars(&cpu, 100.0, ascii),
        label("resources-memory"),
        bars(&memory, most, ascii),
    )
}

/// Formats a bar for each value; `most` is a full bar.
pub fn bars(values: &[f64], most: f64, ascii: bool) -> String {
    const BLOCKS: [char; 9] = [' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    const PLAIN: [char; 9] = [' ', '.', '.', ':', ':', '|', '|', '#', '#'];
    let blocks = if ascii { PLAIN } else { BLOCKS };
    let bar = |value: &f64| {
        let share = if most > 0.0 { (value / most).clamp(0.0, 1.0) } else { 0.0 };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 8")]
        let height = (share * 8.0).ceil() as usize;
        blocks[height.min(8)]
    };
    values.iter().map(bar).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_show_shares_of_the_most() {
        assert_eq!(bars(&[0.0, 1.0, 50.0, 100.0, 200.0], 100.0, false), " ▁▄██");
        assert_eq!(bars(&[0.0, 100.0], 0.0, true), "  ");
    }
}
