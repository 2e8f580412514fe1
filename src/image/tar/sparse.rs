//! The maps of sparse files.
//!
//! GNU tar has four formats of the map. The oldest has it in the header and in blocks behind it;
//! PAX 0.0 in one record for each number, 0.1 in one record for all, 1.0 before the data. The
//! formats that are read are those of Go's `archive/tar`, because Docker uses it.

use std::io::Read;

use tar::{GnuExtSparseHeader, GnuSparseHeader, Header};

use super::error::{corrupt, stream_error};
use super::numeric::count;
use super::pax::{Records, decimal};
use crate::model::{Error, Kind, Result};

const BLOCK: usize = 512;
/// The most segments of a sparse file.
const MAX_SEGMENTS: usize = 65_536;

/// The map of a sparse file: in order, without overlap, inside of its length.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Sparse {
    /// (offset, length) of each piece of data.
    pub(crate) segments: Vec<(u64, u64)>,
    /// The length of the file.
    pub(crate) length: u64,
}

/// Reads the map of a member in GNU's old form. `stream` is right behind the header.
pub(crate) fn from_header(header: &Header, mut stream: impl Read) -> Result<Sparse> {
    let gnu = header.as_gnu().ok_or_else(|| corrupt("a sparse file without GNU header"))?;
    let mut segments = Vec::new();
    let mut add = |block: &GnuSparseHeader| -> Result<()> {
        if !block.is_empty() {
            segments.push((count(&block.offset)?, count(&block.numbytes)?));
        }
        check_count(segments.len())
    };
    gnu.sparse.iter().try_for_each(&mut add)?;
    let mut more = gnu.is_extended();
    while more {
        let mut block = GnuExtSparseHeader::new();
        stream.read_exact(block.as_mut_bytes()).map_err(|error| stream_error(&error))?;
        block.sparse().iter().try_for_each(&mut add)?;
        more = block.is_extended();
    }
    Ok(Sparse { segments, length: count(&gnu.realsize)? })
}

/// Reads the map of PAX `records`; `None` if they have none. `length` is that of the body, `body`
/// its beginning.
pub(crate) fn from_records(
    records: &Records,
    length: u64,
    body: impl Read,
) -> Result<Option<Sparse>> {
    let version = (records.get("GNU.sparse.major"), records.get("GNU.sparse.minor"));
    let map = records.get("GNU.sparse.map");
    let mut segments = Vec::new();
    match version {
        (Some(b"1"), Some(b"0")) => segments = from_body(body)?,
        (Some(b"0"), Some(b"0" | b"1")) | (None, None) => {
            let numbers = match map {
                Some(map) => map
                    .split(|byte| *byte == b',')
                    .take(2 * MAX_SEGMENTS + 2)
                    .map(|number| decimal(number, "GNU.sparse.map"))
                    .collect::<Result<_>>()?,
                None => records.extents.clone(),
            };
            if version == (None, None) && numbers.is_empty() {
                return Ok(None);
            }
            check_count(numbers.len() / 2)?;
            let stated = records.number("GNU.sparse.numblocks")?;
            if stated.is_some_and(|stated| stated != numbers.len() as u64 / 2)
                || numbers.len() % 2 != 0
            {
                return Err(corrupt("the map of a sparse file is not as long as it says"));
            }
            segments.extend(numbers.chunks_exact(2).map(|pair| (pair[0], pair[1])));
        }
        _ => {
            return Err(Error::new(Kind::Unsupported, "a sparse file of an unknown format")
                .hint("write it with `tar --sparse-version=1.0`, or without `--sparse`"));
        }
    }
    let stated = records.number("GNU.sparse.size")?;
    let stated = stated.or(records.number("GNU.sparse.realsize")?);
    Ok(Some(Sparse { segments, length: stated.unwrap_or(length) }))
}

/// Reads the map of version 1.0: the number of segments, then offset and length of each, each
/// number in a line, padded with zeros to a whole block.
fn from_body(mut body: impl Read) -> Result<Vec<(u64, u64)>> {
    let mut block = [0; BLOCK];
    let mut at = BLOCK;
    let mut number = || -> Result<u64> {
        let mut digits = Vec::new();
        loop {
            if at == BLOCK {
                body.read_exact(&mut block).map_err(|error| stream_error(&error))?;
                at = 0;
            }
            let byte = block[at];
            at += 1;
            match byte {
                b'\n' => return decimal(&digits, "the map of a sparse file"),
                _ if digits.len() < 20 => digits.push(byte),
                _ => {
                    return Err(corrupt(
                        "the map of a sparse file has an entry that is not a number",
                    ));
                }
            }
        }
    };
    let many = usize::try_from(number()?).unwrap_or(usize::MAX);
    check_count(many)?;
    (0..many).map(|_| Ok((number()?, number()?))).collect()
}

