//! The functions that a script can call: those of the language, its own, those of its imports.

use std::collections::{BTreeMap, BTreeSet};

use rhai::AST;

use super::super::docs::{self, Function, Role};
use super::super::interpreter;
use super::super::modules::Found;
use super::super::nearest::nearest;

/// What Rhai itself does, without a registration.
const SPECIAL: &[&str] =
    &["call", "curry", "Fn", "eval", "is_def_fn", "is_def_var", "is_shared", "type_of"];

/// The functions of one name.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// With how many values it can be called by its name.
    calls: BTreeSet<usize>,
    /// With how many after a dot.
    methods: BTreeSet<usize>,
    /// Where options stand: with how many values, at which place.
    options: BTreeSet<(usize, usize)>,
    /// Its forms, for people.
    pub forms: Vec<String>,
}

/// What parameters are called that take a map of options.
const OPTIONS: &[&str] = &["options", "time", "condition"];

impl Named {
    /// Whether it takes so many values.
    pub fn takes(&self, count: usize, is_method: bool) -> bool {
        if is_method { self.methods.contains(&count) } else { self.calls.contains(&count) }
    }

    /// Whether the value at `index` of a call with so many values is a map of options.
    pub fn takes_options(&self, count: usize, index: usize, is_method: bool) -> bool {
        let before = usize::from(is_method);
        self.options.contains(&(count + before, index + before))
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
    }

    fn add_own(&mut self, name: &str, params: &[&str]) {
        // One that uses `this` is called after a dot, with all that it takes.
        self.calls.insert(params.len());
        self.methods.insert(params.len());
        self.methods.extend(params.len().checked_sub(1));
        self.forms.push(format!("{name}({})", params.join(", ")));
    }
}

type Names = BTreeMap<String, Named>;

/// All that can be called.
#[derive(Debug)]
pub struct Vocabulary {
    /// What lifebox brings.
    ours: Names,
    /// The same and Rhai's functions.
    native: Names,
    own: Names,
    /// By the name under which it is imported; `None` for one that could not be read.
    modules: BTreeMap<String, Option<Names>>,
}

impl Vocabulary {
    /// What the language has, and the script's own functions.
    pub fn new(ast: &AST) -> Self {
        let mut native = Names::new();
        for function in docs::all(&interpreter::vocabulary()) {
            if function.role != Role::Property {
                native.entry(function.name.clone()).or_default().add_native(&function);
            }
        }
        let mut ours = Names::new();
        for function in docs::ours().into_iter().flat_map(|(_, functions)| functions) {
            if function.role == Role::Function {
                ours.entry(function.name.clone()).or_default().add_native(&function);
            }
        }
        // Rhai has a `start` of ranges; who looks for a form wants ours.
        for (name, named) in &ours {
            if let Some(both) = native.get_mut(name) {
                both.forms.clone_from(&named.forms);
            }
        }
        Vocabulary { ours, native, own: own(ast, false), modules: BTreeMap::new() }
    }

    /// The functions of a module become known under its alias.
    pub fn import(&mut self, alias: &str, found: &Found) {
        let names = interpreter::parser().compile(&*found.text).ok().map(|ast| {
            let mut names = own(&ast, true);
            if let Some(native) = found.native {
                for function in docs::of_part(native) {
                    names.entry(function.name.clone()).or_default().add_native(&function);
                }
            }
            names
        });
        self.modules.insert(alias.to_owned(), names);
    }

    /// Nothing is known of what this alias has.
    pub fn import_unknown(&mut self, alias: &str) {
        self.modules.insert(alias.to_owned(), None);
    }

    /// Whether the name means something of the language itself.
    pub fn is_special(name: &str) -> bool {
        SPECIAL.contains(&name)
    }

    /// A function by its bare name: the script's own goes before the language's.
    pub fn find(&self, name: &str) -> Option<Named> {
        match (self.own.get(name), self.native.get(name)) {
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

    /// A function of a module. `Err` where nothing is known of the module.
    pub fn find_in(&self, module: &str, name: &str) -> Result<Option<&Named>, ()> {
        match (module, self.modules.get(module)) {
            ("engine", None) => Ok(self.native.get(name)),
            (_, Some(Some(names))) => Ok(names.get(name)),
            _ => Err(()),
        }
    }

    /// A function of lifebox, by name and number of values.
    pub fn ours(&self, name: &str, count: usize) -> Option<&Named> {
        self.ours.get(name).filter(|named| named.calls.contains(&count))
    }

    /// The nearest name that can be called without a module.
    pub fn nearest(&self, name: &str) -> Option<String> {
        let names = self.own.keys().chain(self.native.keys()).map(String::as_str);
        nearest(name, names).map(str::to_owned)
    }

    /// The nearest name in a module.
    pub fn nearest_in(&self, module: &str, name: &str) -> Option<String> {
        let names = self.modules.get(module)?.as_ref()?.keys().map(String::as_str);
        nearest(name, names).map(str::to_owned)
    }
}

/// The functions that a tree defines.
fn own(ast: &AST, only_public: bool) -> Names {
    let mut names = Names::new();
    for function in ast.iter_functions() {
        if only_public && !function.access.is_public() {
            continue;
        }
        names.entry(function.name.to_owned()).or_default().add_own(function.name, &function.params);
    }
    names
}
