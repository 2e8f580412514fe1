//! The life cycle as one table: (status, action) -> what happens, or why not.
//!
//! The engine, the hints of refusals, completion, the documentation and the all-pairs test read
//! this table and nothing else. The table agrees with measurements of Docker Engine
//! (`tests/transitions.tsv`).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{Error, Kind, Result};

/// The status of a container, in Docker's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Created, never started: no process, no CPU, no memory; only a writable layer on disk.
    Created,
    /// The program runs.
    Running,
    /// Its cgroup is frozen: the processes keep their memory and use no CPU.
    Paused,
    /// Exited; the monitor restarts the container after a delay.
    Restarting,
    /// Exited; files and logs are kept.
    Exited,
    /// The record is damaged or a removal stopped half-way; the container can only be removed.
    Dead,
}

impl Status {
    /// All statuses, in the order of a life.
    pub const ALL: [Status; 6] = [
        Status::Created,
        Status::Running,
        Status::Paused,
        Status::Restarting,
        Status::Exited,
        Status::Dead,
    ];

    /// Returns the word that users see: `created`, `running`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Status::Created => "created",
            Status::Running => "running",
            Status::Paused => "paused",
            Status::Restarting => "restarting",
            Status::Exited => "exited",
            Status::Dead => "dead",
        }
    }

    /// Returns whether the container has a monitor: it has processes, or will have them in a
    /// moment.
    pub fn is_live(self) -> bool {
        matches!(self, Status::Running | Status::Paused | Status::Restarting)
    }
}

impl std::str::FromStr for Status {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let known = Status::ALL.into_iter().find(|status| status.as_str() == text);
        known.ok_or_else(|| Error::new(Kind::Invalid, format!("`{text}` is not a status")))
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a user can ask of a container.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Run the container's program.
    Start,
    /// Send the stop signal, and SIGKILL after the grace period.
    Stop,
    /// Send a signal.
    Kill,
    /// Pause all processes.
    Pause,
    /// Unpause all processes.
    Unpause,
    /// Stop and start.
    Restart,
    /// Remove the container.
    Rm,
    /// Kill and remove the container.
    RmForce,
    /// Change limits and restart policy.
    Update,
    /// Change the name.
    Rename,
    /// Read the output.
    Logs,
    /// Wait until the container exits.
    Wait,
    /// Read the record.
    Inspect,
    /// Run another process in the container.
    Exec,
    /// Attach to the container's streams.
    Attach,
    /// List the processes.
    Top,
}

impl Action {
    /// All actions, in the order in which they are offered to users.
    pub const ALL: [Action; 16] = [
        Action::Start,
        Action::Pause,
        Action::Unpause,
        Action::Stop,
        Action::Kill,
        Action::Restart,
        Action::Rm,
        Action::RmForce,
        Action::Update,
        Action::Rename,
        Action::Logs,
        Action::Wait,
        Action::Inspect,
        Action::Exec,
        Action::Attach,
        Action::Top,
    ];

    /// Returns the verb as users type it: `pause`, `rm -f`.
    pub fn verb(self) -> &'static str {
        match self {
            Action::Start => "start",
            Action::Stop => "stop",
            Action::Kill => "kill",
            Action::Pause => "pause",
            Action::Unpause => "unpause",
            Action::Restart => "restart",
            Action::Rm => "rm",
            Action::RmForce => "rm -f",
            Action::Update => "update",
            Action::Rename => "rename",
            Action::Logs => "logs",
            Action::Wait => "wait",
            Action::Inspect => "inspect",
            Action::Exec => "exec",
            Action::Attach => "attach",
            Action::Top => "top",
        }
    }

    /// Returns the action of a typed verb; `rm -f` and `rm_force` are the same.
    pub fn from_verb(verb: &str) -> Option<Self> {
        Action::ALL.into_iter().find(|action| action.verb() == verb)
    }

    /// Returns whether the action can change the status.
    pub fn changes_status(self) -> bool {
        use Action::{Attach, Exec, Inspect, Logs, Rename, Top, Update, Wait};
        !matches!(self, Update | Rename | Logs | Wait | Inspect | Exec | Attach | Top)
    }
}