fn check_count(segments: usize) -> Result<()> {
    if segments > MAX_SEGMENTS {
        return Err(corrupt(format!("the map of a sparse file has over {MAX_SEGMENTS} segments")));
    }
    Ok(())
}

impl Sparse {
    /// Checks the map against the `available` bytes of data: it must place exactly those.
    pub(crate) fn check(self, available: u64) -> Result<Sparse> {
        let mut end = 0u64;
        let mut total = 0u64;
        for (offset, part) in &self.segments {
            let fits = offset.checked_add(*part).filter(|end| *end <= self.length);
            if *offset < end || fits.is_none() {
                return Err(corrupt("the map of a sparse file is out of order"));
            }
            end = offset + part;
            total += part;
        }
        if total != available {
            return Err(corrupt("the map of a sparse file does not fit its data"));
        }
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(pairs: &[(&str, &str)]) -> Records {
        let line = |(key, value): &(&str, &str)| {
            let rest = format!(" {key}={value}\n");
            let length = (rest.len()..).find(|n| n.to_string().len() + rest.len() == *n);
            format!("{}{rest}", length.unwrap())
        };
        let content: String = pairs.iter().map(line).collect();
        Records::parse(content.as_bytes()).unwrap()
    }

    fn check(pairs: &[(&str, &str)], body: &str, expected: &str) {
        let mut block = body.as_bytes().to_vec();
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        let result = from_records(&records(pairs), 5, &block[..]);
        let found = match result.and_then(|map| map.map(|map| map.check(5)).transpose()) {
            Ok(Some(map)) => format!("{:?} of {}", map.segments, map.length),
            Ok(None) => "not sparse".to_owned(),
            Err(error) => error.to_string(),
        };
        assert!(found.contains(expected), "{found}");
    }

    const MAJOR: (&str, &str) = ("GNU.sparse.major", "1");
    const MINOR: (&str, &str) = ("GNU.sparse.minor", "0");
    const SIZE: (&str, &str) = ("GNU.sparse.realsize", "100");

    #[test]
    fn maps_of_all_versions_are_read() {
        check(&[("path", "x")], "", "not sparse");
        let (offset, bytes) = ("GNU.sparse.offset", "GNU.sparse.numbytes");
        let pairs = [(offset, "10"), (bytes, "2"), (offset, "97"), (bytes, "3")];
        check(&[&pairs[..], &[SIZE]].concat(), "", "[(10, 2), (97, 3)] of 100");
        let map = ("GNU.sparse.map", "10,2,97,3");
        check(&[map, SIZE, ("GNU.sparse.numblocks", "2")], "", "[(10, 2), (97, 3)] of 100");
        check(&[MAJOR, MINOR, SIZE], "2\n10\n2\n97\n3\n", "[(10, 2), (97, 3)] of 100");
        check(&[MAJOR, MINOR, SIZE], "2\n0\n5\n100\n0\n", "[(0, 5), (100, 0)] of 100");
        check(&[MAJOR, MINOR], "1\n0\n5\n", "[(0, 5)] of 5");
        let many: String = (0..200).map(|n| format!("{n}\n{}\n", u8::from(n < 5))).collect();
        check(&[MAJOR, MINOR, ("GNU.sparse.size", "200")], &format!("200\n{many}"), "of 200");
    }

    #[test]
    fn maps_that_lie_are_refused() {
        for (body, expected) in [
            ("1\n96\n5\n", "out of order"),
            ("1\n18446744073709551615\n5\n", "out of order"),
            ("2\n10\n3\n12\n2\n", "out of order"),
            ("2\n10\n3\n5\n2\n", "out of order"),
            ("1\n0\n4\n", "does not fit"),
            ("0\n", "does not fit"),
            ("99999999\n", "over 65536 segments"),
            ("18446744073709551616\n", "not a number"),
            ("-1\n", "not a number"),
            ("1\n\n\n", "not a number"),
            ("123456789012345678901\n", "an entry that is not a number"),
            ("2\n0\n5\n", "an entry that is not a number"),
            (&"1\n".repeat(256), "does not fit"),
            ("", "too early"),
        ] {
            check(&[MAJOR, MINOR, SIZE], body, expected);
        }
        check(&[("GNU.sparse.map", "1,2,3"), SIZE], "", "not as long as it says");
        check(&[("GNU.sparse.map", "0,5"), ("GNU.sparse.numblocks", "2")], "", "not as long");
        check(&[("GNU.sparse.map", "0,x"), SIZE], "", "not a number");
        let long = "0,0,".repeat(70_000) + "0,5";
        check(&[("GNU.sparse.map", &long), SIZE], "", "over 65536 segments");
        check(&[("GNU.sparse.major", "2"), MINOR], "", "unknown format");
        check(&[MAJOR], "", "unknown format");
        for bad in [b"23 GNU.sparse.offset=1\n".to_vec(), b"25 GNU.sparse.numbytes=1\n".to_vec()] {
            assert!(Records::parse(&bad).is_err());
        }
    }
}
