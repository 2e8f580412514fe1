//! `ADD` of a tar archive: its members become entries of the layer.

use std::io::Read;
use std::os::fd::OwnedFd;

use super::copy::{Copying, Owner};
use crate::image::bytes::compression::decompress;
use crate::image::layer::attributes::is_allowed_xattr;
use crate::image::layer::walk::below;
use crate::image::tar::error::escaped;
use crate::image::tar::member::{Member, MemberKind};
use crate::image::tar::members::Members;
use crate::image::tar::names;
use crate::image::tar::pack::Entry;
use crate::image::tar::sparse::Sparse;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

impl Copying<'_, '_> {
    /// Unpacks a tar archive into the directory `to`. Returns false if it is not an archive.
    pub(crate) fn unpack(&mut self, file: OwnedFd, to: &[u8]) -> Result<bool> {
        let stream = match decompress(std::io::BufReader::new(std::fs::File::from(file))) {
            Ok((stream, _)) => stream,
            Err(error) => {
                return Err(error.hint("COPY it, or uncompress it first: ADD unpacks archives"));
            }
        };
        let mut members = Members::new(stream);
        let mut next = match members.next() {
            Ok(Some(first)) => Some(first),
            Ok(None) => return Ok(false),
            Err(error) if error.kind() == Kind::Invalid => return Ok(false),
            Err(error) => return Err(error),
        };
        self.missing_directory(to)?;
        while let Some(member) = next {
            self.member(&member, &mut members, to)
                .context(|| format!("cannot unpack `{}`", escaped(&member.name)))?;
            next = members.next()?;
        }
        Ok(true)
    }

    fn member(&mut self, member: &Member, body: &mut impl Read, to: &[u8]) -> Result<()> {
        let inside = |name: &[u8]| -> Result<Vec<u8>> {
            let parts = names::components(name)?;
            if parts.iter().any(|part| part.starts_with(b".wh.")) {
                return Err(Error::new(Kind::Unsupported, "its name is that of a whiteout"));
            }
            Ok(if parts.is_empty() { to.to_vec() } else { below(to, &names::join(&parts)) })
        };
        let name = inside(&member.name)?;
        if name == to {
            return Ok(());
        }
        let id = |id: u64| {
            u32::try_from(id)
                .map_err(|_| Error::new(Kind::Corrupt, format!("its owner {id} is out of range")))
        };
        let mut entry = Entry::new(&name, member.kind, member.mode);
        (entry.uid, entry.gid) = match self.owner {
            Owner::Is(uid, gid) => (uid, gid),
            Owner::Archives | Owner::Sources => (id(member.uid)?, id(member.gid)?),
        };
        entry.mode = self.mode.filter(|_| member.kind != MemberKind::Symlink).unwrap_or(entry.mode);
        entry.mtime = member.mtime.0;
        entry.device = member.device;
        entry.xattrs =
            member.xattrs.iter().filter(|(key, _)| is_allowed_xattr(key)).cloned().collect();
        entry.link = match member.kind {
            MemberKind::HardLink => inside(&member.link)?,
            _ => member.link.clone(),
        };
        match member.kind {
            MemberKind::File => {
                entry.size = member.sparse.as_ref().map_or(member.size, |sparse| sparse.length);
                self.check_overwrite(&entry)?;
                match &member.sparse {
                    Some(sparse) => self.put(&entry, Some(&mut Dense { body, sparse, at: 0 })),
                    None => self.put(&entry, Some(body)),
                }
            }
            MemberKind::Directory => self.directory(&entry),
            _ => {
                self.check_overwrite(&entry)?;
                self.put(&entry, None)
            }
        }
    }
}

/// A reader of a sparse file with zeros in its holes.
struct Dense<'a, R> {
    body: R,
    sparse: &'a Sparse,
    at: u64,
}

impl<R: Read> Read for Dense<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let segments = &self.sparse.segments;
        let next = segments.partition_point(|(offset, length)| offset + length <= self.at);
        let (hole, end) = match segments.get(next) {
            Some((offset, _)) if self.at < *offset => (true, *offset),
            Some((offset, length)) => (false, offset + length),
            None => (true, self.sparse.length),
        };
        let part = usize::try_from(end - self.at).unwrap_or(usize::MAX).min(buffer.len());
        let count = if hole {
            buffer[..part].fill(0);
            part
        } else {
            self.body.read(&mut buffer[..part])?
        };
        self.at += count as u64;
        Ok(count)
    }
}
