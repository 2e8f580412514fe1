//! The members of a tar stream, one after the other, in bounded memory.
//!
//! The framing is lifebox's own, the number formats are the `tar` crate's. That crate's iterator
//! reads long names and PAX records of any length into memory and splits PAX records at line ends,
//! which a binary `security.capability` may contain. Where archives contradict themselves, this
//! reader agrees with Go's `archive/tar`, because Docker does.

use std::io::Read;

use tar::{EntryType, Header};

use super::error::{corrupt, stream_error, truncated};
use super::member::Extensions;
pub(crate) use super::member::{Member, MemberKind};
use super::numeric::{count, numeric};
use super::pax::Records;
use super::sparse;
use crate::model::{Error, Kind, Result};

const BLOCK: u64 = 512;
/// The longest name or PAX header. Linux allows 4096 bytes of path and 64 KiB of attributes.
const MAX_EXTENSION: u64 = 1 << 20;
const MAX_MEMBERS: u64 = 1_000_000;

/// A stream that a tar is read from.
pub(crate) trait TarSource: Read {
    /// Skips the next `count` bytes.
    fn pass(&mut self, mut count: u64) -> std::io::Result<()> {
        let mut buffer = [0; 32 * 1024];
        while count > 0 {
            let part = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
            self.read_exact(&mut buffer[..part])?;
            count -= part as u64;
        }
        Ok(())
    }

    /// Notes that the next `length` bytes become the file `path` of a layer.
    fn claim(&mut self, _path: &[u8], _length: u64) -> Result<()> {
        Ok(())
    }
}

impl TarSource for &[u8] {}
impl<T: TarSource + ?Sized> TarSource for &mut T {
    fn pass(&mut self, count: u64) -> std::io::Result<()> {
        (**self).pass(count)
    }

    fn claim(&mut self, path: &[u8], length: u64) -> Result<()> {
        (**self).claim(path, length)
    }
}
impl TarSource for Box<dyn Read + Send + '_> {}

/// Reads the members of a stream.
pub(crate) struct Members<R> {
    stream: R,
    /// Unread bytes of the present body.
    body: u64,
    /// The padding behind the body.
    padding: u64,
    count: u64,
    /// Whether there was a header, so that this is a tar archive.
    started: bool,
}

impl<R: TarSource> Members<R> {
    pub(crate) fn new(stream: R) -> Self {
        Members { stream, body: 0, padding: 0, count: 0, started: false }
    }

