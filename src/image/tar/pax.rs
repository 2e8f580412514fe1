//! PAX records: the part of a tar header that has no fixed width (pax(1), "Extended Header").

use std::collections::BTreeMap;

use base64::Engine as _;

use super::error::corrupt;
use crate::model::Result;

/// The records of one extended header.
#[derive(Debug, Default)]
pub(crate) struct Records {
    /// The last value of each key. An empty one cancels the record (pax(1)).
    last: BTreeMap<String, Vec<u8>>,
    /// `GNU.sparse.offset` and `GNU.sparse.numbytes`, which are repeated and alternate.
    pub(crate) extents: Vec<u64>,
}

impl Records {
    /// Splits `LENGTH KEY=VALUE\n` records by their length, so a value may contain any byte. A key
    /// that is not UTF-8 is not a known one.
    pub(crate) fn parse(mut content: &[u8]) -> Result<Records> {
        let bad = || corrupt("a PAX record is damaged");
        let mut records = Records::default();
        while !content.is_empty() {
            let space = content.iter().take(8).position(|byte| *byte == b' ').ok_or_else(bad)?;
            let digits = std::str::from_utf8(&content[..space]).map_err(|_| bad())?;
            let length: usize = digits.parse().map_err(|_| bad())?;
            let record = content.get(space + 1..length).ok_or_else(bad)?;
            let record = record.strip_suffix(b"\n").ok_or_else(bad)?;
            let equals = record.iter().position(|byte| *byte == b'=').ok_or_else(bad)?;
            let (key, value) = (&record[..equals], &record[equals + 1..]);
            if key.is_empty() || key.contains(&0) {
                return Err(bad());
            }
            if let Ok(key) = std::str::from_utf8(key) {
                records.add(key, value)?;
            }
            content = &content[length..];
        }
        if records.extents.len() % 2 != 0 {
            return Err(bad());
        }
        Ok(records)
    }

    fn add(&mut self, key: &str, value: &[u8]) -> Result<()> {
        let turn = match key {
            "GNU.sparse.offset" => 0,
            "GNU.sparse.numbytes" => 1,
            _ => {
                self.last.insert(key.to_owned(), value.to_vec());
                return Ok(());
            }
        };
        if self.extents.len() % 2 != turn {
            return Err(corrupt("the map of a sparse file is out of order"));
        }
        self.extents.push(decimal(value, key)?);
        Ok(())
    }

    /// Returns the value of `key`, if there is one.
    pub(crate) fn get(&self, key: &str) -> Option<&[u8]> {
        self.last.get(key).map(Vec::as_slice).filter(|value| !value.is_empty())
    }

    /// Returns the value of `key` as a number.
    pub(crate) fn number(&self, key: &str) -> Result<Option<u64>> {
        self.get(key).map(|value| decimal(value, key)).transpose()
    }

    /// Returns the value of `key` as a time.
    pub(crate) fn time(&self, key: &str) -> Result<Option<(i64, u32)>> {
        let time = |value: &[u8]| {
            pax_time(value).ok_or_else(|| corrupt(format!("the PAX record `{key}` is not a time")))
        };
        self.get(key).map(time).transpose()
    }

    /// Returns the extended attributes: `SCHILY.xattr.*` as Go and GNU tar write them, and where
    /// that is missing `LIBARCHIVE.xattr.*`, whose names are URL-encoded and whose values are
    /// base64.
    pub(crate) fn xattrs(&self) -> Vec<(String, Vec<u8>)> {
        let mut found = BTreeMap::new();
        for (key, value) in &self.last {
            if let Some(name) = key.strip_prefix("LIBARCHIVE.xattr.")
                && let (Some(name), Some(value)) = (url_decoded(name), base64_decoded(value))
            {
                found.insert(name, value);
            }
        }
        for (key, value) in &self.last {
            if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                found.insert(name.to_owned(), value.clone());
            }
        }
        found.into_iter().collect()
    }
}

