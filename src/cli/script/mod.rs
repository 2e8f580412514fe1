//! Verbs of the language: scripts, the REPL, lessons, tests, `check`, `docs`, `--report`, and the
//! verbs that teach.

pub(crate) mod check;
pub(crate) mod docs;
pub(crate) mod host;
pub(crate) mod isolated;
pub(crate) mod learn;
pub(crate) mod panic_hook;
pub(crate) mod private_store;
pub(crate) mod repl;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod teaching;
pub(crate) mod test;
