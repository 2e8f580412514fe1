//! From the tree and the data to text, with the messages of Go's text/template.

use std::fmt::Display;

use super::functions::{self, Parameter, parameters};
use super::print::{Visible, quote, show};
use super::syntax::{Branch, Call, Command, Node, Operand, OperandKind, Pipe, Tree, place};
use super::value::{Absent, Shape, Value};

/// The most templates within each other.
const MAX_DEPTH: usize = 100;

/// Why a template has no text.
#[derive(Debug)]
pub struct Failure {
    pub message: String,
    /// The fields that there are, where one is missing, and its name.
    pub unknown: Option<(String, Vec<String>)>,
}

type Evaluated<T> = Result<T, Failure>;

/// The longest output, and the longest text of a function.
const MAX_TEXT: usize = 64 << 20;

/// Fills a template with data. With `headings`, Docker's functions leave a text as it is.
pub fn evaluate(
    tree: &Tree,
    data: Value<'_>,
    headings: bool,
    visible: Visible,
) -> Evaluated<String> {
    let variables = vec![("$".to_owned(), data.clone())];
    let mut state =
        State { tree, name: "", variables, depth: 0, headings, visible, out: String::new() };
    state.nodes(&tree.nodes, &data)?;
    Ok(state.out)
}

/// What ends a body.
#[derive(PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct State<'t, 'a> {
    tree: &'t Tree,
    /// The template in work; empty for the whole.
    name: &'t str,
    variables: Vec<(String, Value<'a>)>,
    depth: usize,
    headings: bool,
    visible: Visible,
    out: String,
}

impl<'t, 'a> State<'t, 'a> {
    fn failure(&self, at: usize, context: &dyn Display, what: &str) -> Failure {
        let (line, column) = place(&self.tree.source, at);
        let name = quote(self.name, false);
        let message =
            format!("template: :{line}:{column}: executing {name} at <{context}>: {what}");
        Failure { message, unknown: None }
    }

    fn fail<T>(&self, at: usize, context: &dyn Display, what: &str) -> Evaluated<T> {
        Err(self.failure(at, context, what))
    }

    fn write(&mut self, text: &str) -> Evaluated<()> {
        if self.out.len() + text.len() > MAX_TEXT {
            let message = format!("the output of the template is longer than {MAX_TEXT} bytes");
            return Err(Failure { message, unknown: None });
        }
        self.out.push_str(text);
        Ok(())
    }

    fn nodes(&mut self, nodes: &'t [Node], dot: &Value<'a>) -> Evaluated<Flow> {
        for node in nodes {
            let flow = match node {
                Node::Text(text) => {
                    self.write(text)?;
                    Flow::Next
                }
                Node::Action(pipe) => {
                    let value = self.pipe(pipe, dot)?;
                    if pipe.variables.is_empty() {
                        let text = show(&value, self.visible);
                        self.write(&text)?;
                    }
                    Flow::Next
                }
                Node::If(branch) => self.choice(branch, dot, false)?,
                Node::With(branch) => self.choice(branch, dot, true)?,
                Node::Range(branch) => self.range(branch, dot)?,
                Node::Template(call) => {
                    self.template(call, dot)?;
                    Flow::Next
                }
                Node::Break => Flow::Break,
                Node::Continue => Flow::Continue,
            };
            if flow != Flow::Next {
                return Ok(flow);
            }
        }
        Ok(Flow::Next)
    }

    fn choice(&mut self, branch: &'t Branch, dot: &Value<'a>, with: bool) -> Evaluated<Flow> {
        let known = self.variables.len();
        let value = self.pipe(&branch.pipe, dot)?;
        let flow = match value.is_true() {
            true if with => self.nodes(&branch.body, &value),
            true => self.nodes(&branch.body, dot),
            false => self.nodes(&branch.otherwise, dot),
        };
        self.variables.truncate(known);
        flow
    }

