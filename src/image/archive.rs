//! What `docker save` writes: a tar of layers, configurations and a `manifest.json`; and OCI
//! image layouts (`layout`) as tars.
//!
//! It is read as a stream, once, and `manifest.json` usually comes last. So every member is
//! spooled and hashed first; the names in `manifest.json` are then keys to look them up by,
//! never paths.

use std::collections::HashMap;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use super::Check;
use super::document::{self, MAX_DOCUMENT};
use super::extract::explain;
use super::import::Parts;
use super::layout;
use super::members::{Member, MemberKind, Members, corrupt, lossy};
use super::spool::{Spooled, decompress, spool};
use super::staging::Staging;
use super::store::{self, Store};
use crate::model::error::Context;
use crate::model::image::Loaded;
use crate::model::reference::Reference;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

const MANIFEST: &str = "manifest.json";
const MAX_IMAGES: usize = 1000;
const MAX_MEMBERS: usize = 50_000;
const MAX_NAME: usize = 1024;
/// What may follow the end of the archive: padding, and the end of the compression.
const MAX_TAIL: u64 = 1 << 20;
const HOW: &str = "write one with `docker save -o FILE IMAGE`";

/// One image of `manifest.json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed {
    pub(super) config: String,
    #[serde(default)]
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(default)]
    pub(super) layers: Option<Vec<String>>,
}

/// The members of an archive by name.
#[derive(Default)]
pub(super) struct Contents {
    files: HashMap<String, Spooled>,
    /// `docker save` writes a layer once and links to it where it comes again.
    links: HashMap<String, String>,
}

impl Store {
    /// Takes the images of an archive in the format of `docker save` or an OCI image layout, plain
    /// or gzip, that comes as a stream. It is read to its end before its first
    /// image becomes visible.
    pub fn load(&self, archive: &mut (dyn Read + Send), check: Check<'_>) -> Result<Vec<Loaded>> {
        self.load_named("the archive", archive, check)
    }

    /// Takes the images of an archive file.
    pub fn load_file(&self, path: &Path, check: Check<'_>) -> Result<Vec<Loaded>> {
        let name = format!("`{}`", path.display());
        let refuse = |error: Error| error.context(format!("cannot load {name}"));
        let mut file = std::fs::File::open(path)
            .context(|| "open it".to_owned())
            .map_err(|error| refuse(error).hint("give the path of an image archive"))?;
        let found = file.metadata().context(|| "stat it".to_owned()).map_err(refuse)?;
        if found.is_dir() {
            return Err(refuse(Error::new(Kind::Invalid, "it is a directory").hint(HOW)));
        }
        self.load_named(&name, &mut file, check)
    }

    fn load_named(
        &self,
        name: &str,
        archive: &mut (dyn Read + Send),
        check: Check<'_>,
    ) -> Result<Vec<Loaded>> {
        self.load_archive(archive, check).map_err(|error| {
            let error = explain(error, self.images());
            let hint = match error.kind() {
                Kind::Corrupt => "it is damaged or incomplete; write or copy it again",
                _ => HOW,
            };
            let silent = matches!(error.kind(), Kind::Cancelled | Kind::Bug | Kind::System);
            let error =
                if silent || error.hint_text().is_some() { error } else { error.hint(hint) };
            error.context(format!("cannot load {name}"))
        })
    }

