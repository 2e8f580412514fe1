//! `Bindings`: the values of variables that are declared once and never set again, and so the types
//! of calls and properties on them. The check knows no other types, and gives up early.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use super::finding::Findings;
use super::vocabulary::Vocabulary;

/// The values of variables, by name.
#[derive(Debug, Default)]
pub struct Bindings(BTreeMap<String, Option<Expr>>);

impl Bindings {
    /// Collects the values of the variables of a tree. A name of several variables has none.
    pub fn from_ast(ast: &AST) -> Self {
        let mut bindings = Bindings::default();
        for function in ast.iter_fn_def() {
            function.params.iter().for_each(|name| bindings.forget(name));
        }
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(parts, ..))) => {
                    bindings.declare(&parts.0.name, &parts.1)
                }
                Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                    bindings.forget(&parts.0.name);
                    parts.1.iter().for_each(|counter| bindings.forget(&counter.name));
                }
                Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => {
                    bindings.forget_variable(&flow.expr)
                }
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                    bindings.forget_variable(&parts.1.lhs);
                }
                // A function of the script can set `this`, and methods can remove keys of maps.
                Some(ASTNode::Expr(Expr::Dot(dot, ..)))
                    if matches!(head(&dot.rhs), Expr::MethodCall(..)) =>
                {
                    if let Some(Expr::Map(..)) = bindings.value(&dot.lhs) {
                        bindings.forget_variable(&dot.lhs);
                    }
                }
                _ => {}
            }
            true
        });
        bindings
    }

    fn declare(&mut self, name: &str, value: &Expr) {
        let value = (!self.0.contains_key(name)).then(|| value.clone());
        self.0.insert(name.to_owned(), value);
    }

    fn forget(&mut self, name: &str) {
        self.0.insert(name.to_owned(), None);
    }

    fn forget_variable(&mut self, of: &Expr) {
        if let Expr::Variable(variable, ..) = of {
            self.forget(&variable.1);
        }
    }

    /// Returns the expression that a variable was declared with.
    pub fn value(&self, of: &Expr) -> Option<&Expr> {
        match of {
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                self.0.get(variable.1.as_str())?.as_ref()
            }
            _ => None,
        }
    }
}

/// Finds properties that the type of their value does not have.
pub fn properties(
    findings: &mut Findings,
    vocabulary: &Vocabulary,
    bindings: &Bindings,
    on: &Expr,
    rest: &Expr,
) {
    let value = bindings.value(on).unwrap_or(on);
    let Expr::FnCall(call, _) = value else { return };
    let mut kind = returns(vocabulary, call, false);
    let mut rest = rest;
    while let Some(of) = kind {
        if let Expr::Property(property, place) = head(rest)
            && let Some(hint) = vocabulary.no_property(of, &property.2)
        {
            findings.error(*place, format!("{of} has no property `{}`", property.2), Some(hint));
        }
        let (Expr::Dot(dot, ..), Expr::MethodCall(call, _)) = (rest, head(rest)) else { return };
        kind = returns(vocabulary, call, true);
        rest = &dot.rhs;
    }
}

/// Returns the type of a call's result, if it is known.
fn returns<'v>(vocabulary: &'v Vocabulary, call: &FnCallExpr, is_method: bool) -> Option<&'v str> {
    let engine = call.namespace.path.iter().all(|module| module.name == "engine");
    let named = vocabulary.known(&call.name).filter(|_| engine)?;
    named.returns(call.args.len(), is_method)
}

/// Returns the first part of what follows a dot.
fn head(rest: &Expr) -> &Expr {
    match rest {
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => &parts.lhs,
        other => other,
    }
}
