//! Reads which file of a crate imports which: `use` trees and paths in the code, re-exports
//! followed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::Visit;

/// A path from the root of the crate: `["script", "context"]`.
type Names = Vec<String>;
/// File -> file -> the names that the first takes from the second.
pub type Arrows = BTreeMap<String, BTreeMap<String, BTreeSet<String>>>;

/// A leaf of a `use` tree.
struct Import {
    is_public: bool,
    path: Names,
    /// What it is called here; `*` for a glob.
    name: String,
}

/// What one module names: the file itself, or an inline module in it.
#[derive(Default)]
struct Scope {
    module: Names,
    imports: Vec<Import>,
    /// Paths of two or more names in the code.
    paths: BTreeSet<Names>,
    /// Every single name in the code.
    words: BTreeSet<String>,
}

/// The files of a crate below `src/`, without the code that is only for tests.
pub struct Crate {
    /// File -> its scopes, the file's own one first.
    files: BTreeMap<String, Vec<Scope>>,
    modules: BTreeMap<Names, String>,
    /// (module, name) -> where the module takes it from to hand it on.
    exports: BTreeMap<(Names, String), Names>,
}

impl Crate {
    /// Reads all files below `src`, but for tests and the binary's `main.rs`.
    pub fn read(src: &Path) -> Self {
        let mut texts = BTreeMap::new();
        read_folder(src, src, &mut texts);
        Crate::parse(&texts)
    }

    /// Parses the texts of a crate, by file below `src/`.
    pub fn parse(texts: &BTreeMap<String, String>) -> Self {
        let is_test = |file: &str| file.contains("tests/") || file.ends_with("tests.rs");
        let files: BTreeMap<String, Vec<Scope>> = texts
            .iter()
            .filter(|(file, _)| !is_test(file) && *file != "main.rs")
            .map(|(file, text)| (file.clone(), scopes(file, text)))
            .collect();
        let modules = files.keys().map(|file| (module_of(file), file.clone())).collect();
        let mut all = Crate { files, modules, exports: BTreeMap::new() };
        let mut exports = BTreeMap::new();
        for scope in all.files.values().map(|scopes| &scopes[0]) {
            for import in scope.imports.iter().filter(|import| import.is_public) {
                if let Some(path) = all.absolute(&scope.module, &import.path) {
                    exports.insert((scope.module.clone(), import.name.clone()), path);
                }
            }
        }
        all.exports = exports;
        all
    }

    /// The imports between the files of the crate.
    pub fn arrows(&self) -> Arrows {
        let mut arrows = Arrows::new();
        for (file, scopes) in &self.files {
            // Inline modules see the modules that their file imports.
            let mut known = BTreeMap::new();
            for scope in scopes {
                for path in self.paths(scope, &mut known) {
                    let Some((target, name)) = self.resolve(&path, 0) else { continue };
                    if target != file && !name.is_empty() {
                        let names = arrows.entry(file.clone()).or_default();
                        names.entry(target.to_owned()).or_default().insert(name);
                    }
                }
            }
        }
        arrows
    }

    /// The first names of the paths that each file names: the rooms that it knows of. A room that
    /// hands something on is the one that counts.
    pub fn rooms(&self) -> BTreeMap<String, BTreeSet<String>> {
        let firsts = |scopes: &Vec<Scope>| {
            let mut known = BTreeMap::new();
            let paths: Vec<_> =
                scopes.iter().flat_map(|scope| self.paths(scope, &mut known)).collect();
            let all = paths.into_iter().chain(known.into_values());
            all.filter_map(|path| path.into_iter().next()).collect()
        };
        self.files.iter().map(|(file, scopes)| (file.clone(), firsts(scopes))).collect()
    }

    /// The paths that a scope names, from the root of the crate.
    fn paths(&self, scope: &Scope, known: &mut BTreeMap<String, Names>) -> Vec<Names> {
        let mut paths = Vec::new();
        // What is only handed on is no arrow; what is handed on and used is one.
        let counts = |import: &&Import| !import.is_public || scope.words.contains(&import.name);
        for import in scope.imports.iter().filter(counts) {
            let Some(path) = self.absolute(&scope.module, &import.path) else { continue };
            if self.modules.contains_key(&path) && import.name != "*" {
                known.insert(import.name.clone(), path);
            } else if import.name == "*" {
                paths.push(path.into_iter().chain(["*".to_owned()]).collect());
            } else {
                paths.push(path);
            }
        }
        for path in &scope.paths {
            match known.get(&path[0]) {
                Some(base) => paths.push(base.iter().chain(&path[1..]).cloned().collect()),
                None => paths.extend(self.absolute(&scope.module, path)),
            }
        }
        paths
    }

