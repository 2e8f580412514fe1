//! A conversation with the interpreter: variables, functions and imports live on from one text to
//! the next. A script is a conversation of one text.

mod assist;
pub(super) mod completion;
mod evaluate;
pub(super) mod interpreter;
pub(super) mod modules;
pub(crate) mod reference;
mod run;

pub use evaluate::{EvalResult, Session};
pub use run::run;
