//! The tree of a template, and the text of its nodes as Go writes them in errors.

use std::collections::BTreeMap;
use std::fmt;

/// A parsed text: its nodes, and those of each `define` and `block` in it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    /// The source, to which positions refer.
    pub source: String,
    pub nodes: Vec<Node>,
    pub defined: BTreeMap<String, Vec<Node>>,
}

impl Tree {
    /// Changes the text between the actions.
    pub fn change_text(&mut self, change: fn(&str) -> String) {
        change_text(&mut self.nodes, change);
        self.defined.values_mut().for_each(|nodes| change_text(nodes, change));
    }
}

fn change_text(nodes: &mut [Node], change: fn(&str) -> String) {
    for node in nodes {
        match node {
            Node::Text(text) => *text = change(text),
            Node::If(branch) | Node::With(branch) | Node::Range(branch) => {
                change_text(&mut branch.body, change);
                change_text(&mut branch.otherwise, change);
            }
            Node::Action(_) | Node::Template(_) | Node::Break | Node::Continue => {}
        }
    }
}

/// Returns the line of a byte, from 1, and its column, from 0.
pub fn place(source: &str, at: usize) -> (usize, usize) {
    let before = &source.as_bytes()[..at.min(source.len())];
    let newline = before.iter().rposition(|byte| *byte == b'\n');
    let lines = before.iter().filter(|byte| **byte == b'\n').count();
    (lines + 1, before.len() - newline.map_or(0, |newline| newline + 1))
}

#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    Text(String),
    Action(Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Template(Call),
    Break,
    Continue,
}

/// The body of `if`, `with` or `range`, and what follows `else`.
#[derive(Clone, Debug, PartialEq)]
pub struct Branch {
    pub pipe: Pipe,
    pub body: Vec<Node>,
    pub otherwise: Vec<Node>,
}

/// `{{template "name" pipe}}`; `at` is the position of the name.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    pub at: usize,
    pub name: String,
    pub argument: Option<Pipe>,
}

/// Commands from left to right; the value of each is the last argument of the next.
#[derive(Clone, Debug, PartialEq)]
pub struct Pipe {
    /// The variables that get the value, with their `$`.
    pub variables: Vec<String>,
    /// Whether the variables exist already: `=` instead of `:=`.
    pub assigns: bool,
    pub commands: Vec<Command>,
}

/// A value, or a function and its arguments.
#[derive(Clone, Debug, PartialEq)]
pub struct Command {
    pub words: Vec<Operand>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Operand {
    /// The position of its first byte; of a chain of fields, of its second field.
    pub at: usize,
    pub kind: OperandKind,
}

#[derive(Clone, Debug, PartialEq)]
pub enum OperandKind {
    Dot,
    Nil,
    Bool(bool),
    Int(i64, String),
    Float(f64, String),
    /// A value, and the literal as it was written.
    Text(String, String),
    /// `.State.Status`
    Field(Vec<String>),
    /// `$x.Name`: the first is the variable, with its `$`.
    Variable(Vec<String>),
    Function(String),
    Pipe(Box<Pipe>),
    /// Fields of a value in parentheses.
    Chain(Box<Operand>, Vec<String>),
}

fn joined<T: fmt::Display>(f: &mut fmt::Formatter<'_>, items: &[T], between: &str) -> fmt::Result {
    for (at, item) in items.iter().enumerate() {
        let before = if at == 0 { "" } else { between };
        write!(f, "{before}{item}")?;
    }
    Ok(())
}

impl fmt::Display for Operand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            OperandKind::Dot => f.write_str("."),
            OperandKind::Nil => f.write_str("nil"),
            OperandKind::Bool(value) => write!(f, "{value}"),
            OperandKind::Int(_, text)
            | OperandKind::Float(_, text)
            | OperandKind::Text(_, text) => f.write_str(text),
            OperandKind::Field(names) => write!(f, ".{}", names.join(".")),
            OperandKind::Variable(names) => f.write_str(&names.join(".")),
            OperandKind::Function(name) => f.write_str(name),
            OperandKind::Pipe(pipe) => write!(f, "({pipe})"),
            OperandKind::Chain(value, names) => write!(f, "{value}.{}", names.join(".")),
        }
    }
}

impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, &self.words, " ")
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(f, "{} {sign} ", self.variables.join(", "))?;
        }
        joined(f, &self.commands, " | ")
    }
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{{template {:?}", self.name)?;
        if let Some(pipe) = &self.argument {
            write!(f, " {pipe}")?;
        }
        f.write_str("}}")
    }
}
