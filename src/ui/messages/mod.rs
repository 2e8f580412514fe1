//! The texts of teaching, in each language: one file per language, in the format of Project Fluent.
//!
//! A file is read when the first of its texts is wanted. What a language lacks is told in English;
//! a test sees to it that none lacks anything.

use std::collections::HashMap;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use once_cell::sync::OnceCell;
use unic_langid::LanguageIdentifier;

use crate::model::script::trace::TraceStep;
use crate::model::value::language::Language;

/// What is put into a text, by name.
pub type Args<'a> = &'a [(&'a str, &'a str)];

/// The texts of a language.
type Texts = FluentBundle<FluentResource>;

static TEXTS: [OnceCell<Texts>; 2] = [const { OnceCell::new() }; 2];

fn source(language: Language) -> &'static str {
    match language {
        Language::English => include_str!("en.ftl"),
        Language::Korean => include_str!("ko.ftl"),
    }
}

fn texts(language: Language) -> &'static Texts {
    let at = usize::from(language != Language::English);
    TEXTS[at].get_or_init(|| {
        let name: LanguageIdentifier = language.code().parse().unwrap_or_default();
        let mut texts = Texts::new_concurrent(vec![name]);
        // Marks around what is put in would show on terminals that know no bidirectional text.
        texts.set_use_isolating(false);
        // What of the file is wrong is left out; a test sees to it that nothing is.
        let resource = match FluentResource::try_new(source(language).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let _ = texts.add_resource(resource);
        texts
    })
}

/// The text `id`, or its part `id.part`; the id itself where there is none.
pub fn format_message(language: Language, id: &str, facts: Args<'_>) -> String {
    find(language, id, facts)
        .or_else(|| find(Language::English, id, facts))
        .unwrap_or_else(|| id.to_owned())
}

/// The same, or `None` where this language has no such text.
pub fn find(language: Language, id: &str, facts: Args<'_>) -> Option<String> {
    let (name, part) = match id.split_once('.') {
        Some((name, part)) => (name, Some(part)),
        None => (id, None),
    };
    let texts = texts(language);
    let message = texts.get_message(name)?;
    let pattern = match part {
        Some(part) => message.get_attribute(part)?.value(),
        None => message.value()?,
    };
    let mut args = FluentArgs::new();
    for (name, value) in facts {
        // Only what is counted is a number for the rules of plurals; a mode such as 0755 is not.
        let value = match value.parse::<u32>() {
            Ok(number) if *name == "count" => FluentValue::from(number),
            _ => FluentValue::from(*value),
        };
        args.set(*name, value);
    }
    let mut errors = Vec::new();
    let text = texts.format_pattern(pattern, Some(&args), &mut errors);
    Some(text.into_owned())
}

/// A text of the help in another language; the English one is in the code, where it belongs to. As
/// it is where there is no other.
pub fn help(language: Language, english: &str) -> String {
    let told = match language {
        Language::English => None,
        Language::Korean => korean_help().get(english),
    };
    told.map_or_else(|| english.to_owned(), String::clone)
}

/// The Korean texts of the help, by the English ones.
pub fn korean_help() -> &'static HashMap<String, String> {
    static TEXTS: OnceCell<HashMap<String, String>> = OnceCell::new();
    // A test sees to it that it can be read.
    TEXTS.get_or_init(|| serde_json::from_str(include_str!("help.ko.json")).unwrap_or_default())
}

/// What a deed does.
pub fn step_summary(language: Language, deed: &TraceStep) -> String {
    if language == Language::English {
        return deed.summary.clone();
    }
    let facts: Vec<(&str, &str)> = args_of(deed);
    find(language, &format!("step-{}", deed.key), &facts).unwrap_or_else(|| deed.summary.clone())
}

/// Why it is done.
pub fn step_reason(language: Language, deed: &TraceStep) -> String {
    format_message(language, &format!("step-{}.why", deed.key), &args_of(deed))
}

fn args_of(deed: &TraceStep) -> Vec<(&str, &str)> {
    deed.fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

#[cfg(test)]
mod tests;
