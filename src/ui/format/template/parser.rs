//! From tokens to the tree, with the messages of Go's text/template/parse.

use super::functions;
use super::lexer::{KEYWORDS, Mistake, Token, TokenKind, tokens};
use super::literal;
use super::syntax::{Branch, Call, Command, Node, Operand, OperandKind, Pipe, Tree};

/// The most blocks and parentheses within each other.
const MAX_DEPTH: usize = 100;

type Parsed<T> = Result<T, Mistake>;

/// Parses a template.
pub fn parse(source: &str) -> Parsed<Tree> {
    let tree = Tree { source: source.to_owned(), ..Tree::default() };
    let mut parser = Parser {
        tokens: tokens(source)?,
        at: 0,
        end: source.len(),
        variables: vec!["$".to_owned()],
        loops: 0,
        depth: 0,
        tree,
    };
    let (nodes, end) = parser.nodes()?;
    parser.tree.nodes = nodes;
    match end {
        End::Missing => Ok(parser.tree),
        End::Closed(at) => fail(at, "unexpected {{end}}"),
        End::Else(at) => fail(at, "unexpected {{else}}"),
    }
}

fn fail<T>(at: usize, what: impl Into<String>) -> Parsed<T> {
    Err(Mistake { at, what: what.into() })
}

/// What ended a list of nodes.
enum End {
    Missing,
    Closed(usize),
    Else(usize),
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
    end: usize,
    variables: Vec<String>,
    loops: usize,
    depth: usize,
    tree: Tree,
}

impl Parser {
    fn peek(&self) -> Option<&TokenKind> {
        self.tokens.get(self.at).map(|token| &token.kind)
    }

    /// The position of the next token.
    fn position(&self) -> usize {
        self.tokens.get(self.at).map_or(self.end, |token| token.at)
    }

    fn spaces(&mut self) {
        while self.peek() == Some(&TokenKind::Space) {
            self.at += 1;
        }
    }

    fn takes(&mut self, kind: &TokenKind) -> bool {
        let found = self.peek() == Some(kind);
        self.at += usize::from(found);
        found
    }

    /// The next token as Go writes it.
    fn shown(&self) -> String {
        match self.peek() {
            None => "EOF".to_owned(),
            Some(kind) => kind.to_string(),
        }
    }

    fn unexpected<T>(&self, context: &str) -> Parsed<T> {
        fail(self.position(), format!("unexpected {} in {context}", self.shown()))
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        match self.depth > MAX_DEPTH {
            true => fail(self.position(), format!("more than {MAX_DEPTH} levels of nesting")),
            false => Ok(()),
        }
    }

    fn nodes(&mut self) -> Parsed<(Vec<Node>, End)> {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.get(self.at).cloned() {
            self.at += 1;
            if let TokenKind::Text(text) = token.kind {
                if !text.is_empty() {
                    nodes.push(Node::Text(text));
                }
                continue;
            }
            self.spaces();
            match self.keyword().as_deref() {
                Some("end") => {
                    self.close("end")?;
                    return Ok((nodes, End::Closed(token.at)));
                }
                Some("else") => return Ok((nodes, End::Else(token.at))),
                Some(word) => {
                    if let Some(node) = self.control(word)? {
                        nodes.push(node);
                    }
                }
                None => {
                    let pipe = self.pipe("command", &TokenKind::Close)?;
                    nodes.push(Node::Action(pipe));
                }
            }
        }
        Ok((nodes, End::Missing))
    }

    /// Takes a keyword that begins an action.
    fn keyword(&mut self) -> Option<String> {
        let Some(TokenKind::Word(word)) = self.peek() else { return None };
        let word = word.clone();
        (word != "nil" && KEYWORDS.contains(&word.as_str())).then(|| {
            self.at += 1;
            word
        })
    }

    fn close(&mut self, context: &str) -> Parsed<()> {
        self.spaces();
        match self.takes(&TokenKind::Close) {
            true => Ok(()),
            false => self.unexpected(context),
        }
    }