    fn range(&mut self, branch: &'t Branch, dot: &Value<'a>) -> Evaluated<Flow> {
        let known = self.variables.len();
        let value = self.commands(&branch.pipe, dot)?;
        let numbered = |list: Vec<Value<'a>>| -> Vec<(Value<'a>, Value<'a>)> {
            (0..).map(Value::Int).zip(list).collect()
        };
        // Numbers are made one by one: there may be many.
        let numbers = if let Value::Int(count) = value { 0..count } else { 0..0 };
        let numbers = numbers.map(|at| (Value::Int(at), Value::Int(at)));
        let items: Vec<_> = match &value {
            Value::Int(_) | Value::Absent(Absent::Value) => Vec::new(),
            Value::Absent(Absent::Map) | Value::Json(_, Shape::Map) => {
                let entries = value.entries().unwrap_or_default().into_iter();
                entries.map(|(key, value)| (Value::Foreign(key.into()), value)).collect()
            }
            value => match value.elements() {
                Some(list) => numbered(list),
                None => {
                    let what = format!("range can't iterate over {}", show(value, self.visible));
                    let at = position(&branch.pipe);
                    return self.fail(at, &branch.pipe, &what);
                }
            },
        };
        let mut items = numbers.chain(items).peekable();
        if items.peek().is_none() {
            let flow = self.nodes(&branch.otherwise, dot)?;
            self.variables.truncate(known);
            return Ok(flow);
        }
        for (key, value) in items {
            match branch.pipe.variables.as_slice() {
                [one] => self.set(&branch.pipe, one, value.clone()),
                [first, second, ..] => {
                    self.set(&branch.pipe, first, key);
                    self.set(&branch.pipe, second, value.clone());
                }
                [] => {}
            }
            let flow = self.nodes(&branch.body, &value)?;
            self.variables.truncate(known);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    fn template(&mut self, call: &'t Call, dot: &Value<'a>) -> Evaluated<()> {
        let argument = match &call.argument {
            Some(pipe) => self.pipe(pipe, dot)?,
            None => Value::Absent(Absent::Value),
        };
        let Some((name, body)) = self.tree.defined.get_key_value(&call.name) else {
            return self.fail(
                call.at,
                call,
                &format!("template {} not defined", quote(&call.name, false)),
            );
        };
        if self.depth == MAX_DEPTH {
            return self.fail(
                call.at,
                call,
                &format!("exceeded maximum template depth ({MAX_DEPTH})"),
            );
        }
        let outer =
            std::mem::replace(&mut self.variables, vec![("$".to_owned(), argument.clone())]);
        let outer_name = std::mem::replace(&mut self.name, name);
        self.depth += 1;
        self.nodes(body, &argument)?;
        self.depth -= 1;
        (self.variables, self.name) = (outer, outer_name);
        Ok(())
    }

    /// Declares or assigns a variable.
    fn set(&mut self, pipe: &Pipe, name: &str, value: Value<'a>) {
        let known = self.variables.iter_mut().rev().find(|(known, _)| known == name);
        match known {
            Some((_, place)) if pipe.assigns => *place = value,
            _ => self.variables.push((name.to_owned(), value)),
        }
    }

    fn pipe(&mut self, pipe: &'t Pipe, dot: &Value<'a>) -> Evaluated<Value<'a>> {
        let value = self.commands(pipe, dot)?;
        for name in &pipe.variables {
            self.set(pipe, name, value.clone());
        }
        Ok(value)
    }

