//! The script and its surroundings: arguments, time, help, exit.

use super::signature::Duration;
use crate::model::{Error, Kind};
use crate::script::context::raise::{OrRaise, raise};
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{Ending, RhaiResultOf};
use crate::script::flow::handlers;
use crate::script::sandbox::policy;
use crate::script::{bounded, docs, values};
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, FLOAT, INT, ImmutableString, Map};

/// The script and its host.
#[export_module]
pub mod system {
    /// Returns the arguments of the script, an array of strings.
    ///
    /// ```rhai
    /// let name = args().get(0) ?? "web";
    /// ```
    #[rhai_fn(name = "args", volatile, return_raw)]
    pub fn arguments(ctx: NativeCallContext) -> RhaiResultOf<Array> {
        Ok(values::strings(&ScriptContext::of(&ctx)?.host().args))
    }

    /// Returns an environment variable of this process; `()` if it is not set.
    ///
    /// ```rhai
    /// let home = env("HOME") ?? "/";
    /// ```
    #[rhai_fn(name = "env", volatile, return_raw)]
    pub fn env(ctx: NativeCallContext, name: &str) -> RhaiResultOf<Dynamic> {
        if ScriptContext::of(&ctx)?.host().sandbox.is_some() {
            policy::deny_host_variable(name).or_raise(&ctx)?;
        }
        // A name that is invalid for the system is not set.
        let possible = !name.is_empty() && !name.contains(['=', '\0']);
        let value = possible.then(|| std::env::var_os(name)).flatten();
        Ok(value.map_or(Dynamic::UNIT, |value| value.to_string_lossy().into_owned().into()))
    }

    /// Sleeps for a number of seconds, or a duration such as `"500ms"`. Ctrl-C interrupts the
    /// sleep.
    ///
    /// ```rhai
    /// sleep("100ms");
    /// ```
    #[rhai_fn(name = "sleep", volatile, return_raw)]
    pub fn sleep(ctx: NativeCallContext, time: Duration) -> RhaiResultOf<()> {
        sleep_for(&ctx, &time)
    }

    // Rhai's own `sleep` of these exact types would take precedence.

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

    /// Returns information on this engine and its host, a map.
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

    /// Returns the version of lifebox.
    ///
    /// ```rhai
    /// print(version());
    /// ```
    #[rhai_fn(name = "version")]
    pub fn version() -> ImmutableString {
        env!("CARGO_PKG_VERSION").into()
    }

    /// Prints all functions, one a line.
    ///
    /// ```rhai
    /// help();
    /// ```
    #[rhai_fn(name = "help", volatile, return_raw)]
    pub fn help(ctx: NativeCallContext) -> RhaiResultOf<()> {
        let context = ScriptContext::of(&ctx)?;
        context.print(&docs::help_index(context.library(), context.host().reader));
        Ok(())
    }

    /// Prints the page of a function: what it does, its options, an example.
    ///
    /// ```rhai
    /// help("pause");
    /// ```
    #[rhai_fn(name = "help", volatile, return_raw)]
    pub fn help_on(ctx: NativeCallContext, name: &str) -> RhaiResultOf<()> {
        let context = ScriptContext::of(&ctx)?;
        let language = context.host().reader.language;
        let page =
            docs::help_page(context.library(), ctx.engine(), name, language).or_raise(&ctx)?;
        context.print(&page);
        Ok(())
    }

    /// Ends the script with exit code 0. `catch` does not see it.
    ///
    /// ```rhai
    /// exit();
    /// ```
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit(ctx: NativeCallContext) -> RhaiResultOf<()> {
        leave(&ctx, 0)
    }

    /// Ends the script with an exit code from 0 to 255. `catch` does not see it.
    ///
    /// ```rhai
    /// exit(3);
    /// ```
    #[rhai_fn(name = "exit", volatile, return_raw)]
    pub fn exit_with(ctx: NativeCallContext, code: Dynamic) -> RhaiResultOf<()> {
        let number = code.as_int().ok().and_then(|code| u8::try_from(code).ok());
        let number = number.ok_or_else(|| {
            let given = values::quoted(&code);
            let message = format!("exit(): expected a code from 0 to 255, got {given}");
            raise(&ctx, &Error::new(Kind::Invalid, message))
        })?;
        leave(&ctx, number)
    }

    /// Throws the kind `assertion` if the condition is false.
    ///
    /// ```rhai
    /// assert(1 < 2);
    /// ```
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert(ctx: NativeCallContext, condition: bool) -> RhaiResultOf<()> {
        assert_that(&ctx, condition, "assertion failed")
    }

    /// As `assert(condition)`, with a message.
    ///
    /// ```rhai
    /// assert(version() != "", "there is a version");
    /// ```
    #[rhai_fn(name = "assert", return_raw)]
    pub fn assert_with(ctx: NativeCallContext, condition: bool, message: &str) -> RhaiResultOf<()> {
        assert_that(&ctx, condition, message)
    }

    /// Returns the values of an array as one string, with a separator between them.
    ///
    /// ```rhai
    /// print(["a", "b"].join(", "));
    /// ```
    #[rhai_fn(name = "join", return_raw)]
    pub fn join(ctx: NativeCallContext, array: Array, separator: &str) -> RhaiResultOf<String> {
        bounded::join(&ctx, &array, separator)
    }

    /// The kind of a thrown string: `"thrown"`.
    #[rhai_fn(get = "kind")]
    pub fn thrown_kind(_thrown: ImmutableString) -> ImmutableString {
        "thrown".into()
    }

    /// The message of a thrown string: the string itself.
    #[rhai_fn(get = "message")]
    pub fn thrown_message(thrown: ImmutableString) -> ImmutableString {
        thrown
    }

    /// The hint of a thrown string: `()`.
    #[rhai_fn(get = "hint")]
    pub fn thrown_hint(_thrown: ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    /// The causes of a thrown string: an empty array.
    #[rhai_fn(get = "causes")]
    pub fn thrown_causes(_thrown: ImmutableString) -> Array {
        Array::new()
    }

    /// The position of a thrown string: `()`.
    #[rhai_fn(get = "position")]
    pub fn thrown_position(_thrown: ImmutableString) -> Dynamic {
        Dynamic::UNIT
    }

    /// The kind of a thrown number: `"thrown"`.
    #[rhai_fn(get = "kind")]
    pub fn thrown_number_kind(_thrown: INT) -> ImmutableString {
        "thrown".into()
    }

    /// The message of a thrown number: the number as a string.
    #[rhai_fn(get = "message")]
    pub fn thrown_number_message(thrown: INT) -> ImmutableString {
        thrown.to_string().into()
    }

    /// The hint of a thrown number: `()`.
    #[rhai_fn(get = "hint")]
    pub fn thrown_number_hint(_thrown: INT) -> Dynamic {
        Dynamic::UNIT
    }

    /// The causes of a thrown number: an empty array.
    #[rhai_fn(get = "causes")]
    pub fn thrown_number_causes(_thrown: INT) -> Array {
        Array::new()
    }

    /// The position of a thrown number: `()`.
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
    let time = values::duration(&time.clone().flatten());
    let time = values::parameter("time", time).or_raise(ctx)?;
    if ScriptContext::of(ctx)?.backend().is_dry_run() {
        return Ok(());
    }
    handlers::wait(&ScriptContext::of(ctx)?.cancel(), |cancel| cancel.sleep(time)).or_raise(ctx)
}

/// Throws the kind `assertion`, which no engine raises.
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
