//! Logs of containers, to read, to loop over or to follow.

use super::signature::{ContainerOrName, Options, array_of};
use crate::model::observe::log::Stream;
use crate::script::context::callback;
use crate::script::context::raise::OrRaise;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::RhaiResultOf;
use crate::script::flow::logs::{Lines, Logs as Log};
use crate::script::flow::resolve;
use crate::script::options::{self, Follow};
use crate::script::values;
use crate::script::values::handle::Container;
use crate::script::values::log_line::LogLine as Line;
use rhai::plugin::*;
use rhai::{Array, Dynamic, FnPtr, ImmutableString, Map};
use std::any::TypeId;

/// Returns the functions, with the iterator of `Logs`.
pub fn module() -> Module {
    let mut module = exported_module!(logs);
    module.set_iter_result(TypeId::of::<Log>(), |logs: Dynamic| match logs.try_cast::<Log>() {
        Some(logs) => logs.iterate(),
        None => Box::new(std::iter::empty()),
    });
    module
}

/// Logs of containers.
#[export_module]
pub mod logs {
    /// The lines of a container's log: prints as text, loops as `LogLine`.
    pub type Logs = Log;
    /// One line: `text`, `stream`, `time`.
    pub type LogLine = Line;

    /// Returns the logs of a container so far.
    ///
    /// ```rhai
    /// print(logs("web"));
    /// for line in logs("web") { print(line.text); }
    /// ```
    #[rhai_fn(name = "logs", volatile, return_raw)]
    pub fn logs(ctx: NativeCallContext, container: ContainerOrName) -> RhaiResultOf<Logs> {
        open(&ctx, &container, Follow::default())
    }