/// Parses a number without sign.
pub(crate) fn decimal(value: &[u8], what: &str) -> Result<u64> {
    let text = std::str::from_utf8(value).ok().filter(|text| !text.starts_with('+'));
    text.and_then(|text| text.parse().ok())
        .ok_or_else(|| corrupt(format!("`{what}` of a PAX header is not a number")))
}

/// Parses `1700000000.25` into seconds and nanoseconds.
fn pax_time(value: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(value).ok()?;
    let (seconds, fraction) = text.split_once('.').unwrap_or((text, ""));
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let digits: String = fraction.chars().chain("000000000".chars()).take(9).collect();
    let nanoseconds: u32 = digits.parse().ok()?;
    let whole: i64 = seconds.parse().ok()?;
    // -0.25 is a quarter of a second before 1970: the fraction counts forward from -1.
    if text.starts_with('-') && nanoseconds > 0 {
        return Some((whole.checked_sub(1)?, 1_000_000_000 - nanoseconds));
    }
    Some((whole, nanoseconds))
}

fn url_decoded(name: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        let escaped = (*byte == b'%').then(|| after.get(..2)).flatten();
        match escaped.and_then(|digits| std::str::from_utf8(digits).ok()) {
            Some(digits) => {
                bytes.push(u8::from_str_radix(digits, 16).ok()?);
                rest = &after[2..];
            }
            None => bytes.push(*byte),
        }
    }
    String::from_utf8(bytes).ok()
}

/// Decodes base64 without padding, which libarchive omits.
fn base64_decoded(value: &[u8]) -> Option<Vec<u8>> {
    let value = value.trim_ascii_end();
    let end = value.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    base64::engine::general_purpose::STANDARD_NO_PAD.decode(&value[..end]).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pax_value_may_contain_any_byte() {
        let content = b"26 SCHILY.xattr.x=\x01\n7=\n\x00\xff\n6 a=b\n6 a=c\n5 d=\n7 \xff=bc\n";
        let records = Records::parse(content).unwrap();
        assert_eq!(records.xattrs(), [("x".to_owned(), b"\x01\n7=\n\x00\xff".to_vec())]);
        assert_eq!(records.get("a"), Some(&b"c"[..]), "the last one counts");
        assert_eq!(records.get("d"), None, "an empty one takes the record back");
        for bad in
            [&b"5 a=b\n"[..], b"99 a=b\n", b"x", b"6 a_b\n", b"0 a=b\n", b"1 a=b\n", b"5 =b\n"]
        {
            assert!(Records::parse(bad).is_err(), "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn times_before_1970_are_read() {
        assert_eq!(pax_time(b"12.5"), Some((12, 500_000_000)));
        assert_eq!(pax_time(b"-1.25"), Some((-2, 750_000_000)));
        assert_eq!(pax_time(b"-0.25"), Some((-1, 750_000_000)));
        assert_eq!(pax_time(b"-3"), Some((-3, 0)));
        assert_eq!(pax_time(b"1.0123456789"), Some((1, 12_345_678)));
        for bad in [&b"x"[..], b"", b"1.x", b"1.-5", b"9223372036854775808"] {
            assert_eq!(pax_time(bad), None, "{}", bad.escape_ascii());
        }
    }

    #[test]
    fn attributes_in_the_form_of_libarchive_are_read_where_no_other_is() {
        let record = |text: &str| {
            let length = (text.len()..).find(|n| n.to_string().len() + text.len() + 2 == *n);
            format!("{} {text}\n", length.unwrap())
        };
        let content = [
            record("LIBARCHIVE.xattr.user.a%3db=AP8"),
            record("LIBARCHIVE.xattr.user.c=bm8="),
            record("SCHILY.xattr.user.c=yes"),
            record("LIBARCHIVE.xattr.user.bad=!!"),
        ];
        let found = Records::parse(content.concat().as_bytes()).unwrap().xattrs();
        let expected = [("user.a=b", &b"\0\xff"[..]), ("user.c", b"yes")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_owned(), value.to_vec())));
    }
}