/// What a legal action leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transition {
    /// The container gets this status.
    Becomes(Status),
    /// Nothing changes: the container has that status already, or the action only reads.
    Stays,
    /// The container is removed.
    Removed,
}

/// Why an action is not legal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The container is paused.
    Paused,
    /// The container is paused already.
    AlreadyPaused,
    /// The container has no process.
    NotRunning,
    /// The container is not paused.
    NotPaused,
    /// The container has processes.
    Running,
    /// The container waits for its restart.
    Restarting,
    /// The container's record is damaged.
    Dead,
}

impl Refusal {
    /// Returns the end of "cannot start `web`: ...".
    pub fn reason(self) -> &'static str {
        match self {
            Refusal::Paused => "it is paused",
            Refusal::AlreadyPaused => "it is already paused",
            Refusal::NotRunning => "it is not running",
            Refusal::NotPaused => "it is not paused",
            Refusal::Running => "it is running",
            Refusal::Restarting => "it is restarting",
            Refusal::Dead => "it is dead: its record is damaged or its removal stopped half-way",
        }
    }

    /// Returns the key of the reason in the texts of all languages (`ui::messages`).
    pub fn key(self) -> &'static str {
        match self {
            Refusal::Paused => "paused",
            Refusal::AlreadyPaused => "already-paused",
            Refusal::NotRunning => "not-running",
            Refusal::NotPaused => "not-paused",
            Refusal::Running => "running",
            Refusal::Restarting => "restarting",
            Refusal::Dead => "dead",
        }
    }

    /// Explains why the reason forbids `action`: the key of the text, and the text in English.
    pub fn lesson(self, action: Action) -> (&'static str, &'static str) {
        use Action::{Attach, Exec, Kill, Pause, Rm, Top};
        match (self, action) {
            (Refusal::Running | Refusal::Paused | Refusal::Restarting, Rm) => {
                ("live-rm", "Its processes use the files that rm would remove.")
            }
            (Refusal::Paused, Exec | Attach) => (
                "paused-join",
                "All processes in its control group are paused: another process would not run.",
            ),
            (Refusal::Paused, _) => {
                ("paused-start", "Its processes exist and are paused: there is nothing to start.")
            }
            (Refusal::AlreadyPaused, _) => ("paused-pause", "Its processes are paused already."),
            (Refusal::NotRunning, Kill) => {
                ("idle-kill", "Without a process there is nothing to send a signal to.")
            }
            (Refusal::NotRunning, Pause) => {
                ("idle-pause", "Without a process there is nothing to pause.")
            }
            (Refusal::NotRunning, Top) => {
                ("idle-top", "Without a process there is nothing to list.")
            }
            (Refusal::NotRunning, Attach) => {
                ("idle-attach", "attach connects you to its running program, and there is none.")
            }
            (Refusal::NotRunning, _) => (
                "idle-join",
                "Another process would share the namespaces of the first, and those end with it.",
            ),
            (Refusal::Restarting, _) => ("restarting", "Between two runs it has no process."),
            (Refusal::NotPaused | Refusal::Running, _) => {
                ("not-paused", "Only a paused container can be unpaused.")
            }
            (Refusal::Dead, _) => ("dead", "Only its name is known."),
        }
    }
}

