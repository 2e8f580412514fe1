//! Aligned columns, as Docker's tables have them.

/// The narrowest column and the space between columns (docker/cli, `formatter.go`).
const MIN_WIDTH: usize = 10;
const PADDING: usize = 3;

/// Aligns lines whose cells are ended by tabs, as Go's `tabwriter` does: a column is as wide as its
/// widest cell and three spaces, at least ten; the last cell of a line is left as it is.
pub fn align(text: &str) -> String {
    let mut widths: Vec<usize> = Vec::new();
    for line in text.lines() {
        let (cells, _) = split(line);
        for (index, cell) in cells.iter().enumerate() {
            let width = (cell.chars().count() + PADDING).max(MIN_WIDTH);
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
            aligned.extend(std::iter::repeat_n(' ', width.saturating_sub(cell.chars().count())));
        }
        aligned.push_str(last);
        aligned.push('\n');
    }
    aligned
}

/// The cells that a tab ends, and what follows the last tab.
fn split(line: &str) -> (Vec<&str>, &str) {
    match line.rsplit_once('\t') {
        Some((cells, last)) => (cells.split('\t').collect(), last),
        None => (Vec::new(), line),
    }
}

/// `text` cut to `width` columns of a terminal, the last of them `…` where something was cut.
pub fn ellipsis(text: &str, width: usize) -> String {
    if text.chars().map(columns_of).sum::<usize>() <= width {
        return text.to_owned();
    }
    let mut used = 0;
    let fits = |c: &char| {
        used += columns_of(*c);
        used < width
    };
    let mut cut: String = text.chars().take_while(fits).collect();
    cut.push('…');
    cut
}

/// How many columns a character takes: two for the wide ones of East Asia and for emoji.
fn columns_of(c: char) -> usize {
    let wide = matches!(u32::from(c),
        0x1100..=0x115f | 0x2e80..=0x303e | 0x3041..=0xa4cf | 0xac00..=0xd7a3 | 0xf900..=0xfaff
        | 0xfe30..=0xfe6f | 0xff00..=0xff60 | 0xffe0..=0xffe6 | 0x1f300..=0x1faff
        | 0x20000..=0x3fffd);
    if wide { 2 } else { 1 }
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
}
