//! What `docker save` writes: a tar of layers, configurations and a `manifest.json`; and OCI
//! image layouts (`layout`), as tars or directories.
//!
//! `manifest.json` usually comes last, so nothing is unpacked before all members are known. The
//! names in it are keys to look members up by, never paths. An archive that is a plain file is
//! not copied: its members are spans of it. One that arrives as a stream, or compressed, is
//! written to the staging directory member by member first.

mod layout;
mod save;

use std::collections::HashMap;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::bytes::file_range::{FileRange, FileRangeReader};
use crate::image::bytes::source::Source;
use crate::image::bytes::spool::write_stream;
use crate::image::bytes::staging::Staging;
use crate::image::layer::extract::explain;
use crate::image::store::document::{self, MAX_DOCUMENT};
use crate::image::store::import::Incoming;
use crate::image::store::{self, Store};
use crate::image::tar::error::{corrupt, lossy};
use crate::image::tar::members::{Member, MemberKind, Members, TarSource};
use crate::model::error::Context;
use crate::model::image::Loaded;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

const MANIFEST: &str = "manifest.json";
const INDEX: &str = "index.json";
const MAX_IMAGES: usize = 1000;
const MAX_MEMBERS: usize = 50_000;
const MAX_NAME: usize = 1024;
/// What may follow the end of the archive: padding, and the end of the compression.
const MAX_TAIL: u64 = 1 << 20;
const HOW: &str = "write one with `docker save -o FILE IMAGE`";

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    config: String,
    #[serde(default)]
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Option<Vec<String>>,
}

/// An image that an archive lists, by the names of its members.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) config: String,
    /// What its manifest is, byte for byte, where it has one of its own.
    pub(super) manifest: Option<Vec<u8>>,
    pub(super) layers: Vec<FoundLayer>,
    pub(super) tags: Vec<String>,
}

/// A layer that an archive lists.
#[derive(Debug)]
pub(super) struct FoundLayer {
    pub(super) member: String,
    /// The digest that it must have as it is in the archive.
    pub(super) digest: Option<Digest>,
}

/// Where the members of an archive are.
pub(super) enum Contents {
    /// In a tar: members, and links between them, by name. `docker save` writes a layer once and
    /// links to it where it comes again.
    Tar { files: HashMap<String, FileRange>, links: HashMap<String, String> },
    /// Files of a directory.
    Directory(Arc<OwnedFd>),
}

/// A member that is a layer.
struct MemberLayer {
    range: FileRange,
    digest: Option<Digest>,
}

impl Source for MemberLayer {
    fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    fn open(&self) -> Result<FileRange> {
        Ok(self.range.clone())
    }
}

impl Store {
    /// Takes the images of an archive in the format of `docker save` or an OCI image layout,
    /// plain or compressed, that comes as a stream. Of an image for several platforms it takes
    /// the one for `platform`, or for this machine. The stream is read to its end before its first image becomes
    /// visible.
    pub fn load(
        &self,
        archive: &mut (dyn Read + Send),
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let load = || {
            let staging = self.staging()?;
            let contents = Contents::of_stream(archive, &staging, check)?;
            self.load_contents(&contents, &staging, platform, check)
        };
        load().map_err(|error| self.refuse("the archive", error))
    }

    /// Takes the images of an archive file, or of a directory that is an OCI image layout.
    pub fn load_file(
        &self,
        path: &Path,
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let load = || {
            let how = "give the path of an image archive";
            let file = std::fs::File::open(path)
                .context(|| "open it".to_owned())
                .map_err(|error| error.hint(how))?;
            let staging = self.staging()?;
            let contents = Contents::of_file(file, &staging, check)?;
            self.load_contents(&contents, &staging, platform, check)
        };
        load().map_err(|error| self.refuse(&format!("`{}`", path.display()), error))
    }

    fn refuse(&self, name: &str, error: Error) -> Error {
        let error = explain(error, self.images());
        let hint = match error.kind() {
            Kind::Corrupt => "it is damaged or incomplete; write or copy it again",
            _ => HOW,
        };
        let silent = matches!(error.kind(), Kind::Cancelled | Kind::Bug | Kind::System);
        let error = if silent || error.hint_text().is_some() { error } else { error.hint(hint) };
        error.context(format!("cannot load {name}"))
    }

