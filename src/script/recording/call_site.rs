//! Finds where a call is written: the line of the script or of a module.

use rhai::NativeCallContext;

use crate::model::script::recording::Text;
use crate::script::syntax::sources::Sources;

/// A call as Rhai reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallSite {
    source: Option<String>,
    pub line: usize,
    column: usize,
    /// The called function.
    pub name: String,
}

impl CallSite {
    /// Returns the place and the name of the current call.
    pub fn of(ctx: &NativeCallContext) -> Self {
        let position = ctx.call_position();
        CallSite {
            source: ctx.call_source().map(str::to_owned),
            line: position.line().unwrap_or(0),
            column: position.position().unwrap_or(0),
            name: ctx.fn_name().to_owned(),
        }
    }

    /// Returns whether the call can be the one at this place of a text.
    fn is_in(&self, text: &str) -> bool {
        let line = self.line.checked_sub(1).and_then(|line| text.lines().nth(line));
        let Some(line) = line else { return false };
        let name = self.name.trim_start_matches("get$").trim_start_matches("set$");
        let rest: String = line.chars().skip(self.column.saturating_sub(1)).collect();
        rest.trim_start_matches(['.', '?']).starts_with(name)
    }
}

/// The texts that can contain calls.
#[derive(Debug, Default)]
pub struct CallSites {
    /// The script first, then the modules by their names.
    known: Vec<Text>,
    /// The indices of the texts with calls, in the order of `texts`.
    wanted: Vec<usize>,
}

impl CallSites {
    /// Collects the texts of a script of this name and of its modules.
    pub fn new(name: &str, sources: &Sources) -> Self {
        let mut known = sources.all();
        known.sort_by_key(|text| (text.name != name, text.name.clone()));
        let wanted = known.first().map(|_| 0).into_iter().collect();
        CallSites { known, wanted }
    }

    /// Returns the index, among [`CallSites::texts`], of the text of a call. For a closure, Rhai
    /// reports the source of its caller, not its own.
    pub fn find(&mut self, place: &CallSite) -> Option<usize> {
        let reported = self.known.iter().position(|text| Some(&text.name) == place.source.as_ref());
        let others = (0..self.known.len()).filter(|at| Some(*at) != reported);
        let mut all = reported.into_iter().chain(others);
        let found = all.find(|at| place.is_in(&self.known[*at].text));
        // If no function's name is at that place, as for an operator, only the source is known.
        let found = found.or_else(|| reported.filter(|_| place.line > 0))?;
        let at = self.wanted.iter().position(|wanted| *wanted == found);
        Some(at.unwrap_or_else(|| {
            self.wanted.push(found);
            self.wanted.len() - 1
        }))
    }

    /// Returns the script, and the modules in which calls were found.
    pub fn texts(mut self) -> Vec<Text> {
        self.wanted.iter().map(|at| std::mem::take(&mut self.known[*at])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_is_found_where_it_is_written_and_not_where_it_is_called() {
        let sources = Sources::default();
        sources.add("main.rhai", "let c = run(\"host\");\nwith(|| c.stop());\n");
        sources.add("std:lib", "fn with(f) {\n    f.call();\n    c.start(); }\n");
        let mut places = CallSites::new("main.rhai", &sources);
        let place = |line, column, name: &str| CallSite {
            source: Some("std:lib".to_owned()),
            line,
            column,
            name: name.to_owned(),
        };
        assert_eq!(places.find(&place(2, 11, "stop")), Some(0));
        assert_eq!(places.find(&place(3, 7, "start")), Some(1));
        assert_eq!(places.find(&place(3, 6, "start")), Some(1));
        let texts = places.texts();
        assert_eq!(texts.len(), 2);
        assert_eq!(texts[0].name, "main.rhai");
    }
}
