//! Finds where a text declares a variable, and why it is not visible at another place.

use rhai::{AST, ASTNode, Expr, Position, Stmt};

use super::parser::parser;
use super::sources::{CLOSURE, without_shebang};

/// Why a variable is not visible.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unseen {
    /// The variable is outside of the `fn` that the place is in.
    Outside,
    /// The place is in the closure that the variable becomes.
    Itself,
    /// Its block has ended; the line of its declaration.
    Ended(usize),
    /// The declaration is below, in this line.
    Later(usize),
}

/// Returns why `name` is not visible at `place`; `None` if the text does not declare it or does not
/// parse. `outer`: an earlier text declares it.
pub fn unseen(text: &str, name: &str, place: Position, outer: bool) -> Option<Unseen> {
    let ast = parser().compile(without_shebang(text)).ok()?;
    let declared = declarations(&ast, name);
    let own = function(&ast, place);
    let beside = |found: &&Declared| function(&ast, found.place) == own;
    let before = declared.iter().filter(beside).rfind(|found| found.place < place);
    if let Some(found) = before {
        if found.captures.contains(&place) {
            return Some(Unseen::Itself);
        }
        return found.place.line().map(Unseen::Ended);
    }
    // All later declarations come after a closure that uses the variable.
    if own.is_some() && (outer || declared.iter().any(|found| function(&ast, found.place) != own)) {
        return Some(Unseen::Outside);
    }
    declared.iter().find(beside)?.place.line().map(Unseen::Later)
}

/// A declaration: its place, and where closures in its value use the variable.
struct Declared {
    place: Position,
    captures: Vec<Position>,
}

/// Returns the declarations of a variable, in the order of the text.
fn declarations(ast: &AST, name: &str) -> Vec<Declared> {
    let mut found = Vec::new();
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        match path.last() {
            Some(ASTNode::Stmt(Stmt::Var(parts, ..))) if parts.0.name == name => {
                found.push(Declared { place: parts.0.pos, captures: captures(&parts.1, name) });
            }
            Some(ASTNode::Stmt(Stmt::For(parts, _))) => {
                let names = [Some(&parts.0), parts.1.as_ref()].into_iter().flatten();
                let same = names.filter(|ident| ident.name == name);
                found.extend(same.map(|i| Declared { place: i.pos, captures: Vec::new() }));
            }
            Some(ASTNode::Stmt(Stmt::TryCatch(flow, _))) => match &flow.expr {
                Expr::Variable(variable, _, place) if variable.1 == name => {
                    found.push(Declared { place: *place, captures: Vec::new() });
                }
                _ => {}
            },
            _ => {}
        }
        true
    });
    found.sort_by_key(|declared| declared.place);
    found
}

/// Returns where closures in an expression capture a variable.
fn captures(value: &Expr, name: &str) -> Vec<Position> {
    let mut places = Vec::new();
    value.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
        if let Some(ASTNode::Stmt(Stmt::Share(shared))) = path.last() {
            let same = shared.iter().filter(|(ident, _)| ident.name == name);
            places.extend(same.map(|(ident, _)| ident.pos));
        }
        true
    });
    places
}

/// Returns where the innermost `fn` around a place begins. A closure is not a `fn`: it sees more.
fn function(ast: &AST, place: Position) -> Option<Position> {
    let named = ast.iter_fn_def().filter(|function| !function.name.starts_with(CLOSURE));
    let spans = named.map(|function| function.body.start_position()..=function.body.end_position());
    spans.filter(|span| span.contains(&place)).map(|span| *span.start()).max()
}
