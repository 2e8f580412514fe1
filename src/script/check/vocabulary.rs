//! `Vocabulary`: the functions that a script can call, of the language, its own and of its imports.

use std::collections::{BTreeMap, BTreeSet};

use rhai::{AST, ASTFlags, Stmt};

use crate::model::value::suggest::suggest;
use crate::script::api::LIBRARY;
use crate::script::docs::{self, Function, Role};
use crate::script::session::interpreter;
use crate::script::session::modules::Found;
use crate::script::syntax::sources::without_shebang;
use crate::script::syntax::{parser, scheme};

/// Functions that Rhai handles without a registration.
const SPECIAL: &[&str] =
    &["call", "curry", "Fn", "eval", "is_def_fn", "is_def_var", "is_shared", "type_of"];

/// An overload of a native function.
#[derive(Clone, Debug)]
struct Shape {
    params: Vec<String>,
    kinds: Vec<String>,
    returns: String,
}

/// The functions of one name.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// The numbers of arguments of calls by name.
    calls: BTreeSet<usize>,
    /// The numbers of arguments of method calls.
    methods: BTreeSet<usize>,
    /// The places of options: number of arguments, and index.
    options: BTreeSet<(usize, usize)>,
    /// The native overloads.
    shapes: Vec<Shape>,
    /// The signatures, for messages.
    pub forms: Vec<String>,
}

/// The names of parameters that take a map of options.
const OPTIONS: &[&str] = &["options", "time", "condition"];

impl Named {
    /// Returns whether the function takes this number of arguments.
    pub fn takes(&self, count: usize, is_method: bool) -> bool {
        if is_method { self.methods.contains(&count) } else { self.calls.contains(&count) }
    }

    /// Returns whether the argument at `index` of a call with this number of arguments is a map of
    /// options.
    pub fn takes_options(&self, count: usize, index: usize, is_method: bool) -> bool {
        let before = usize::from(is_method);
        self.options.contains(&(count + before, index + before))
    }

    /// Returns name and type of the parameter at `index`, for each overload with this number of
    /// arguments.
    pub fn parameters(&self, count: usize, index: usize, is_method: bool) -> Vec<(String, String)> {
        let before = usize::from(is_method);
        let fits = self.shapes.iter().filter(|shape| shape.params.len() == count + before);
        let at = |shape: &'_ Shape| {
            let param = shape.params.get(index + before)?;
            let name = param.split(':').next().unwrap_or(param);
            Some((name.to_owned(), shape.kinds.get(index + before)?.clone()))
        };
        fits.filter_map(at).collect()
    }

    /// Returns the type of the result of a call with this number of arguments, if it is one type.
    pub fn returns(&self, count: usize, is_method: bool) -> Option<&str> {
        let count = count + usize::from(is_method);
        let mut fits = self.shapes.iter().filter(|shape| shape.params.len() == count);
        let first = fits.next()?.returns.as_str();
        fits.all(|shape| shape.returns == first).then_some(first)
    }

    fn add_native(&mut self, function: &Function) {
        let count = function.params.len();
        self.calls.insert(count);
        self.methods.extend(count.checked_sub(1));
        for (index, param) in function.params.iter().enumerate() {
            if OPTIONS.iter().any(|name| param.split(':').next() == Some(name)) {
                self.options.insert((count, index));
            }
        }
        self.forms.push(function.signature());
        self.shapes.push(Shape {
            params: function.params.clone(),
            kinds: function.kinds.clone(),
            returns: function.returns.clone(),
        });
    }

    fn add_own(&mut self, name: &str, params: &[&str]) {
        // A function that uses `this` is called as a method, with all its parameters.
        self.calls.insert(params.len());
        self.methods.insert(params.len());
        self.methods.extend(params.len().checked_sub(1));
        self.forms.push(format!("{name}({})", params.join(", ")));
    }
}

type Names = BTreeMap<String, Named>;

