//! PAX records: the part of a tar header that has no fixed width (pax(1), "Extended Header").

use super::members::corrupt;
use crate::model::Result;

/// Splits `LENGTH KEY=VALUE\n` records by their length, so a value may contain any byte.
pub(crate) fn pax_records(mut content: &[u8]) -> Result<Vec<(String, Vec<u8>)>> {
    let bad = || corrupt("a PAX record is damaged");
    let mut records = Vec::new();
    while !content.is_empty() {
        let space = content.iter().take(8).position(|byte| *byte == b' ').ok_or_else(bad)?;
        let digits = std::str::from_utf8(&content[..space]).map_err(|_| bad())?;
        let length: usize = digits.parse().map_err(|_| bad())?;
        let record = content.get(space + 1..length).ok_or_else(bad)?;
        let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
        let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
        let key = std::str::from_utf8(&record[..equals]).map_err(|_| bad())?;
        records.push((key.to_owned(), record[equals + 1..].to_vec()));
        content = &content[length..];
    }
    Ok(records)
}

/// `1700000000.25` as seconds and nanoseconds.
pub(crate) fn pax_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    let whole: i64 = seconds.parse().ok()?;
    // -0.25 is a quarter of a second before 1970: the fraction counts forward from -1.
    if text.starts_with('-') && nanoseconds > 0 {
        return Some((whole.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((whole, nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pax_value_may_contain_any_byte() {
        let records = pax_records(b"26 SCHILY.xattr.x=\x01\n7=\n\x00\xff\n6 a=b\n").unwrap();
        assert_eq!(records[0].0, "SCHILY.xattr.x");
        assert_eq!(records[0].1, b"\x01\n7=\n\x00\xff");
        assert_eq!(records[1], ("a".to_owned(), b"b".to_vec()));
        for bad in [&b"5 a=b\n"[..], b"99 a=b\n", b"x", b"6 a_b\n", b"0 a=b\n", b"1 a=b\n"] {
            assert!(pax_records(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn times_before_1970_are_read() {
        assert_eq!(pax_time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(pax_time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(pax_time(b"-3"), Some((-3, 0)));
        assert_eq!(pax_time(b"x"), None);
    }
}
