//! What variables hold that are declared once and never set again, and so what calls on them and
//! properties of them mean. It is the only knowledge of types here, and gives up early.

use std::collections::BTreeMap;

use rhai::{AST, ASTNode, Expr, FnCallExpr, Stmt};

use super::finding::Findings;
use super::vocabulary::Vocabulary;

/// What variables hold, by their names.
#[derive(Debug, Default)]
pub struct Bindings(BTreeMap<String, Option<Expr>>);

impl Bindings {
    /// What the variables of a tree hold. A name that means several variables means none here.
    pub fn from_ast(ast: &AST) -> Self {
        let mut held = Bindings::default();
        for function in ast.iter_fn_def() {
            function.params.iter().for_each(|name| held.forget(name));
        }
        ast.walk(&mut |path: &[ASTNode<'_>]| {
            match path.last() {
                Some(ASTNode::Stmt(Stmt::Var(parts, ..))) => held.declare(&parts.0.name, &parts.1),
                Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                    held.forget(&parts.0.name);
                    parts.1.iter().for_each(|counter| held.forget(&counter.name));
                }
                Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => held.forget_variable(&flow.expr),
                Some(ASTNode::Stmt(Stmt::Assignment(parts))) => {
                    held.forget_variable(&parts.1.lhs);
                }
                // A function of the script can set `this`, and methods take keys out of maps.
                Some(ASTNode::Expr(Expr::Dot(dot, ..)))
                    if matches!(head(&dot.rhs), Expr::MethodCall(..)) =>
                {
                    if let Some(Expr::Map(..)) = held.value(&dot.lhs) {
                        held.forget_variable(&dot.lhs);
                    }
                }
                _ => {}
            }
            true
        });
        held
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

    /// The expression that a variable was declared with.
    pub fn value(&self, of: &Expr) -> Option<&Expr> {
        match of {
            Expr::Variable(variable, ..) if variable.2.is_empty() => {
                self.0.get(variable.1.as_str())?.as_ref()
            }
            _ => None,
        }
    }
}

/// Properties that the type of what they are asked of does not have.
pub fn properties(
    notes: &mut Findings,
    vocabulary: &Vocabulary,
    held: &Bindings,
    on: &Expr,
    rest: &Expr,
) {
    let value = held.value(on).unwrap_or(on);
    let Expr::FnCall(call, _) = value else { return };
    let mut kind = returns(vocabulary, call, false);
    let mut rest = rest;
    while let Some(of) = kind {
        if let Expr::Property(property, place) = head(rest)
            && let Some(hint) = vocabulary.no_property(of, &property.2)
        {
            notes.error(*place, format!("{of} has no property `{}`", property.2), Some(hint));
        }
        let (Expr::Dot(dot, ..), Expr::MethodCall(call, _)) = (rest, head(rest)) else { return };
        kind = returns(vocabulary, call, true);
        rest = &dot.rhs;
    }
}

/// What a call returns, where that is known.
fn returns<'v>(vocabulary: &'v Vocabulary, call: &FnCallExpr, is_method: bool) -> Option<&'v str> {
    let engine = call.namespace.path.iter().all(|module| module.name == "engine");
    let named = vocabulary.known(&call.name).filter(|_| engine)?;
    named.returns(call.args.len(), is_method)
}

/// The first part of what follows a dot.
fn head(rest: &Expr) -> &Expr {
    match rest {
        Expr::Dot(parts, ..) | Expr::Index(parts, ..) => &parts.lhs,
        other => other,
    }
}
