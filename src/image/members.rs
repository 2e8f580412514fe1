//! The members of a tar stream, one after the other, in bounded memory.
//!
//! The framing is ours and the number formats are the `tar` crate's. Ours, because its iterator
//! reads long names and PAX records of any length into memory and splits PAX records at line
//! ends, which a binary `security.capability` may contain. Where archives contradict themselves
//! this reads as Go's `archive/tar` does, because Docker does.

use std::io::Read;

use tar::{EntryType, GnuExtSparseHeader, GnuSparseHeader, Header};

use super::pax::{pax_records, pax_time};
use crate::model::{Error, Kind, Result};

const BLOCK: u64 = 512;
/// The longest name or PAX header. Linux allows 4096 bytes of path and 64 KiB of attributes.
const MAX_EXTENSION: u64 = 1 << 20;
const MAX_MEMBERS: u64 = 1_000_000;
const MAX_SEGMENTS: usize = 65_536;

/// What a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MemberKind {
    File,
    HardLink,
    Symlink,
    CharDevice,
    BlockDevice,
    Directory,
    Fifo,
}

/// One member: its header with all extensions applied. The body stays in the stream.
#[derive(Debug)]
pub(crate) struct Member {
    pub(crate) name: Vec<u8>,
    pub(crate) kind: MemberKind,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Seconds and nanoseconds since 1970.
    pub(crate) mtime: (i64, u32),
    /// The bytes of its body in the archive.
    pub(crate) size: u64,
    pub(crate) link: Vec<u8>,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// `SCHILY.xattr.*`, without that prefix.
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
    /// Of a sparse file: where its data belongs, (offset, length), and its whole length.
    pub(crate) sparse: Option<Sparse>,
}

/// The map of a sparse file in GNU's old format.
#[derive(Debug)]
pub(crate) struct Sparse {
    pub(crate) segments: Vec<(u64, u64)>,
    pub(crate) length: u64,
}

/// What a tar is read from.
pub(crate) trait Tape: Read {
    /// Leaves out the next `count` bytes.
    fn pass(&mut self, mut count: u64) -> std::io::Result<()> {
        let mut buffer = [0; 32 * 1024];
        while count > 0 {
            let part = usize::try_from(count).unwrap_or(usize::MAX).min(buffer.len());
            self.read_exact(&mut buffer[..part])?;
            count -= part as u64;
        }
        Ok(())
    }

    /// Hears that the next `length` bytes become the file `path` of a layer.
    fn claim(&mut self, _path: &[u8], _length: u64) -> Result<()> {
        Ok(())
    }
}

impl Tape for &[u8] {}
impl<T: Tape + ?Sized> Tape for &mut T {
    fn pass(&mut self, count: u64) -> std::io::Result<()> {
        (**self).pass(count)
    }

    fn claim(&mut self, path: &[u8], length: u64) -> Result<()> {
        (**self).claim(path, length)
    }
}
impl Tape for Box<dyn Read + Send + '_> {}

/// Reads the members of a stream.
pub(crate) struct Members<R> {
    stream: R,
    /// Bytes of the present body that were not read.
    body: u64,
    /// Zeros that follow it.
    padding: u64,
    count: u64,
}

/// What PAX records and GNU long names say about the next member.
#[derive(Default)]
struct Extensions {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Option<Vec<(String, Vec<u8>)>>,
}

impl<R: Tape> Members<R> {
    pub(crate) fn new(stream: R) -> Self {
        Members { stream, body: 0, padding: 0, count: 0 }
    }

