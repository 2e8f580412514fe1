//! Files for the time of a build: a context that came as an archive, and what a command sees
//! besides its image. They are unpacked into the staging directory, and removed on drop.

use std::io::Read;
use std::path::PathBuf;

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::bytes::spool;
use crate::image::bytes::staging::Staging;
use crate::image::layer::extract::{explain, extract};
use crate::image::store::Store;
use crate::image::tar::members::TarSource;
use crate::image::tar::pack::Packer;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::build::{BuildStep, CopyStep};
use crate::sys::fs;

/// The directory of the files, in the staging directory.
const FILES: &str = "files";
/// Where a copy goes, in the directory of the files.
const COPIED: &str = "copied";

/// A directory or file that is removed on drop.
#[derive(Debug)]
pub struct UnpackedFiles {
    staging: Staging,
    inside: &'static str,
}

impl UnpackedFiles {
    /// Returns the path.
    pub fn path(&self) -> PathBuf {
        self.staging.path().join(self.inside)
    }
}

/// What `RUN --mount` mounts is copied to.
pub(crate) fn copied() -> String {
    format!("/{COPIED}")
}

impl Store {
    /// Unpacks a build context, plain or compressed.
    ///
    /// # Errors
    /// [`Kind::Corrupt`](crate::model::Kind::Corrupt) or `Invalid` for what is not a tar archive.
    pub fn unpack_context(
        &self,
        archive: &mut (dyn Read + Send),
        check: CancelCheck<'_>,
    ) -> Result<UnpackedFiles> {
        let staging = self.staging()?;
        self.unpack_to(&staging, &mut decompress(archive)?.0, check)?;
        Ok(UnpackedFiles { staging, inside: FILES })
    }

    /// Copies the files of `copy`, whose target is [`copied`], for a command to see.
    pub fn unpack_copy(&self, copy: &CopyStep, check: CancelCheck<'_>) -> Result<UnpackedFiles> {
        let staging = self.staging()?;
        let step = BuildStep::Copy(copy.clone());
        let tar = self.write_layer(&staging, |out| {
            let packer = Packer::new(out, check);
            self.copy_files(None, &step, (0, 0), Some(packer), check).map(drop)
        })?;
        if let Some(tar) = tar {
            let mut stream = tar.source(&staging)?.open()?.reader();
            self.unpack_to(&staging, &mut stream, check)?;
        }
        Ok(UnpackedFiles { staging, inside: "files/copied" })
    }

    /// Writes one file for a command to see.
    pub fn unpack_secret(
        &self,
        content: &[u8],
        mode: u32,
        (uid, gid): (u32, u32),
    ) -> Result<UnpackedFiles> {
        let staging = self.staging()?;
        let file = fs::create_file(staging.directory(), FILES.as_bytes())?;
        spool::write_all(&file, content)?;
        fs::set_owner(&file, uid, gid)?;
        rustix::fs::fchmod(&file, rustix::fs::Mode::from_raw_mode(mode))
            .map_err(std::io::Error::from)
            .context(|| "write a secret".to_owned())?;
        Ok(UnpackedFiles { staging, inside: FILES })
    }

    fn unpack_to(
        &self,
        staging: &Staging,
        stream: &mut impl TarSource,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let root = staging.make_dir(FILES)?;
        let unpacked = extract(stream, &root, &|| Ok(Vec::new()), check);
        unpacked.map(drop).map_err(|error| explain(error, self.images()))
    }
}
