//! Escapes hostile text for HTML.

use crate::model::value::visible::is_hidden;

/// Escapes a text for an element or a quoted attribute. Removes the colours of a terminal. Replaces
/// other control characters and direction marks by visible symbols.
pub fn escaped(text: &str) -> String {
    let mut shown = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(after) = after_colour(rest) {
            rest = after;
            continue;
        }
        rest = &rest[c.len_utf8()..];
        match c {
            '&' => shown.push_str("&amp;"),
            '<' => shown.push_str("&lt;"),
            '>' => shown.push_str("&gt;"),
            '"' => shown.push_str("&quot;"),
            '\'' => shown.push_str("&#39;"),
            '\n' | '\t' => shown.push(c),
            '\r' if rest.starts_with('\n') => {}
            '\0'..='\u{1f}' => shown.extend(char::from_u32(0x2400 + u32::from(c))),
            '\u{7f}' => shown.push('\u{2421}'),
            c if is_hidden(c) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(c))),
            c => shown.push(c),
        }
    }
    shown
}

/// Returns the text after a control sequence, such as a colour, if one begins here (ECMA-48).
fn after_colour(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("\u{1b}[")?;
    let end = rest.find(|c: char| !matches!(c, '\u{20}'..='\u{3f}'))?;
    rest[end..].starts_with(|c: char| matches!(c, '@'..='~')).then(|| &rest[end + 1..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_obeyed() {
        for (text, shown) in [
            (
                "</script><b a=\"x\" b='y'>&",
                "&lt;/script&gt;&lt;b a=&quot;x&quot; b=&#39;y&#39;&gt;&amp;",
            ),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}", "\u{241b}]0;title\u{2407}"),
            ("\u{1b}[12", "\u{241b}[12"),
            ("\u{1b}[é", "\u{241b}[é"),
            ("a\r\nb\rc\0\u{7f}", "a\nb\u{240d}c\u{2400}\u{2421}"),
            ("\u{202e}txt\u{2066}\u{85}", "\\u{202e}txt\\u{2066}\\u{85}"),
            ("한글\tñ", "한글\tñ"),
        ] {
            assert_eq!(escaped(text), shown, "{text:?}");
        }
    }
}
