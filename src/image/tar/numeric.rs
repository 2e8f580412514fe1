//! The numbers of a tar header: octal text, or binary where that is too narrow.

use super::error::corrupt;
use crate::model::Result;

/// Parses `field`. With the first bit set, the rest is a big-endian number in two's
/// complement (GNU's base 256); else it is octal, between blanks and NULs. An empty field is 0,
/// as in Go.
pub(crate) fn numeric(field: &[u8]) -> Result<i64> {
    let bad = || corrupt(format!("`{}` is not a number of a tar header", field.escape_ascii()));
    if let [first, rest @ ..] = field
        && first & 0x80 != 0
    {
        // The bit below the first is the sign.
        let start =
            if first & 0x40 == 0 { i64::from(first & 0x3f) } else { i64::from(*first) - 256 };
        let next = |number: i64, byte: &u8| {
            number.checked_mul(256).map(|number| number | i64::from(*byte))
        };
        return rest.iter().try_fold(start, next).ok_or_else(bad);
    }
    let blank = |byte: &u8| matches!(byte, 0 | b' ');
    let digits: Vec<u8> = field.iter().copied().skip_while(blank).take_while(|b| *b != 0).collect();
    let text = std::str::from_utf8(&digits).map_err(|_| bad())?.trim_end_matches(' ');
    if text.is_empty() {
        return Ok(0);
    }
    // A sign is not a digit, though Rust would accept it.
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(bad());
    }
    i64::from_str_radix(text, 8).map_err(|_| bad())
}

/// Parses a number that is not negative.
pub(crate) fn count(field: &[u8]) -> Result<u64> {
    u64::try_from(numeric(field)?).map_err(|_| corrupt("a number of a tar header is negative"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn octal_numbers_stand_between_blanks_and_nuls() {
        for field in
            [&b"0000644\0"[..], b"   644 \0", b"644", b"\0\x00644\0", b"0000644 ", b"644\0junk"]
        {
            assert_eq!(numeric(field).unwrap(), 0o644, "{}", field.escape_ascii());
        }
        for field in [&b""[..], b"\0\0\0", b"    ", b" \0 "] {
            assert_eq!(numeric(field).unwrap(), 0, "{}", field.escape_ascii());
        }
        for field in [&b"8"[..], b"-1", b"+1", b"0x1", b"12 3", b"7777777777777777777777777"] {
            assert!(numeric(field).is_err(), "{}", field.escape_ascii());
        }
    }

    #[test]
    fn wide_numbers_are_binary_and_may_be_negative() {
        let wide = |last: &[u8], fill: u8| {
            let mut field = [fill; 12];
            field[0] |= 0x80;
            field[12 - last.len()..].copy_from_slice(last);
            numeric(&field)
        };
        assert_eq!(wide(&[1, 0], 0).unwrap(), 256);
        assert_eq!(wide(&[0xff; 8], 0xff).unwrap(), -1);
        assert_eq!(wide(&[0xfe, 0], 0xff).unwrap(), -512);
        assert_eq!(wide(&i64::MAX.to_be_bytes(), 0).unwrap(), i64::MAX);
        assert_eq!(wide(&i64::MIN.to_be_bytes(), 0xff).unwrap(), i64::MIN);
        assert!(wide(&[0x80, 0, 0, 0, 0, 0, 0, 0], 0).is_err());
        assert!(wide(&[1, 0, 0, 0, 0, 0, 0, 0, 0], 0).is_err());
        assert_eq!(numeric(&[0x80, 0, 0, 0, 0xb2, 0xd0, 0x5e, 0]).unwrap(), 3_000_000_000);
        assert!(count(&[0xff; 12]).is_err());
    }
}
