//! Draws an uncaught error: what, where in the source, through which calls, what to do.

use super::explain::{NameScope, explain};
use super::words::ErrorText;
use crate::model::Error;
use crate::model::error::credentials;
use crate::model::value::visible::{escape_line, is_hidden};
use crate::script::context::script_context::ScriptContext;
use crate::script::syntax::scheme;
use crate::script::syntax::sources::CLOSURE;
use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Renderer, Snippet};
use rhai::{Engine, EvalAltResult, Map, Position, Scope};
use std::ops::Range;

/// A frame of the call stack of an error, innermost first.
#[derive(Debug)]
struct Frame {
    source: String,
    position: Position,
    label: String,
}

/// Returns the report of an uncaught error.
pub fn report(
    engine: &Engine,
    context: &ScriptContext,
    scope: &Scope<'static>,
    name: &str,
    error: &EvalAltResult,
) -> String {
    let mut frames = Vec::new();
    let leaf = walk(context, error, name, &mut frames);
    if matches!(leaf, EvalAltResult::ErrorRuntime(..)) {
        leave_library(&mut frames);
    }
    let place = frames.first().map_or(name, |frame| frame.source.as_str()).to_owned();
    let text = context.sources().text(&place).unwrap_or_else(|| "".into());
    let words =
        explain(leaf, &NameScope { engine, library: context.library(), scope, text: &text })
            .escaped();
    draw(context, &words, &frames, context.host().color)
}

/// Drops the frames inside lifebox's modules: their errors are about the call, as those of native
/// functions.
fn leave_library(frames: &mut Vec<Frame>) {
    let own = frames.iter().position(|frame| !scheme::is_source(&frame.source));
    if let Some(own @ 1..) = own {
        frames.drain(..own);
        frames[0].label.clear();
    }
}

/// Returns the report of an interrupted script.
pub fn interrupted(context: &ScriptContext, name: &str, error: &EvalAltResult) -> String {
    match place(context, name, error) {
        Some(place) => format!("interrupted at {place}"),
        None => "interrupted".to_owned(),
    }
}

/// Returns the place of the error as `source:line`.
pub fn place(context: &ScriptContext, name: &str, error: &EvalAltResult) -> Option<String> {
    let mut frames = Vec::new();
    walk(context, error, name, &mut frames);
    let shown = |f: &Frame| Some(format!("{}:{}", escape_line(&f.source), f.position.line()?));
    frames.iter().find_map(shown)
}

/// Formats an error without a place in a script, as the command line prints it.
pub fn plain(error: &Error) -> String {
    crate::ui::error::error(error).trim_end().to_owned()
}

/// Collects the frames and returns the innermost error. In a call, the position lies in the
/// caller's source and the inner error in the callee's.
fn walk<'e>(
    context: &ScriptContext,
    error: &'e EvalAltResult,
    source: &str,
    frames: &mut Vec<Frame>,
) -> &'e EvalAltResult {
    match error {
        EvalAltResult::ErrorInFunctionCall(name, callee, inner, position) => {
            let own = context.sources().of_closure(name);
            let callee = own.unwrap_or_else(|| {
                if callee.is_empty() { source.to_owned() } else { callee.clone() }
            });
            let leaf = walk(context, inner, &callee, frames);
            let label = if name.starts_with(CLOSURE) {
                "in a closure called here".to_owned()
            } else {
                format!("in `{name}` called here")
            };
            frames.push(Frame { source: source.to_owned(), position: *position, label });
            leaf
        }
        EvalAltResult::ErrorInModule(path, inner, position) => {
            let leaf = walk(context, inner, path, frames);
            let label = "imported here".to_owned();
            frames.push(Frame { source: source.to_owned(), position: *position, label });
            leaf
        }
        leaf => {
            let race = || race_position(leaf, &context.sources().text(source)?);
            let position = origin(leaf).or_else(race).unwrap_or_else(|| leaf.position());
            frames.push(Frame { source: source.to_owned(), position, label: String::new() });
            leaf
        }
    }
}

/// Returns where a thrown map was thrown first: `throw;` in a `catch` moves the position.
fn origin(error: &EvalAltResult) -> Option<Position> {
    let EvalAltResult::ErrorRuntime(value, _) = error else { return None };
    let map = value.read_lock::<Map>()?;
    let place = map.get("position")?.read_lock::<Map>()?;
    let number = |key: &str| u16::try_from(place.get(key)?.as_int().ok()?).ok();
    let line = number("line").filter(|line| *line > 0)?;
    Some(Position::new(line, number("column").unwrap_or(0)))
}

