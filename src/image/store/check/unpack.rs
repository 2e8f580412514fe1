//! Unpacks a layer of the store again, to compare it with the present one.

use std::io::Read;
use std::os::fd::OwnedFd;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool::write_all;
use crate::image::bytes::staging::Staging;
use crate::image::layer::Record;
use crate::image::layer::extract::extract;
use crate::image::layer::lowers::Lowers;
use crate::image::layer::tar_split::TarSplitWriter;
use crate::image::tar::error::corrupt;
use crate::model::Result;
use crate::sys::fs;

/// A fresh copy of a layer in a staging directory.
pub(super) struct UnpackedCopy {
    /// Its name there; its record and its tar-split are beside it.
    pub(super) name: String,
    pub(super) root: OwnedFd,
    pub(super) stands_alone: bool,
    /// Whether it has a tar-split.
    pub(super) complete: bool,
}

/// Unpacks `stream`, which fails at its end if its digest is wrong, as `name`.
pub(super) fn unpack(
    staging: &Staging,
    name: &str,
    stream: impl Read,
    lowers: Lowers<'_>,
    check: CancelCheck<'_>,
) -> Result<UnpackedCopy> {
    let root = staging.make_dir(name)?;
    let directory = staging.directory();
    let recipe = format!("{name}.recipe");
    let mut counted = Counted { stream, count: 0 };
    let file = fs::create_file(directory, recipe.as_bytes())?;
    let mut recorder = TarSplitWriter::new(&mut counted, file.into())?;
    let extracted = extract(&mut recorder, &root, lowers, check)?;
    recorder.finish()?;
    let tar = extracted.complete.then_some(counted.count);
    if !extracted.complete {
        fs::unlink(directory, recipe.as_bytes())?;
    }
    let (size, has_root_entry) = (extracted.size, extracted.has_root_entry);
    let record = Record { version: 1, size, tar, root: has_root_entry };
    let record = serde_json::to_vec(&record).map_err(|error| corrupt(error.to_string()))?;
    write_all(fs::create_file(directory, format!("{name}.json").as_bytes())?, &record)?;
    let (stands_alone, complete) = (extracted.stands_alone, extracted.complete);
    Ok(UnpackedCopy { name: name.to_owned(), root, stands_alone, complete })
}

struct Counted<R> {
    stream: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}
