//! `Library`: the native functions and the modules in the language itself, with their
//! documentation.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::sync::OnceLock;

use rhai::{Engine, Module};

use super::deprecated;
use super::function::{Function, Role, all_functions, first_sentence, in_order, module_functions};
use crate::script::syntax::sources::CLOSURE;
use crate::script::syntax::{parser, scheme};

/// A group of native functions.
#[derive(Debug)]
pub struct ApiModule {
    /// Its title in help.
    pub title: &'static str,
    /// Builds its Rhai module.
    pub build: fn() -> Module,
}

/// A module that scripts import: a text of the language.
#[derive(Debug)]
pub struct StdModule {
    /// What `import` calls it.
    pub name: &'static str,
    /// Its source text.
    pub text: &'static str,
    /// Its native functions, if any.
    pub native: Option<fn() -> Module>,
}

impl StdModule {
    /// Returns its name in errors and reports.
    pub fn source(&self) -> String {
        scheme::source(self.name)
    }
}

/// The documentation of a module.
#[derive(Clone, Debug)]
pub struct ModuleDocs {
    /// What `import` calls it.
    pub name: &'static str,
    /// Its description.
    pub doc: String,
    /// Its public functions, in the order of their names.
    pub functions: Vec<Function>,
}

impl ModuleDocs {
    /// Returns the first sentence of the description.
    pub fn summary(&self) -> String {
        first_sentence(&self.doc)
    }
}

/// All functions and modules of lifebox. Their documentation is collected once, at its first use.
#[derive(Debug)]
pub struct Library {
    parts: &'static [ApiModule],
    modules: &'static [StdModule],
    own_functions: OnceLock<Vec<(&'static str, Vec<Function>)>>,
    module_docs: OnceLock<Vec<ModuleDocs>>,
    all_functions: OnceLock<Vec<Function>>,
}

impl Library {
    /// Creates a library of these groups, in the order of help, and modules.
    pub const fn new(parts: &'static [ApiModule], modules: &'static [StdModule]) -> Self {
        Library {
            parts,
            modules,
            own_functions: OnceLock::new(),
            module_docs: OnceLock::new(),
            all_functions: OnceLock::new(),
        }
    }

    /// Returns the library's own functions, group by group.
    pub fn own_functions(&self) -> &[(&'static str, Vec<Function>)] {
        let with_output = |part: &ApiModule| {
            let mut functions = module_functions(part.build);
            if part.title == "System" {
                functions.extend(OUTPUT.iter().map(|(name, doc)| Function::of_output(name, doc)));
                in_order(&mut functions);
            }
            (part.title, functions)
        };
        self.own_functions.get_or_init(|| self.parts.iter().map(with_output).collect())
    }

    /// Returns the modules that can be imported by their bare names.
    pub fn modules(&self) -> &[ModuleDocs] {
        self.module_docs.get_or_init(|| self.modules.iter().map(std_module_functions).collect())
    }

    /// Returns all functions of an engine of this library, Rhai's own too. All its engines have
    /// equal functions.
    pub fn all_functions(&self, engine: &Engine) -> &[Function] {
        self.all_functions.get_or_init(|| all_functions(engine))
    }

    /// Returns the properties of a type.
    pub fn properties(&self, engine: &Engine, receiver: TypeId) -> Vec<String> {
        let of_type = |function: &&Function| {
            function.role == Role::Property && function.receiver == Some(receiver)
        };
        let all = self.all_functions(engine).iter();
        let names: BTreeSet<String> =
            all.filter(of_type).map(|function| function.name.clone()).collect();
        names.into_iter().collect()
    }

    /// Returns whether there is a function of this name, current or deprecated.
    pub fn is_function(&self, engine: &Engine, name: &str) -> bool {
        self.all_functions(engine)
            .iter()
            .any(|function| function.name == name && is_called(function))
    }
}

fn is_called(function: &Function) -> bool {
    matches!(function.role, Role::Function | Role::Deprecated)
}

/// Collects the documentation of a module: of its text and its native functions.
fn std_module_functions(module: &StdModule) -> ModuleDocs {
    let mut functions = module.native.map(module_functions).unwrap_or_default();
    // Tests find a text that does not compile.
    let ast = parser::parser().compile(module.text).unwrap_or_default();
    let is_shown = |function: &rhai::ScriptFnMetadata<'_>| {
        let full = format!("{}::{}", module.name, function.name);
        function.access.is_public()
            && !function.name.starts_with(CLOSURE)
            && deprecated::replacement(&full).is_none()
    };
    let public = ast.iter_functions().filter(is_shown);
    functions.extend(public.map(|function| Function::of_script(&function)));
    in_order(&mut functions);
    let doc = module.text.lines().take_while(|line| line.starts_with("//!"));
    let doc = doc.map(|line| line.trim_start_matches("//!").trim()).collect::<Vec<_>>();
    ModuleDocs { name: module.name, doc: doc.join("\n"), functions }
}

/// The documentation of Rhai's output functions, whose registrations have none.
const OUTPUT: [(&str, &str); 2] = [
    (
        "print",
        "Prints a value and a newline: a string as it is, another value as the script would write \
         it.\n\n```rhai\nprint(\"hello\");\nprint(#{ a: [1, 2] });\n```",
    ),
    (
        "debug",
        "Writes a value to standard error, as the script would write it, after the file and the \
         line.\n\n```rhai\ndebug(\"hello\");\n```",
    ),
];
