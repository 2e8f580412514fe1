//! Functions of Rhai whose one call may run or grow without a bound, written again: they look at
//! the end of the script between their parts, and what they make has a largest size. Rhai asks
//! only between statements, and its own limits on sizes measure a whole array at each call.
// Rhai's macros want its plugin prelude as a whole, and unwrap the types that they have checked.
#![allow(clippy::wildcard_imports, clippy::unwrap_used)]

mod compare;
mod cut;
mod json;
mod lists;
mod pace;
mod print;
mod sort;
mod text;

use rhai::plugin::*;

pub(in crate::script) use cut::text_of;
pub(in crate::script) use text::join;

/// Returns the functions, to be registered after Rhai's own.
pub fn module() -> Module {
    let mut all = Module::new();
    for part in [
        exported_module!(text::text),
        exported_module!(lists::lists),
        exported_module!(compare::compare),
        exported_module!(sort::sort),
        exported_module!(print::print),
        exported_module!(json::json),
    ] {
        all.combine_flatten(part);
    }
    all
}
