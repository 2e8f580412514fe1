//! The protocol between client and monitor over `monitor.sock`, and both ends of a connection.

pub(crate) mod client;
pub mod connection;
pub mod message;
pub mod role_names;

pub use message::{ExecSpec, Reply, Report, Request, Size, StartOptions, encode, encode_input};
