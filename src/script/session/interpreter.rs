//! Builds the Rhai engine: our functions, our module resolver, our limits.

use super::modules::Resolver;
use crate::script::api;
use crate::script::context::script_context::{Language, ScriptContext};
use crate::script::errors::caught;
use crate::script::flow::logs::Logs;
use crate::script::syntax::parser;
use crate::script::values::event::Event;
use crate::script::values::exec_result::ExecResult;
use crate::script::values::handle::{Container, Image};
use crate::script::values::log_line::LogLine;
use rhai::Engine;
use rhai::packages::{Package, StandardPackage};

/// How deep calls may nest: equal for debug and release, or tests would meet other limits than
/// users. Rhai's own is too small for ordinary functions; the stack (see `stack`) is big enough.
const CALL_LEVELS: usize = 1000;

/// The language, for the handlers and the help of a script.
pub const LANGUAGE: Language = Language { library: &api::LIBRARY, engine: build };

/// Knows the functions too, but has nothing that they could work on.
pub fn vocabulary() -> Engine {
    let mut engine = parser::parser();
    engine.register_global_module(StandardPackage::new().as_shared_module());
    let functions: rhai::Shared<rhai::Module> = api::module().into();
    engine.register_global_module(functions.clone());
    // `engine::start(c)` means ours even where a script has a `start` of its own.
    engine.register_static_module("engine", functions);
    // What `type_of` and errors call them.
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

/// The engine of a script or a REPL.
pub fn build(stage: &ScriptContext) -> Engine {
    let mut engine = vocabulary();
    engine.set_module_resolver(Resolver::new(stage.clone()));
    engine.set_default_tag(rhai::Dynamic::from(stage.clone()));
    engine.set_max_strings_interned(256);
    engine.set_max_call_levels(CALL_LEVELS);
    engine.set_max_operations(stage.host().limits.operations.unwrap_or(0));

    let out = stage.clone();
    engine.on_print(move |text| out.print(text));
    let err = stage.clone();
    engine.on_debug(move |text, source, position| {
        let place = match (source, position.line()) {
            (Some(source), Some(line)) => format!("{source}:{line}: "),
            (None, Some(line)) => format!("{line}: "),
            _ => String::new(),
        };
        err.eprint(&format!("{place}{text}"));
    });
    let surroundings = stage.clone();
    // Public under `internals`, and volatile; there is nothing else before the use of a variable.
    #[allow(deprecated)]
    engine.on_var(move |name, _, mut context| {
        if surroundings.sources().may_be_caught(name) {
            caught::normalize(name, &mut context, &surroundings);
        }
        Ok(None)
    });
    let progress = stage.clone();
    engine.on_progress(move |_| progress.ending().map(rhai::Dynamic::from));
    engine
}
