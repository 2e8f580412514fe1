//! What a step of a plan or a trace does, and why, in each language.

use super::catalog::{find, format_message};
use crate::model::script::trace::TraceStep;
use crate::model::value::language::Language;
use crate::model::value::visible::escape_line;

/// Says what a step does.
pub fn step_summary(language: Language, step: &TraceStep) -> String {
    let args = args_of(step);
    let translated = match language {
        Language::English => None,
        language => find(language, &format!("step-{}", step.key), &args),
    };
    // The paths and names in it are the image's and the caller's.
    escape_line(&translated.unwrap_or_else(|| step.summary.clone()))
}

/// Says why a step is done.
pub fn step_reason(language: Language, step: &TraceStep) -> String {
    escape_line(&format_message(language, &format!("step-{}.why", step.key), &args_of(step)))
}

fn args_of(step: &TraceStep) -> Vec<(&str, &str)> {
    step.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
