//! Text of strangers (names in images, paths, labels, commands) without the characters that a
//! terminal obeys or hides. All text that is printed about a container or an image goes through
//! here.

/// Returns whether a terminal obeys or hides a character, or lets it move its neighbours: control
/// characters, direction marks (CVE-2021-42574), zero-width characters, line separators.
pub fn is_hidden(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Escapes the hidden characters of a text of several lines; newlines and tabs stay.
pub fn escape_control(text: &str) -> String {
    escaped(text, |c| matches!(c, '\n' | '\t'), |c, out| out.extend(c.escape_default()))
}

/// Escapes the hidden characters of a name or a path, also newlines and tabs: in a list, they would
/// begin another line or another column.
pub fn escape_line(text: &str) -> String {
    escaped(text, |_| false, |c, out| out.extend(c.escape_default()))
}

/// The most characters of a name or path in an error.
const SHORT: usize = 200;

/// Escapes a name or a path for an error, and leaves out the middle of a long one.
pub fn short(text: &str) -> String {
    let count = text.chars().count();
    if count <= SHORT {
        return escape_line(text);
    }
    let (begin, end): (String, String) =
        (text.chars().take(SHORT / 2).collect(), text.chars().skip(count - SHORT / 2).collect());
    format!("{}…{}", escape_line(&begin), escape_line(&end))
}

/// Returns whether a text has printable ASCII characters only, as nearly all have.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Puts a text whose white space means nothing, such as a command, on one line.
pub fn one_line(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    escape_line(&text.replace(['\t', '\n', '\r'], " "))
}

/// Escapes the hidden characters of a JSON text, which stays the same data: characters that are not
/// printable stand only in strings, except the white space between the values.
pub fn escape_json(text: &str) -> String {
    escaped(
        text,
        |c| c.is_ascii() && c != '\u{7f}',
        |c, out| {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        },
    )
}

fn escaped(text: &str, stays: fn(char) -> bool, escape: fn(char, &mut String)) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    let mut copied = 0;
    for (at, c) in text.char_indices().filter(|(_, c)| is_hidden(*c) && !stays(*c)) {
        shown.push_str(&text[copied..at]);
        escape(c, &mut shown);
        copied = at + c.len_utf8();
    }
    shown.push_str(&text[copied..]);
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: &str = "a\u{1b}[2J\u{7}\n\t\r\u{9b}1m\u{202e}\u{e0041}\u{3000}é";

    #[test]
    fn no_hidden_character_is_left() {
        assert_eq!(
            escape_control(HOSTILE),
            "a\\u{1b}[2J\\u{7}\n\t\\r\\u{9b}1m\\u{202e}\\u{e0041}\u{3000}é"
        );
        assert_eq!(
            escape_line(HOSTILE),
            "a\\u{1b}[2J\\u{7}\\n\\t\\r\\u{9b}1m\\u{202e}\\u{e0041}\u{3000}é"
        );
        assert!(one_line(HOSTILE).starts_with("a\\u{1b}[2J\\u{7}   \\u{9b}1m"));
    }

    #[test]
    fn a_long_path_is_cut_in_its_middle() {
        assert_eq!(short("/usr/b\nin"), "/usr/b\\nin");
        let cut = short(&format!("/begin{}/end", "/é".repeat(25_000)));
        assert_eq!(cut.chars().count(), SHORT + 1);
        assert!(cut.starts_with("/begin/é") && cut.ends_with("/é/end"), "{cut}");
    }

    #[test]
    fn escaped_json_is_the_same_data() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, "\u{7f}"] });
        for text in [value.to_string(), format!("{value:#}")] {
            let shown = escape_json(&text);
            assert!(!shown.chars().any(|c| c != '\n' && is_hidden(c)), "{shown:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
