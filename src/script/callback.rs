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
    if function.is_anonymous() {
        let mut this = Dynamic::from(this);
        function.call_as_method_within_context(ctx, &mut this, (value,))
    } else {
        function.call_within_context(ctx, (value,))
    }
}

/// Whether a callback's answer asks to stop.
pub fn says_stop(answer: &Dynamic) -> bool {
    answer.as_bool() == Ok(false)
}
