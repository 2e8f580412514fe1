//! Builds the Rhai engine: our functions, our module resolver, our limits.

use super::modules::Resolver;
use crate::model::value::visible::escape_line;
use crate::script::api;
use crate::script::bounded;
use crate::script::context::script_context::{Language, ScriptContext};
use crate::script::errors::caught;
use crate::script::flow::logs::Logs;
use crate::script::syntax::parser;
use crate::script::values::event::Event;
use crate::script::values::exec_result::ExecResult;
use crate::script::values::handle::{Container, Image};
use crate::script::values::log_line::LogLine;
use crate::script::values::nesting;
use rhai::packages::{Package, StandardPackage};
use rhai::{Engine, EvalAltResult, Position};

/// The limit of nested calls: equal for debug and release, or tests would meet other limits than
/// users. Rhai's default is too small for ordinary functions; the stack (see `stack`) is big
/// enough.
const CALL_LEVELS: usize = 1000;

/// The language, for the handlers and the help of a script.
pub const LANGUAGE: Language = Language { library: &api::LIBRARY, engine: build };

/// Returns an engine that knows the functions but has no context for them.
pub fn vocabulary() -> Engine {
    let mut engine = parser::parser();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    engine.register_global_module(bounded::module().into());
    let functions: rhai::Shared<rhai::Module> = api::module().into();
    engine.register_global_module(functions.clone());
    // `engine::start(c)` means lifebox's function even if a script defines its own `start`.
    engine.register_static_module("engine", functions);
    // The names of types in `type_of` and errors.
    engine.register_type_with_name::<Container>("Container");
    engine.register_type_with_name::<Image>("Image");
    engine.register_type_with_name::<Logs>("Logs");
    engine.register_type_with_name::<LogLine>("LogLine");
    engine.register_type_with_name::<ExecResult>("ExecResult");
    engine.register_type_with_name::<Event>("Event");
    engine.set_strict_variables(true);
    engine.disable_symbol("eval");
    engine
}

/// Returns the engine of a script or a REPL.
pub fn build(context: &ScriptContext) -> Engine {
    let mut engine = vocabulary();
    engine.set_module_resolver(Resolver::new(context.clone()));
    engine.set_default_tag(rhai::Dynamic::from(context.clone()));
    engine.set_max_strings_interned(256);
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_operations(context.host().limits.operations.unwrap_or(0));

    let out = context.clone();
    engine.on_print(move |text| out.print_verbatim(text));
    let err = context.clone();
    engine.on_debug(move |text, source, position| {
        let place = match (source, position.line()) {
            (Some(source), Some(line)) => format!("{}:{line}: ", escape_line(source)),
            (None, Some(line)) => format!("{line}: "),
            _ => String::new(),
        };
        err.print_debug(&format!("{place}{text}"));
    });
    let own = context.clone();
    #[expect(deprecated, reason = "unstable, and the only hook before the use of a variable")]
    engine.on_var(move |name, _, mut evaluation| {
        nesting::note_variable();
        let this_is_too_deep = match evaluation.this_ptr() {
            Some(this) => nesting::is_too_deep(this),
            None => false,
        };
        if this_is_too_deep || evaluation.scope().get(name).is_some_and(nesting::is_too_deep) {
            let message = format!("value nesting limit reached ({})", nesting::DEEPEST);
            return Err(EvalAltResult::ErrorDataTooLarge(message, Position::NONE).into());
        }
        if own.sources().may_be_caught(name) {
            caught::normalize(name, &mut evaluation, &own);
        }
        Ok(None)
    });
    let progress = context.clone();
    engine.on_progress(move |operations| {
        nesting::note_operations(operations);
        progress.ending().map(rhai::Dynamic::from)
    });
    engine
}
