//! Writes tar archives, as Docker writes layers: POSIX headers, and PAX records where a value
//! does not fit (pax(1), "Extended Header").
//!
//! Equal entries give equal bytes: no names of users, no times of access, whole seconds.
//! Names are bytes; a name that is not ASCII goes into a PAX record unchanged, as in GNU tar.

use std::io::{Read, Write};

use tar::{EntryType, Header};

use super::members::MemberKind;
use crate::model::error::Context;
use crate::model::{Error, Result};

const BLOCK: usize = 512;
/// The largest number of eleven octal digits; the size of a longer file is in a PAX record.
const MAX_OCTAL_SIZE: u64 = 0o777_7777_7777;
/// The largest number of seven octal digits.
const MAX_OCTAL_ID: u32 = 0o777_7777;
const BUFFER: usize = 128 * 1024;

/// An entry of an archive, without its content.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// The path, relative and without a trailing slash; empty is the root.
    pub(crate) name: Vec<u8>,
    pub(crate) kind: MemberKind,
    pub(crate) mode: u32,
    pub(crate) uid: u32,
    pub(crate) gid: u32,
    /// Seconds since 1970.
    pub(crate) mtime: i64,
    /// The length of a file's content.
    pub(crate) size: u64,
    /// The target of a symbolic link, or the name of the entry that a hard link refers to.
    pub(crate) link: Vec<u8>,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// Returns an entry of root without content.
    pub(crate) fn new(name: &[u8], kind: MemberKind, mode: u32) -> Self {
        Entry {
            name: name.to_vec(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: 0,
            size: 0,
            link: Vec::new(),
            device: (0, 0),
            xattrs: Vec::new(),
        }
    }

    /// Returns the name as archives have it: that of a directory ends in a slash.
    fn written_name(&self) -> Vec<u8> {
        match (self.kind, self.name.is_empty()) {
            (_, true) => b"./".to_vec(),
            (MemberKind::Directory, false) => [&self.name, &b"/"[..]].concat(),
            _ => self.name.clone(),
        }
    }
}

/// Writes an archive.
pub(crate) struct Packer<'a> {
    out: &'a mut dyn Write,
    check: &'a dyn Fn() -> Result<()>,
    buffer: Vec<u8>,
}

impl<'a> Packer<'a> {
    /// Writes to `out`, in blocks of many kilobytes. Calls `check` before each block.
    pub(crate) fn new(out: &'a mut dyn Write, check: &'a dyn Fn() -> Result<()>) -> Self {
        Packer { out, check, buffer: Vec::with_capacity(BUFFER) }
    }

    /// Appends an entry without content.
    pub(crate) fn append(&mut self, entry: &Entry) -> Result<()> {
        debug_assert_eq!(entry.size, 0);
        self.header(entry)
    }

    /// Appends a file. Writes exactly `entry.size` bytes: cuts longer `content`, and pads shorter
    /// with zeros, because a container may change its files at any time.
    pub(crate) fn append_file(&mut self, entry: &Entry, mut content: impl Read) -> Result<()> {
        self.header(entry)?;
        let mut left = entry.size;
        let mut at_end = false;
        while left > 0 {
            if self.buffer.len() >= BUFFER {
                self.flush()?;
            }
            let part = usize::try_from(left).unwrap_or(BUFFER).min(BUFFER - self.buffer.len());
            let start = self.buffer.len();
            self.buffer.resize(start + part, 0);
            let mut filled = 0;
            while filled < part && !at_end {
                match content.read(&mut self.buffer[start + filled..]) {
                    Ok(0) => at_end = true,
                    Ok(count) => filled += count,
                    Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                    Err(error) => return Err(Error::from_io("read the file", &error)),
                }
            }
            left -= part as u64;
        }
        self.pad(entry.size)
    }

    /// Ends the archive: two blocks of zeros.
    pub(crate) fn finish(mut self) -> Result<()> {
        self.put(&[0; 2 * BLOCK])?;
        self.flush()?;
        self.out.flush().context(|| "write the archive".to_owned())
    }

    fn flush(&mut self) -> Result<()> {
        (self.check)()?;
        self.out.write_all(&self.buffer).context(|| "write the archive".to_owned())?;
        self.buffer.clear();
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER { self.flush() } else { Ok(()) }
    }

    fn pad(&mut self, size: u64) -> Result<()> {
        let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
        self.put(&[0; BLOCK][..(BLOCK - over) % BLOCK])
    }

