//! Recordings of script runs: the containers, calls and output of a script over time.

pub(crate) mod call_site;
pub(crate) mod output;
pub(super) mod recorder;
pub(crate) mod watched;
