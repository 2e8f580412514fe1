//! The bare parser of the language.

use rhai::{Engine, OptimizationLevel};

/// The limit of nested expressions: equal for debug and release, or tests would meet other limits
/// than users. Rhai's default is too small for ordinary functions; the stack (see `stack`) is big
/// enough.
const EXPRESSION_DEPTH: usize = 256;

/// Returns an engine that knows the language without lifebox's functions, for texts that are not
/// run.
pub fn parser() -> Engine {
    let mut engine = Engine::new_raw();
    engine.set_max_expr_depths(EXPRESSION_DEPTH, EXPRESSION_DEPTH);
    // The optimiser would drop code and move lines, and gains nothing measurable.
    engine.set_optimization_level(OptimizationLevel::None);
    engine
}