    /// The next member; what is left of the body of the last is skipped. `None` at the end of
    /// the archive, which is two blocks of zeros or the end of the stream.
    pub(crate) fn next(&mut self) -> Result<Option<Member>> {
        let mut extensions = Extensions::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            self.count += 1;
            if self.count > MAX_MEMBERS {
                return Err(corrupt(format!("more than {MAX_MEMBERS} members")));
            }
            let twice = || corrupt("two headers of one kind describe the same member");
            match header.entry_type() {
                EntryType::GNULongName => {
                    let name = self.long_name(&header)?;
                    if extensions.name.replace(name).is_some() {
                        return Err(twice());
                    }
                }
                EntryType::GNULongLink => {
                    let link = self.long_name(&header)?;
                    if extensions.link.replace(link).is_some() {
                        return Err(twice());
                    }
                }
                EntryType::XHeader => {
                    let records = pax_records(&self.extension(&header)?)?;
                    if extensions.pax.replace(records).is_some() {
                        return Err(twice());
                    }
                }
                // Docker ignores global headers; git writes one with the commit.
                EntryType::XGlobalHeader => drop(self.extension(&header)?),
                _ => return self.member(&header, extensions).map(Some),
            }
        }
    }

    /// The stream itself: after [`Members::next`] it is at the beginning of the body.
    pub(crate) fn stream(&self) -> &R {
        &self.stream
    }

    /// Tells the stream that the present body becomes the file `path` of a layer.
    pub(crate) fn claim(&mut self, path: &[u8]) -> Result<()> {
        if self.body == 0 { Ok(()) } else { self.stream.claim(path, self.body) }
    }

    /// The stream itself, at the end of the archive.
    pub(crate) fn into_stream(self) -> R {
        self.stream
    }

    fn skip(&mut self) -> Result<()> {
        let rest = std::mem::take(&mut self.body) + std::mem::take(&mut self.padding);
        self.stream.pass(rest).map_err(|error| stream_error(&error))
    }

    fn exact(&mut self, buffer: &mut [u8]) -> Result<()> {
        self.stream.read_exact(buffer).map_err(|error| stream_error(&error))
    }

    /// The next header block with a right checksum; `None` at the end.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        let mut filled = 0;
        while filled < header.as_bytes().len() {
            match self.stream.read(&mut header.as_mut_bytes()[filled..]) {
                Ok(0) if filled == 0 => return Ok(None),
                Ok(0) if self.count == 0 => return Err(not_a_tar()),
                Ok(0) => return Err(truncated()),
                Ok(count) => filled += count,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(stream_error(&error)),
            }
        }
        if header.as_bytes().iter().all(|byte| *byte == 0) {
            return Ok(None);
        }
        let bytes = header.as_bytes();
        let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
        let sum = sum(&bytes[..148]) + sum(&bytes[156..]) + 8 * u32::from(b' ');
        match header.cksum() {
            Ok(stated) if stated == sum => Ok(Some(header)),
            _ if self.count == 0 => Err(not_a_tar()),
            _ => Err(corrupt("a header has a wrong checksum")),
        }
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>> {
        let mut name = self.extension(header)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    fn extension(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = header.entry_size().map_err(|error| corrupt(error.to_string()))?;
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

    fn member(&mut self, header: &Header, extensions: Extensions) -> Result<Member> {
        let name = extensions.name.unwrap_or_else(|| header.path_bytes().into_owned());
        let kind = kind_of(header.entry_type(), &name)?;
        let time = header.mtime().ok().and_then(|time| i64::try_from(time).ok()).unwrap_or(0);
        let mut member = Member {
            name,
            kind,
            mode: number(&header.as_old().mode, || header.mode())? & 0o7777,
            uid: number(&header.as_old().uid, || header.uid())?,
            gid: number(&header.as_old().gid, || header.gid())?,
            mtime: (time, 0),
            size: 0,
            link: extensions
                .link
                .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned))
                .unwrap_or_default(),
            device: (
                header.device_major().ok().flatten().unwrap_or(0),
                header.device_minor().ok().flatten().unwrap_or(0),
            ),
            xattrs: Vec::new(),
            sparse: None,
        };
        if kind == MemberKind::File {
            member.size = number(&header.as_old().size, || header.entry_size())?;
        }
        for (key, value) in extensions.pax.unwrap_or_default() {
            member.apply(&key, value)?;
        }
        if header.entry_type() == EntryType::GNUSparse {
            member.sparse = Some(self.sparse(header, member.size)?);
        }
        self.start_body(member.size)?;
        Ok(member)
    }

    fn sparse(&mut self, header: &Header, size: u64) -> Result<Sparse> {
        let bad = |error: std::io::Error| corrupt(error.to_string());
        let gnu = header.as_gnu().ok_or_else(|| corrupt("a sparse file without GNU header"))?;
        let mut segments = Vec::new();
        let mut add = |block: &GnuSparseHeader| -> Result<()> {
            if !block.is_empty() {
                segments.push((block.offset().map_err(bad)?, block.length().map_err(bad)?));
            }
            if segments.len() > MAX_SEGMENTS {
                Err(corrupt("a sparse map is too long"))
            } else {
                Ok(())
            }
        };
        gnu.sparse.iter().try_for_each(&mut add)?;
        let mut more = gnu.is_extended();
        while more {
            let mut block = GnuExtSparseHeader::new();
            self.stream.read_exact(block.as_mut_bytes()).map_err(|e| stream_error(&e))?;
            block.sparse().iter().try_for_each(&mut add)?;
            more = block.is_extended();
        }
        let length = gnu.real_size().map_err(bad)?;
        let mut end = 0u64;
        let mut total = 0u64;
        for (offset, part) in &segments {
            let fits = offset.checked_add(*part).filter(|end| *end <= length);
            if *offset < end || fits.is_none() {
                return Err(corrupt("a sparse map is out of order"));
            }
            end = offset + part;
            total += part;
        }
        if total != size {
            return Err(corrupt("a sparse map does not fit its data"));
        }
        Ok(Sparse { segments, length })
    }
}

