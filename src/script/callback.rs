//! Calling a closure of the script from native code.

use rhai::{Dynamic, FnPtr, NativeCallContext};

use super::error::RhaiResultOf;

/// Calls `function` with one value. A closure gets `this` bound to the subject; any other function
/// would take it for a first argument.
pub fn call(
    ctx: &NativeCallContext,
    function: &FnPtr,
    this: impl Clone + Send + Sync + 'static,
    value: Dynamic,
) -> RhaiResultOf<Dynamic> {
    let answer = if function.is_anonymous() {
        let mut this = Dynamic::from(this);
        function.call_as_method_within_context(ctx, &mut this, (value,))
    } else {
        function.call_within_context(ctx, (value,))
    };
    answer.map_err(|mut error| {
        // Without a place of its own, the call that gave the closure is where to look.
        if error.position().is_none() {
            error.set_position(ctx.call_position());
        }
        error
    })
}

/// Whether a callback's answer asks to stop.
pub fn says_stop(answer: &Dynamic) -> bool {
    answer.as_bool() == Ok(false)
}
