//! Finds unreachable statements.

use rhai::{AST, ASTFlags, ASTNode, Expr, FlowControl, Position, Stmt};

use super::finding::Findings;

/// Checks the script itself and its functions, whose statements are in no block of the tree.
pub fn bodies(findings: &mut Findings, ast: &AST) {
    let spans: Vec<_> = ast
        .iter_fn_def()
        .map(|function| (function.body.start_position(), function.body.end_position()))
        .collect();
    // A closure lies inside the body of its function: the innermost is the latest to begin.
    let owner = |place: Position| {
        let around = spans.iter().filter(|(begin, end)| *begin <= place && place <= *end);
        around.max_by_key(|(begin, _)| *begin)
    };
    let mut before: Option<(Stmt, Option<&(Position, Position)>)> = None;
    let mut is_reported = false;
    ast.walk(&mut |path: &[ASTNode<'_>]| {
        if let [ASTNode::Stmt(statement)] = path {
            let own = owner(statement.position());
            if let Some((earlier, of)) = &before
                && *of == own
                // In the tree, functions follow the script, wherever they are written.
                && earlier.position() < statement.position()
            {
                // One finding for all that follows.
                is_reported = is_reported || pair(findings, earlier, statement);
            } else {
                is_reported = false;
            }
            before = Some(((*statement).clone(), own));
        }
        true
    });
}

/// Checks the blocks directly below a node.
pub fn blocks(findings: &mut Findings, node: &ASTNode<'_>) {
    match node {
        ASTNode::Stmt(Stmt::Block(block)) => unreachable(findings, block.statements()),
        ASTNode::Stmt(
            Stmt::If(flow, _) | Stmt::While(flow, _) | Stmt::Do(flow, ..) | Stmt::TryCatch(flow, _),
        ) => {
            unreachable(findings, flow.body.statements());
            unreachable(findings, flow.branch.statements());
        }
        ASTNode::Stmt(Stmt::For(parts, _)) => unreachable(findings, parts.2.body.statements()),
        ASTNode::Expr(Expr::Stmt(block)) => unreachable(findings, block.statements()),
        _ => {}
    }
}

/// Reports the statement after the end of its block.
fn unreachable(findings: &mut Findings, statements: &[Stmt]) {
    for [earlier, later] in statements.array_windows() {
        if pair(findings, earlier, later) {
            return;
        }
    }
}

/// Checks a pair of statements. Returns whether the second is unreachable.
fn pair(findings: &mut Findings, earlier: &Stmt, later: &Stmt) -> bool {
    let Some(what) = leaves(earlier) else { return false };
    let message = format!("this is never reached: {what} comes before it");
    findings.warning(later.position(), message, None);
    true
}

/// Returns how a statement always leaves its block.
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

/// Returns how the first of these statements leaves the block.
fn any(statements: &[Stmt]) -> Option<&'static str> {
    statements.iter().find_map(leaves)
}

/// Returns whether both branches leave the block.
fn both(flow: &FlowControl) -> bool {
    any(flow.body.statements()).is_some() && any(flow.branch.statements()).is_some()
}

/// Returns whether a loop's body has a `break` of that loop. A closure's body is not in this tree.
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