/// Returns the position of a data race, whose error has only the name of the function: the method
/// call of that name, if the text has just one.
fn race_position(error: &EvalAltResult, text: &str) -> Option<Position> {
    let EvalAltResult::ErrorDataRace(what, position) = error else { return None };
    if !position.is_none() {
        return None;
    }
    let name = what.split('\'').nth(1)?;
    let call = format!(".{name}(");
    let mut places = text.match_indices(&call);
    let (at, _) = places.next()?;
    if places.next().is_some() {
        return None;
    }
    let line = text[..at].matches('\n').count() + 1;
    let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 2;
    Some(Position::new(u16::try_from(line).ok()?, u16::try_from(column).ok()?))
}

fn draw(context: &ScriptContext, words: &ErrorText, frames: &[Frame], color: bool) -> String {
    // An error without a position (a data race has none) shows the call that led to it.
    let placed: Vec<&Frame> = frames.iter().filter(|f| f.position.line().is_some()).collect();
    let texts: Vec<_> = placed.iter().map(|f| context.sources().text(&f.source)).collect();
    let mut report = Vec::new();
    let mut first = Group::with_title(Level::ERROR.primary_title(words.message.as_str()));
    for (index, (frame, text)) in placed.iter().zip(&texts).enumerate() {
        let Some(text) = text else { continue };
        let kind = if index == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        let label = (index > 0).then_some(frame.label.as_str());
        first = first.element(quoted(&frame.source, text, frame.position, kind, label));
    }
    first = with_notes(first, words);
    report.push(first);
    renderer(color).render(&report)
}

fn with_notes<'a>(mut group: Group<'a>, words: &'a ErrorText) -> Group<'a> {
    for cause in &words.causes {
        group = group.element(Level::NOTE.with_name("because").message(cause.as_str()));
    }
    if let Some(hint) = &words.hint {
        group = group.element(Level::HELP.with_name("hint").message(hint.as_str()));
    }
    group
}

/// Returns the line of a script with a mark below it. Name and text are a stranger's: without
/// credentials, and without the characters that a terminal obeys.
pub fn quoted<'l>(
    source: &str,
    text: &str,
    position: Position,
    kind: AnnotationKind,
    label: Option<&'l str>,
) -> Snippet<'l, Annotation<'l>> {
    // Its line alone: a script may have as many findings as lines.
    let whole = span(text, position);
    let begin = text[..whole.start].rfind('\n').map_or(0, |at| at + 1);
    let line = text[begin..].lines().next().unwrap_or_default();
    let marked = whole.start - begin..whole.end - begin;
    let (text, span) = visible(&credentials::mask_in_place(line), marked);
    let source = escape_line(source);
    Snippet::source(text)
        .line_start(position.line().unwrap_or(1))
        .path(source)
        .annotation(kind.span(span).label(label))
}

/// Escapes the hidden characters of a source, and moves a range of it with its text.
fn visible(text: &str, range: Range<usize>) -> (String, Range<usize>) {
    let mut shown = String::with_capacity(text.len());
    let mut moved = range.clone();
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let ends_line = c == '\r' && chars.peek().is_some_and(|(_, next)| *next == '\n');
        let before = shown.len();
        if !is_hidden(c) || matches!(c, '\n' | '\t') || ends_line {
            shown.push(c);
        } else {
            shown.extend(c.escape_default());
        }
        let grown = shown.len() - before - c.len_utf8();
        if at < range.start {
            moved.start += grown;
        }
        if at < range.end {
            moved.end += grown;
        }
    }
    (shown, moved)
}

/// Returns a renderer with color or without.
pub fn renderer(color: bool) -> Renderer {
    if color { Renderer::styled() } else { Renderer::plain() }
}

/// Returns the byte range of the word at a position.
pub fn span(text: &str, position: Position) -> Range<usize> {
    let line = position.line().unwrap_or(1);
    let before: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let rest = text[before..].lines().next().unwrap_or_default();
    let column = position.position().unwrap_or(1).saturating_sub(1);
    let mut offset = rest.char_indices().nth(column).map_or(rest.len(), |(at, _)| at);
    if rest[offset..].starts_with('.') {
        // A property has the position of its dot; its name is what to mark.
        offset += 1;
    }
    let word = rest[offset..].find(|c: char| !(c.is_alphanumeric() || c == '_'));
    let length = match word {
        Some(0) => rest[offset..].chars().next().map_or(0, char::len_utf8),
        Some(length) => length,
        None => rest.len() - offset,
    };
    before + offset..before + offset + length
}