    fn control(&mut self, word: &str) -> Parsed<Option<Node>> {
        Ok(Some(match word {
            "if" => Node::If(self.branch("if")?),
            "with" => Node::With(self.branch("with")?),
            "range" => Node::Range(self.branch("range")?),
            "break" | "continue" => {
                let at = self.position();
                self.close(&format!("{{{{{word}}}}}"))?;
                if self.loops == 0 {
                    return fail(at, format!("{{{{{word}}}}} outside {{{{range}}}}"));
                }
                if word == "break" { Node::Break } else { Node::Continue }
            }
            "template" => {
                let (at, name) = self.name("template clause")?;
                let argument = self.argument()?;
                Node::Template(Call { at, name, argument })
            }
            "block" => {
                let (at, name) = self.name("block clause")?;
                let argument = Some(self.pipe("block clause", &TokenKind::Close)?);
                self.define(at, &name)?;
                Node::Template(Call { at, name, argument })
            }
            _ => {
                let (at, name) = self.name("define clause")?;
                self.close("define clause")?;
                self.define(at, &name)?;
                return Ok(None);
            }
        }))
    }

    fn name(&mut self, context: &str) -> Parsed<(usize, String)> {
        self.spaces();
        let at = self.position();
        let Some(TokenKind::Quoted(quoted)) = self.peek() else { return self.unexpected(context) };
        let name =
            literal::text(quoted).ok_or(Mistake { at, what: "invalid syntax".to_owned() })?;
        self.at += 1;
        Ok((at, name))
    }

    fn argument(&mut self) -> Parsed<Option<Pipe>> {
        self.spaces();
        match self.takes(&TokenKind::Close) {
            true => Ok(None),
            false => Ok(Some(self.pipe("template clause", &TokenKind::Close)?)),
        }
    }

    /// Parses the body of `define` or `block`, whose only variable is `$`.
    fn define(&mut self, at: usize, name: &str) -> Parsed<()> {
        self.deeper()?;
        let variables = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let loops = std::mem::take(&mut self.loops);
        let (body, end) = self.nodes()?;
        (self.variables, self.loops) = (variables, loops);
        self.depth -= 1;
        match end {
            End::Missing => return fail(self.end, "unexpected EOF"),
            End::Else(at) => return fail(at, "unexpected {{else}}"),
            End::Closed(_) => {}
        }
        match self.tree.defined.insert(name.to_owned(), body) {
            None => Ok(()),
            Some(_) => fail(at, format!("template: multiple definition of template {name:?}")),
        }
    }

    fn branch(&mut self, word: &'static str) -> Parsed<Branch> {
        self.deeper()?;
        let known = self.variables.len();
        let pipe = self.pipe(word, &TokenKind::Close)?;
        self.loops += usize::from(word == "range");
        let (body, end) = self.nodes()?;
        self.loops -= usize::from(word == "range");
        let otherwise = match end {
            End::Missing => return fail(self.end, "unexpected EOF"),
            End::Closed(_) => Vec::new(),
            End::Else(_) => self.otherwise(word)?,
        };
        self.variables.truncate(known);
        self.depth -= 1;
        Ok(Branch { pipe, body, otherwise })
    }

    /// Parses what follows `else`: a body, or `if` of an `if` and `with` of a `with`.
    fn otherwise(&mut self, word: &'static str) -> Parsed<Vec<Node>> {
        self.spaces();
        if matches!(self.peek(), Some(TokenKind::Word(next)) if next == word && word != "range") {
            self.at += 1;
            let branch = self.branch(word)?;
            return Ok(vec![if word == "if" { Node::If(branch) } else { Node::With(branch) }]);
        }
        self.close("else")?;
        let (body, end) = self.nodes()?;
        match end {
            End::Missing => fail(self.end, "unexpected EOF"),
            End::Else(at) => fail(at, "expected end; found {{else}}"),
            End::Closed(_) => Ok(body),
        }
    }

    /// Parses a pipe and the token that ends it.
    fn pipe(&mut self, context: &'static str, close: &TokenKind) -> Parsed<Pipe> {
        self.deeper()?;
        let at = self.position();
        let (declared, assigns) = self.declaration(context)?;
        if assigns && let Some(name) = declared.iter().find(|name| !self.variables.contains(name)) {
            return fail(at, format!("undefined variable {name:?}"));
        }
        if !assigns {
            self.variables.extend(declared.iter().cloned());
        }
        let hidden = if assigns { 0 } else { declared.len() };
        let mut commands: Vec<Command> = Vec::new();
        loop {
            self.spaces();
            if self.peek() == Some(close) {
                self.at += 1;
                break;
            }
            // A variable is not known in the value that it is declared with.
            let own = self.variables.split_off(self.variables.len() - hidden);
            let command = self.command();
            self.variables.extend(own);
            commands.push(command?);
        }
        self.depth -= 1;
        if commands.is_empty() {
            return fail(at, format!("missing value for {context}"));
        }
        let first = commands.iter().skip(1).position(|command| {
            !matches!(
                command.words.first().map(|word| &word.kind),
                Some(
                    OperandKind::Function(_)
                        | OperandKind::Field(_)
                        | OperandKind::Variable(_)
                        | OperandKind::Chain(..)
                        | OperandKind::Pipe(_)
                )
            )
        });
        match first {
            Some(stage) => {
                fail(at, format!("non executable command in pipeline stage {}", stage + 2))
            }
            None => Ok(Pipe { variables: declared, assigns, commands }),
        }
    }

