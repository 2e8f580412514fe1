//! Lints of the syntax tree of a script.

use std::collections::BTreeSet;

use rhai::{AST, ASTNode, Expr, FnAccess, FnCallExpr, Position, Stmt};

use super::bindings;
use super::bindings::Bindings;
use super::finding::Findings;
use super::vocabulary::Vocabulary;
use super::{literals, unreachable};
use crate::script::docs;
use crate::script::syntax::sources::CLOSURE;

/// Functions that keep a closure for later, when a loop's variable has changed.
const KEEP: &[&str] = &["push", "insert", "append", "defer", "on"];

/// Returns the imports of a script: path, alias, position. Computed paths are not known.
pub fn imports(ast: &AST) -> Vec<(String, String, Position)> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Import(import, _))) = path.last()
            && let Expr::StringConstant(text, place) = &import.0
        {
            found.push((text.to_string(), import.1.name.to_string(), *place));
        }
        true
    });
    found
}

/// Lints the whole tree.
pub fn lint(findings: &mut Findings, ast: &AST, vocabulary: &Vocabulary) {
    let (keys, bindings) = (keys(ast), Bindings::from_ast(ast));
    unreachable::bodies(findings, ast);
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        let Some(node) = path.last() else { return true };
        match node {
            ASTNode::Stmt(Stmt::FnCall(call, place)) | ASTNode::Expr(Expr::FnCall(call, place)) => {
                function(findings, vocabulary, call, *place, None);
                values(findings, vocabulary, &bindings, call, false);
            }
            ASTNode::Expr(Expr::MethodCall(call, place)) => {
                function(findings, vocabulary, call, *place, Some(&keys));
                if !keys.contains(call.name.as_str()) {
                    values(findings, vocabulary, &bindings, call, true);
                }
            }
            ASTNode::Expr(Expr::Variable(variable, _, place)) => {
                // Variables of a module of a module are not known.
                if let [module] = &variable.2.path[..]
                    && let Some((message, hint)) = vocabulary.variable(&module.name, &variable.1)
                {
                    findings.error(*place, message, hint);
                }
            }
            ASTNode::Expr(Expr::Dot(dot, ..)) => {
                receiver(findings, &dot.lhs, &dot.rhs);
                bindings::properties(findings, vocabulary, &bindings, &dot.lhs, &dot.rhs);
            }
            ASTNode::Stmt(Stmt::For(parts, place)) => {
                empty(findings, parts.2.body.statements(), *place);
                let names = [Some(&parts.0), parts.1.as_ref()];
                for name in names.into_iter().flatten() {
                    stored_closures(findings, &name.name, parts.2.body.statements());
                }
            }
            _ => {}
        }
        unreachable::blocks(findings, node);
        true
    });
}

/// Returns the names of keys and properties: a method call may be that of a function in a map.
fn keys(ast: &AST) -> BTreeSet<String> {
    let mut keys = BTreeSet::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Expr(Expr::Map(map, _))) => {
                keys.extend(map.0.iter().map(|(key, _)| key.name.to_string()));
            }
            Some(ASTNode::Expr(Expr::Property(property, _))) => {
                keys.insert(property.2.to_string());
            }
            _ => {}
        }
        true
    });
    keys
}

/// Checks a call: its name and its number of arguments. `keys` is given for method calls.
fn function(
    findings: &mut Findings,
    vocabulary: &Vocabulary,
    call: &FnCallExpr,
    place: Position,
    keys: Option<&BTreeSet<String>>,
) {
    let name = call.name.as_str();
    if name == "Fn" && !call.is_qualified() {
        pointer(findings, vocabulary, call);
    }
    if name == "curry" && keys.is_none() && call.args.len() < 2 && !call.is_qualified() {
        let hint = "write curry(f, 1), or f.curry(1)".to_owned();
        findings.error(
            place,
            "curry() takes a function and its first arguments".to_owned(),
            Some(hint),
        );
    }
    // Functions of a module of a module are not known.
    let known = call.namespace.path.len() < 2 && !name.starts_with(CLOSURE);
    if call.is_operator_call() || Vocabulary::is_special(name) || !known {
        return;
    }
    if keys.is_some_and(|keys| keys.contains(name)) {
        return;
    }
    let (count, is_method) = (call.args.len(), keys.is_some());
    let module = call.namespace.path.first().map(|first| first.name.to_string());
    let current = vocabulary.replacement(module.as_deref(), name);
    if let Some(current) = current {
        deprecated(findings, name, current, place);
    }
    // A deprecated name is checked as the current one, which messages name.
    let name = current.map_or(name, |path| path.rsplit("::").next().unwrap_or(path));
    let found = match &module {
        Some(module) => match vocabulary.find_in(module, name) {
            Ok(found) => found.cloned(),
            Err(()) => return,
        },
        None => vocabulary.find(name),
    };
    let full =
        module.as_ref().map_or_else(|| name.to_owned(), |module| format!("{module}::{name}"));
    match found {
        None => {
            let near = match &module {
                Some(module) => vocabulary.nearest_in(module, name),
                None => vocabulary.nearest(name),
            };
            let hint = near.map(|near| format!("did you mean `{near}`?"));
            findings.error(place, format!("there is no function `{full}`"), hint);
        }
        Some(named) if !named.takes(count, is_method) => {
            let forms = named.forms.iter().map(|form| match &module {
                Some(module) => format!("{module}::{form}"),
                None => form.clone(),
            });
            let hint = format!("usage: {}", forms.collect::<Vec<_>>().join(", or "));
            findings.error(place, wrong_count(&full, count), Some(hint));
        }
        Some(_) => {}
    }
}