/// Looks up the table: what `action` leads to in `status`, or why it is refused.
///
/// # Errors
/// The reason of the refusal.
pub fn transition(status: Status, action: Action) -> std::result::Result<Transition, Refusal> {
    use Action as A;
    use Refusal as R;
    use Status as S;
    match (status, action) {
        (_, A::Inspect) => Ok(Transition::Stays),
        (_, A::RmForce) => Ok(Transition::Removed),
        (S::Dead, A::Rm) => Ok(Transition::Removed),
        (S::Dead, _) => Err(R::Dead),
        (_, A::Update | A::Rename | A::Logs | A::Wait) => Ok(Transition::Stays),

        (S::Created | S::Exited, A::Start | A::Restart) => Ok(Transition::Becomes(S::Running)),
        (S::Running | S::Restarting, A::Start) => Ok(Transition::Stays),
        (S::Paused, A::Start) => Err(R::Paused),
        (S::Running | S::Paused | S::Restarting, A::Restart) => Ok(Transition::Becomes(S::Running)),

        (S::Created | S::Exited, A::Stop) => Ok(Transition::Stays),
        (S::Running | S::Paused | S::Restarting, A::Stop | A::Kill) => {
            Ok(Transition::Becomes(S::Exited))
        }
        (S::Created | S::Exited, A::Kill | A::Pause) => Err(R::NotRunning),
        (S::Created | S::Exited, A::Exec | A::Attach | A::Top) => Err(R::NotRunning),
        (S::Running, A::Exec | A::Attach | A::Top) | (S::Paused, A::Top) => Ok(Transition::Stays),
        (S::Paused, A::Exec | A::Attach) => Err(R::Paused),
        (S::Restarting, A::Exec | A::Attach | A::Top) => Err(R::Restarting),

        (S::Running, A::Pause) => Ok(Transition::Becomes(S::Paused)),
        (S::Paused, A::Pause) => Err(R::AlreadyPaused),
        (S::Restarting, A::Pause) => Err(R::Restarting),
        (S::Paused, A::Unpause) => Ok(Transition::Becomes(S::Running)),
        (S::Created | S::Running | S::Restarting | S::Exited, A::Unpause) => Err(R::NotPaused),

        (S::Created | S::Exited, A::Rm) => Ok(Transition::Removed),
        (S::Running, A::Rm) => Err(R::Running),
        (S::Restarting, A::Rm) => Err(R::Restarting),
        (S::Paused, A::Rm) => Err(R::Paused),
    }
}

/// Returns the actions that change a container of this status, in the order of [`Action::ALL`].
pub fn actions(status: Status) -> Vec<Action> {
    let legal = |action: &Action| {
        action.changes_status()
            && !matches!(transition(status, *action), Err(_) | Ok(Transition::Stays))
    };
    Action::ALL.into_iter().filter(legal).collect()
}

/// Returns what `action` leads to, or the refusal as an error that names the container, the reason
/// and the verbs that are legal now.
///
/// # Errors
/// [`Kind::Refused`] where the table says no.
pub fn check(name: &str, status: Status, action: Action) -> Result<Transition> {
    transition(status, action).map_err(|refusal| {
        let (verb, reason) = (action.verb(), refusal.reason());
        let hint = format!("{} Now legal: {}", refusal.lesson(action).1, legal_verbs(status));
        Error::new(Kind::Refused, format!("cannot {verb} `{name}`: {reason}"))
            .hint(hint)
            .container(name, Some(status.as_str()))
            .refusal_of(verb)
    })
}

/// Checks that the record of a container can be relied on: every status but [`Status::Dead`].
///
/// # Errors
/// [`Kind::Refused`] for a dead container.
pub fn check_record(name: &str, status: Status) -> Result<()> {
    if status != Status::Dead {
        return Ok(());
    }
    let reason = Refusal::Dead.reason();
    Err(Error::new(Kind::Refused, format!("cannot use the files of `{name}`: {reason}"))
        .hint(format!("remove it: lifebox rm -f {name}"))
        .container(name, Some(status.as_str())))
}

/// Lists the verbs that are legal now: `unpause, stop, kill`.
pub fn legal_verbs(status: Status) -> String {
    actions(status).into_iter().map(Action::verb).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_reason_and_the_way_out() {
        let error = check("web", Status::Paused, Action::Start).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `web`: it is paused");
        let hint = error.hint_text().unwrap();
        assert_eq!(
            hint,
            "Its processes exist and are paused: there is nothing to start. \
             Now legal: unpause, stop, kill, restart, rm -f"
        );
    }

    #[test]
    fn every_pair_is_answered_and_every_status_can_be_left() {
        for status in Status::ALL {
            assert!(!actions(status).is_empty(), "{status}");
            assert!(transition(status, Action::RmForce).is_ok(), "{status}");
            assert!(transition(status, Action::Inspect).is_ok(), "{status}");
        }
    }
}
