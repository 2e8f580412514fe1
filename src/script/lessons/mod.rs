//! Lessons: explanations, questions and tasks for a learner, and the checks of their result.
//!
//! A lesson is data with a few lines of the language (`stdlib/lessons/FORMAT.md`). A check looks at
//! the actual state of the engine after an input, never at the input.

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
pub use progress::{LearnerProgress, ProgressFile};
