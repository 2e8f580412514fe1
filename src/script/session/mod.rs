//! Sessions with the interpreter, and what belongs to them: modules, completion, the reference.

mod assist;
pub(super) mod completion;
mod evaluate;
pub(super) mod interpreter;
pub(super) mod modules;
pub(crate) mod reference;
mod run;

pub use evaluate::{EvalResult, Session};
pub use run::run;