/// Reads the body of the present member.
impl<R: Tape> Read for Members<R> {
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

impl Member {
    fn apply(&mut self, key: &str, value: Vec<u8>) -> Result<()> {
        let number = |value: &[u8]| {
            let text = std::str::from_utf8(value).ok();
            text.and_then(|text| text.parse::<u64>().ok())
                .ok_or_else(|| corrupt(format!("the PAX record `{key}` is not a number")))
        };
        match key {
            // An empty value takes the record back (pax(1)).
            _ if value.is_empty() && !key.starts_with("SCHILY.xattr.") => {}
            "path" => self.name = value,
            "linkpath" => self.link = value,
            "size" if self.kind == MemberKind::File => self.size = number(&value)?,
            "uid" => self.uid = number(&value)?,
            "gid" => self.gid = number(&value)?,
            "mtime" => self.mtime = pax_time(&value).unwrap_or(self.mtime),
            _ if key.starts_with("GNU.sparse.") => {
                return Err(Error::new(
                    Kind::Unsupported,
                    format!("`{}` is a sparse file in PAX format", lossy(&self.name)),
                ));
            }
            _ => {
                if let Some(name) = key.strip_prefix("SCHILY.xattr.") {
                    self.xattrs.push((name.to_owned(), value));
                }
            }
        }
        Ok(())
    }
}

/// A number of a header; a blank field is 0, as in Go.
fn number<T: Default>(field: &[u8], parse: impl Fn() -> std::io::Result<T>) -> Result<T> {
    if field.iter().all(|byte| matches!(byte, 0 | b' ')) {
        return Ok(T::default());
    }
    parse().map_err(|error| corrupt(error.to_string()))
}

fn kind_of(entry: EntryType, name: &[u8]) -> Result<MemberKind> {
    Ok(match entry {
        // Before POSIX, a directory was a file whose name ends in a slash.
        EntryType::Regular if name.ends_with(b"/") => MemberKind::Directory,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => MemberKind::File,
        EntryType::Link => MemberKind::HardLink,
        EntryType::Symlink => MemberKind::Symlink,
        EntryType::Char => MemberKind::CharDevice,
        EntryType::Block => MemberKind::BlockDevice,
        EntryType::Directory => MemberKind::Directory,
        EntryType::Fifo => MemberKind::Fifo,
        other => {
            let byte = other.as_byte().escape_ascii();
            let name = lossy(name);
            return Err(corrupt(format!("`{name}` is of the unknown type `{byte}`")));
        }
    })
}

/// A name for messages.
pub(crate) fn lossy(name: &[u8]) -> String {
    String::from_utf8_lossy(name).into_owned()
}

pub(crate) fn corrupt(message: impl Into<String>) -> Error {
    Error::new(Kind::Corrupt, message)
}

fn not_a_tar() -> Error {
    Error::new(Kind::Invalid, "it is not a tar archive")
}

fn truncated() -> Error {
    corrupt("it ends too early")
}

/// Names the failure of a stream that may be compressed.
pub(crate) fn stream_error(error: &std::io::Error) -> Error {
    use std::io::ErrorKind::UnexpectedEof;
    if let Some(ours) = Error::inside(error) {
        return ours;
    }
    match error.kind() {
        UnexpectedEof => truncated(),
        // What has no errno comes from a decoder, not from the kernel.
        _ if error.raw_os_error().is_none() => {
            corrupt(format!("its compression is damaged: {error}"))
        }
        _ => Error::from_io("read the archive", error),
    }
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

    #[test]
    fn what_is_not_a_tar_is_said_to_be_none() {
        for length in [600, 100] {
            let error = Members::new(&vec![b'x'; length][..]).next().unwrap_err();
            assert_eq!(error.kind(), Kind::Invalid);
        }
        assert!(Members::new(&[][..]).next().unwrap().is_none());
    }
}
