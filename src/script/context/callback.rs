//! Calls closures of the script from native code.

use rhai::{Dynamic, Engine, FnPtr, NativeCallContext};

use super::thrown::RhaiResultOf;
use crate::script::values::handle::{Container, Image};

/// Calls `function` with one value. A closure gets `this` bound to the subject; any other function
/// would receive the subject as first argument.
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
        // An error without a position gets that of the call that was given the closure.
        if error.position().is_none() {
            error.set_position(ctx.call_position());
        }
        error
    })
}

/// Returns whether the result of a callback ends the loop.
pub fn says_stop(answer: &Dynamic) -> bool {
    answer.as_bool() == Ok(false)
}

/// Returns a closure with its own copies of captured handles. Closures share the cell of a captured
/// variable, and a method call locks it while it lasts: `c.wait()` in one place would lock out a
/// closure that uses `c`. Handles never change, so a copy is safe.
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

/// A closure to be called later. It needs the functions that existed where it was written.
#[derive(Debug)]
#[expect(deprecated, reason = "unstable, and the only way to store the context of a call")]
pub struct StoredClosure {
    function: FnPtr,
    context: rhai::NativeCallContextStore,
}

#[expect(deprecated, reason = "as above")]
impl StoredClosure {
    /// Stores a closure with the functions of the current call.
    pub fn new(ctx: &NativeCallContext, function: FnPtr) -> Self {
        StoredClosure { function, context: ctx.store_data() }
    }

    /// Calls the closure.
    pub fn call(&self, engine: &Engine) -> RhaiResultOf<()> {
        let ctx = self.context.create_context(engine);
        self.function.call_within_context::<Dynamic>(&ctx, ()).map(drop)
    }

    /// Calls the closure with one value, as [`call`] does.
    pub fn call_with(
        &self,
        engine: &Engine,
        this: impl Clone + Send + Sync + 'static,
        value: Dynamic,
    ) -> RhaiResultOf<Dynamic> {
        call(&self.context.create_context(engine), &self.function, this, value)
    }
}
