//! What a step of a plan or a trace does, and why, in each language.

use super::catalog::{find, format_message};
use crate::model::script::trace::TraceStep;
use crate::model::value::language::Language;

/// Says what a step does.
pub fn step_summary(language: Language, step: &TraceStep) -> String {
    if language == Language::English {
        return step.summary.clone();
    }
    let args: Vec<(&str, &str)> = args_of(step);
    find(language, &format!("step-{}", step.key), &args).unwrap_or_else(|| step.summary.clone())
}

/// Says why a step is done.
pub fn step_reason(language: Language, step: &TraceStep) -> String {
    format_message(language, &format!("step-{}.why", step.key), &args_of(step))
}

fn args_of(step: &TraceStep) -> Vec<(&str, &str)> {
    step.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}
