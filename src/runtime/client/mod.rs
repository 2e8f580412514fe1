//! The client's side of the runtime: changes containers that do not run, and sends requests to the
//! monitors of running ones.

pub mod attach;
pub(super) mod create;
pub(super) mod detach_keys;
pub(super) mod etc_files;
pub(super) mod events;
pub mod exec;
pub mod followed_log;
pub(super) mod http;
pub(crate) mod info;
pub(super) mod introspect;
mod leftovers;
pub(super) mod limits;
pub(super) mod list;
pub(super) mod listening_ports;
pub(super) mod lost;
pub(crate) mod mend;
pub(super) mod overlay_check;
mod permitted;
pub(super) mod planned;
pub(super) mod probe;
pub(super) mod remove;
mod request_timeout;
pub mod root;
pub mod runtime;
pub mod session;
pub(super) mod start;
pub mod streams;
pub(super) mod top;
mod unresponsive;
pub(super) mod verbs;
mod wait;
mod watch;

pub use create::{CreationWork, NewContainer};
pub use runtime::Runtime;
