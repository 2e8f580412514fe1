//! What is never reached.

use rhai::{AST, ASTFlags, ASTNode, Expr, FlowControl, Position, Stmt};

use super::finding::Findings;

/// The script itself and its functions, whose statements are in no block of the tree.
pub fn bodies(notes: &mut Findings, ast: &AST) {
    let spans: Vec<_> = ast
        .iter_fn_def()
        .map(|function| (function.body.start_position(), function.body.end_position()))
        .collect();
    // A closure lies in the body of what it is written in: the latest to begin is the innermost.
    let owner = |place: Position| {
        let around = spans.iter().filter(|(begin, end)| *begin <= place && place <= *end);
        around.max_by_key(|(begin, _)| *begin)
    };
    let mut before: Option<(Stmt, Option<&(Position, Position)>)> = None;
    let mut told = false;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            let own = owner(statement.position());
            if let Some((earlier, of)) = &before
                && *of == own
                // Functions follow the script in the tree, wherever they are written.
                && earlier.position() < statement.position()
            {
                // One word for all that follows.
                told = told || pair(notes, earlier, statement);
            } else {
                told = false;
            }
            before = Some(((*statement).clone(), own));
        }
        true
    });
}

/// The blocks directly below a node.
pub fn blocks(notes: &mut Findings, node: &ASTNode<'_>) {
    match node {
        ASTNode::Stmt(Stmt::Block(block)) => unreachable(notes, block.statements()),
        ASTNode::Stmt(
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) | Stmt::TryCatch(flow, _),
        ) => {
            unreachable(notes, flow.body.statements());
            unreachable(notes, flow.branch.statements());
        }
        ASTNode::Stmt(Stmt::For(parts, _)) => unreachable(notes, parts.2.body.statements()),
        ASTNode::Expr(Expr::Stmt(block)) => unreachable(notes, block.statements()),
        _ => {}
    }
}

/// What follows the end of its block.
fn unreachable(notes: &mut Findings, statements: &[Stmt]) {
    for [earlier, later] in statements.array_windows() {
        if pair(notes, earlier, later) {
            return;
        }
    }
}

/// One statement and the one after it. Whether the second is never reached.
fn pair(notes: &mut Findings, earlier: &Stmt, later: &Stmt) -> bool {
    let Some(what) = leaves(earlier) else { return false };
    let message = format!("this is never reached: {what} goes before it");
    notes.warning(later.position(), message, None);
    true
}

/// What a statement leaves its block with, whatever happens.
fn leaves(statement: &Stmt) -> Option<&'static str> {
    match statement {
        Stmt::Return(_, flags, _) if flags.contains(ASTFlags::BREAK) => Some("`throw`"),
        Stmt::Return(..) => Some("`return`"),
        Stmt::BreakLoop(_, flags, _) if flags.contains(ASTFlags::BREAK) => Some("`break`"),
        Stmt::BreakLoop(..) => Some("`continue`"),
        Stmt::FnCall(call, _) if call.name == "exit" && !call.is_qualified() => Some("`exit`"),
        Stmt::Expr(expr) => expression(expr),
        Stmt::Block(block) => any(block.statements()),
        Stmt::If(flow, _) => both(flow).then_some("an `if` that leaves either way"),
        Stmt::TryCatch(flow, _) => both(flow).then_some("a `try` that leaves either way"),
        Stmt::Switch(parts, _) => {
            let cases = &parts.1;
            let all = cases.expressions.iter().all(|case| expression(&case.rhs).is_some());
            (cases.def_case.is_some() && all).then_some("a `switch` that leaves in each case")
        }
        Stmt::While(flow, _) if !breaks(flow.body.statements()) => match flow.expr {
            Expr::Unit(_) => Some("a `loop` without a `break`"),
            Expr::BoolConstant(true, _) => Some("a `while true` without a `break`"),
            _ => None,
        },
        Stmt::Do(flow, flags, _) if !breaks(flow.body.statements()) => {
            let goes_on = !flags.contains(ASTFlags::NEGATED);
            let endless = matches!(flow.expr, Expr::BoolConstant(is, _) if is == goes_on);
            endless.then_some("a `do` without a `break`")
        }
        _ => None,
    }
}

fn expression(expr: &Expr) -> Option<&'static str> {
    match expr {
        Expr::FnCall(call, _) if call.name == "exit" && !call.is_qualified() => Some("`exit`"),
        Expr::Stmt(block) => any(block.statements()),
        _ => None,
    }
}

/// What the first of these that leaves does it with.
fn any(statements: &[Stmt]) -> Option<&'static str> {
    statements.iter().find_map(leaves)
}

/// Whether it leaves with either of its blocks.
fn both(flow: &FlowControl) -> bool {
    any(flow.body.statements()).is_some() && any(flow.branch.statements()).is_some()
}

/// Whether a loop's body has a `break` of that loop. A closure's body is not in this tree.
fn breaks(body: &[Stmt]) -> bool {
    let mut found = false;
    for statement in body {
        statement.walk(&mut Vec::new(), &mut |path: &[ASTNode<'_>]| {
            let is_loop = |node: &ASTNode<'_>| {
                matches!(node, ASTNode::Stmt(Stmt::While(..) | Stmt::Do(..) | Stmt::For(..)))
            };
            if let Some((ASTNode::Stmt(Stmt::BreakLoop(_, flags, _)), around)) = path.split_last()
                && flags.contains(ASTFlags::BREAK)
                && !around.iter().any(is_loop)
            {
                found = true;
            }
            !found
        });
    }
    found
}
