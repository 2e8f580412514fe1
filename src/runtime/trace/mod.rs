//! The trace: the steps of a verb with their times, recorded while tracing is on.
//!
//! Off, a step costs the check of one flag. On, a client records its own steps, and monitors send
//! theirs along with the reply (`protocol::Reply::TraceSteps`). With a watcher each step is
//! reported before it is carried out, and waits until the watcher returns.

pub(super) mod operation;
mod recorder;

pub use self::recorder::{
    Watcher, add, before, begin, end, is_on, is_watched, now, record, replace, take, traced,
};