    /// As `logs(container)`, with options. With `follow`, loop over the lines; `break` ends the
    /// loop, and the kind `timeout` is thrown on timeout. With `across_restarts` the
    /// loop continues when the container is started again, until the container is removed; lines
    /// not read by then are lost.
    ///
    /// ```rhai
    /// for line in logs("web", #{ across_restarts: true, tail: 0, timeout: "30s" }) {
    ///     if line.text.contains("ready") { break; }
    /// }
    /// ```
    #[rhai_fn(name = "logs", volatile, return_raw)]
    pub fn logs_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
    ) -> RhaiResultOf<Logs> {
        let follow = options::logs(options).or_raise(&ctx)?;
        open(&ctx, &container, follow)
    }

    /// Calls a function with each line, old and new, until the container exits or the function
    /// returns false. In a closure `this` is the container. Returns the container.
    ///
    /// ```rhai
    /// logs("web", |line| { print(line.text); line.text != "ready" });
    /// ```
    #[rhai_fn(name = "logs", volatile, return_raw)]
    pub fn logs_each(
        ctx: NativeCallContext,
        container: ContainerOrName,
        each: FnPtr,
    ) -> RhaiResultOf<Container> {
        follow(&ctx, &container, Follow::default(), &each)
    }

    /// As `logs(container, each)`, with options.
    ///
    /// ```rhai
    /// logs("web", #{ tail: 0, stream: "stderr", across_restarts: true }, |line| print(line.text));
    /// ```
    #[rhai_fn(name = "logs", volatile, return_raw)]
    pub fn logs_each_with(
        ctx: NativeCallContext,
        container: ContainerOrName,
        options: Options,
        each: FnPtr,
    ) -> RhaiResultOf<Container> {
        let options = options::logs(options).or_raise(&ctx)?;
        follow(&ctx, &container, options, &each)
    }

    /// The lines, an array of LogLine.
    #[rhai_fn(get = "lines", return_raw)]
    pub fn lines(ctx: NativeCallContext, logs: Logs) -> RhaiResultOf<Array> {
        Ok(array_of(logs.lines().or_raise(&ctx)?.iter().cloned()))
    }

    /// The text of both streams, in the order of writing.
    #[rhai_fn(get = "text", return_raw)]
    pub fn text(ctx: NativeCallContext, logs: Logs) -> RhaiResultOf<String> {
        logs.text(None).or_raise(&ctx)
    }

    /// The text of standard output.
    #[rhai_fn(get = "stdout", return_raw)]
    pub fn stdout(ctx: NativeCallContext, logs: Logs) -> RhaiResultOf<String> {
        logs.text(Some(Stream::Stdout)).or_raise(&ctx)
    }

    /// The text of standard error.
    #[rhai_fn(get = "stderr", return_raw)]
    pub fn stderr(ctx: NativeCallContext, logs: Logs) -> RhaiResultOf<String> {
        logs.text(Some(Stream::Stderr)).or_raise(&ctx)
    }

    /// Returns the text without its last newline, so that `print` adds none.
    #[rhai_fn(name = "to_string", name = "to_debug", return_raw)]
    pub fn show(ctx: NativeCallContext, logs: Logs) -> RhaiResultOf<String> {
        let mut text = logs.text(None).or_raise(&ctx)?;
        if text.ends_with('\n') {
            text.pop();
        }
        Ok(text)
    }

    /// Returns whether the text contains a part.
    ///
    /// ```rhai
    /// if logs("web").contains("ready") { print("up"); }
    /// ```
    #[rhai_fn(name = "contains", return_raw)]
    pub fn contains(ctx: NativeCallContext, logs: Logs, part: &str) -> RhaiResultOf<bool> {
        Ok(logs.text(None).or_raise(&ctx)?.contains(part))
    }

    /// The text, without the newline.
    #[rhai_fn(get = "text")]
    pub fn line_text(line: LogLine) -> String {
        line.text()
    }

    /// `"stdout"` or `"stderr"`.
    #[rhai_fn(get = "stream")]
    pub fn line_stream(line: LogLine) -> ImmutableString {
        line.line().stream.as_str().into()
    }

    /// The time of writing.
    #[rhai_fn(get = "time")]
    pub fn line_time(line: LogLine) -> Dynamic {
        values::time(Some(line.line().time))
    }

    /// What is missing in the log before this line, because it could not be written: a map with
    /// `lines`, `bytes` and `reason`. `()` if nothing is. At the end of a log, an empty line says
    /// what is missing there.
    ///
    /// ```rhai
    /// for line in logs("web") { if line.lost != () { print(`lost: ${line.lost.bytes}`); } }
    /// ```
    #[rhai_fn(get = "lost")]
    pub fn line_lost(line: LogLine) -> Dynamic {
        let Some(lost) = &line.line().lost else { return Dynamic::UNIT };
        let number = |count: u64| Dynamic::from(i64::try_from(count).unwrap_or(i64::MAX));
        let mut map = Map::new();
        map.insert("lines".into(), number(lost.lines));
        map.insert("bytes".into(), number(lost.bytes));
        map.insert("reason".into(), lost.reason.clone().into());
        map.into()
    }

    /// Returns the text.
    #[rhai_fn(name = "to_string")]
    pub fn line_show(line: LogLine) -> String {
        line.text()
    }

    /// Returns the text in quotes.
    #[rhai_fn(name = "to_debug")]
    pub fn line_debug(line: LogLine) -> String {
        format!("LogLine({:?})", line.text())
    }

    /// Returns whether the line contains a part.
    ///
    /// ```rhai
    /// for line in logs("web") { if line.contains("error") { print(line); } }
    /// ```
    #[rhai_fn(name = "contains")]
    pub fn line_contains(line: LogLine, part: &str) -> bool {
        line.text().contains(part)
    }
}

fn open(ctx: &NativeCallContext, container: &Dynamic, follow: Follow) -> RhaiResultOf<Log> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    Log::open(context.backend(), handle.id(), follow, &context.cancel()).or_raise(ctx)
}

/// Calls the closure with each line, until the container exits or the closure returns false.
fn follow(
    ctx: &NativeCallContext,
    container: &Dynamic,
    mut follow: Follow,
    each: &FnPtr,
) -> RhaiResultOf<Container> {
    let handle = resolve::container(ctx, container)?;
    let context = ScriptContext::of(ctx)?;
    follow.options.follow = true;
    let cancel = &context.cancel();
    for line in Lines::open(context.backend(), handle.id(), follow, cancel).or_raise(ctx)? {
        let line = line.or_raise(ctx)?;
        let answer = callback::call(ctx, each, handle.clone(), Dynamic::from(line))?;
        if callback::says_stop(&answer) {
            break;
        }
    }
    Ok(handle)
}