/// Checks literal arguments of a call of lifebox's functions.
fn values(
    findings: &mut Findings,
    vocabulary: &Vocabulary,
    bindings: &Bindings,
    call: &FnCallExpr,
    is_method: bool,
) {
    let (name, count) = (call.name.as_str(), call.args.len());
    let engine = call.namespace.path.iter().all(|module| module.name == "engine");
    let Some(named) = vocabulary.known(name).filter(|_| engine) else { return };
    let name = docs::current_name(name);
    for (index, argument) in call.args.iter().enumerate() {
        let options = named.takes_options(count, index, is_method);
        match bindings.value(argument) {
            // Later changes of its values are not known; its keys are checked.
            Some(value) if options => literals::lint_options(findings, name, value, false),
            Some(_) => {}
            None => {
                if options {
                    literals::lint_options(findings, name, argument, true);
                }
                let forms = named.parameters(count, index, is_method);
                literals::argument(findings, name, &forms, argument);
            }
        }
    }
}

/// Checks that the function of `Fn("name")` exists and is not deprecated.
fn pointer(findings: &mut Findings, vocabulary: &Vocabulary, call: &FnCallExpr) {
    let Some(Expr::StringConstant(name, place)) = call.args.first() else { return };
    if rhai::is_valid_identifier(name) && vocabulary.find(name).is_none() {
        let near = vocabulary.nearest(name);
        let hint = near.map(|near| format!("did you mean `{near}`?"));
        findings.error(*place, format!("there is no function `{name}`"), hint);
    }
    if let Some(current) = vocabulary.replacement(None, name) {
        deprecated(findings, name, current, *place);
    }
}

fn deprecated(findings: &mut Findings, name: &str, current: &str, place: Position) {
    findings.warning(place, format!("`{name}` is deprecated: use `{current}`"), None);
}

fn wrong_count(name: &str, count: usize) -> String {
    let values = if count == 1 { "value" } else { "values" };
    format!("{name}() does not take {count} {values}")
}

/// Finds functions of the script that hide one of lifebox. In a module this is normal: the module's
/// name is part of the call.
pub fn shadowed(findings: &mut Findings, ast: &AST, vocabulary: &Vocabulary) {
    for function in ast.iter_fn_def() {
        let (name, count) = (function.name.as_str(), function.params.len());
        if name.starts_with(CLOSURE) || function.access == FnAccess::Private {
            continue;
        }
        if let Some(native) = vocabulary.native_function(name, count) {
            let message = format!("this function hides {}", native.forms[0]);
            let hint = format!("write `engine::{name}(...)` for the hidden one");
            // The tree has only the position of the body.
            findings.warning(function.body.start_position(), message, Some(hint));
        }
    }
}

/// Finds method calls with a closure that uses the variable of the call: Rhai locks the variable
/// while the call lasts, and the closure fails.
fn receiver(findings: &mut Findings, on: &Expr, rest: &Expr) {
    let Expr::Variable(variable, ..) = on else { return };
    let name = variable.1.as_str();
    match rest {
        Expr::Dot(dot, ..) | Expr::Index(dot, ..) => {
            receiver(findings, on, &dot.lhs);
            receiver(findings, on, &dot.rhs);
        }
        Expr::MethodCall(call, _) if !KEEP.contains(&call.name.as_str()) => {
            for argument in &call.args {
                if let Some(place) = captures(argument, name) {
                    let message = format!(
                        "the closure uses `{name}` while `{name}.{}(...)` still holds it",
                        call.name
                    );
                    let hint = format!(
                        "call it as {0}({name}, ...), or use `this` in the closure",
                        call.name
                    );
                    findings.error(place, message, Some(hint));
                }
            }
        }
        _ => {}
    }
}

/// Returns where a closure captures a variable.
fn captures(closure: &Expr, name: &str) -> Option<Position> {
    let Expr::Stmt(block) = closure else { return None };
    let Some(Stmt::Share(shared)) = block.iter().next() else { return None };
    shared.iter().find(|(ident, _)| ident.name == name).map(|(ident, _)| ident.pos)
}

/// Finds loops without a body: Rhai then ignores errors of the iterator.
fn empty(findings: &mut Findings, body: &[Stmt], place: Position) {
    if body.is_empty() {
        let message = "a loop with an empty body hides the errors of its iterator".to_owned();
        findings.warning(place, message, Some("put a statement into it, if only `();`".to_owned()));
    }
}

/// Finds closures that are kept beyond an iteration and use the loop's variable: all see its last
/// value.
fn stored_closures(findings: &mut Findings, name: &str, body: &[Stmt]) {
    let mut found = Vec::new();
    for statement in body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            let closures: Vec<&Expr> = match path.last() {
                Some(
                    ASTNode::Expr(Expr::MethodCall(call, _) | Expr::FnCall(call, _))
                    | ASTNode::Stmt(Stmt::FnCall(call, _)),
                ) if KEEP.contains(&call.name.as_str()) => call.args.iter().collect(),
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => vec![&parts.1.rhs],
                Some(ASTNode::Expr(Expr::Map(map, _))) => map.0.iter().map(|(_, e)| e).collect(),
                Some(ASTNode::Expr(Expr::Array(items, _))) => items.iter().collect(),
                _ => return true,
            };
            found.extend(closures.into_iter().filter_map(|closure| captures(closure, name)));
            true
        });
    }
    for place in found {
        let message = format!("all these closures share one `{name}`: each sees its last value");
        let hint = format!("give each its own: `let own = {name};`, and use `own` in the closure");
        findings.warning(place, message, Some(hint));
    }
}
