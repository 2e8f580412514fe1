//! Credentials in what a user wrote, such as `https://user:password@host/image`: no message
//! repeats them.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in a message for credentials.
const MASK: &str = "***";

/// Returns the text with `***` for all credentials before an `@`.
pub(crate) fn mask(text: &str) -> Cow<'_, str> {
    replaced(text, |_| MASK.to_owned())
}

/// As [`mask`], and each byte stays in its place: for a source that is shown with marks below it.
pub(crate) fn mask_in_place(text: &str) -> Cow<'_, str> {
    replaced(text, |found| "*".repeat(found.len()))
}

fn replaced(text: &str, with: impl Fn(&str) -> String) -> Cow<'_, str> {
    if !text.contains('@') {
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
    let at =
        written.rmatch_indices('@').map(|(at, _)| at).find(|at| !is_digest(&written[at + 1..]))?;
    let before = &written[..at];
    let start = match before.find("://") {
        Some(scheme) => scheme + "://".len(),
        // A path of the host, or a registry with a port, has no password.
        None => before.find(':').filter(|colon| !before[..*colon].contains('/')).map(|_| 0)?,
    };
    Some(word.start + start..word.start + at).filter(|found| !found.is_empty())
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
            "a @ b",
            "@",
            "https://@h",
            "",
        ] {
            assert_eq!(mask(text), text);
        }
    }

    #[test]
    fn a_source_keeps_its_places() {
        assert_eq!(mask_in_place("pull(\"https://ü:p@h\")"), "pull(\"https://****@h\")");
    }
}
