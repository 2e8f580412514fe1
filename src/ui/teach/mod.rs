//! Teaching output: how a container works, which steps a verb takes, why a container exited, and
//! the life cycle as a diagram.

pub mod diagram;
pub mod introspection;
#[cfg(test)]
mod tests;
pub mod trace;
pub mod why;