    fn header(&mut self, entry: &Entry) -> Result<()> {
        let name = entry.written_name();
        let mut records = Records::default();
        let mut header = Header::new_ustar();
        header.set_entry_type(type_of(entry.kind));
        header.set_mode(entry.mode & 0o7777);
        let number = |value: u32| u64::from(if value > MAX_OCTAL_ID { 0 } else { value });
        header.set_uid(number(entry.uid));
        header.set_gid(number(entry.gid));
        if let (Ok(time), true) = (u64::try_from(entry.mtime), fits_time(entry.mtime)) {
            header.set_mtime(time);
        } else {
            header.set_mtime(0);
            records.add("mtime", entry.mtime.to_string().as_bytes());
        }
        header.set_size(if entry.size > MAX_OCTAL_SIZE { 0 } else { entry.size });
        for (key, value) in [("uid", entry.uid), ("gid", entry.gid)] {
            if value > MAX_OCTAL_ID {
                records.add(key, value.to_string().as_bytes());
            }
        }
        if entry.size > MAX_OCTAL_SIZE {
            records.add("size", entry.size.to_string().as_bytes());
        }
        let long = |text: &[u8]| text.len() > 100 || !text.is_ascii();
        if long(&name) {
            records.add("path", &name);
        }
        if long(&entry.link) {
            records.add("linkpath", &entry.link);
        }
        for (key, value) in &entry.xattrs {
            records.add(&format!("SCHILY.xattr.{key}"), value);
        }
        if !records.is_empty() {
            self.pax(&entry.name, &records.into_bytes())?;
        }
        if let Some(ustar) = header.as_ustar_mut() {
            fill(&mut ustar.name, &name);
            fill(&mut ustar.linkname, &entry.link);
        }
        let invalid = |error: std::io::Error| Error::from_io("write the header", &error);
        if matches!(entry.kind, MemberKind::CharDevice | MemberKind::BlockDevice) {
            header.set_device_major(entry.device.0).map_err(invalid)?;
            header.set_device_minor(entry.device.1).map_err(invalid)?;
        }
        header.set_cksum();
        self.put(header.as_bytes())
    }

    /// Writes an extended header and its records.
    fn pax(&mut self, name: &[u8], records: &[u8]) -> Result<()> {
        let leaf = name.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        header.set_mode(0o644);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(0);
        header.set_size(records.len() as u64);
        if let Some(ustar) = header.as_ustar_mut() {
            let ascii: Vec<u8> = leaf.iter().copied().filter(u8::is_ascii).collect();
            fill(&mut ustar.name, &[&b"PaxHeaders.0/"[..], &ascii].concat());
        }
        header.set_cksum();
        self.put(header.as_bytes())?;
        self.put(records)?;
        self.pad(records.len() as u64)
    }
}

/// PAX records, sorted by key so that the same entry gives the same bytes.
#[derive(Default)]
struct Records(std::collections::BTreeMap<String, Vec<u8>>);

impl Records {
    fn add(&mut self, key: &str, value: &[u8]) {
        self.0.insert(key.to_owned(), value.to_vec());
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the records as `LENGTH KEY=VALUE\n`; the length counts its own digits.
    fn into_bytes(self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for (key, value) in self.0 {
            let rest = key.len() + value.len() + 3;
            let mut length = rest + 1;
            while length != rest + length.to_string().len() {
                length = rest + length.to_string().len();
            }
            bytes.extend_from_slice(format!("{length} {key}=").as_bytes());
            bytes.extend_from_slice(&value);
            bytes.push(b'\n');
        }
        bytes
    }
}

fn fits_time(time: i64) -> bool {
    u64::try_from(time).is_ok_and(|time| time <= MAX_OCTAL_SIZE)
}

/// Returns as much of `value` as the field holds, for readers without PAX.
fn fill(field: &mut [u8], value: &[u8]) {
    let length = value.len().min(field.len());
    field[..length].copy_from_slice(&value[..length]);
}

fn type_of(kind: MemberKind) -> EntryType {
    match kind {
        MemberKind::File => EntryType::Regular,
        MemberKind::HardLink => EntryType::Link,
        MemberKind::Symlink => EntryType::Symlink,
        MemberKind::CharDevice => EntryType::Char,
        MemberKind::BlockDevice => EntryType::Block,
        MemberKind::Directory => EntryType::Directory,
        MemberKind::Fifo => EntryType::Fifo,
    }
}
