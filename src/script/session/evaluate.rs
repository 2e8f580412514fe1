//! `Session`: an interpreter whose variables, functions and imports persist from one text to the
//! next. A script is a session of one text.

use std::time::Duration;

use rhai::{Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState};

use super::interpreter;
use crate::engine::CancelToken;
use crate::script::bounded;
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{Ending, RhaiResultOf, innermost, throw};
use crate::script::context::{stack, thread};
use crate::script::display;
use crate::script::errors::render;
use crate::script::flow::{cleanup, handlers};
use crate::script::host::ScriptHost;
use crate::script::syntax::incomplete::InputValidator;
use crate::script::syntax::sources::without_shebang;
use crate::script::values::nesting;

/// The default time limit of cleanups after the time limit of the script.
const CLEANUP: Duration = Duration::from_secs(60);

/// An interpreter with its variables.
pub struct Session {
    pub(super) engine: Engine,
    pub(super) validator: InputValidator,
    pub(super) scope: rhai::Scope<'static>,
    pub(super) global: GlobalRuntimeState,
    pub(super) context: ScriptContext,
    lines: usize,
    /// Whether the latest text had a value, which is `last` now.
    pub(super) last_was_value: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lines", &self.lines).finish_non_exhaustive()
    }
}

/// The outcome of a line of the REPL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalResult {
    /// Nothing to show.
    Nothing,
    /// A value, formatted.
    Value(String),
    /// An error: the drawn report.
    Failed(String),
    /// Ctrl-C ended it.
    Interrupted,
    /// `exit(n)`, or the reader of the output is gone.
    Exit(u8),
}

/// A nested value needs as much stack to be dropped as to be evaluated.
impl Drop for Session {
    fn drop(&mut self) {
        let (scope, engine) = (std::mem::take(&mut self.scope), &self.engine);
        if scope.iter_raw().any(|(_, _, value)| nesting::nests(value)) {
            let global = std::mem::replace(&mut self.global, engine.new_global_runtime_state());
            let _ = stack::on_big_stack(move || drop((scope, global)));
        }
    }
}

/// Drops a value that is not used.
pub(super) fn drop_value(value: Dynamic) {
    if nesting::nests(&value) {
        let _ = stack::on_big_stack(move || drop(value));
    }
}

impl Session {
    /// Creates a session.
    pub fn new(host: ScriptHost) -> Self {
        // Closures are named after a hash; with a fixed seed the names are equal in every run.
        let _ = rhai::config::hashing::set_hashing_seed(Some([1, 2, 3, 4]));
        let context = ScriptContext::new(host, interpreter::LANGUAGE);
        let engine = interpreter::build(&context);
        let global = engine.new_global_runtime_state();
        Session {
            engine,
            validator: InputValidator::new(),
            scope: rhai::Scope::new(),
            global,
            context,
            lines: 0,
            last_was_value: false,
        }
    }

    /// Returns the context.
    pub(in crate::script) fn context(&self) -> &ScriptContext {
        &self.context
    }

    /// Ends the script at its time limit, and its cleanups at theirs, unless the returned token is
    /// cancelled before.
    pub(super) fn watch_time(&self) -> Option<CancelToken> {
        let limits = self.context.host().limits;
        let (time, cleanup) = (limits.time?, limits.cleanup.unwrap_or(CLEANUP));
        let (timer, context) = (CancelToken::new().ok()?, self.context.clone());
        let watched = timer.clone();
        let watch = move || {
            if watched.sleep(time).is_ok() {
                context.end(Ending::TimedOut);
                context.host().cancel.cancel();
                if watched.sleep(cleanup).is_ok() {
                    context.end_cleanups(Ending::TimedOut);
                }
            }
        };
        std::thread::Builder::new().spawn(watch).ok()?;
        Some(timer)
    }

    /// Evaluates one input of the REPL. Its value is kept as `last`.
    pub fn line(&mut self, text: &str) -> EvalResult {
        self.lines += 1;
        self.load(&format!("repl[{}]", self.lines), text)
    }

