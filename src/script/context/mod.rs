//! The context of a running script: what native functions can reach, and how they call back and
//! throw.

pub(super) mod callback;
pub(super) mod calls;
pub(super) mod raise;
pub(super) mod scope;
pub(super) mod script_context;
pub(super) mod stack;
pub(super) mod test_state;
pub(super) mod thread;
pub(super) mod thrown;
