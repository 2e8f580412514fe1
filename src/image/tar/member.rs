//! One member of a tar archive, built from its header and the extension headers before it.

use tar::{EntryType, Header};

use super::error::{corrupt, escaped};
use super::numeric::{count, numeric};
use super::pax::Records;
use super::sparse::Sparse;
use crate::model::Result;

/// The type of a member.
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
    /// The bytes of the body in the archive; of a sparse file, those of its data.
    pub(crate) size: u64,
    pub(crate) link: Vec<u8>,
    /// Major and minor number.
    pub(crate) device: (u32, u32),
    /// Extended attributes with their whole names.
    pub(crate) xattrs: Vec<(String, Vec<u8>)>,
    /// The map of a sparse file.
    pub(crate) sparse: Option<Sparse>,
}

/// The PAX records and GNU long names before a member. Empty is unset.
#[derive(Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) name: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) pax: Records,
}

impl Extensions {
    /// Returns GNU's long name, else that of a PAX record, else the header's, as in Go.
    fn text(&self, long: &[u8], keys: &[&str], short: impl FnOnce() -> Vec<u8>) -> Vec<u8> {
        if !long.is_empty() {
            return long.to_vec();
        }
        keys.iter().find_map(|key| self.pax.get(key)).map_or_else(short, <[u8]>::to_vec)
    }
}

impl Member {
    /// Builds the member of `header`, without the map of a sparse file.
    pub(crate) fn read(header: &Header, extensions: &Extensions) -> Result<Member> {
        let pax = &extensions.pax;
        let name = extensions.text(&extensions.name, &["GNU.sparse.name", "path"], || {
            header.path_bytes().into_owned()
        });
        let link = extensions.text(&extensions.link, &["linkpath"], || {
            header.link_name_bytes().map(std::borrow::Cow::into_owned).unwrap_or_default()
        });
        let old = header.as_old();
        let kind = kind_of(header, &name)?;
        let or = |key: &str, field: &[u8]| pax.number(key)?.map_or_else(|| count(field), Ok);
        // Only a file has a body: the size of other members is ignored.
        let size = if kind == MemberKind::File { or("size", &old.size)? } else { 0 };
        Ok(Member {
            kind,
            mode: u32::try_from(numeric(&old.mode)? & 0o7777).unwrap_or(0),
            uid: or("uid", &old.uid)?,
            gid: or("gid", &old.gid)?,
            mtime: pax.time("mtime")?.map_or_else(|| Ok((numeric(&old.mtime)?, 0)), Ok)?,
            size,
            link,
            device: device(header, kind)?,
            xattrs: pax.xattrs(),
            sparse: None,
            name,
        })
    }
}

fn kind_of(header: &Header, name: &[u8]) -> Result<MemberKind> {
    Ok(match header.entry_type() {
        // Before POSIX, a directory was a file whose name ends in a slash.
        EntryType::Regular if header.as_old().linkflag == [0] && name.ends_with(b"/") => {
            MemberKind::Directory
        }
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => MemberKind::File,
        EntryType::Link => MemberKind::HardLink,
        EntryType::Symlink => MemberKind::Symlink,
        EntryType::Char => MemberKind::CharDevice,
        EntryType::Block => MemberKind::BlockDevice,
        EntryType::Directory => MemberKind::Directory,
        EntryType::Fifo => MemberKind::Fifo,
        other => {
            let byte = other.as_byte().escape_ascii();
            let name = escaped(name);
            return Err(corrupt(format!("`{name}` has the unknown type `{byte}`")));
        }
    })
}

/// Returns the numbers of a device. mknod(2) would cut off bits that Linux does not keep, and the
/// rest could be 0:0, overlayfs's whiteout.
fn device(header: &Header, kind: MemberKind) -> Result<(u32, u32)> {
    if !matches!(kind, MemberKind::CharDevice | MemberKind::BlockDevice) {
        return Ok((0, 0));
    }
    let fields = header.as_ustar().map(|ustar| (ustar.dev_major, ustar.dev_minor));
    let fields = fields.or_else(|| header.as_gnu().map(|gnu| (gnu.dev_major, gnu.dev_minor)));
    let Some((major, minor)) = fields else {
        return Ok((0, 0));
    };
    match (u32::try_from(count(&major)?), u32::try_from(count(&minor)?)) {
        (Ok(major), Ok(minor)) if major < 1 << 12 && minor < 1 << 20 => Ok((major, minor)),
        _ => Err(corrupt("the numbers of a device are out of range")),
    }
}
