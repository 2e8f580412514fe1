//! One record of comma-separated values, in which Docker writes `--mount` (RFC 4180, Go's
//! `encoding/csv`).

use crate::model::{Error, Kind, Result};

/// Splits a record into its fields: one in quotes may have commas, and doubled quotes.
///
/// # Errors
/// [`Kind::Invalid`], in Go's words.
pub(super) fn split(text: &str) -> Result<Vec<String>> {
    let wrong = |at: usize, why: &str| {
        let message = format!("parse error on line 1, column {}: {why}", at + 1);
        Error::new(Kind::Invalid, message)
            .hint("quote a whole field: --mount 'type=volume,\"volume-opt=o=a,b\",target=/x'")
    };
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let at = text.len() - rest.len();
        let Some(mut quoted) = rest.strip_prefix('"') else {
            let (field, after) = match rest.split_once(',') {
                Some((field, after)) => (field, Some(after)),
                None => (rest, None),
            };
            if let Some(quote) = field.find('"') {
                return Err(wrong(at + quote, "bare \" in non-quoted field"));
            }
            fields.push(field.to_owned());
            match after {
                Some(after) => rest = after,
                None => return Ok(fields),
            }
            continue;
        };
        let mut field = String::new();
        loop {
            let Some((part, after)) = quoted.split_once('"') else {
                return Err(wrong(text.len(), "extraneous or missing \" in quoted-field"));
            };
            field.push_str(part);
            quoted = after;
            match after.strip_prefix('"') {
                Some(after) => {
                    field.push('"');
                    quoted = after;
                }
                None => break,
            }
        }
        fields.push(field);
        match quoted.strip_prefix(',') {
            Some(after) => rest = after,
            None if quoted.is_empty() => return Ok(fields),
            None => {
                let at = text.len() - quoted.len();
                return Err(wrong(at, "extraneous or missing \" in quoted-field"));
            }
        }
    }
}

/// Writes a field so that [`split`] reads it.
pub(super) fn field(text: &str) -> String {
    match text.contains([',', '"']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_as_go_reads_them() {
        for (text, fields) in [
            ("a=1,b", &["a=1", "b"][..]),
            ("a,\"b=x,y\",c", &["a", "b=x,y", "c"]),
            ("\"say \"\"hi\"\"\"", &["say \"hi\""]),
            ("a,,b", &["a", "", "b"]),
            ("\"\"", &[""]),
        ] {
            assert_eq!(split(text).unwrap(), fields, "{text}");
        }
        for text in ["a=\"x\"", "\"a", "\"a\"b,c"] {
            assert!(split(text).is_err(), "{text}");
        }
        for text in ["a=x,y", "say \"hi\"", "plain"] {
            assert_eq!(split(&field(text)).unwrap(), [text]);
        }
    }
}
