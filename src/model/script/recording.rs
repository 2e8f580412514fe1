//! What a script did, from its first line to its end: the lives of the containers that it touched,
//! what it printed, and which of its lines did what.

use std::time::Duration;

use jiff::Timestamp;

use crate::model::container::status::Status;
use crate::model::observe::event::Action;
use crate::model::observe::log::Stream;

/// A script's run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Recording {
    /// What reports call the script.
    pub name: String,
    /// When it began.
    pub started_at: Timestamp,
    /// How long it took, its cleanups included.
    pub duration: Duration,
    /// How it ended.
    pub exit_code: u8,
    /// What went wrong, as it was shown.
    pub report: Option<String>,
    /// The script itself, and after it the modules of which a line touched a container.
    pub sources: Vec<Text>,
    /// What it printed, in order.
    pub output: Vec<OutputChunk>,
    /// How many bytes of the output are not kept.
    pub output_omitted: u64,
    /// The containers that it touched, in the order in which it did.
    pub timelines: Vec<ContainerTimeline>,
    /// How many more it touched that are not kept.
    pub timelines_omitted: u64,
}

/// The text of a script or a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Text {
    /// What reports call it.
    pub name: String,
    /// What is written in it.
    pub text: String,
}

/// A part of what was printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutputChunk {
    /// Where it went.
    pub stream: Stream,
    /// What it was.
    pub text: String,
}

/// What became of one container while the script ran. All times are since its beginning.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContainerTimeline {
    /// The first digits of its id.
    pub id: String,
    /// Its name; the last one that it had.
    pub name: String,
    /// The image, as its maker named it.
    pub image: String,
    /// How it was when it was first touched.
    pub initial_status: Option<Status>,
    /// Whether it is started again when it ends.
    pub restarts: bool,
    /// What happened to it, in order.
    pub events: Vec<TimelineEvent>,
    /// How many more that is not kept; a change of its status always is.
    pub events_omitted: u64,
    /// What it used, in order.
    pub samples: Vec<Sample>,
    /// The last lines that it wrote.
    pub log: Vec<Line>,
    /// The calls that were about it, in the order of the first of each.
    pub calls: Vec<Call>,
}

/// Something that happened to a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimelineEvent {
    /// When.
    pub at: Duration,
    /// Docker's word, for some with a text after a colon.
    pub action: String,
    /// The exit code, the signal or the old name, where it belongs to it.
    pub detail: String,
}

/// What a container was seen as, and used, at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at: Duration,
    /// How it was.
    pub status: Status,
    /// Processor time that it had used.
    pub cpu_time: Duration,
    /// Bytes of memory.
    pub memory: u64,
}

/// A line that a container wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When.
    pub at: Duration,
    /// Where it was written to.
    pub stream: Stream,
    /// Without the newline.
    pub text: String,
}

/// A call in a script that was about a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Call {
    /// When it was made first.
    pub at: Duration,
    /// Where it is written: the number of one of the texts.
    pub text: Option<usize>,
    /// The line there, from 1 on.
    pub line: usize,
    /// The function.
    pub name: String,
    /// How often it was made.
    pub count: u64,
}

/// A time of one status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Which; `None` for one that is gone.
    pub status: Option<Status>,
    /// From when.
    pub from: Duration,
    /// Until when.
    pub to: Duration,
}

impl ContainerTimeline {
    /// How it was, from when it was first known until `end`; what comes after its removal is one
    /// span too.
    pub fn spans(&self, end: Duration) -> Vec<Span> {
        let mut spans: Vec<Span> = Vec::new();
        let moves: Vec<(usize, Option<Status>)> =
            (0..self.events.len()).filter_map(|at| Some((at, self.status_after(at)?))).collect();
        // One that was not made in this time was there before it.
        if self.events.first().is_none_or(|first| first.action != Action::Create.as_str()) {
            let to = moves.first().map_or(end, |(at, _)| self.events[*at].at);
            spans.push(Span { status: self.initial_status, from: Duration::ZERO, to });
        }
        for (number, (at, status)) in moves.iter().enumerate() {
            let next = moves.get(number + 1).map(|(next, _)| self.events[*next].at);
            let span = Span { status: *status, from: self.events[*at].at, to: next.unwrap_or(end) };
            spans.push(span);
        }
        // What did not last is no time; what was followed by the same goes on.
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

    /// What a happening makes of it: `None` where it leaves it as it is, `Some(None)` where it is
    /// gone.
    fn status_after(&self, at: usize) -> Option<Option<Status>> {
        let status = match self.events[at].action.as_str() {
            action if action == Action::Create.as_str() => Status::Created,
            action if action == Action::Start.as_str() => Status::Running,
            action if action == Action::Unpause.as_str() => Status::Running,
            action if action == Action::Pause.as_str() => Status::Paused,
            action if action == Action::Destroy.as_str() => return Some(None),
            action if action == Action::Die.as_str() => self.status_after_exit(at),
            _ => return None,
        };
        Some(Some(status))
    }

    /// Whether an end is one for good. Events do not say that a container will be started again;
    /// what follows does, or who looked at it meanwhile.
    fn status_after_exit(&self, at: usize) -> Status {
        let died = self.events[at].at;
        let rest = &self.events[at + 1..];
        let is = |happening: &TimelineEvent, action: Action| happening.action == action.as_str();
        let next = rest.iter().position(|one| is(one, Action::Start) || is(one, Action::Destroy));
        let until = next.map_or(Duration::MAX, |next| rest[next].at);
        let started = next.filter(|next| is(&rest[*next], Action::Start));
        let asked = started
            .is_some_and(|next| rest.get(next + 1).is_some_and(|one| is(one, Action::Restart)));
        let stopped = rest[..next.unwrap_or(rest.len())].iter().any(|one| is(one, Action::Stop));
        let by_itself = started.is_some() && self.restarts && !stopped;
        let seen = self.samples.iter().any(|sample| {
            sample.status == Status::Restarting && sample.at >= died && sample.at < until
        });
        if asked || by_itself || seen { Status::Restarting } else { Status::Exited }
    }

    /// The call that caused a happening: the last one before it. One that makes a container is
    /// known to be about it when it is made.
    pub fn cause(&self, happening: &TimelineEvent) -> Option<&Call> {
        let made = happening.action == Action::Create.as_str();
        let before = self.calls.iter().rfind(|call| call.at <= happening.at);
        before.or_else(|| self.calls.first().filter(|_| made))
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
        let name = |span: &Span| span.status.map_or("gone", Status::as_str);
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
                        gone 60-100";
        assert_eq!(shown(&life(&events)), expected);
        assert_eq!(shown(&life(&[])), "gone 0-100");
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
        let asked = [(0, "create"), (1, "start"), (5, "die"), (6, "stop"), (9, "start")];
        let asked = life(&[&asked[..], &[(9, "restart")]].concat());
        assert_eq!(shown(&asked), "created 0-1, running 1-5, restarting 5-9, running 9-100");
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
