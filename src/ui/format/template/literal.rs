//! Go's literals: numbers, characters and strings (Go specification, "Lexical elements").

use super::syntax::OperandKind;

/// Reads a number or a character constant.
///
/// # Errors
/// Says what is wrong, in Go's words.
pub fn number(written: &str) -> Result<OperandKind, String> {
    let text = || written.to_owned();
    if written.starts_with('\'') {
        let inside = written.get(1..written.len() - 1).unwrap_or_default();
        let mut rest = inside;
        let character = unescape(&mut rest, '\'').filter(|_| rest.is_empty());
        return match character {
            Some(Piece::Char(c)) => Ok(OperandKind::Int(i64::from(u32::from(c)), text())),
            Some(Piece::Byte(byte)) => Ok(OperandKind::Int(i64::from(byte), text())),
            None => Err(format!("malformed character constant: {written}")),
        };
    }
    if let Some(value) = integer(written) {
        return match i64::try_from(value) {
            Ok(value) => Ok(OperandKind::Int(value, text())),
            Err(_) if u64::try_from(value).is_ok() => Err(format!("{written} overflows int")),
            Err(_) => Err(format!("integer overflow: {written:?}")),
        };
    }
    let plain = written.replace('_', "");
    let numeric = plain.chars().all(|c| c.is_ascii_digit() || "+-.eE".contains(c));
    match plain.parse::<f64>() {
        Ok(value) if numeric && value.is_finite() => Ok(OperandKind::Float(value, text())),
        _ if written.chars().all(|c| c.is_ascii_digit() || c == '_') => {
            Err(format!("integer overflow: {written:?}"))
        }
        _ => Err(format!("bad number syntax: {written:?}")),
    }
}

fn integer(written: &str) -> Option<i128> {
    let (sign, digits) = match written.as_bytes().first()? {
        b'-' => (-1, &written[1..]),
        b'+' => (1, &written[1..]),
        _ => (1, written),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = match (lower.get(..2), lower.len()) {
        (Some("0x"), _) => (16, &lower[2..]),
        (Some("0b"), _) => (2, &lower[2..]),
        (Some("0o"), _) => (8, &lower[2..]),
        (_, 2..) if lower.starts_with('0') => (8, &lower[1..]),
        _ => (10, lower.as_str()),
    };
    let digits = digits.replace('_', "");
    if digits.starts_with(['+', '-']) {
        return None;
    }
    i128::from_str_radix(&digits, base).ok().map(|value| sign * value)
}

/// Reads a string with its quotes.
pub fn text(quoted: &str) -> Option<String> {
    let inside = quoted.get(1..quoted.len().checked_sub(1)?)?;
    if quoted.starts_with('`') {
        return Some(inside.replace('\r', ""));
    }
    let mut bytes = Vec::with_capacity(inside.len());
    let mut rest = inside;
    while !rest.is_empty() {
        match unescape(&mut rest, '"')? {
            Piece::Char(c) => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(byte) => bytes.push(byte),
        }
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

enum Piece {
    Char(char),
    /// `\x41` and `\101`: one byte of the text.
    Byte(u8),
}

/// Takes one character or escape sequence.
fn unescape(rest: &mut &str, quote: char) -> Option<Piece> {
    let text = *rest;
    let mut chars = text.chars();
    let first = chars.next()?;
    if first != '\\' {
        *rest = chars.as_str();
        return Some(Piece::Char(first));
    }
    let kind = chars.next()?;
    *rest = chars.as_str();
    let mut digits = |count: usize, base: u32| {
        let digits = rest.get(..count)?;
        let all = digits.chars().all(|c| c.is_digit(base));
        *rest = &rest[count..];
        u32::from_str_radix(digits, base).ok().filter(|_| all)
    };
    Some(match kind {
        'a' => Piece::Char('\u{7}'),
        'b' => Piece::Char('\u{8}'),
        'f' => Piece::Char('\u{c}'),
        'n' => Piece::Char('\n'),
        'r' => Piece::Char('\r'),
        't' => Piece::Char('\t'),
        'v' => Piece::Char('\u{b}'),
        '\\' => Piece::Char('\\'),
        c if c == quote => Piece::Char(c),
        'x' => Piece::Byte(u8::try_from(digits(2, 16)?).ok()?),
        'u' => Piece::Char(char::from_u32(digits(4, 16)?)?),
        'U' => Piece::Char(char::from_u32(digits(8, 16)?)?),
        '0'..='7' => {
            let high = kind.to_digit(8)? * 64;
            Piece::Byte(u8::try_from(high + digits(2, 8)?).ok()?)
        }
        _ => return None,
    })
}