    /// A path from the root of the crate; `None` for one that leaves it.
    fn absolute(&self, module: &Names, path: &[String]) -> Option<Names> {
        let ups = path.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match path.first()?.as_str() {
            "crate" => (Vec::new(), &path[1..]),
            "self" => (module.clone(), &path[1..]),
            "super" => (module[..module.len().checked_sub(ups)?].to_vec(), &path[ups..]),
            child => {
                let inner: Names = module.iter().cloned().chain([child.to_owned()]).collect();
                self.modules.get(&inner)?;
                (module.clone(), path)
            }
        };
        Some(base.into_iter().chain(rest.iter().filter(|name| *name != "self").cloned()).collect())
    }

    /// The file where a path ends and the name in it; re-exports are followed.
    fn resolve(&self, path: &[String], depth: usize) -> Option<(&str, String)> {
        let length = (0..=path.len()).rev().find(|n| self.modules.contains_key(&path[..*n]))?;
        let (module, rest) = path.split_at(length);
        let file = self.modules[module].as_str();
        let Some(name) = rest.first() else { return Some((file, String::new())) };
        match self.exports.get(&(module.to_vec(), name.clone())) {
            Some(target) if depth < 9 => {
                let further: Names = target.iter().chain(&rest[1..]).cloned().collect();
                self.resolve(&further, depth + 1)
            }
            _ => Some((file, name.clone())),
        }
    }
}

/// The groups of two and more files that import each other in a loop.
pub fn circles(arrows: &Arrows) -> Vec<BTreeSet<&str>> {
    let reach = |from: &str| {
        let (mut seen, mut next) = (BTreeSet::new(), vec![from.to_owned()]);
        while let Some(file) = next.pop() {
            for target in arrows.get(&file).into_iter().flat_map(BTreeMap::keys) {
                if seen.insert(target.clone()) {
                    next.push(target.clone());
                }
            }
        }
        seen
    };
    let all: BTreeMap<&str, _> = arrows.keys().map(|file| (file.as_str(), reach(file))).collect();
    let mut found: Vec<BTreeSet<&str>> = Vec::new();
    for (file, reached) in all.iter().filter(|(file, reached)| reached.contains(**file)) {
        if !found.iter().any(|circle| circle.contains(file)) {
            let returns = |other: &&&str| reached.contains(**other) && all[**other].contains(*file);
            found.push(all.keys().filter(returns).copied().collect());
        }
    }
    found
}

fn read_folder(folder: &Path, src: &Path, texts: &mut BTreeMap<String, String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            read_folder(&path, src, texts);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let name = path.strip_prefix(src).unwrap().to_str().unwrap().to_owned();
            texts.insert(name, std::fs::read_to_string(&path).unwrap());
        }
    }
}

fn module_of(file: &str) -> Names {
    let mut names: Names = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if names.last().is_some_and(|last| last == "mod") || names == ["lib"] {
        names.pop();
    }
    names
}

fn scopes(file: &str, text: &str) -> Vec<Scope> {
    let parsed = syn::parse_file(text).unwrap_or_else(|error| panic!("{file}: {error}"));
    let own = Scope { module: module_of(file), ..Scope::default() };
    let mut reader = Reader { scopes: vec![own], current: 0 };
    reader.visit_file(&parsed);
    reader.scopes
}

/// Collects what a file names.
struct Reader {
    scopes: Vec<Scope>,
    current: usize,
}

impl Reader {
    fn scope(&mut self) -> &mut Scope {
        &mut self.scopes[self.current]
    }

    fn add_path(&mut self, path: Names) {
        self.scope().words.extend(path.iter().cloned());
        if path.len() > 1 {
            self.scope().paths.insert(path);
        }
    }

    fn add_tree(&mut self, is_public: bool, before: &[String], tree: &syn::UseTree) {
        let with =
            |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Names>();
        let (path, name) = match tree {
            syn::UseTree::Path(path) => {
                return self.add_tree(is_public, &with(&path.ident), &path.tree);
            }
            syn::UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(is_public, before, tree);
                }
                return;
            }
            syn::UseTree::Name(leaf) if leaf.ident == "self" => {
                (before.to_vec(), before.last().cloned().unwrap_or_default())
            }
            syn::UseTree::Name(leaf) => (with(&leaf.ident), leaf.ident.to_string()),
            syn::UseTree::Rename(leaf) => (with(&leaf.ident), leaf.rename.to_string()),
            syn::UseTree::Glob(_) => (before.to_vec(), "*".to_owned()),
        };
        self.scope().imports.push(Import { is_public, path, name });
    }

    /// Paths in what is given to a macro, where nothing is parsed yet.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path = Names::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(name) => {
                    if colons != 2 {
                        self.add_path(std::mem::take(&mut path));
                    }
                    path.push(name.to_string());
                    colons = 0;
                }
                TokenTree::Punct(sign) if sign.as_char() == ':' && !path.is_empty() => colons += 1,
                other => {
                    self.add_path(std::mem::take(&mut path));
                    colons = 0;
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                }
            }
        }
        self.add_path(path);
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if !is_for_tests(item) {
            syn::visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        let Some((_, items)) = &item.content else { return };
        let outer = self.current;
        let module = self.scope().module.iter().cloned().chain([item.ident.to_string()]).collect();
        self.current = self.scopes.len();
        self.scopes.push(Scope { module, ..Scope::default() });
        for item in items {
            self.visit_item(item);
        }
        self.current = outer;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let is_public = !matches!(item.vis, syn::Visibility::Inherited);
        self.add_tree(is_public, &[], &item.tree);
    }

    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.add_path(path.segments.iter().map(|segment| segment.ident.to_string()).collect());
        syn::visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        syn::visit::visit_macro(self, item);
        self.add_tokens(item.tokens.clone());
    }
}

