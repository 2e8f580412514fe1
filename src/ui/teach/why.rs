//! Explains why a container has its status, with hints.

use crate::model::container::Container;
use crate::model::container::phase::StopRecord;
use crate::model::container::status_reason::StatusReason;
use crate::model::value::language::Language;
use crate::model::value::units::human_memory;
use crate::ui::error::escape_control;
use crate::ui::messages::format_message;

/// Formats the reason of a status, hints, and the last lines of the log after a failure.
pub fn status_reason(language: Language, container: &Container, last: &[String]) -> String {
    let why = StatusReason::from_container(container);
    let state = &container.state;
    let args = arguments(language, container, &why);
    let args: Vec<(&str, &str)> =
        args.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let id = format!("why-{}", why.key());
    let (story, attempt) = (
        format_message(language, &id, &args),
        format_message(language, &format!("{id}.try"), &args),
    );
    let mut text = format!("{story}\n→ {attempt}");
    if state.restart_count > 0 && !state.status.is_live() {
        let count = state.restart_count.to_string();
        text.push_str(&format!(
            "\n{}",
            format_message(language, "why-restarts", &[("count", &count)])
        ));
    }
    if is_bad(&why) && !last.is_empty() {
        text.push_str(&format!("\n{}:", format_message(language, "last-words", &[])));
        for line in last {
            text.push_str(&format!("\n  {line}"));
        }
    }
    escape_control(&text)
}

/// Returns the arguments of the texts of a reason.
fn arguments(
    language: Language,
    container: &Container,
    why: &StatusReason,
) -> Vec<(&'static str, String)> {
    let state = &container.state;
    let mut args = vec![
        ("name", state.name.to_string()),
        ("code", state.exit_code.to_string()),
        ("image", container.spec.image.reference.clone()),
    ];
    match why {
        StatusReason::ProgramMissing { program, path } => {
            args.push(("program", program.clone()));
            args.push(("path", path.join(", ")));
        }
        StatusReason::ProgramRefused { program } => args.push(("program", program.clone())),
        StatusReason::StartFailed(error) | StatusReason::Lost(error) => {
            args.push(("error", error.clone()))
        }
        StatusReason::OutOfMemory { limit, peak } => {
            args.push(("limit", human_memory(*limit)));
            args.push(("peak", human_memory(*peak)));
        }
        StatusReason::KilledAfterGrace(stopped)
        | StatusReason::Stopped(stopped, _)
        | StatusReason::Killed(stopped) => {
            args.extend(stop_arguments(stopped));
        }
        StatusReason::Signalled(signal) | StatusReason::ExitedLikeSignal(signal) => {
            args.push(("signal", signal.to_string()));
            args.push(("number", signal.number().to_string()));
            args.push(("meaning", meaning(language, &signal.to_string())));
        }
        StatusReason::NotStarted
        | StatusReason::Running
        | StatusReason::Unhealthy
        | StatusReason::Paused
        | StatusReason::Restarting(_)
        | StatusReason::Damaged
        | StatusReason::Done
        | StatusReason::Failed(_) => {}
    }
    args
}

fn stop_arguments(stopped: &StopRecord) -> [(&'static str, String); 2] {
    let seconds = stopped.grace.map_or_else(String::new, |seconds| seconds.to_string());
    [("signal", stopped.signal.to_string()), ("seconds", seconds)]
}

/// Returns the usual meaning of a signal that lifebox did not send.
fn meaning(language: Language, signal: &str) -> String {
    let id = format!("signal-{}", signal.trim_start_matches("SIG"));
    crate::ui::messages::find(language, &id, &[])
        .unwrap_or_else(|| format_message(language, "signal-other", &[]))
}

/// Returns whether the last lines of the log may explain the status.
fn is_bad(why: &StatusReason) -> bool {
    matches!(
        why,
        StatusReason::Failed(_)
            | StatusReason::Signalled(_)
            | StatusReason::ExitedLikeSignal(_)
            | StatusReason::Unhealthy
            | StatusReason::Restarting(_)
            | StatusReason::OutOfMemory { .. }
    )
}
