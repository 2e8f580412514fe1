//! Data around scripts: traces of steps, recordings of runs and test results.

pub mod recording;
pub mod test_result;
pub mod trace;
