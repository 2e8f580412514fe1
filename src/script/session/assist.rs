//! What a session offers to its user: completions, parameters, variables, help.

use super::completion::{self, Completion};
use super::evaluate::Session;
use crate::script::display;
use crate::script::docs::{self, Role};
use crate::script::errors::render;
use crate::script::syntax::parser;
use crate::script::syntax::sources::CLOSURE;
use crate::ui::format::columns::align;

impl Session {
    /// Returns the latest text as an expression without the `;` at its end, if its value is `last`
    /// now.
    pub fn last_expression<'t>(&self, text: &'t str) -> Option<&'t str> {
        let text = text.trim().trim_end_matches(';').trim_end();
        let parser = parser::parser();
        (self.last_was_value && parser.compile_expression(text).is_ok()).then_some(text)
    }

    /// Returns whether `text` continues in the next line.
    pub fn is_incomplete(&self, text: &str) -> bool {
        self.validator.is_incomplete(text)
    }

    /// Returns the variables with their types and values, and the functions, one a line.
    pub fn variables(&self) -> String {
        let mut rows = Vec::new();
        for (name, is_constant, value) in self.scope.iter_raw() {
            let shown = display::value(&self.engine, value).unwrap_or_else(|| "()".to_owned());
            let line = shown.lines().next().unwrap_or_default();
            let more = if shown.lines().nth(1).is_some() { " ..." } else { "" };
            let kind = if is_constant { "const " } else { "" };
            let kind = format!("{kind}{}", self.engine.map_type_name(value.type_name()));
            rows.push(format!("{name}\t{kind}\t{line}{more}"));
        }
        let own = self.global.lib.iter().flat_map(|lib| lib.iter_script_fn_info());
        for (_, _, name, _, definition) in own {
            if !name.starts_with(CLOSURE) {
                let params: Vec<&str> =
                    definition.params.iter().map(|param| param.as_str()).collect();
                rows.push(format!("{name}\tfunction\t{name}({})", params.join(", ")));
            }
        }
        align(&rows.join("\n")).trim_end().to_owned()
    }

    /// Returns whether there is a variable of this name.
    pub fn has_variable(&self, name: &str) -> bool {
        self.scope.contains(name)
    }

    /// Returns the completions at `position` in `line`.
    pub fn complete(&self, line: &str, position: usize) -> Completion {
        completion::complete(&self.engine, &self.context, &self.scope, &self.global, line, position)
    }

    /// Returns the parameters of a function after the bracket: `container, options) -> Container`.
    /// Of several overloads these are those of the shortest with parameters.
    pub fn parameters(&self, name: &str, is_method: bool) -> Option<String> {
        let known = self.context.library().all_functions(&self.engine);
        let before = usize::from(is_method);
        let mut forms = known.iter().filter(|f| f.role == Role::Function && f.name == name);
        let fits = forms.find(|f| f.params.len() > before)?;
        let returns =
            if fits.returns.is_empty() { String::new() } else { format!(" -> {}", fits.returns) };
        Some(format!("{}){returns}", fits.params[before..].join(", ")))
    }

    /// Returns the names of the containers, for completion.
    pub fn container_names(&self) -> Vec<String> {
        completion::container_names(&self.context)
    }

    /// Returns the references of the images, for completion.
    pub fn image_names(&self) -> Vec<String> {
        completion::image_names(&self.context)
    }

    /// Returns the index of all functions, or the page of one.
    ///
    /// # Errors
    /// The drawn report, for an unknown name.
    pub fn help(&self, name: Option<&str>) -> Result<String, String> {
        let (library, reader) = (self.context.library(), self.context.host().reader);
        let Some(name) = name else { return Ok(docs::help_index(library, reader)) };
        docs::help_page(library, &self.engine, name, reader.language)
            .map_err(|error| render::plain(&error))
    }
}
