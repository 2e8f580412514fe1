//! The texts of each language, in the format of Project Fluent.
//!
//! A file is parsed when its first text is requested. A text that a language lacks appears in
//! English; a test ensures that no language lacks one.

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use once_cell::sync::OnceCell;
use unic_langid::LanguageIdentifier;

use crate::model::value::language::Language;

/// The values that a text takes, by name.
pub type Args<'a> = &'a [(&'a str, &'a str)];

/// The parsed texts of a language.
type Texts = FluentBundle<FluentResource>;

static TEXTS: [OnceCell<Texts>; 2] = [const { OnceCell::new() }; 2];

pub(super) fn source(language: Language) -> &'static str {
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
        // Isolation marks around values would show on terminals without bidirectional text.
        texts.set_use_isolating(false);
        // Malformed entries are left out; a test ensures that there are none.
        let resource = match FluentResource::try_new(source(language).to_owned()) {
            Ok(resource) | Err((resource, _)) => resource,
        };
        let _ = texts.add_resource(resource);
        texts
    })
}

/// Formats the text `id`, or its attribute `id.part`. Returns the id if there is no such text.
pub fn format_message(language: Language, id: &str, args: Args<'_>) -> String {
    find(language, id, args)
        .or_else(|| find(Language::English, id, args))
        .unwrap_or_else(|| id.to_owned())
}

/// Formats a text as [`format_message`]. Returns `None` if this language has no such text.
pub fn find(language: Language, id: &str, args: Args<'_>) -> Option<String> {
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
    let mut values = FluentArgs::new();
    for (name, value) in args {
        // Only `count` is a number for the rules of plurals; a mode such as 0755 is not.
        let value = match value.parse::<u32>() {
            Ok(number) if *name == "count" => FluentValue::from(number),
            _ => FluentValue::from(*value),
        };
        values.set(*name, value);
    }
    let mut errors = Vec::new();
    let text = texts.format_pattern(pattern, Some(&values), &mut errors);
    Some(text.into_owned())
}
