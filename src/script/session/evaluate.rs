//! A session: an interpreter whose variables, functions and imports live on from one text to the
//! next. A script is a session of one text.

use std::time::Duration;

use rhai::{Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState};

use super::interpreter;
use crate::engine::CancelToken;
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{Ending, RhaiResultOf, innermost, throw};
use crate::script::context::{stack, thread};
use crate::script::display;
use crate::script::errors::render;
use crate::script::flow::{cleanup, handlers};
use crate::script::host::Host;
use crate::script::syntax::incomplete::InputValidator;
use crate::script::syntax::sources::without_shebang;

/// How long cleanups may take once the time is over, where nobody says.
const CLEANUP: Duration = Duration::from_secs(60);

/// An interpreter with its variables.
pub struct Session {
    pub(super) engine: Engine,
    pub(super) validator: InputValidator,
    pub(super) scope: rhai::Scope<'static>,
    pub(super) global: GlobalRuntimeState,
    pub(super) context: ScriptContext,
    lines: usize,
    /// Whether the latest text gave a value, which is `last` now.
    pub(super) last_was_value: bool,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("lines", &self.lines).finish_non_exhaustive()
    }
}

/// What a line of the REPL came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EvalResult {
    /// Nothing to show.
    Nothing,
    /// A value, as it is shown.
    Value(String),
    /// It failed: the drawn report.
    Failed(String),
    /// Ctrl-C ended it.
    Interrupted,
    /// `exit(n)`, or nobody reads the output any more.
    Exit(u8),
}

impl Session {
    /// A fresh interpreter.
    pub fn new(host: Host) -> Self {
        // Closures are named after a hash; with a fixed seed they are named the same in every run.
        let _ = rhai::config::hashing::set_hashing_seed(Some([1, 2, 3, 4]));
        let stage = ScriptContext::new(host, interpreter::LANGUAGE);
        let engine = interpreter::build(&stage);
        let global = engine.new_global_runtime_state();
        Session {
            engine,
            validator: InputValidator::new(),
            scope: rhai::Scope::new(),
            global,
            context: stage,
            lines: 0,
            last_was_value: false,
        }
    }

    /// Its surroundings.
    pub(in crate::script) fn context(&self) -> &ScriptContext {
        &self.context
    }

    /// Ends the script when its time is over, and its cleanups when theirs is, unless the flag that
    /// is returned is raised before.
    pub(super) fn watch_time(&self) -> Option<CancelToken> {
        let limits = self.context.host().limits;
        let (time, cleanup) = (limits.time?, limits.cleanup.unwrap_or(CLEANUP));
        let (over, stage) = (CancelToken::new().ok()?, self.context.clone());
        let watched = over.clone();
        let watch = move || {
            if watched.sleep(time).is_ok() {
                stage.end(Ending::TimedOut);
                stage.host().cancel.cancel();
                if watched.sleep(cleanup).is_ok() {
                    stage.end_cleanups(Ending::TimedOut);
                }
            }
        };
        std::thread::Builder::new().spawn(watch).ok()?;
        Some(over)
    }

    /// Evaluates one input of the REPL. Its value is kept as `last`.
    pub fn line(&mut self, text: &str) -> EvalResult {
        self.lines += 1;
        self.load(&format!("repl[{}]", self.lines), text)
    }

    /// The same for a text that has a name of its own; its imports are relative to that.
    pub fn load(&mut self, name: &str, text: &str) -> EvalResult {
        self.last_was_value = false;
        match self.evaluate(name, text) {
            Ok(value) => {
                let shown = display::value(&self.engine, &value);
                self.last_was_value = shown.is_some();
                if self.last_was_value {
                    self.scope.set_or_push("last", value);
                }
                // A semicolon at the end says: do it, I know the value.
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

    /// The value of a text, as text; or the drawn report of its failure.
    ///
    /// # Errors
    /// The report.
    pub fn value(&mut self, name: &str, text: &str) -> Result<String, String> {
        let over = self.watch_time();
        let evaluated = self.evaluate(name, text);
        over.into_iter().for_each(|over| over.cancel());
        match evaluated {
            Ok(value) => Ok(value.to_string()),
            Err(error) => match exit_reply(&error) {
                Some(Ending::TimedOut) => Err("its time is over".to_owned()),
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
            // What the text had defined when it broke off is not to be trusted.
            self.global.lib.truncate(libraries);
            self.global.truncate_imports(imports);
            Err(throw(&bug, "", Some(name), rhai::Position::NONE))
        })
    }

    /// Evaluates `text` and puts in order what it has put off to its end.
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
        // Before its library is shared: afterwards it does not take a new name any more.
        ast.set_source(name);
        sources.add_closures(name, &ast);
        if ast.has_functions() {
            self.global.lib.push(ast.shared_lib().clone());
        }
        self.global.source = Some(name.into());
        // Public under `internals`; the only way to keep imports and constants between texts.
        #[allow(deprecated)]
        let value = self.engine.eval_statements_raw(
            &mut self.global,
            &mut Caches::new(),
            &mut self.scope,
            ast.statements(),
        )?;
        // An ending that came with the last statement, where no operation follows.
        match self.context.ending() {
            Some(Ending::Interrupted) | None => Ok(value),
            Some(ending) => Err(ending.at(rhai::Position::NONE)),
        }
    }
}

/// Why it ended, where nothing failed.
pub(super) fn exit_reply(error: &EvalAltResult) -> Option<Ending> {
    match innermost(error) {
        EvalAltResult::ErrorTerminated(token, _) => token.clone().try_cast::<Ending>(),
        _ => None,
    }
}
