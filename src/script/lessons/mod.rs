//! Lessons: what a learner is told, asked and has to bring about, and who looks whether it is so.
//!
//! A lesson is data with a few lines of the language (`stdlib/lessons/FORMAT.md`). What counts is
//! how the engine really is after an input, never the input.

mod csv;
mod format;
mod player;
mod progress;
mod sandbox_store;
pub(crate) mod self_test;
mod values;

pub use crate::script::lessons::sandbox_store::clear;
pub use crate::script::lessons::self_test::{SelfTestResult, self_test};
pub use csv::csv;
pub use format::{Lesson, course, of_folder};
pub use player::{Player, TutorOutput};
pub use progress::{Progress, ProgressFile};