/// All functions that a script can call.
#[derive(Debug)]
pub struct Vocabulary {
    /// Lifebox's functions.
    native_function: Names,
    /// Lifebox's and Rhai's functions.
    native: Names,
    script_functions: Names,
    /// The properties, by type.
    properties: BTreeMap<String, BTreeSet<String>>,
    /// The functions of modules by alias; `None` for a module that could not be read.
    modules: BTreeMap<String, Option<Names>>,
    /// The standard modules, by alias.
    std_modules: BTreeMap<String, String>,
    /// The variables of modules, by alias.
    exports: BTreeMap<String, Variables>,
    /// The variables of the script.
    variables: Variables,
}

/// The variables of a script, by visibility.
#[derive(Debug, Default)]
struct Variables {
    /// The exported names.
    exported: BTreeSet<String>,
    /// The constants, visible as `global::NAME`.
    constants: BTreeSet<String>,
    /// All variables that are declared outside of blocks.
    all: BTreeSet<String>,
}

impl Variables {
    fn of(ast: &AST) -> Self {
        let mut found = Variables::default();
        for statement in ast.statements() {
            match statement {
                Stmt::Var(parts, flags, _) => {
                    let name = parts.0.name.to_string();
                    if flags.contains(ASTFlags::EXPORTED) {
                        found.exported.insert(name.clone());
                    }
                    if flags.contains(ASTFlags::CONSTANT) {
                        found.constants.insert(name.clone());
                    }
                    found.all.insert(name);
                }
                Stmt::Export(parts, _) => {
                    let named = Some(&parts.1).filter(|alias| !alias.name.is_empty());
                    found.exported.insert(named.unwrap_or(&parts.0).name.to_string());
                }
                _ => {}
            }
        }
        found
    }
}

impl Vocabulary {
    /// Collects the functions of the language and of the script.
    pub fn new(ast: &AST) -> Self {
        let mut native = Names::new();
        let mut properties = BTreeMap::<_, BTreeSet<_>>::new();
        for function in LIBRARY.all_functions(&interpreter::vocabulary()) {
            if function.role == Role::Property {
                let of = function.of().to_owned();
                properties.entry(of).or_default().insert(function.name.clone());
            } else {
                native.entry(function.name.clone()).or_default().add_native(function);
            }
        }
        let mut ours = Names::new();
        for function in LIBRARY.own_functions().iter().flat_map(|(_, functions)| functions) {
            if function.role == Role::Function {
                ours.entry(function.name.clone()).or_default().add_native(function);
            }
        }
        // Rhai has a `start` of ranges; messages show lifebox's signatures.
        for (name, named) in &ours {
            if let Some(both) = native.get_mut(name) {
                both.forms.clone_from(&named.forms);
            }
        }
        let (modules, exports) = (BTreeMap::new(), BTreeMap::new());
        let variables = Variables::of(ast);
        Vocabulary {
            native_function: ours,
            native,
            script_functions: script_functions(ast, false),
            properties,
            modules,
            std_modules: BTreeMap::new(),
            exports,
            variables,
        }
    }

    /// Adds the functions of a module under its alias.
    pub fn import(&mut self, alias: &str, found: &Found) {
        let text = without_shebang(&found.text);
        let names = parser::parser().compile(text).ok().map(|ast| {
            self.exports.insert(alias.to_owned(), Variables::of(&ast));
            let mut names = script_functions(&ast, true);
            if let Some(native) = found.native {
                for function in docs::module_functions(native) {
                    names.entry(function.name.clone()).or_default().add_native(&function);
                }
            }
            names
        });
        self.modules.insert(alias.to_owned(), names);
        let std = scheme::module(&found.name).map(|name| (alias.to_owned(), name.to_owned()));
        self.std_modules.extend(std);
    }

    /// Adds an alias of an unreadable module.
    pub fn import_unknown(&mut self, alias: &str) {
        self.modules.insert(alias.to_owned(), None);
    }

    /// Returns whether Rhai handles this function itself.
    pub fn is_special(name: &str) -> bool {
        SPECIAL.contains(&name)
    }

