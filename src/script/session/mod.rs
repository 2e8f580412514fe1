//! A conversation with the interpreter: variables, functions and imports live on from one text to
//! the next. A script is a conversation of one text.

pub(super) mod completion;
pub(super) mod interpreter;
pub(super) mod modules;
pub(crate) mod reference;

use std::time::Duration;

use once_cell::sync::OnceCell;
use rhai::{Caches, Dynamic, Engine, EvalAltResult, GlobalRuntimeState};

use super::docs::{self, Function, Role};
use crate::engine::CancelToken;
use crate::script::context::scope::Scope;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{Ending, RhaiResultOf, innermost, throw};
use crate::script::context::{stack, thread};
use crate::script::errors::render;
use crate::script::flow::handlers;
use crate::script::session::completion::Completion;
use crate::script::syntax::incomplete::InputValidator;
use crate::script::syntax::parser;
use crate::script::syntax::sources::{CLOSURE, without_shebang};
use crate::script::teaching::trace;
use crate::script::testing;
use crate::script::{Host, Outcome, Tracing, display};
use crate::ui::format::columns::align;

/// The exit code when the time is over, timeout(1)'s.
const TIMEOUT_EXIT_CODE: u8 = 124;

/// How long cleanups may take once the time is over, where nobody says.
const CLEANUP: Duration = Duration::from_secs(60);

