//! Archives of `docker save`: a tar of layers, configurations and a `manifest.json`; and OCI image
//! layouts (`layout`), as tars or directories.
//!
//! `manifest.json` usually comes last, so nothing is unpacked before all members are known. The
//! names in it are keys of members, never paths. An archive that is a plain file is not copied: its
//! members are ranges of it. A stream, or a compressed archive, is first written to the staging
//! directory member by member.

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::bytes::file_range::{FileRange, FileRangeReader};
use crate::image::bytes::spool::write_stream;
use crate::image::bytes::staging::Staging;
use crate::image::store::document::MAX_DOCUMENT;
use crate::image::tar::error::{corrupt, lossy, stream_error};
use crate::image::tar::members::{Member, MemberKind, Members, TarSource};
use crate::model::error::Context;
use crate::model::value::digest::Digest;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// The index of an OCI image layout.
pub(super) const INDEX: &str = "index.json";
const MAX_MEMBERS: usize = 50_000;
const MAX_NAME: usize = 1024;
/// The most bytes after the end of the archive: padding, and the end of the compression.
const MAX_TAIL: u64 = 1 << 20;

/// An image that an archive lists, by the names of its members.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) config: String,
    /// Its manifest, byte for byte, if it has one.
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) layers: Vec<FoundLayer>,
    pub(super) tags: Vec<String>,
}

/// A layer that an archive lists.
#[derive(Debug)]
pub(super) struct FoundLayer {
    pub(super) member: String,
    /// The digest that it must have as stored in the archive.
    pub(super) digest: Option<Digest>,
}

/// The members of an archive.
pub(super) enum Contents {
    /// Members of a tar, and links between them, by name. `docker save` writes a layer once and
    /// links to it where it is repeated.
    Tar { files: HashMap<String, FileRange>, links: HashMap<String, String> },
    /// Files of a directory.
    Directory(Arc<OwnedFd>),
}

impl Contents {
    /// Returns the contents of a file, in place: the members of a plain tar are ranges of it.
    pub(super) fn of_file(
        file: std::fs::File,
        staging: &Staging,
        check: CancelCheck<'_>,
    ) -> Result<Contents> {
        let kind = file.metadata().context(|| "stat it".to_owned())?.file_type();
        if kind.is_dir() {
            return Contents::of_directory(file.into());
        }
        if !kind.is_file() {
            return Contents::of_stream(file, staging, check);
        }
        let whole = FileRange::whole(file)?;
        let (stream, compression) = decompress(whole.reader())?;
        if compression.is_some() {
            return Contents::of_stream(stream, staging, check);
        }
        drop(stream);
        let body = |_: &str, members: &mut Members<FileRangeReader>, size: u64| {
            whole.part(members.stream().position(), size)
        };
        let (contents, _) = read_members(Members::new(whole.reader()), body, check)?;
        Ok(contents)
    }

    fn of_directory(directory: OwnedFd) -> Result<Contents> {
        if fs::stat(&directory, INDEX.as_bytes())?.is_none() {
            let message = format!("it is a directory without `{INDEX}`");
            return Err(Error::new(Kind::Invalid, message)
                .hint("name a file of `docker save`, or a directory with an OCI image layout"));
        }
        Ok(Contents::Directory(Arc::new(directory)))
    }

    pub(super) fn of_stream<'a>(
        archive: impl Read + Send + 'a,
        staging: &Staging,
        check: CancelCheck<'_>,
    ) -> Result<Contents> {
        let (stream, _) = decompress(archive)?;
        let mut number = 0;
        let directory = Arc::new(fs::open_dir_beneath(staging.directory(), b".")?);
        let body = |key: &str, members: &mut Members<Box<dyn Read + Send + 'a>>, _| {
            number += 1;
            let name = format!("member-{number}");
            write_stream(&directory, &name, members, check)
                .context(|| format!("cannot read the member `{key}`"))?;
            FileRange::named_staged(&directory, &name)
        };
        let (contents, stream) = read_members(Members::new(stream), body, check)?;
        // Reading to the end lets a writer at the other end of a pipe finish, and checks gzip's
        // checksum.
        std::io::copy(&mut stream.take(MAX_TAIL), &mut std::io::sink())
            .map_err(|error| stream_error(&error))?;
        Ok(contents)
    }

    /// Returns the member `name`; a link is followed once, inside the archive.
    pub(super) fn member(&self, name: &str) -> Result<FileRange> {
        let key = resolve("", name);
        let missing = || corrupt(format!("it has no member `{name}`"));
        match self {
            Contents::Tar { files, links } => {
                files.get(links.get(&key).unwrap_or(&key)).cloned().ok_or_else(missing)
            }
            Contents::Directory(directory) => {
                FileRange::named(directory, &key).map_err(|error| match error.kind() {
                    Kind::NotFound => missing(),
                    _ => error,
                })
            }
        }
    }

    /// Reads a member that is a document.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>> {
        self.member(name)?.bytes(MAX_DOCUMENT).context(|| format!("cannot read `{name}`"))
    }
}

/// Reads all members of a tar. `body` returns the range of each content, given its name and size.
fn read_members<T: TarSource>(
    mut stream: Members<T>,
    mut body: impl FnMut(&str, &mut Members<T>, u64) -> Result<FileRange>,
    check: CancelCheck<'_>,
) -> Result<(Contents, T)> {
    let (mut files, mut links) = (HashMap::new(), HashMap::new());
    let mut number = 0;
    while let Some(member) = stream.next()? {
        check()?;
        number += 1;
        // A name that is not UTF-8 cannot be in `manifest.json`, so it is not needed.
        let Ok(name) = std::str::from_utf8(&member.name) else { continue };
        // All names are kept in memory.
        if number > MAX_MEMBERS || name.len() > MAX_NAME || member.link.len() > MAX_NAME {
            return Err(corrupt("it has too many members, or too long a name"));
        }
        let key = resolve("", name);
        let twice = files.contains_key(&key) || links.contains_key(&key);
        match member.kind {
            MemberKind::Directory => {}
            _ if twice => return Err(corrupt(format!("the member `{key}` is duplicate"))),
            MemberKind::File if member.sparse.is_none() => {
                let span = body(&key, &mut stream, member.size)?;
                files.insert(key, span);
            }
            MemberKind::Symlink | MemberKind::HardLink => {
                let target = link_target(&key, &member);
                links.insert(key, target);
            }
            _ => return Err(corrupt(format!("the member `{key}` is not a plain file"))),
        }
    }
    if number == 0 {
        return Err(Error::new(Kind::Invalid, "it is empty"));
    }
    Ok((Contents::Tar { files, links }, stream.into_stream()))
}

fn link_target(key: &str, member: &Member) -> String {
    let holder = key.rsplit_once('/').map_or("", |(holder, _)| holder);
    let from = if member.kind == MemberKind::Symlink { holder } else { "" };
    resolve(from, &lossy(&member.link))
}

/// Resolves a name of the archive to a key: `./a//b`, and `../b` seen from `a`, are `a/b` and `b`.
fn resolve(from: &str, name: &str) -> String {
    let from = if name.starts_with('/') { "" } else { from };
    let mut parts: Vec<&str> = Vec::new();
    for part in from.split('/').chain(name.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}