    /// Evaluates a file; its imports are relative to its name.
    pub fn load(&mut self, name: &str, text: &str) -> EvalResult {
        self.last_was_value = false;
        match self.evaluate(name, text) {
            Ok(value) => {
                // Printing a nested value takes as much stack as evaluating it.
                let shown = stack::on_big_stack(|| display::value(&self.engine, &value));
                let shown = shown.unwrap_or_else(|bug| Some(render::plain(&bug)));
                self.last_was_value = shown.is_some();
                if self.last_was_value {
                    self.scope.set_or_push("last", value);
                }
                // With a semicolon at the end the value is not shown.
                match shown.filter(|_| !text.trim_end().ends_with(';')) {
                    Some(text) => EvalResult::Value(text),
                    None => EvalResult::Nothing,
                }
            }
            Err(error) => match exit_reply(&error) {
                Some(Ending::Exit(code)) => EvalResult::Exit(code),
                Some(Ending::Closed) => EvalResult::Exit(0),
                Some(Ending::Interrupted | Ending::TimedOut) => EvalResult::Interrupted,
                None => EvalResult::Failed(self.report(name, &error)),
            },
        }
    }

    /// Evaluates a text and returns its value as text.
    ///
    /// # Errors
    /// The drawn report of the failure.
    pub fn value(&mut self, name: &str, text: &str) -> Result<String, String> {
        let timer = self.watch_time();
        let evaluated = self.evaluate(name, text);
        timer.into_iter().for_each(|timer| timer.cancel());
        match evaluated {
            Ok(value) => {
                stack::on_big_stack(|| bounded::text_of(&value)).map_err(|bug| render::plain(&bug))
            }
            Err(error) => match exit_reply(&error) {
                Some(Ending::TimedOut) => Err("time limit reached".to_owned()),
                _ => Err(self.report(name, &error)),
            },
        }
    }

    pub(super) fn report(&self, name: &str, error: &EvalAltResult) -> String {
        render::report(&self.engine, &self.context, &self.scope, name, error)
    }

    /// Evaluates `text` under `name`, on a thread with a big stack.
    pub(super) fn evaluate(&mut self, name: &str, text: &str) -> RhaiResultOf<Dynamic> {
        let libraries = self.global.lib.len();
        let imports = self.global.num_imports();
        let outcome = stack::on_big_stack(|| self.evaluate_here(name, text));
        outcome.unwrap_or_else(|bug| {
            // The definitions of a text that panicked are not consistent.
            self.global.lib.truncate(libraries);
            self.global.truncate_imports(imports);
            Err(throw(&bug, "", Some(name), rhai::Position::NONE))
        })
    }

    /// Evaluates `text` and runs its cleanups.
    fn evaluate_here(&mut self, name: &str, text: &str) -> RhaiResultOf<Dynamic> {
        let whole = Scope::script();
        let cancel = self.context.cancel();
        let ended = thread::in_scope(whole.clone(), || {
            handlers::with_handlers(|| self.evaluate_text(name, text), || cancel)
        });
        cleanup::end(&whole, &self.engine, &self.context, ended)
    }

    fn evaluate_text(&mut self, name: &str, text: &str) -> RhaiResultOf<Dynamic> {
        let sources = self.context.sources();
        sources.add(name, text);
        self.context.begin();
        // The parser does not know of modules imported by an earlier text: it would refuse them.
        self.engine.set_strict_variables(self.global.num_imports() == 0);
        let mut ast = self.engine.compile_with_scope(&self.scope, without_shebang(text))?;
        // Before its library is shared: afterwards its source cannot be set.
        ast.set_source(name);
        sources.add_closures(name, &ast);
        if ast.has_functions() {
            self.global.lib.push(ast.shared_lib().clone());
        }
        self.global.source = Some(name.into());
        #[expect(deprecated, reason = "the only way to keep imports and constants between texts")]
        let value = self.engine.eval_statements_raw(
            &mut self.global,
            &mut Caches::new(),
            &mut self.scope,
            ast.statements(),
        )?;
        // The script was ended during the last statement, after which no operation follows.
        match self.context.ending() {
            None => Ok(value),
            // Nothing was left undone, unless its output was not taken.
            Some(Ending::Interrupted) if self.context.end_reason().is_none() => Ok(value),
            Some(ending) => Err(ending.at(rhai::Position::NONE)),
        }
    }
}

/// Returns why a script ended, if it did not fail.
pub(super) fn exit_reply(error: &EvalAltResult) -> Option<Ending> {
    match innermost(error) {
        EvalAltResult::ErrorTerminated(token, _) => token.clone().try_cast::<Ending>(),
        _ => None,
    }
}
