//! Calling a closure of the script from native code.

use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use super::thrown::RhaiResultOf;
use crate::script::values::handle::{Container, Image};

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

/// A closure with handles of its own. A captured variable is one cell for all who captured it, and
/// a method call holds it for as long as it lasts: `c.wait()` in one place would keep a closure that
/// has `c` out. A handle never changes, so it gets a copy.
pub fn with_cloned_handles(mut function: FnPtr) -> FnPtr {
    for value in function.iter_curry_mut() {
        if value.is_shared() {
            let copy = value.clone().flatten();
            if copy.is::<Container>() || copy.is::<Image>() {
                *value = copy;
            }
        }
    }
    function
}

/// A closure to be called later. It needs the functions that were there when it was written.
#[derive(Debug)]
// Volatile under `internals`, and what Rhai has for this.
#[allow(deprecated)]
pub struct StoredClosure {
    function: FnPtr,
    context: rhai::NativeCallContextStore,
}

// As above.
#[allow(deprecated)]
impl StoredClosure {
    /// To be called as it could be now.
    pub fn new(ctx: &NativeCallContext, function: FnPtr) -> Self {
        StoredClosure { function, context: ctx.store_data() }
    }

    /// Calls it.
    pub fn call(&self, engine: &Engine) -> RhaiResultOf<()> {
        let ctx = self.context.create_context(engine);
        self.function.call_within_context::<Dynamic>(&ctx, ()).map(drop)
    }

    /// Calls it with one value, as [`call`] does.
    pub fn call_with(
        &self,
        engine: &Engine,
        this: impl Clone + Send + Sync + 'static,
        value: Dynamic,
    ) -> RhaiResultOf<Dynamic> {
        call(&self.context.create_context(engine), &self.function, this, value)
    }
}
