//! `import`: files relative to the importing file, and the standard modules.
//!
//! Rhai's own resolver searches relative to the current directory, runs a module in the scope of
//! its importer, and names a module in errors as the import does. This resolver does none of it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use rhai::{Engine, EvalAltResult, FnNamespace, Module, ModuleResolver, Position, Scope, Shared};

use crate::model::value::bom::without_bom;
use crate::model::{Error, Kind};
use crate::script::api::stdlib;
use crate::script::context::script_context::ScriptContext;
use crate::script::context::thrown::{RhaiResultOf, throw};
use crate::script::syntax::sources::{CLOSURE, without_shebang};

/// The ending of script files; an import may leave it out.
const ENDING: &str = "rhai";

/// Finds, runs and caches modules.
#[derive(Debug)]
pub struct Resolver {
    context: ScriptContext,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The modules by source; a file is read again when it has changed.
    ready: HashMap<String, (Option<SystemTime>, Shared<Module>)>,
    /// The modules that are running, to detect a circle of imports before it overflows the stack.
    running: Vec<String>,
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State").field("running", &self.running).finish_non_exhaustive()
    }
}

/// A module that was found.
#[derive(Debug)]
pub struct Found {
    /// Its name in errors.
    pub name: String,
    /// Its text.
    pub text: Arc<str>,
    changed: Option<SystemTime>,
    /// Its native functions.
    pub native: Option<fn() -> Module>,
}

impl Resolver {
    /// Creates a resolver with an empty cache.
    pub fn new(context: ScriptContext) -> Self {
        Resolver { context, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, engine: &Engine, found: &Found) -> RhaiResultOf<Module> {
        let sources = self.context.sources();
        sources.add(&found.name, &found.text);
        let mut ast = engine.compile(without_shebang(&found.text))?;
        ast.set_source(found.name.as_str());
        sources.add_closures(&found.name, &ast);
        let mut module = Module::eval_ast_as_new(Scope::new(), &ast, engine)?;
        if let Some(native) = found.native {
            module.combine(native());
        }
        publish_closures(&mut module, &ast);
        Ok(module)
    }
}

/// Registers a module's closures as global functions: Rhai 1.27 does not find a closure that a
/// module returned (rhaiscript/rhai#1114).
fn publish_closures(module: &mut Module, ast: &rhai::AST) {
    let mut scratch = Module::new();
    for (_, _, name, _, definition) in ast.shared_lib().iter_script_fn_info() {
        if name.starts_with(CLOSURE) {
            let hash = scratch.set_script_fn(definition.clone());
            #[expect(deprecated, reason = "its successor cannot change an existing module")]
            module.update_fn_namespace(hash, FnNamespace::Global);
        }
    }
    module.build_index();
}

impl ModuleResolver for Resolver {
    fn resolve(
        &self,
        engine: &Engine,
        source: Option<&str>,
        path: &str,
        position: Position,
    ) -> RhaiResultOf<Shared<Module>> {
        let fail = |error: Error| throw(&error, "import", source, position);
        // Before the file is opened: an untrusted script must not learn which files exist.
        if stdlib::find(path).is_none() {
            self.context.path(&file_of(source, path).to_string_lossy()).map_err(fail)?;
        }
        let found = locate(source, path).map_err(fail)?;
        {
            let mut state = self.state();
            if let Some((changed, module)) = state.ready.get(&found.name)
                && *changed == found.changed
            {
                return Ok(module.clone());
            }
            if state.running.contains(&found.name) {
                let circle = [&state.running[..], std::slice::from_ref(&found.name)].concat();
                let message = format!("`{path}` imports itself");
                return Err(fail(Error::new(Kind::Invalid, message).hint(circle.join(" -> "))));
            }
            state.running.push(found.name.clone());
        }
        // No lock is held while the module runs: it may import others.
        let module = self.run(engine, &found);
        let mut state = self.state();
        state.running.pop();
        let module: Shared<Module> = module
            .map_err(|error| EvalAltResult::ErrorInModule(found.name.clone(), error, position))?
            .into();
        state.ready.insert(found.name, (found.changed, module.clone()));
        Ok(module)
    }
}

/// Finds an import: a standard module by its name, or else a file.
///
/// # Errors
/// When the file cannot be read.
pub fn locate(source: Option<&str>, path: &str) -> Result<Found, Error> {
    if let Some(module) = stdlib::find(path) {
        let (name, text) = (module.source(), module.text.into());
        return Ok(Found { name, text, changed: None, native: module.native });
    }
    let file = file_of(source, path);
    let name = file.display().to_string();
    let text = std::fs::read_to_string(&file).map_err(|error| {
        Error::from_io(format!("cannot import `{path}`: read `{name}`"), &error)
            .hint("a path is relative to the file that imports it")
    })?;
    let changed = std::fs::metadata(&file).and_then(|data| data.modified()).ok();
    Ok(Found { name, text: without_bom(&text).into(), changed, native: None })
}

/// Returns the file of an import, relative to the importing one. `.2` of `v1.2` is not an
/// extension.
fn file_of(source: Option<&str>, path: &str) -> PathBuf {
    let base = source.map(Path::new).and_then(Path::parent).unwrap_or(Path::new(""));
    let mut file = base.join(path).into_os_string();
    if Path::new(path).extension().is_none_or(|ending| ending != ENDING) {
        file.push(".");
        file.push(ENDING);
    }
    plain(Path::new(&file))
}

/// Removes `.` and `x/..`, so that one file has one name.
fn plain(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut parts: Vec<Component<'_>> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(parts.last(), Some(Component::Normal(_))) => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_import_is_relative_to_the_importing_file() {
        for (source, path, file) in [
            (Some("scripts/main.rhai"), "lib/a", "scripts/lib/a.rhai"),
            (Some("scripts/lib/a.rhai"), "./b", "scripts/lib/b.rhai"),
            (Some("scripts/lib/a.rhai"), "../c.rhai", "scripts/c.rhai"),
            (Some("main.rhai"), "v1.2", "v1.2.rhai"),
            (Some("/x/main.rhai"), "/y/z", "/y/z.rhai"),
            (None, "a", "a.rhai"),
        ] {
            assert_eq!(file_of(source, path), PathBuf::from(file), "{path}");
        }
    }
}