    /// Returns a function by its bare name: the script's own take precedence over the language's.
    pub fn find(&self, name: &str) -> Option<Named> {
        match (self.script_functions.get(name), self.native.get(name)) {
            (Some(own), Some(native)) => {
                let mut both = own.clone();
                both.calls.extend(&native.calls);
                both.methods.extend(&native.methods);
                both.forms.extend(native.forms.iter().cloned());
                Some(both)
            }
            (one, other) => one.or(other).cloned(),
        }
    }

    /// Returns a function of a module. `Err` for an unreadable module.
    pub fn find_in(&self, module: &str, name: &str) -> Result<Option<&Named>, ()> {
        match (module, self.modules.get(module)) {
            ("engine", None) => Ok(self.native.get(name)),
            (_, Some(Some(names))) => Ok(names.get(name)),
            _ => Err(()),
        }
    }

    /// Returns message and hint for a wrong variable `module::name`; `None` if it exists.
    pub fn variable(&self, module: &str, name: &str) -> Option<(String, Option<String>)> {
        let (known, kind, seen, no) = if module == "global" {
            let seen = &self.variables.constants;
            (&self.variables, "constant", seen, "is not a `const` of the script itself")
        } else {
            let known = self.exports.get(module)?;
            (known, "variable", &known.exported, "is not exported: write `export` before it")
        };
        if seen.contains(name) {
            return None;
        }
        let hint = if known.all.contains(name) {
            Some(format!("`{name}` {no}"))
        } else {
            let near = suggest(name, seen.iter().map(String::as_str));
            near.map(|near| format!("did you mean `{near}`?"))
        };
        Some((format!("there is no {kind} `{module}::{name}`"), hint))
    }

    /// Returns a function of lifebox, unless the script hides it.
    pub fn known(&self, name: &str) -> Option<&Named> {
        if self.script_functions.contains_key(name) {
            return None;
        }
        let name = docs::current_name(name);
        self.native.get(name).filter(|_| self.native_function.contains_key(name))
    }

    /// Returns what replaces a deprecated function of lifebox; `None` for any other function.
    pub fn replacement(&self, module: Option<&str>, name: &str) -> Option<&'static str> {
        let is_native = match module {
            None => !self.script_functions.contains_key(name),
            Some(alias) => match self.std_modules.get(alias) {
                Some(module) => return docs::replacement(&format!("{module}::{name}")),
                None => alias == "engine" && !self.modules.contains_key(alias),
            },
        };
        docs::replacement(name).filter(|_| is_native)
    }

    /// Returns the hint for a property that this type does not have; `None` if it may have it.
    pub fn no_property(&self, of: &str, name: &str) -> Option<String> {
        let names = self.properties.get(of).filter(|names| !names.contains(name))?;
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        Some(match suggest(name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("see help(\"{of}\")"),
        })
    }

    /// Returns a function of lifebox, by name and number of arguments.
    pub fn native_function(&self, name: &str, count: usize) -> Option<&Named> {
        self.native_function.get(name).filter(|named| named.calls.contains(&count))
    }

    /// Returns the nearest name that can be called without a module.
    pub fn nearest(&self, name: &str) -> Option<String> {
        let native = self.native.keys().filter(|name| docs::replacement(name).is_none());
        let names = self.script_functions.keys().chain(native).map(String::as_str);
        suggest(name, names).map(str::to_owned)
    }

    /// Returns the nearest name in a module.
    pub fn nearest_in(&self, module: &str, name: &str) -> Option<String> {
        let names = self.modules.get(module)?.as_ref()?.keys().map(String::as_str);
        suggest(name, names).map(str::to_owned)
    }
}

/// Returns the functions that a tree defines.
fn script_functions(ast: &AST, only_public: bool) -> Names {
    let mut names = Names::new();
    // Sorted: the order of the tree varies.
    let mut functions: Vec<_> = ast.iter_functions().collect();
    functions.sort_by_key(|function| (function.name, function.params.len()));
    for function in functions {
        if only_public && !function.access.is_public() {
            continue;
        }
        names.entry(function.name.to_owned()).or_default().add_own(function.name, &function.params);
    }
    names
}