    fn load_contents(
        &self,
        contents: &Contents,
        staging: &Staging,
        platform: Option<&Platform>,
        check: CancelCheck<'_>,
    ) -> Result<Vec<Loaded>> {
        let found = contents.images(platform)?;
        let mut loads = Vec::with_capacity(found.len());
        for image in &found {
            let config = contents.document(&image.config)?;
            if let Some(platform) = platform {
                check_platform(&config, platform)?;
            }
            let source = |layer: &FoundLayer| -> Result<Box<dyn Source>> {
                let span = contents.member(&layer.member)?;
                Ok(Box::new(MemberLayer { range: span, digest: layer.digest.clone() }))
            };
            let layers = image.layers.iter().map(source).collect::<Result<Vec<_>>>()?;
            loads.push((config, image.manifest.as_deref(), layers, tags(&image.tags)?));
        }
        let mut loaded = Vec::with_capacity(loads.len());
        for (config, manifest, layers, tags) in loads {
            let incoming = Incoming { manifest, ..Incoming::new(&config, layers, tags) };
            loaded.push(self.import(staging, &incoming, check)?);
        }
        Ok(loaded)
    }
}

fn tags(texts: &[String]) -> Result<Vec<Reference>> {
    let mut tags = Vec::with_capacity(texts.len());
    for text in texts {
        let tag: Reference = text.parse()?;
        if tag.digest().is_some() {
            return Err(Error::new(Kind::Invalid, format!("the tag `{text}` has a digest")));
        }
        if store::as_reference(text).is_none() || tag.repository() == "sha256" {
            return Err(Error::new(
                Kind::Invalid,
                format!("the tag `{text}` reads as an image id"),
            ));
        }
        tags.push(tag);
    }
    tags.sort();
    tags.dedup();
    Ok(tags)
}

impl Contents {
    /// A file is taken as it lies there; the members of a plain tar are parts of it.
    fn of_file(file: std::fs::File, staging: &Staging, check: CancelCheck<'_>) -> Result<Contents> {
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
            return Err(Error::new(Kind::Invalid, message).hint(
                "give a file that `docker save` wrote, or a directory that is an OCI image layout",
            ));
        }
        Ok(Contents::Directory(Arc::new(directory)))
    }

    fn of_stream<'a>(
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
        // Reading on lets a writer at the other end of a pipe finish, and checks gzip's sum.
        std::io::copy(&mut stream.take(MAX_TAIL), &mut std::io::sink())
            .map_err(|error| crate::image::tar::error::stream_error(&error))?;
        Ok(contents)
    }

    /// The member `name`; a link is followed once, inside the archive.
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

    /// The content of a member that is a document.
    pub(super) fn document(&self, name: &str) -> Result<Vec<u8>> {
        self.member(name)?.bytes(MAX_DOCUMENT).context(|| format!("cannot read `{name}`"))
    }

    fn images(&self, platform: Option<&Platform>) -> Result<Vec<Found>> {
        if self.member(MANIFEST).is_err() {
            if self.member(INDEX).is_ok() {
                return layout::images(self, platform.unwrap_or(&Platform::host()));
            }
            let message = format!("it has no `{MANIFEST}`, so it is not an image archive");
            return Err(Error::new(Kind::Invalid, message).hint(HOW));
        }
        let listed: Vec<Listed> = document::parse(&self.document(MANIFEST)?)
            .context(|| format!("its `{MANIFEST}` is damaged"))?;
        match listed.len() {
            0 => return Err(corrupt(format!("its `{MANIFEST}` lists no image"))),
            count if count > MAX_IMAGES => {
                return Err(corrupt(format!("it lists {count} images")));
            }
            _ => {}
        }
        let layer = |member| FoundLayer { member, digest: None };
        let found = listed.into_iter().map(|image| Found {
            config: image.config,
            manifest: None,
            layers: image.layers.unwrap_or_default().into_iter().map(layer).collect(),
            tags: image.repo_tags.unwrap_or_default(),
        });
        Ok(found.collect())
    }
}

/// An image that comes alone does not always say beforehand what it is for.
fn check_platform(config: &[u8], wanted: &Platform) -> Result<()> {
    let found: Platform = document::parse(config)?;
    if wanted.accepts(&found) {
        return Ok(());
    }
    Err(Error::new(Kind::Unsupported, format!("it has no image for {wanted}"))
        .hint(format!("it has an image for {found}")))
}

/// Reads all members of a tar. `body` tells where the content of each is, given its name and
/// size.
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
        // A name that is not UTF-8 can't be in `manifest.json`, so nobody asks for it.
        let Ok(name) = std::str::from_utf8(&member.name) else { continue };
        // All names are held in memory.
        if number > MAX_MEMBERS || name.len() > MAX_NAME || member.link.len() > MAX_NAME {
            return Err(corrupt("it has too many members, or too long a name"));
        }
        let key = resolve("", name);
        let twice = files.contains_key(&key) || links.contains_key(&key);
        match member.kind {
            MemberKind::Directory => {}
            _ if twice => return Err(corrupt(format!("the member `{key}` comes twice"))),
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

/// A name of the archive as a key: `./a//b`, and `../b` seen from `a`, are `a/b` and `b`.
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

#[cfg(test)]
#[path = "tests/archive.rs"]
mod tests;
