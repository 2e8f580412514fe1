//! Aligns columns as Docker's tables do.

use crate::model::value::language::ReaderProfile;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The minimum width of a column, and the space between columns (docker/cli, `formatter.go`).
const MIN_WIDTH: usize = 10;
const PADDING: usize = 3;

/// Aligns lines whose cells are ended by tabs, as Go's `tabwriter` does: a column is as wide as its
/// widest cell and three spaces, at least ten; the last cell of a line is left as it is.
pub fn align(text: &str) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in text.lines() {
        let (cells, _) = split(line);
        for (index, cell) in cells.iter().enumerate() {
            let width = (cell.width() + PADDING).max(MIN_WIDTH);
            match widths.get_mut(index) {
                Some(known) => *known = width.max(*known),
                None => widths.push(width),
            }
        }
    }
    let mut aligned = String::with_capacity(text.len() * 2);
    for line in text.lines() {
        let (cells, last) = split(line);
        for (cell, width) in cells.iter().zip(&widths) {
            aligned.push_str(cell);
            aligned.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.width())));
        }
        aligned.push_str(last);
        aligned.push('\n');
    }
    aligned
}

/// Returns the cells that end with a tab, and the text after the last tab.
fn split(line: &str) -> (Vec<&str>, &str) {
    match line.rsplit_once('\t') {
        Some((cells, last)) => (cells.split('\t').collect(), last),
        None => (Vec::new(), line),
    }
}

/// Truncates `text` to `width` columns of a terminal, with `…` as the last.
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += c.width().unwrap_or(0);
        used < width
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// Pads `text` with spaces to `width` columns of a terminal.
pub fn padded(text: &str, width: usize) -> String {
    format!("{text}{}", " ".repeat(width.saturating_sub(text.width())))
}

/// Wraps `text` at spaces into lines of at most `width` columns. A longer word gets its own line.
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        for word in paragraph.split_whitespace() {
            if !line.is_empty() && line.width() + 1 + word.width() > width {
                lines.push(std::mem::take(&mut line));
            }
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
        lines.push(line);
    }
    lines
}

/// Formats a name and its description as lines of at most `width` columns. The description of a
/// name that is too long for its column begins on the next line.
pub fn row(name: &str, words: &str, width: usize) -> String {
    const INDENT: usize = 20;
    let name = format!("  {name}");
    let first = match name.width() + 2 > INDENT {
        true => format!("{name}\n{:INDENT$}", ""),
        false => padded(&name, INDENT),
    };
    let lines = wrapped(words, width.saturating_sub(INDENT).max(20));
    let more = lines.iter().skip(1).map(|line| format!("{:INDENT$}{line}\n", ""));
    format!("{first}{}\n{}", lines.first().map_or("", String::as_str), more.collect::<String>())
}

/// Wraps paragraphs to the reader's width. Lines that begin with spaces, such as examples, stay as
/// they are.
pub fn page_of_text(text: &str, reader: ReaderProfile) -> String {
    let mut lines: Vec<String> = Vec::new();
    let mut paragraph = String::new();
    let end = |paragraph: &mut String, lines: &mut Vec<String>| {
        if !paragraph.is_empty() {
            lines.extend(wrapped(paragraph, reader.width.min(80)));
            paragraph.clear();
        }
    };
    for line in text.trim_end().lines() {
        if line.starts_with(' ') || line.trim().is_empty() {
            end(&mut paragraph, &mut lines);
            lines.push(line.trim_end().to_owned());
        } else {
            paragraph.push_str(line);
            paragraph.push(' ');
        }
    }
    end(&mut paragraph, &mut lines);
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_at_least_ten_wide_and_three_apart() {
        let text = align("A\tLONG HEADER\tC\nx\ty\tz\nlonger than ten\t\t");
        let expected = "A                 LONG HEADER   C\n\
                        x                 y             z\n\
                        longer than ten                 \n";
        assert_eq!(text, expected);
    }

    #[test]
    fn what_is_too_long_ends_in_an_ellipsis() {
        assert_eq!(ellipsis("12345", 5), "12345");
        assert_eq!(ellipsis("123456", 5), "1234…");
        assert_eq!(ellipsis("안녕하세요", 5), "안녕…");
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(align("이름\tb\nabc\tb\n"), "이름      b\nabc       b\n");
        assert_eq!(padded("이름", 6), "이름  ");
        assert_eq!(wrapped("이미지와 컨테이너 a", 9), ["이미지와", "컨테이너", "a"]);
    }

    #[test]
    fn descriptions_begin_in_one_column() {
        let text: String = ["run", "컨테이너", "with_stop_signal", "longer_than_its_column"]
            .map(|name| row(name, "이미지 images", 30))
            .concat();
        let begins = text.lines().filter_map(|line| Some(line[..line.find("이미")?].width()));
        assert_eq!(begins.collect::<Vec<_>>(), [20; 4], "{text}");
    }
}
