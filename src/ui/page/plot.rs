//! Plots a container's resource usage over the time of the script.

use std::fmt::Write as _;
use std::time::Duration;

use crate::model::container::status::Status;
use crate::model::observe::event::EventAction;
use crate::model::script::recording::{ContainerTimeline, Sample};

/// The width and the height of the plot's coordinates.
const WIDE: f64 = 1000.0;
const HIGH: f64 = 100.0;

/// The minimum distance of samples: the kernel counts in time slices, so closer ones are noise.
const APART: Duration = Duration::from_millis(40);

/// A value over time, one piece for each run of the container.
pub type Pieces = Vec<Vec<(Duration, f64)>>;

/// Returns the CPU usage, in per cent of one CPU.
pub fn cpu(life: &ContainerTimeline) -> Pieces {
    let rate = |pair: &[Sample]| {
        let time = pair[1].at.saturating_sub(pair[0].at).as_secs_f64();
        let used = pair[1].cpu_time.saturating_sub(pair[0].cpu_time).as_secs_f64();
        let percent = if time > 0.0 { used / time * 100.0 } else { 0.0 };
        // The usage between two samples is drawn as a step.
        [(pair[0].at, percent), (pair[1].at, percent)]
    };
    let pieces = runs(life).into_iter().map(|run| apart(&run));
    pieces.map(|run| run.windows(2).flat_map(rate).collect()).collect()
}

/// Returns the memory usage, in bytes.
pub fn memory(life: &ContainerTimeline) -> Pieces {
    let value = |sample: &Sample| (sample.at, sample.memory as f64);
    runs(life).iter().map(|run| run.iter().map(value).collect()).collect()
}

/// Keeps samples that are far enough apart for a rate.
fn apart(run: &[Sample]) -> Vec<Sample> {
    let mut kept: Vec<Sample> = Vec::new();
    for sample in run {
        if kept.last().is_none_or(|last| sample.at.saturating_sub(last.at) >= APART) {
            kept.push(*sample);
        }
    }
    kept
}

/// Splits the samples into runs.
fn runs(life: &ContainerTimeline) -> Vec<Vec<Sample>> {
    let mut samples = life.samples.iter().peekable();
    let mut runs = Vec::new();
    let mut take = |until: Duration| {
        let mut run = Vec::new();
        while let Some(sample) = samples.next_if(|sample| sample.at < until) {
            if sample.status != Status::Restarting {
                run.push(*sample);
            }
        }
        if run.len() > 1 {
            runs.push(run);
        }
    };
    let ends = [EventAction::Start, EventAction::Die];
    for event in &life.events {
        if ends.iter().any(|action| action.as_str() == event.action) {
            take(event.at);
        }
    }
    take(Duration::MAX);
    runs
}

/// Returns the highest value, or 0.
pub fn peak(pieces: &Pieces) -> f64 {
    pieces.iter().flatten().map(|(_, value)| *value).fold(0.0, f64::max)
}

/// Returns the total time of the pieces.
pub fn lasts(pieces: &Pieces) -> Duration {
    let lasts =
        |piece: &Vec<(Duration, f64)>| Some(piece.last()?.0.saturating_sub(piece.first()?.0));
    pieces.iter().filter_map(lasts).sum()
}

/// Draws the curve, from 0 to `top`, as an SVG element that fills the width.
pub fn drawn(pieces: &Pieces, class: &str, top: f64, whole: Duration) -> String {
    let x = |at: Duration| at.as_secs_f64() / whole.as_secs_f64().max(1e-9) * WIDE;
    let y = |value: f64| HIGH - (value / top.max(1e-9)).clamp(0.0, 1.0) * (HIGH - 4.0);
    let mut shapes = String::new();
    for piece in pieces {
        let (Some((first, _)), Some((last, _))) = (piece.first(), piece.last()) else { continue };
        let points: Vec<String> =
            piece.iter().map(|(at, value)| format!("{:.1},{:.1}", x(*at), y(*value))).collect();
        let points = points.join(" ");
        let _ = write!(
            shapes,
            "<polygon points=\"{:.1},{HIGH} {points} {:.1},{HIGH}\"/>\
             <polyline points=\"{points}\"/>",
            x(*first),
            x(*last)
        );
    }
    format!(
        "<svg class=\"curve {class}\" viewBox=\"0 0 {WIDE} {HIGH}\" \
         preserveAspectRatio=\"none\" aria-hidden=\"true\">{shapes}</svg>"
    )
}
