//! Recordings of script runs: the containers, calls and output of a script over time.

mod call_site;
mod output;
mod recorder;
mod run_recorded;
mod times;
mod watched;

pub use run_recorded::run_recorded;
