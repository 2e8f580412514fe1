//! The recording of a script's run: the timelines of the containers that it used,
//! its output, and the lines that caused each event.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::container::status::Status;
use crate::model::observe::event::EventAction;
use crate::model::observe::log::Stream;

/// The recording of a script's run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What reports call the script.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// The duration, cleanup included.
    pub duration: Duration,
    /// The outcome.
    pub exit_code: u8,
    /// The error, as it was printed.
    pub report: Option<String>,
    /// The script, then the modules with a line that used a container.
    pub sources: Vec<Text>,
    /// The output, in order.
    pub output: Vec<OutputChunk>,
    /// How many bytes of the output are not kept.
    pub output_omitted: u64,
    /// The containers that the script used, in the order of first use.
    pub timelines: Vec<ContainerTimeline>,
    /// How many more containers were used that are not kept.
    pub timelines_omitted: u64,
}

/// The text of a script or a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What reports call it.
    pub name: String,
    /// The source text.
    pub text: String,
}

/// A chunk of output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChunk {
    /// The stream.
    pub stream: Stream,
    /// The text.
    pub text: String,
}

/// What happened to one container while the script ran. All times are since the start of the
/// script.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerTimeline {
    /// The short id.
    pub id: String,
    /// The last name.
    pub name: String,
    /// The image, as the creator named it.
    pub image: String,
    /// The status at first use.
    pub initial_status: Option<Status>,
    /// Whether the restart policy may restart the container.
    pub restarts: bool,
    /// The events, in order.
    pub events: Vec<TimelineEvent>,
    /// How many events are not kept; changes of the status always are.
    pub events_omitted: u64,
    /// The resource samples, in order.
    pub samples: Vec<Sample>,
    /// The last lines of output.
    pub log: Vec<Line>,
    /// The calls that used the container, in the order of the first of each.
    pub calls: Vec<Call>,
}

/// Something that happened to a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineEvent {
    /// When.
    pub at: Duration,
    /// The action in Docker's word, for some with a text after a colon.
    pub action: String,
    /// The exit code, the signal or the old name, where the action has one.
    pub detail: String,
}

/// Status and resource usage of a container at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// The status.
    pub status: Status,
    /// The processor time used so far.
    pub cpu_time: Duration,
    /// Bytes of memory.
    pub memory: u64,
}

/// A line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Duration,
    /// The stream.
    pub stream: Stream,
    /// The line without its newline.
    pub text: String,
}

/// A call in a script that used a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// The time of the first call.
    pub at: Duration,
    /// The source of the call: an index into the texts.
    pub text: Option<usize>,
    /// The line there, from 1 on.
    pub line: usize,
    /// The function.
    pub name: String,
    /// The number of calls.
    pub count: u64,
}

/// A span of time with one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StatusSpan {
    /// The status; `None` after removal.
    pub status: Option<Status>,
    /// The start.
    pub from: Duration,
    /// The end.
    pub to: Duration,
}

impl ContainerTimeline {
    /// Returns the spans of status from first use until `end`; the time after removal is a
    /// span too.
    pub fn spans(&self, end: Duration) -> Vec<StatusSpan> {
        let mut spans: Vec<StatusSpan> = Vec::new();
        let moves: Vec<(usize, Option<Status>)> =
            (0..self.events.len()).filter_map(|at| Some((at, self.status_after(at)?))).collect();
        // Without a `create` event the container existed before the script.
        if self.events.first().is_none_or(|first| first.action != EventAction::Create.as_str()) {
            let to = moves.first().map_or(end, |(at, _)| self.events[*at].at);
            spans.push(StatusSpan { status: self.initial_status, from: Duration::ZERO, to });
        }
        for (number, (at, status)) in moves.iter().enumerate() {
            let next = moves.get(number + 1).map(|(next, _)| self.events[*next].at);
            let span =
                StatusSpan { status: *status, from: self.events[*at].at, to: next.unwrap_or(end) };
            spans.push(span);
        }
        // Drops empty spans, and joins neighbours of one status.
        spans.retain(|span| span.to > span.from || span.status.is_none());
        spans.dedup_by(|next, before| {
            let same = next.status == before.status;
            if same {
                before.to = next.to;
            }
            same
        });
        spans
    }

    /// Returns the status after an event: `None` for no change, `Some(None)` for
    /// removal.
    fn status_after(&self, at: usize) -> Option<Option<Status>> {
        let status = match self.events[at].action.as_str() {
            action if action == EventAction::Create.as_str() => Status::Created,
            action if action == EventAction::Start.as_str() => Status::Running,
            action if action == EventAction::Unpause.as_str() => Status::Running,
            action if action == EventAction::Pause.as_str() => Status::Paused,
            action if action == EventAction::Destroy.as_str() => return Some(None),
            action if action == EventAction::Die.as_str() => self.status_after_exit(at),
            _ => return None,
        };
        Some(Some(status))
    }

