//! The flow of a script: handlers, parallel closures, cleanup, waiting and streams to loop over.

pub(super) mod cleanup;
pub(super) mod events;
pub(super) mod handlers;
pub(super) mod logs;
pub(super) mod parallel;
mod race;
pub(super) mod resolve;
pub(super) mod stats;
pub(super) mod wait_for;