    fn commands(&mut self, pipe: &'t Pipe, dot: &Value<'a>) -> Evaluated<Value<'a>> {
        let mut last = None;
        for command in &pipe.commands {
            last = Some(self.command(command, dot, last)?);
        }
        Ok(last.unwrap_or(Value::Absent(Absent::Value)))
    }

    fn command(
        &mut self,
        command: &'t Command,
        dot: &Value<'a>,
        last: Option<Value<'a>>,
    ) -> Evaluated<Value<'a>> {
        let Some((first, arguments)) = command.words.split_first() else {
            return Ok(Value::Absent(Absent::Value));
        };
        if let OperandKind::Function(name) = &first.kind {
            return self.function(name, command, first.at, arguments, dot, last);
        }
        if first.kind == OperandKind::Nil {
            return self.fail(first.at, first, "nil is not a command");
        }
        let has_arguments = !arguments.is_empty() || last.is_some();
        if !has_arguments {
            return self.operand(first, dot);
        }
        let names = match &first.kind {
            OperandKind::Field(names)
            | OperandKind::Variable(names)
            | OperandKind::Chain(_, names) => names,
            _ => {
                let what = format!("can't give argument to non-function {first}");
                return self.fail(first.at, first, &what);
            }
        };
        // Docker's rows have one method: `{{.Label "key"}}`.
        if let (OperandKind::Field(names), [key]) = (&first.kind, arguments)
            && names == &["Label"]
        {
            let key = self.operand(key, dot)?;
            return Ok(functions::label(dot, functions::string(&key)));
        }
        let name = names.last().map_or("", String::as_str);
        self.fail(
            first.at,
            first,
            &format!("{name} has arguments but cannot be invoked as function"),
        )
    }

    fn function(
        &mut self,
        name: &str,
        command: &'t Command,
        at: usize,
        arguments: &'t [Operand],
        dot: &Value<'a>,
        last: Option<Value<'a>>,
    ) -> Evaluated<Value<'a>> {
        let (fixed, further) = parameters(name);
        let count = arguments.len() + usize::from(last.is_some());
        if count < fixed.len() || (count > fixed.len() && further.is_none()) {
            let least = if further.is_some() { "at least " } else { "" };
            let what =
                format!("wrong number of args for {name}: want {least}{} got {count}", fixed.len());
            return self.fail(at, command, &what);
        }
        let mut values = Vec::with_capacity(count);
        for (place, argument) in arguments.iter().enumerate() {
            let value = self.operand(argument, dot)?;
            // `and` and `or` look no further than the value that decides.
            if matches!(name, "and" | "or") && value.is_true() == (name == "or") {
                return Ok(value);
            }
            let parameter = fixed.get(place).copied().or(further).unwrap_or(Parameter::Any);
            if let Some(wanted) = parameter.mismatch(&value) {
                let literal = matches!(
                    argument.kind,
                    OperandKind::Bool(_)
                        | OperandKind::Int(..)
                        | OperandKind::Float(..)
                        | OperandKind::Text(..)
                );
                let what = match (literal, parameter) {
                    (true, Parameter::Integer) => format!("expected integer; found {argument}"),
                    (true, Parameter::Text) => format!("expected string; found {argument}"),
                    _ => format!(
                        "wrong type for value; expected {wanted}; got {}",
                        value.type_name()
                    ),
                };
                return self.fail(argument.at, argument, &what);
            }
            values.push(value);
        }
        if let Some(value) = last {
            let parameter = fixed.get(values.len()).copied().or(further).unwrap_or(Parameter::Any);
            if let Some(wanted) = parameter.mismatch(&value) {
                let what =
                    format!("wrong type for value; expected {wanted}; got {}", value.type_name());
                return self.fail(at, command, &what);
            }
            values.push(value);
        }
        if matches!(name, "and" | "or") {
            return Ok(values.pop().unwrap_or(Value::Absent(Absent::Value)));
        }
        let keeps = ["json", "title", "lower", "upper", "truncate", "pad", "split", "join"];
        if self.headings && keeps.contains(&name) {
            return Ok(values.swap_remove(0));
        }
        let result = functions::call(name, &values, self.visible).and_then(|value| match &value {
            Value::Text(text) | Value::Foreign(text) if text.len() > MAX_TEXT => {
                Err(format!("the text is longer than {MAX_TEXT} bytes"))
            }
            _ => Ok(value),
        });
        result.map_err(|why| self.failure(at, command, &format!("error calling {name}: {why}")))
    }

    fn operand(&mut self, operand: &'t Operand, dot: &Value<'a>) -> Evaluated<Value<'a>> {
        match &operand.kind {
            OperandKind::Dot => Ok(dot.clone()),
            OperandKind::Nil => Ok(Value::Absent(Absent::Pointer)),
            OperandKind::Bool(value) => Ok(Value::Bool(*value)),
            OperandKind::Int(value, _) => Ok(Value::Int(*value)),
            OperandKind::Float(value, _) => Ok(Value::Float(*value)),
            OperandKind::Text(text, _) => Ok(Value::Text(text.clone().into())),
            OperandKind::Field(names) => self.fields(operand, dot.clone(), names),
            OperandKind::Variable(names) => {
                let name = names.first().map_or("$", String::as_str);
                let found = self.variables.iter().rev().find(|(known, _)| known == name);
                let value = found.map(|(_, value)| value.clone());
                let value = value.unwrap_or(Value::Absent(Absent::Value));
                self.fields(operand, value, names.get(1..).unwrap_or_default())
            }
            OperandKind::Function(name) => {
                let command = Command { words: vec![operand.clone()] };
                let (fixed, further) = parameters(name);
                if fixed.is_empty() {
                    let result = functions::call(name, &[], self.visible);
                    return result.map_err(|why| self.failure(operand.at, &command, &why));
                }
                let least = if further.is_some() { "at least " } else { "" };
                let what =
                    format!("wrong number of args for {name}: want {least}{} got 0", fixed.len());
                self.fail(operand.at, &command, &what)
            }
            OperandKind::Pipe(pipe) => {
                let known = self.variables.len();
                let value = self.pipe(pipe, dot);
                self.variables.truncate(known);
                value
            }
            OperandKind::Chain(value, names) => {
                let value = self.operand(value, dot)?;
                self.fields(operand, value, names)
            }
        }
    }

    fn fields(
        &self,
        operand: &Operand,
        value: Value<'a>,
        names: &[String],
    ) -> Evaluated<Value<'a>> {
        let mut value = value;
        let mut before = "";
        for name in names {
            value = match value.get(name) {
                Some(found) => found,
                None => self.without(operand, &value, before, name)?,
            };
            before = name;
        }
        Ok(value)
    }

    /// What a field gives that a value does not have.
    fn without(
        &self,
        operand: &Operand,
        value: &Value<'a>,
        before: &str,
        name: &str,
    ) -> Evaluated<Value<'a>> {
        match value {
            Value::Json(_, Shape::Map) | Value::Absent(Absent::Value | Absent::Map) => {
                Ok(Value::Absent(Absent::Value))
            }
            Value::Absent(Absent::Pointer) => {
                self.fail(operand.at, operand, &format!("nil pointer evaluating {before}.{name}"))
            }
            Value::Json(_, Shape::Struct) => {
                let known = value.entries().unwrap_or_default();
                let known = known.into_iter().map(|(key, _)| key.to_owned()).collect();
                let what = format!("map has no entry for key {}", quote(name, false));
                let failure = self.failure(operand.at, operand, &what);
                Err(Failure { unknown: Some((name.to_owned(), known)), ..failure })
            }
            value => {
                let what = format!("can't evaluate field {name} in type {}", value.type_name());
                self.fail(operand.at, operand, &what)
            }
        }
    }
}

/// Returns the position of the value that a pipe begins with.
fn position(pipe: &Pipe) -> usize {
    pipe.commands.first().and_then(|command| command.words.first()).map_or(0, |word| word.at)
}