    /// Returns whether an exit is final. Events do not say that a container will be restarted;
    /// later events and samples do.
    fn status_after_exit(&self, at: usize) -> Status {
        let died = self.events[at].at;
        let rest = &self.events[at + 1..];
        let is = |event: &TimelineEvent, action: EventAction| event.action == action.as_str();
        let next = rest
            .iter()
            .position(|one| is(one, EventAction::Start) || is(one, EventAction::Destroy));
        let until = next.map_or(Duration::MAX, |next| rest[next].at);
        let started = next.filter(|next| is(&rest[*next], EventAction::Start));
        let restart_requested = started.is_some_and(|next| {
            rest.get(next + 1).is_some_and(|one| is(one, EventAction::Restart))
        });
        let stopped =
            rest[..next.unwrap_or(rest.len())].iter().any(|one| is(one, EventAction::Stop));
        let by_itself = started.is_some() && self.restarts && !stopped;
        let seen = self.samples.iter().any(|sample| {
            sample.status == Status::Restarting && sample.at >= died && sample.at < until
        });
        if restart_requested || by_itself || seen { Status::Restarting } else { Status::Exited }
    }

    /// Returns the call that caused an event: the last one before it. A call that creates a
    /// container is recorded when the container is created.
    pub fn cause(&self, event: &TimelineEvent) -> Option<&Call> {
        let creates = event.action == EventAction::Create.as_str();
        let before = self.calls.iter().rfind(|call| call.at <= event.at);
        before.or_else(|| self.calls.first().filter(|_| creates))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn life(happenings: &[(u64, &str)]) -> ContainerTimeline {
        let happened = |(at, action): &(u64, &str)| TimelineEvent {
            at: Duration::from_millis(*at),
            action: (*action).to_owned(),
            detail: String::new(),
        };
        ContainerTimeline {
            events: happenings.iter().map(happened).collect(),
            ..ContainerTimeline::default()
        }
    }

    fn shown(life: &ContainerTimeline) -> String {
        let name = |span: &StatusSpan| span.status.map_or("removed", Status::as_str);
        let spans = life.spans(Duration::from_millis(100));
        let shown = spans.iter().map(|span| {
            format!("{} {}-{}", name(span), span.from.as_millis(), span.to.as_millis())
        });
        shown.collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn events_become_spans_of_states() {
        let events = [
            (1, "create"),
            (5, "start"),
            (20, "pause"),
            (30, "unpause"),
            (40, "kill"),
            (41, "die"),
            (42, "stop"),
            (60, "destroy"),
        ];
        let expected = "created 1-5, running 5-20, paused 20-30, running 30-41, exited 41-60, \
                        removed 60-100";
        assert_eq!(shown(&life(&events)), expected);
        assert_eq!(shown(&life(&[])), "removed 0-100");
        assert_eq!(shown(&life(&[(1, "create"), (1, "start")])), "running 1-100");
    }

    #[test]
    fn one_that_was_there_before_is_as_it_was_found() {
        let found = ContainerTimeline {
            initial_status: Some(Status::Running),
            ..life(&[(10, "rename"), (20, "pause")])
        };
        assert_eq!(shown(&found), "running 0-20, paused 20-100");
    }

    #[test]
    fn what_is_started_again_was_restarting() {
        let requested = [(0, "create"), (1, "start"), (5, "die"), (6, "stop"), (9, "start")];
        let requested = life(&[&requested[..], &[(9, "restart")]].concat());
        assert_eq!(shown(&requested), "created 0-1, running 1-5, restarting 5-9, running 9-100");
        let again = [(0, "create"), (1, "start"), (5, "die"), (9, "start"), (20, "die")];
        let by_itself = ContainerTimeline { restarts: true, ..life(&again) };
        let expected = "created 0-1, running 1-5, restarting 5-9, running 9-20, exited 20-100";
        assert_eq!(shown(&by_itself), expected);
        assert_eq!(shown(&life(&again)), expected.replace("restarting", "exited"));
        let sample = Sample {
            at: Duration::from_millis(30),
            status: Status::Restarting,
            cpu_time: Duration::ZERO,
            memory: 0,
        };
        let waits = ContainerTimeline { samples: vec![sample], ..by_itself };
        assert_eq!(shown(&waits), expected.replace("exited", "restarting"));
    }
}
