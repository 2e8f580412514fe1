//! Around containers: arguments, time, help, the end of a script.

use super::signature::Duration;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{Ending, RhaiResultOf};
use crate::script::flow::handlers;
use crate::script::sandbox::policy;
use crate::script::{docs, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, FLOAT, INT, ImmutableString, Map};

/// The script itself and what it runs on.
#[export_module]
pub mod system {
    /// The arguments of the script.
    ///
    /// ```rhai
    /// let name = args().get(0) ?? "web";
    /// ```
    #[rhai_fn(name = "args", volatile, return_raw)]
    pub fn arguments(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        Ok(values::strings(&ScriptContext::of(&ctx)?.host().args))
    }

    /// An environment variable of this process; `()` where it is not set.
    ///
    /// ```rhai
    /// let home = env("HOME") ?? "/";
    /// ```
    #[rhai_fn(name = "env", volatile, return_raw)]
    pub fn env(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Dynamic> {
        if ScriptContext::of(&ctx)?.host().sandbox.is_some() {
            policy::deny_host_variable(name).or_raise(&ctx)?;
        }
        // A name that the system would not even look for is not set.
        let possible = !name.is_empty() && !name.contains(['=', '\0']);
        let value = possible.then(|| std::env::var_os(name)).flatten();
        Ok(value.map_or(Dynamic::UNIT, |value| value.to_string_lossy().into_owned().into()))
    }

    /// Sleeps for a number of seconds, or such as `"500ms"`. Ctrl-C ends it.
    ///
    /// ```rhai
    /// sleep("100ms");
    /// ```
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep(ctx: NativeCallContext, time: Duration) -> RhaiResultOf<()> {
        sleep_for(&ctx, &time)
    }

    // Rhai's own `sleep` of these exact types would be found before ours.

    /// Sleeps for a number of seconds.
    ///
    /// ```rhai
    /// sleep(0);
    /// ```
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep_seconds(ctx: NativeCallContext, seconds: INT) -> RhaiResultOf<()> {
        sleep_for(&ctx, &Dynamic::from(seconds))
    }

    /// Sleeps for a number of seconds.
    ///
    /// ```rhai
    /// sleep(0.5);
    /// ```
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep_fraction(ctx: NativeCallContext, seconds: FLOAT) -> RhaiResultOf<()> {
        sleep_for(&ctx, &Dynamic::from(seconds))
    }

    /// What this engine and this machine are, as a map.
    ///
    /// ```rhai
    /// print(info().kernel);
    /// ```
    #[rhai_fn(name = "info", volatile, return_raw)]
    pub fn info(ctx: NativeCallContext) -> RhaiResultOf<Map> {
        let info = ScriptContext::of(&ctx)?.backend().info().or_raise(&ctx)?;
        let value = values::from_json(info).or_raise(&ctx)?;
        Ok(value.try_cast::<Map>().unwrap_or_default())
    }

    /// lifebox's version.
    ///
    /// ```rhai
    /// print(version());
    /// ```
    #[rhai_fn(name = "version")]
    pub fn version() -> ImmutableString {
        env!("CARGO_PKG_VERSION").into()
    }

    /// Prints all functions, one line each.
    ///
    /// ```rhai
    /// help();
    /// ```
    #[rhai_fn(name = "help", volatile, return_raw)]
    pub fn help(ctx: NativeCallContext) -> RhaiResultOf<()> {
        let stage = ScriptContext::of(&ctx)?;
        stage.print(&docs::help_index(stage.library(), stage.host().reader));
        Ok(())
    }

    /// Prints what a function does, its options, an example.
    ///
    /// ```rhai
    /// help("pause");
    /// ```
    #[rhai_fn(name = "help", volatile, return_raw)]
    pub fn help_on(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        let stage = ScriptContext::of(&ctx)?;
        let language = stage.host().reader.language;
        let page = docs::help_page(stage.library(), ctx.engine(), name, language).or_raise(&ctx)?;
        stage.print(&page);
        Ok(())
    }

    /// Ends the script with exit code 0. No `catch` sees it.
    ///
    /// ```rhai
    /// exit();
    /// ```
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit(ctx: NativeCallContext) -> RhaiResultOf<()> {
        leave(&ctx, 0)
    }

    /// Ends the script with an exit code from 0 to 255. No `catch` sees it.
    ///
    /// ```rhai
    /// exit(3);
    /// ```
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit_with(ctx: NativeCallContext, code: Dynamic) -> RhaiResultOf<()> {
        let number = code.as_int().ok().and_then(|code| u8::try_from(code).ok());
        let number = number.ok_or_else(|| {
            let given = values::quoted(&code);
            let message = format!("exit(): a code from 0 to 255 is wanted, not {given}");
            raise(&ctx, &Error::new(Kind::Invalid, message))
        })?;
        leave(&ctx, number)
    }

    /// Throws the kind `assertion` unless the condition is true.
    ///
    /// ```rhai
    /// assert(1 < 2);
    /// ```
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert(ctx: NativeCallContext, condition: bool) -> RhaiResultOf<()> {
        assert_that(&ctx, condition, "assertion failed")
    }

    /// The same, with a message.
    ///
    /// ```rhai
    /// assert(version() != "", "there is a version");
    /// ```
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert_with(ctx: NativeCallContext, condition: bool, message: &str) -> RhaiResultOf<()> {
        assert_that(&ctx, condition, message)
    }

    /// The strings of an array, or what else is in it as text, with a separator between them.
    ///
    /// ```rhai
    /// print(["a", "b"].join(", "));
    /// ```
    #[rhai_fn(name = "join")]
    pub fn join(array: Array, separator: &str) -> String {
        array.iter().map(ToString::to_string).collect::<Vec<_>>().join(separator)
    }

    /// What was thrown as a mere string has the kind `"thrown"`, as other errors have theirs.
    #[rhai_fn(get = "kind")]
    pub fn thrown_kind(_thrown: ImmutableString) -> ImmutableString {
        "thrown".into()
    }

    /// What was thrown as a mere string is its own message.
    #[rhai_fn(get = "message")]
    pub fn thrown_message(thrown: ImmutableString) -> ImmutableString {
        thrown
    }

    /// What was thrown as a mere string has no hint, as other errors may have none.
    #[rhai_fn(get = "hint")]
    pub fn thrown_hint(_thrown: ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    /// What was thrown as a mere string has no causes.
    #[rhai_fn(get = "causes")]
    pub fn thrown_causes(_thrown: ImmutableString) -> Array {
        Array::new()
    }

    /// What was thrown as a mere string does not know where.
    #[rhai_fn(get = "position")]
    pub fn thrown_position(_thrown: ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    /// What was thrown as a mere number has the kind `"thrown"`.
    #[rhai_fn(get = "kind")]
    pub fn thrown_number_kind(_thrown: INT) -> ImmutableString {
        "thrown".into()
    }

    /// What was thrown as a mere number is its own message.
    #[rhai_fn(get = "message")]
    pub fn thrown_number_message(thrown: INT) -> ImmutableString {
        thrown.to_string().into()
    }

    /// What was thrown as a mere number has no hint.
    #[rhai_fn(get = "hint")]
    pub fn thrown_number_hint(_thrown: INT) -> Dynamic {
        Dynamic::UNIT
    }

    /// What was thrown as a mere number has no causes.
    #[rhai_fn(get = "causes")]
    pub fn thrown_number_causes(_thrown: INT) -> Array {
        Array::new()
    }

    /// What was thrown as a mere number does not know where.
    #[rhai_fn(get = "position")]
    pub fn thrown_number_position(_thrown: INT) -> Dynamic {
        Dynamic::UNIT
    }
}

fn leave(ctx: &NativeCallContext, code: u8) -> RhaiResultOf<()> {
    ScriptContext::of(ctx)?.end(Ending::Exit(code));
    Err(Ending::Exit(code).at(ctx.call_position()))
}

fn sleep_for(ctx: &NativeCallContext, time: &Dynamic) -> RhaiResultOf<()> {
    let time = values::duration(&time.clone().flatten()).or_raise(ctx)?;
    if ScriptContext::of(ctx)?.backend().is_dry_run() {
        return Ok(());
    }
    handlers::wait(&ScriptContext::of(ctx)?.cancel(), |cancel| cancel.sleep(time)).or_raise(ctx)
}

/// The kind is the script's own: no engine raises it.
fn assert_that(ctx: &NativeCallContext, condition: bool, message: &str) -> RhaiResultOf<()> {
    if condition {
        return Ok(());
    }
    let mut error = raise(ctx, &Error::new(Kind::Invalid, message));
    if let EvalAltResult::ErrorRuntime(value, _) = error.as_mut()
        && let Some(mut map) = value.write_lock::<Map>()
    {
        map.insert("kind".into(), "assertion".into());
    }
    Err(error)
}
