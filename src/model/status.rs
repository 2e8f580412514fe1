//! The life cycle as one table: (status, action) -> what happens, or why not.
//!
//! The engine, the hints of refusals, completion, the documentation and the all-pairs test read
//! this table and nothing else. It agrees with what Docker Engine was measured to do
//! (`tests/transitions.tsv`).

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Error, Kind, Result};

/// Where a container is in its life. The words are Docker's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Made, never started: no process, no CPU, no memory; only a writable layer on disk.
    Created,
    /// Its program runs.
    Running,
    /// Frozen by its cgroup: memory is kept, CPU is not used.
    Paused,
    /// Ended; its monitor will start it again in a moment.
    Restarting,
    /// Ended; its files and logs are kept.
    Exited,
    /// Its record is damaged or its removal stopped half-way; it can only be removed.
    Dead,
}

impl Status {
    /// All of them, in the order of a life.
    pub const ALL: [Status; 6] = [
        Status::Created,
        Status::Running,
        Status::Paused,
        Status::Restarting,
        Status::Exited,
        Status::Dead,
    ];

    /// The word that users see: `created`, `running`, ...
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

    /// Whether the container has a monitor: it has processes, or will have them in a moment.
    pub fn is_live(self) -> bool {
        matches!(self, Status::Running | Status::Paused | Status::Restarting)
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
    /// Run its program.
    Start,
    /// Ask it to end, then make it end.
    Stop,
    /// Send it a signal.
    Kill,
    /// Freeze it.
    Pause,
    /// Thaw it.
    Unpause,
    /// Stop and start.
    Restart,
    /// Remove it.
    Rm,
    /// Kill and remove it.
    RmForce,
    /// Change its limits.
    Update,
    /// Give it another name.
    Rename,
    /// Read what it wrote.
    Logs,
    /// Wait until it ends.
    Wait,
    /// Read its record.
    Inspect,
    /// Run a further program in it.
    Exec,
    /// Connect to it.
    Attach,
    /// List its processes.
    Top,
}

impl Action {
    /// All of them, in the order in which they are offered to users.
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

    /// The verb as it is typed: `pause`, `rm -f`.
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

    /// Whether it can change the status.
    pub fn moves(self) -> bool {
        use Action::{Attach, Exec, Inspect, Logs, Rename, Top, Update, Wait};
        !matches!(self, Update | Rename | Logs | Wait | Inspect | Exec | Attach | Top)
    }
}

/// What a legal action leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The container gets this status.
    Becomes(Status),
    /// Nothing to do: it is there already, or the action only reads.
    Stays,
    /// The container is gone.
    Gone,
}

/// The table. `Err` carries the reason, as the end of "cannot start `web`: it ...".
///
/// # Errors
/// The reason of the refusal.
pub fn next(status: Status, action: Action) -> std::result::Result<Next, &'static str> {
    use Action as A;
    use Status as S;
    match (status, action) {
        (_, A::Inspect) => Ok(Next::Stays),
        (_, A::RmForce) => Ok(Next::Gone),
        (S::Dead, A::Rm) => Ok(Next::Gone),
        (S::Dead, _) => Err("it is dead: its record is damaged or its removal stopped half-way"),
        (_, A::Update | A::Rename | A::Logs | A::Wait) => Ok(Next::Stays),

        (S::Created | S::Exited, A::Start | A::Restart) => Ok(Next::Becomes(S::Running)),
        (S::Running | S::Restarting, A::Start) => Ok(Next::Stays),
        (S::Paused, A::Start) => Err("it is paused"),
        (S::Running | S::Paused | S::Restarting, A::Restart) => Ok(Next::Becomes(S::Running)),

        (S::Created | S::Exited, A::Stop) => Ok(Next::Stays),
        (S::Running | S::Paused | S::Restarting, A::Stop | A::Kill) => Ok(Next::Becomes(S::Exited)),
        (S::Created | S::Exited, A::Kill | A::Pause) => Err("it is not running"),
        (S::Created | S::Exited, A::Exec | A::Attach | A::Top) => Err("it is not running"),
        (S::Running, A::Exec | A::Attach | A::Top) | (S::Paused, A::Top) => Ok(Next::Stays),
        (S::Paused, A::Exec | A::Attach) => Err("it is paused"),
        (S::Restarting, A::Exec | A::Attach | A::Top) => Err("it is restarting"),

        (S::Running, A::Pause) => Ok(Next::Becomes(S::Paused)),
        (S::Paused, A::Pause) => Err("it is already paused"),
        (S::Restarting, A::Pause) => Err("it is restarting"),
        (S::Paused, A::Unpause) => Ok(Next::Becomes(S::Running)),
        (S::Created | S::Running | S::Restarting | S::Exited, A::Unpause) => {
            Err("it is not paused")
        }

        (S::Created | S::Exited, A::Rm) => Ok(Next::Gone),
        (S::Running, A::Rm) => Err("it is running"),
        (S::Restarting, A::Rm) => Err("it is restarting"),
        (S::Paused, A::Rm) => Err("it is paused"),
    }
}

/// The actions that change a container of this status, in the order of [`Action::ALL`].
pub fn moves(status: Status) -> Vec<Action> {
    let legal = |action: &Action| {
        action.moves() && !matches!(next(status, *action), Err(_) | Ok(Next::Stays))
    };
    Action::ALL.into_iter().filter(legal).collect()
}

/// What `action` leads to, or the refusal as an error that names the container, the reason and
/// the verbs that are legal now.
///
/// # Errors
/// [`Kind::Refused`] where the table says no.
pub fn check(name: &str, status: Status, action: Action) -> Result<Next> {
    next(status, action).map_err(|reason| {
        let verbs: Vec<_> = moves(status).into_iter().map(Action::verb).collect();
        Error::new(Kind::Refused, format!("cannot {} `{name}`: {reason}", action.verb()))
            .hint(format!("{status}: you can {}", join_or(&verbs)))
            .container(name, Some(status.as_str()))
    })
}

/// `a, b or c`.
fn join_or(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_names_the_reason_and_the_way_out() {
        let error = check("web", Status::Paused, Action::Start).unwrap_err();
        assert_eq!(error.to_string(), "cannot start `web`: it is paused");
        let hint = error.hint_text().unwrap();
        assert_eq!(hint, "paused: you can unpause, stop, kill, restart or rm -f");
    }

    #[test]
    fn every_pair_is_answered_and_every_status_can_be_left() {
        for status in Status::ALL {
            assert!(!moves(status).is_empty(), "{status}");
            assert!(next(status, Action::RmForce).is_ok(), "{status}");
            assert!(next(status, Action::Inspect).is_ok(), "{status}");
        }
    }
}
