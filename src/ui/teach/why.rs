//! Why a container is as it is, in words, with what to try.

use crate::model::container::Container;
use crate::model::container::status_reason::{Stopped, Why};
use crate::model::value::language::Language;
use crate::model::value::units::human_memory;
use crate::ui::error::visible;
use crate::ui::messages::tell;

/// The story of a container, what to try, and its last lines where it ended badly.
pub fn why(language: Language, container: &Container, last: &[String]) -> String {
    let why = Why::of(container);
    let state = &container.state;
    let (name, code) = (state.name.as_str(), state.exit_code.to_string());
    let mut facts: Vec<(&str, String)> = vec![
        ("name", name.to_owned()),
        ("code", code),
        ("image", container.spec.image.reference.clone()),
    ];
    match &why {
        Why::ProgramMissing { program, path } => {
            facts.push(("program", program.clone()));
            facts.push(("path", path.join(", ")));
        }
        Why::ProgramRefused { program } => facts.push(("program", program.clone())),
        Why::StartFailed(error) | Why::Lost(error) => facts.push(("error", error.clone())),
        Why::OutOfMemory { limit, peak } => {
            facts.push(("limit", human_memory(*limit)));
            facts.push(("peak", human_memory(*peak)));
        }
        Why::KilledAfterGrace(stopped) | Why::Stopped(stopped, _) | Why::Killed(stopped) => {
            facts.extend(of_stop(stopped));
        }
        Why::Signalled(signal) | Why::SaysSignal(signal) => {
            facts.push(("signal", signal.to_string()));
            facts.push(("number", signal.number().to_string()));
            facts.push(("meaning", meaning(language, &signal.to_string())));
        }
        _ => {}
    }
    let facts: Vec<(&str, &str)> =
        facts.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let id = format!("why-{}", why.key());
    let (story, attempt) =
        (tell(language, &id, &facts), tell(language, &format!("{id}.try"), &facts));
    let mut text = format!("{story}\n→ {attempt}");
    if state.restart_count > 0 && !state.status.is_live() {
        let count = state.restart_count.to_string();
        text.push_str(&format!("\n{}", tell(language, "why-restarts", &[("count", &count)])));
    }
    if is_bad(&why) && !last.is_empty() {
        text.push_str(&format!("\n{}:", tell(language, "last-words", &[])));
        for line in last {
            text.push_str(&format!("\n  {line}"));
        }
    }
    visible(&text)
}

fn of_stop(stopped: &Stopped) -> [(&'static str, String); 2] {
    let seconds = stopped.grace.map_or_else(String::new, |seconds| seconds.to_string());
    [("signal", stopped.signal.to_string()), ("seconds", seconds)]
}

/// What a signal that nobody of ours sent usually means.
fn meaning(language: Language, signal: &str) -> String {
    let id = format!("signal-{}", signal.trim_start_matches("SIG"));
    crate::ui::messages::find(language, &id, &[])
        .unwrap_or_else(|| tell(language, "signal-other", &[]))
}

/// Whether the last lines may tell the reason.
fn is_bad(why: &Why) -> bool {
    matches!(
        why,
        Why::Failed(_)
            | Why::Signalled(_)
            | Why::SaysSignal(_)
            | Why::Unhealthy
            | Why::Restarting(_)
            | Why::OutOfMemory { .. }
    )
}