/// An interpreter with its variables.
pub struct Session {
    engine: Engine,
    validator: InputValidator,
    scope: rhai::Scope<'static>,
    global: GlobalRuntimeState,
    context: ScriptContext,
    lines: usize,
    /// Whether the latest text gave a value, which is `last` now.
    last_was_value: bool,
    /// The functions of the language, for hints.
    functions: OnceCell<Vec<Function>>,
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
        let stage = ScriptContext::new(host);
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
            functions: OnceCell::new(),
        }
    }

    /// Its surroundings.
    pub(super) fn context(&self) -> &ScriptContext {
        &self.context
    }

    /// Runs a whole script.
    pub fn run(mut self, name: &str, text: &str) -> Outcome {
        let over = self.watch_time();
        let tracing = self.context.host().trace;
        if tracing != Tracing::Off {
            trace::begin(&self.context, tracing);
        }
        let evaluated = self.evaluate(name, text);
        if tracing != Tracing::Off {
            self.context.eprint(trace::end(&self.context).trim_end());
        }
        over.into_iter().for_each(|over| over.cancel());
        let whole = evaluated.is_ok() || self.context.tests().has_exited();
        let (exit_code, report) = match evaluated {
            Ok(_) => match testing::summary(&self.context) {
                Some(failed) => (1, Some(failed)),
                None => (0, None),
            },
            // What was noted first is why; what the innermost call saw of it may be another.
            Err(error) => match exit_reply(&error)
                .map(|seen| self.context.end_reason().unwrap_or(seen))
            {
                Some(Ending::TimedOut) => {
                    let where_it_was = render::interrupted(&self.context, name, &error);
                    let too =
                        if self.context.no_cleanup() { ", and that of its cleanups" } else { "" };
                    let over = format!("error: the time of the script is over{too}");
                    (TIMEOUT_EXIT_CODE, Some(format!("{over}\n{where_it_was}")))
                }
                Some(Ending::Exit(0)) => match testing::summary(&self.context) {
                    Some(failed) => (1, Some(failed)),
                    None => (0, None),
                },
                Some(Ending::Exit(code)) => (code, None),
                Some(Ending::Closed) => (0, None),
                Some(Ending::Interrupted) => (
                    CancelToken::exit_code(),
                    Some(render::interrupted(&self.context, name, &error)),
                ),
                None => (1, Some(self.report(name, &error))),
            },
        };
        Outcome { exit_code, report, completed: whole }
    }

    /// Ends the script when its time is over, and its cleanups when theirs is, unless the flag that
    /// is returned is raised before.
    fn watch_time(&self) -> Option<CancelToken> {
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

    fn report(&self, name: &str, error: &EvalAltResult) -> String {
        render::report(&self.engine, &self.context, &self.scope, name, error)
    }

    /// Evaluates `text` under `name`, on a thread with a big stack.
    fn evaluate(&mut self, name: &str, text: &str) -> RhaiResultOf<Dynamic> {
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
        whole.end(&self.engine, &self.context, ended)
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

    /// The latest text as an expression without the `;` at its end, where its value is `last` now.
    pub fn last_expression<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let parser = parser::parser();
        (self.last_was_value && parser.compile_expression(text).is_ok()).then_some(text)
    }

    /// Whether `text` goes on in the next line.
    pub fn is_incomplete(&self, text: &str) -> bool {
        self.validator.is_incomplete(text)
    }

    /// The variables with their types and values, and the functions, a line each.
    pub fn variables(&self) -> String {
        let mut rows = Vec::new();
        for (name, is_constant, value) in self.scope.iter_raw() {
            let shown = display::value(&self.engine, value).unwrap_or_else(|| "()".to_owned());
            let line = shown.lines().next().unwrap_or_default();
            let more = if shown.lines().nth(1).is_some() { " ..." } else { "" };
            let kind = if is_constant { "const " } else { "" };
            let kind = format!("{kind}{}", self.engine.map_type_name(value.type_name()));
            rows.push(format!("{name}\t{kind}\t{line}{more}"));
        }
        let own = self.global.lib.iter().flat_map(|lib| lib.iter_script_fn_info());
        for (_, _, name, _, definition) in own {
            if !name.starts_with(CLOSURE) {
                let params: Vec<&str> =
                    definition.params.iter().map(|param| param.as_str()).collect();
                rows.push(format!("{name}\tfunction\t{name}({})", params.join(", ")));
            }
        }
        align(&rows.join("\n")).trim_end().to_owned()
    }

    /// Whether there is a variable of this name.
    pub fn has_variable(&self, name: &str) -> bool {
        self.scope.contains(name)
    }

    /// What can stand at `position` in `line`.
    pub fn complete(&self, line: &str, position: usize) -> Completion {
        completion::complete(&self.engine, &self.context, &self.scope, &self.global, line, position)
    }

    /// The parameters of a function, from after the bracket on: `container, options) -> Container`.
    /// Of several forms the shortest that takes something.
    pub fn parameters(&self, name: &str, is_method: bool) -> Option<String> {
        let known = self.functions.get_or_init(|| docs::all_functions(&self.engine));
        let before = usize::from(is_method);
        let mut forms = known.iter().filter(|f| f.role == Role::Function && f.name == name);
        let fits = forms.find(|f| f.params.len() > before)?;
        let returns =
            if fits.returns.is_empty() { String::new() } else { format!(" -> {}", fits.returns) };
        Some(format!("{}){returns}", fits.params[before..].join(", ")))
    }

    /// The names of the containers, for completion.
    pub fn container_names(&self) -> Vec<String> {
        completion::container_names(&self.context)
    }

    /// The references of the images, for completion.
    pub fn image_names(&self) -> Vec<String> {
        completion::image_names(&self.context)
    }

    /// The overview of all functions, or the page of one.
    ///
    /// # Errors
    /// The drawn report, for a name that is not there.
    pub fn help(&self, name: Option<&str>) -> Result<String, String> {
        let reader = self.context.host().reader;
        let Some(name) = name else { return Ok(docs::help_index(reader)) };
        docs::help_page(&self.engine, name, reader.language).map_err(|error| render::plain(&error))
    }
}

/// Why it ended, where nothing failed.
fn exit_reply(error: &EvalAltResult) -> Option<Ending> {
    match innermost(error) {
        EvalAltResult::ErrorTerminated(token, _) => token.clone().try_cast::<Ending>(),
        _ => None,
    }
}