    /// Parses `$x :=`, `$x =`, and of a range `$i, $x :=`.
    fn declaration(&mut self, context: &str) -> Parsed<(Vec<String>, bool)> {
        let begin = self.at;
        let mut names = Vec::new();
        loop {
            self.spaces();
            let Some(TokenKind::Variable(name)) = self.peek() else { break };
            names.push(name.clone());
            self.at += 1;
            self.spaces();
            if self.takes(&TokenKind::Declare) {
                return match names.len() > 1 && context != "range" || names.len() > 2 {
                    true => fail(self.position(), format!("too many declarations in {context}")),
                    false => Ok((names, false)),
                };
            }
            if self.takes(&TokenKind::Assign) {
                return Ok((names, true));
            }
            if !self.takes(&TokenKind::Comma) {
                break;
            }
        }
        self.at = begin;
        Ok((Vec::new(), false))
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut words = Vec::new();
        loop {
            self.spaces();
            if let Some(word) = self.operand()? {
                words.push(word);
                if self.peek() == Some(&TokenKind::Space) {
                    continue;
                }
            }
            match self.peek() {
                Some(TokenKind::Close | TokenKind::CloseParen) => break,
                Some(TokenKind::Pipe) if !words.is_empty() => {
                    self.at += 1;
                    break;
                }
                Some(TokenKind::Pipe) => return self.unexpected("command"),
                _ if words.is_empty() => return self.unexpected("command"),
                _ => return self.unexpected("operand"),
            }
        }
        Ok(Command { words })
    }

    /// Parses a term and the fields of it.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        let Some(mut term) = self.term()? else { return Ok(None) };
        let at = self.position();
        let mut names = Vec::new();
        while let Some(TokenKind::Field(name)) = self.peek() {
            names.push(name.clone());
            self.at += 1;
        }
        if names.is_empty() {
            return Ok(Some(term));
        }
        let kind = match term.kind {
            OperandKind::Field(mut first) => {
                first.extend(names);
                OperandKind::Field(first)
            }
            OperandKind::Variable(mut first) => {
                first.extend(names);
                OperandKind::Variable(first)
            }
            OperandKind::Bool(_)
            | OperandKind::Int(..)
            | OperandKind::Float(..)
            | OperandKind::Text(..)
            | OperandKind::Nil
            | OperandKind::Dot => {
                return fail(at, format!("unexpected . after term {:?}", term.to_string()));
            }
            kind => {
                term.kind = kind;
                OperandKind::Chain(Box::new(term), names)
            }
        };
        Ok(Some(Operand { at, kind }))
    }

    fn term(&mut self) -> Parsed<Option<Operand>> {
        let at = self.position();
        let Some(kind) = self.peek().cloned() else { return fail(at, "unexpected EOF") };
        let kind = match kind {
            TokenKind::Word(word) => match word.as_str() {
                "true" | "false" => OperandKind::Bool(word == "true"),
                "nil" => OperandKind::Nil,
                name if functions::NAMES.contains(&name) => OperandKind::Function(word),
                name => return fail(at, format!("function {name:?} not defined")),
            },
            TokenKind::Dot => OperandKind::Dot,
            TokenKind::Field(name) => OperandKind::Field(vec![name]),
            TokenKind::Variable(name) if self.variables.contains(&name) => {
                OperandKind::Variable(vec![name])
            }
            TokenKind::Variable(name) => return fail(at, format!("undefined variable {name:?}")),
            TokenKind::Number(written) => {
                literal::number(&written).map_err(|what| Mistake { at, what })?
            }
            TokenKind::Quoted(written) => match literal::text(&written) {
                Some(text) => OperandKind::Text(text, written),
                None => return fail(at, "invalid syntax"),
            },
            TokenKind::OpenParen => {
                self.at += 1;
                let pipe = self.pipe("parenthesized pipeline", &TokenKind::CloseParen)?;
                return Ok(Some(Operand { at, kind: OperandKind::Pipe(Box::new(pipe)) }));
            }
            _ => return Ok(None),
        };
        self.at += 1;
        Ok(Some(Operand { at, kind }))
    }
}