    /// Returns the next member and skips the rest of the last body. `None` at the end of
    /// the archive, which is two blocks of zeros or the end of the stream.
    pub(crate) fn next(&mut self) -> Result<Option<Member>> {
        let mut extensions = Extensions::default();
        let mut seen = Vec::new();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let kind = header.entry_type();
            // At most three more headers describe a member, so counting members bounds them too.
            if seen.contains(&kind) {
                return Err(corrupt("two headers of one kind describe the same member"));
            }
            match kind {
                EntryType::GNULongName => extensions.name = self.long_name(&header)?,
                EntryType::GNULongLink => extensions.link = self.long_name(&header)?,
                EntryType::XHeader => {
                    extensions.pax = Records::parse(&self.extension(&header)?)?;
                }
                EntryType::XGlobalHeader => {
                    // Docker ignores global headers, and with them what stands before; git writes
                    // one with the commit.
                    self.extension(&header)?;
                    extensions = Extensions::default();
                    seen.clear();
                    self.count_one()?;
                    continue;
                }
                _ => {
                    self.count_one()?;
                    return self.member(&header, &extensions).map(Some);
                }
            }
            seen.push(kind);
        }
    }

    /// Returns the stream: after [`Members::next`] it is at the beginning of the body.
    pub(crate) fn stream(&self) -> &R {
        &self.stream
    }

    /// Notes on the stream that the present body becomes the file `path` of a layer.
    pub(crate) fn claim(&mut self, path: &[u8]) -> Result<()> {
        if self.body == 0 { Ok(()) } else { self.stream.claim(path, self.body) }
    }

    /// Returns the stream, at the end of the archive.
    pub(crate) fn into_stream(self) -> R {
        self.stream
    }

    fn count_one(&mut self) -> Result<()> {
        self.count += 1;
        if self.count > MAX_MEMBERS {
            return Err(corrupt(format!("more than {MAX_MEMBERS} members")));
        }
        Ok(())
    }

    fn skip(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.body) + std::mem::take(&mut self.padding);
        self.stream.pass(rest).map_err(|error| stream_error(&error))
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.stream.read_exact(buffer).map_err(|error| stream_error(&error))
    }

    /// Reads the next header block with a right checksum; `None` at the end.
    fn header(&mut self) -> Result<Option<Header>> {
        let Some(header) = self.block()? else {
            return Ok(None);
        };
        if is_zero(&header) {
            // Two blocks of zeros are the end. Readers disagree on what one alone means, so an
            // archive could be read as two; Go refuses it, and takes the end of the stream for the
            // other block.
            return match self.block()? {
                Some(second) if !is_zero(&second) => {
                    Err(corrupt("something follows after a block of zeros"))
                }
                _ => Ok(None),
            };
        }
        let stated = numeric(&header.as_old().cksum).ok();
        let sum = |value: fn(u8) -> i64| {
            let bytes = header.as_bytes();
            let rest = bytes[..148].iter().chain(&bytes[156..]);
            8 * i64::from(b' ') + rest.map(|byte| value(*byte)).sum::<i64>()
        };
        // Some old writers summed signed bytes.
        if stated == Some(sum(i64::from)) || stated == Some(sum(|byte| byte.cast_signed().into())) {
            self.started = true;
            Ok(Some(header))
        } else if self.started {
            Err(corrupt("a header has a wrong checksum"))
        } else {
            Err(not_a_tar())
        }
    }

    /// Reads the next 512 bytes; `None` at the end of the stream.
    fn block(&mut self) -> Result<Option<Header>> {
        let mut block = Header::new_old();
        let mut filled = 0;
        while filled < block.as_bytes().len() {
            match self.stream.read(&mut block.as_mut_bytes()[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) if self.started => return Err(truncated()),
                Ok(0) => return Err(not_a_tar()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(stream_error(&error)),
            }
        }
        Ok(Some(block))
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>> {
        let mut name = self.extension(header)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = count(&header.as_old().size)?;
        if size > MAX_EXTENSION {
            return Err(corrupt(format!("a header of {size} bytes; the limit is {MAX_EXTENSION}")));
        }
        self.start_body(size)?;
        let mut content = vec![0; usize::try_from(size).unwrap_or(0)];
        self.exact(&mut content)?;
        self.body = 0;
        Ok(content)
    }

    fn start_body(&mut self, size: u64) -> Result<()> {
        let padded = size.checked_next_multiple_of(BLOCK).filter(|size| *size < 1 << 62);
        let padded = padded.ok_or_else(|| corrupt(format!("a member of {size} bytes")))?;
        self.body = size;
        self.padding = padded - size;
        Ok(())
    }

    fn member(&mut self, header: &Header, extensions: &Extensions) -> Result<Member> {
        let mut member = Member::read(header, extensions)?;
        let old_form = header.entry_type() == EntryType::GNUSparse;
        let map = old_form.then(|| sparse::from_header(header, &mut self.stream)).transpose()?;
        self.start_body(member.size)?;
        let map = match map {
            Some(map) => Some(map),
            None => sparse::from_records(&extensions.pax, member.size, &mut *self)?,
        };
        if let Some(map) = map {
            if member.kind != MemberKind::File {
                return Err(corrupt("only a file can be sparse"));
            }
            member.size = self.body;
            member.sparse = Some(map.check(self.body)?);
        }
        Ok(member)
    }
}

/// Reads the body of the present member.
impl<R: TarSource> Read for Members<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let part = usize::try_from(self.body).unwrap_or(usize::MAX).min(buffer.len());
        if part == 0 {
            return Ok(0);
        }
        let count = self.stream.read(&mut buffer[..part])?;
        if count == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        self.body -= count as u64;
        Ok(count)
    }
}

fn is_zero(block: &Header) -> bool {
    block.as_bytes().iter().all(|byte| *byte == 0)
}

fn not_a_tar() -> Error {
    Error::new(Kind::Invalid, "it is not a tar archive")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_name_header_is_limited() {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::GNULongName);
        header.set_size(MAX_EXTENSION + 1);
        header.set_cksum();
        let error = Members::new(&header.as_bytes()[..]).next().unwrap_err();
        assert!(error.to_string().contains("limit"), "{error}");
    }

    /// One block repeated without end.
    struct Repeated(Header);

    impl Read for Repeated {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            buffer[..512].copy_from_slice(self.0.as_bytes());
            Ok(512)
        }
    }

    impl TarSource for Repeated {}

    #[test]
    fn members_and_what_stands_before_them_are_counted() {
        let mut header = Header::new_gnu();
        header.set_size(0);
        for kind in [EntryType::Regular, EntryType::XGlobalHeader, EntryType::XHeader] {
            header.set_entry_type(kind);
            header.set_cksum();
            let mut members = Members::new(Repeated(header.clone()));
            members.count = MAX_MEMBERS;
            let error = members.next().unwrap_err().to_string();
            let expected = ["more than 1000000 members", "two headers of one kind"];
            assert!(expected.iter().any(|part| error.contains(part)), "{error}");
        }
    }

    #[test]
    fn what_is_not_a_tar_is_said_to_be_none() {
        for length in [600, 100] {
            let error = Members::new(&vec![b'x'; length][..]).next().unwrap_err();
            assert_eq!(error.kind(), Kind::Invalid);
        }
        assert!(Members::new(&[][..]).next().unwrap().is_none());
    }
}