fn is_for_tests(item: &syn::Item) -> bool {
    use syn::Item::{Const, Enum, Fn, Impl, Macro, Mod, Static, Struct, Trait, Type, Use};
    let attributes = match item {
        Const(syn::ItemConst { attrs, .. })
        | Enum(syn::ItemEnum { attrs, .. })
        | Fn(syn::ItemFn { attrs, .. })
        | Impl(syn::ItemImpl { attrs, .. })
        | Macro(syn::ItemMacro { attrs, .. })
        | Mod(syn::ItemMod { attrs, .. })
        | Static(syn::ItemStatic { attrs, .. })
        | Struct(syn::ItemStruct { attrs, .. })
        | Trait(syn::ItemTrait { attrs, .. })
        | Type(syn::ItemType { attrs, .. })
        | Use(syn::ItemUse { attrs, .. }) => attrs,
        _ => return false,
    };
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

fn crate_of(texts: &[(&str, &str)]) -> Crate {
    Crate::parse(&texts.iter().map(|(f, t)| ((*f).to_owned(), (*t).to_owned())).collect())
}

fn shown(arrows: &Arrows) -> Vec<String> {
    let of = |(from, to): (&String, &BTreeMap<String, BTreeSet<String>>)| {
        to.iter().map(|(to, names)| format!("{from} {to} {names:?}")).collect::<Vec<_>>()
    };
    arrows.iter().flat_map(of).collect()
}

#[test]
fn each_form_of_an_import_is_seen() {
    let arrows = crate_of(&[
        ("a/mod.rs", "mod b;\npub use self::b::{Made, Used};\npub struct A(Used);\n"),
        ("a/b.rs", "pub struct Made;\n// crate::c::No\nconst A: &str = \"{ crate::c::No\";\n"),
        (
            "c.rs",
            "use crate::a::{self, Made as M, b::{Other, self as bee}};\nfn f() { bee::go() }\n",
        ),
        ("d/mod.rs", "pub mod e;\nfn f() { e::run(); println!(\"{}\", crate::c::f()); }\n"),
        ("d/e.rs", "use super::super::c::X;\n#[cfg(test)]\nmod tests { use crate::a::b::T; }\n"),
        ("d/f.rs", "pub mod inner {\n    use super::super::e::Y;\n    fn f() { super::g() }\n}\n"),
        ("d/g.rs", "use crate::d::e::*;\nfn f() { use crate::c; c::h::<crate::a::A>(); }\n"),
        ("d/tests.rs", "use crate::a::A;\n"),
    ])
    .arrows();
    assert_eq!(
        shown(&arrows),
        [
            r#"a/mod.rs a/b.rs {"Used"}"#,
            r#"c.rs a/b.rs {"Made", "Other", "go"}"#,
            r#"d/e.rs c.rs {"X"}"#,
            r#"d/f.rs d/e.rs {"Y"}"#,
            r#"d/g.rs a/mod.rs {"A"}"#,
            r#"d/g.rs c.rs {"h"}"#,
            r#"d/g.rs d/e.rs {"*"}"#,
            r#"d/mod.rs c.rs {"f"}"#,
            r#"d/mod.rs d/e.rs {"run"}"#,
        ]
    );
}

#[test]
fn a_circle_is_found_through_a_face() {
    let arrows = crate_of(&[
        ("a/mod.rs", "mod b;\nmod c;\npub use b::B;\n"),
        ("a/b.rs", "use super::c::C;\npub struct B(C);\n"),
        ("a/c.rs", "use crate::a::B;\npub struct C(Box<B>);\n"),
        ("d.rs", "use crate::a::B;\n"),
    ])
    .arrows();
    assert_eq!(circles(&arrows), [BTreeSet::from(["a/b.rs", "a/c.rs"])]);
}
