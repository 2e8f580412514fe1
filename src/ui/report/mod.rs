//! Reports as text: the findings of `system check`; test results for readers, as TAP and as JUnit
//! XML.

pub mod check_report;
pub mod test_results;

pub use check_report::report;