    fn load_archive(
        &self,
        archive: &mut (dyn Read + Send),
        check: Check<'_>,
    ) -> Result<Vec<Loaded>> {
        let staging = self.staging()?;
        let members = read_members(archive, &staging, check)?;
        let listed = members.listed(&staging)?;
        let mut loads = Vec::with_capacity(listed.len());
        for image in &listed {
            members.file(&image.config)?;
            let layers = image.layers.iter().flatten().map(|name| members.file(name));
            let layers = layers.collect::<Result<Vec<_>>>()?;
            let tags = tags(image.repo_tags.as_deref().unwrap_or_default())?;
            loads.push((&image.config, layers, tags));
        }
        let mut loaded = Vec::with_capacity(loads.len());
        for (config, layers, tags) in loads {
            let config = members.document(&staging, config)?;
            loaded.push(self.import(&staging, &Parts { config: &config, layers, tags }, check)?);
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

fn read_members(
    archive: &mut (dyn Read + Send),
    staging: &Staging,
    check: Check<'_>,
) -> Result<Contents> {
    let mut stream = Members::new(decompress(archive)?);
    let mut members = Contents::default();
    let mut number = 0;
    while let Some(member) = stream.next()? {
        check()?;
        number += 1;
        members.take(&member, &mut stream, staging, number, check)?;
    }
    if number == 0 {
        return Err(Error::new(Kind::Invalid, "it is empty"));
    }
    // Reading on lets a writer at the other end of a pipe finish, and checks gzip's sum.
    let mut rest = stream.into_stream().take(MAX_TAIL);
    std::io::copy(&mut rest, &mut std::io::sink())
        .map_err(|error| super::members::stream_error(&error))?;
    Ok(members)
}

impl Contents {
    fn take<R: Read>(
        &mut self,
        member: &Member,
        stream: &mut Members<R>,
        staging: &Staging,
        number: usize,
        check: Check<'_>,
    ) -> Result<()> {
        // A name that is not UTF-8 can't be in `manifest.json`, so nobody asks for it.
        let Ok(name) = std::str::from_utf8(&member.name) else { return Ok(()) };
        // All names are held in memory.
        if number > MAX_MEMBERS || name.len() > MAX_NAME || member.link.len() > MAX_NAME {
            return Err(corrupt("it has too many members, or too long a name"));
        }
        let key = resolve("", name);
        let twice = self.files.contains_key(&key) || self.links.contains_key(&key);
        match member.kind {
            MemberKind::Directory => return Ok(()),
            _ if twice => return Err(corrupt(format!("the member `{key}` comes twice"))),
            MemberKind::File if member.sparse.is_none() => {
                let file = format!("member-{number}");
                let spooled = spool(staging.directory(), &file, stream, check)
                    .context(|| format!("cannot read the member `{key}`"))?;
                self.files.insert(key, spooled);
            }
            MemberKind::Symlink | MemberKind::HardLink => {
                let holder = key.rsplit_once('/').map_or("", |(holder, _)| holder);
                let from = if member.kind == MemberKind::Symlink { holder } else { "" };
                let target = resolve(from, &lossy(&member.link));
                self.links.insert(key, target);
            }
            _ => return Err(corrupt(format!("the member `{key}` is not a plain file"))),
        }
        Ok(())
    }

    /// The member `name`; a link is followed once, inside the archive.
    pub(super) fn file(&self, name: &str) -> Result<&Spooled> {
        let key = resolve("", name);
        let key = self.links.get(&key).unwrap_or(&key);
        self.files.get(key).ok_or_else(|| corrupt(format!("it has no member `{name}`")))
    }

    pub(super) fn document(&self, staging: &Staging, name: &str) -> Result<Vec<u8>> {
        let spooled = self.file(name)?;
        if spooled.size > MAX_DOCUMENT {
            return Err(corrupt(format!("`{name}` is longer than {MAX_DOCUMENT} bytes")));
        }
        let file = fs::open_file_beneath(staging.directory(), spooled.name.as_bytes())?;
        let mut bytes = Vec::new();
        std::fs::File::from(file)
            .read_to_end(&mut bytes)
            .context(|| format!("read the member `{name}`"))?;
        Ok(bytes)
    }

    fn listed(&self, staging: &Staging) -> Result<Vec<Listed>> {
        if !self.files.contains_key(MANIFEST) {
            if self.files.contains_key("index.json") {
                return layout::listed(self, staging);
            }
            let message = format!("it has no `{MANIFEST}`, so it is not an image archive");
            return Err(Error::new(Kind::Invalid, message).hint(HOW));
        }
        let listed: Vec<Listed> = document::parse(&self.document(staging, MANIFEST)?)
            .context(|| format!("its `{MANIFEST}` is damaged"))?;
        match listed.len() {
            0 => Err(corrupt(format!("its `{MANIFEST}` lists no image"))),
            count if count > MAX_IMAGES => Err(corrupt(format!("it lists {count} images"))),
            _ => Ok(listed),
        }
    }
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
