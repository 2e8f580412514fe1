//! Credentials in what a user wrote, such as `https://user:password@host/image`: no message
//! repeats them.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in a message for credentials.
const MASK: &str = "***";

/// The at sign, and its forms that look alike (U+FF20, U+FE6B).
const AT_SIGNS: [char; 3] = ['@', '\u{ff20}', '\u{fe6b}'];

/// Returns the text with `***` for all credentials before an `@`.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    replaced(text, |_| MASK.to_owned())
}

/// Returns a text that was to be an image reference, without all that stands before its `@`: a
/// token alone has no other mark.
pub(crate) fn mask_reference(text: &str) -> String {
    match last_at(text) {
        Some(at) if at > 0 => format!("{MASK}{}", &text[at..]),
        _ => text.to_owned(),
    }
}

/// Returns the place of the last at sign that no digest follows.
fn last_at(text: &str) -> Option<usize> {
    let mut all = text.rmatch_indices(AT_SIGNS);
    all.find(|(at, sign)| !is_digest(&text[at + sign.len()..])).map(|(at, _)| at)
}

/// As [`mask`], and each byte stays in its place: for a source that is shown with marks below it.
pub(crate) fn mask_in_place(text: &str) -> Cow<'_, str> {
    replaced(text, |found| "*".repeat(found.len()))
}

fn replaced(text: &str, with: impl Fn(&str) -> String) -> Cow<'_, str> {
    if !text.contains(AT_SIGNS) {
        return Cow::Borrowed(text);
    }
    let mut whole = String::with_capacity(text.len());
    let mut rest = 0;
    for found in words(text).filter_map(|word| credentials(text, word)) {
        whole.push_str(&text[rest..found.start]);
        whole.push_str(&with(&text[found.clone()]));
        rest = found.end;
    }
    whole.push_str(&text[rest..]);
    Cow::Owned(whole)
}

/// Returns the parts of a text between spaces and quotes.
fn words(text: &str) -> impl Iterator<Item = Range<usize>> + '_ {
    let is_end = |c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'');
    text.split(is_end).map(move |word| {
        let start = word.as_ptr().addr() - text.as_ptr().addr();
        start..start + word.len()
    })
}

/// Returns the place of the credentials in a word: `user:password` before an `@`, and all before
/// it in a URL.
fn credentials(text: &str, word: Range<usize>) -> Option<Range<usize>> {
    let written = &text[word.clone()];
    let at = last_at(written)?;
    let before = &written[..at];
    let start = match before.find("//") {
        Some(slashes) => before.len() - before[slashes..].trim_start_matches('/').len(),
        // A token alone, before a registry.
        None if !before.contains('/') && written[at..].contains('/') => 0,
        // A path of the host, or a registry with a port, has no password.
        None => before.find(':').filter(|colon| is_user(before, *colon)).map(|_| 0)?,
    };
    Some(word.start + start..word.start + at).filter(|found| !found.is_empty())
}

/// Whether a user and not a path or a registry stands before this colon. A stray slash does not
/// make it a path, which another path follows: `/srv:/data@1`.
fn is_user(before: &str, colon: usize) -> bool {
    let name = before[..colon].trim_start_matches('/');
    !(name.contains('/') || before.starts_with('/') && before[colon + 1..].starts_with('/'))
}

/// Whether what follows an `@` is a digest, which a reference ends in.
fn is_digest(text: &str) -> bool {
    text.split_once(':').is_some_and(|(algorithm, _)| matches!(algorithm, "sha256" | "sha512"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_before_an_at_sign_is_masked() {
        for (text, shown) in [
            ("invalid `https://u:pw@h/x:1`: no", "invalid `https://***@h/x:1`: no"),
            ("u:pw@h/x:1", "***@h/x:1"),
            ("https://token@h/x", "https://***@h/x"),
            ("`ghp_token@h/x:1`", "`***@h/x:1`"),
            ("//u:pw@h/x", "//***@h/x"),
            ("///u:pw@h/x", "///***@h/x"),
            ("/u:pw@h/x", "***@h/x"),
            ("h//u:pw@h/x", "h//***@h/x"),
            ("u:pw\u{ff20}h/x", "***\u{ff20}h/x"),
            ("https://u:p@w/x@h/x and u:pw@h", "https://***@h/x and ***@h"),
            ("u:pw@h/x@sha256:12", "***@h/x@sha256:12"),
            ("RUN curl \"ftp://ä:ö@h\"", "RUN curl \"ftp://***@h\""),
        ] {
            assert_eq!(mask(text), shown);
        }
    }

    #[test]
    fn what_has_no_password_stays() {
        for text in [
            "app:1@sha256:12",
            "h:5000/app@sha256:12",
            "h.org/app:1@x",
            "ann@example.org",
            "/srv:/data@1:ro",
            "/home/ann@example.org/x",
            "@scope/x",
            "a @ b",
            "@",
            "https://@h",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn of_a_reference_nothing_before_its_at_sign_stays() {
        for (text, shown) in [
            ("//u:pw@h/x", "***@h/x"),
            ("pw@h/x:1", "***@h/x:1"),
            ("u:pw\u{ff20}h/x", "***\u{ff20}h/x"),
            ("app:1@sha256:12", "app:1@sha256:12"),
            ("pw@h/x@sha256:12", "***@h/x@sha256:12"),
        ] {
            assert_eq!(mask_reference(text), shown);
        }
    }

    #[test]
    fn a_source_keeps_its_places() {
        assert_eq!(mask_in_place("pull(\"https://ü:p@h\")"), "pull(\"https://****@h\")");
    }
}
