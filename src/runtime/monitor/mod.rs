//! The monitor: one small process per running container, which outlives the client that started it.
//!
//! It is a fresh exec of this binary, with one thread and one poll loop: no script engine, no
//! logger. The monitor starts the container, writes its log, answers its socket, records its exit,
//! and exits. It holds the container's lock for all that time.

mod checker;
mod end;
mod event;
mod event_loop;
mod health;
mod held;
mod join;
mod launch;
mod main;
mod record;
mod restart;
mod restart_state;
mod shared_volumes;
mod state;
mod usage_meter;
mod verbs;

pub(super) use self::main::run;
