//! The helper: one small process per exec. It is started like a monitor, joins the container, and
//! stays until the program exits, even if its client leaves.

pub(super) mod environment;
mod helper;
mod start;

pub(super) use self::start::run;
