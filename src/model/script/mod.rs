//! Data around scripts: traces of steps, recordings of runs, test results and expressions of the
//! language.

pub mod expression;
pub mod recording;
pub mod test_result;
pub mod trace;
