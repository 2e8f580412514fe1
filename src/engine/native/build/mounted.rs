//! The mounts of a command's container, and what they keep for its time.

use std::fs::File;

use crate::engine::backend::CancelToken;
use crate::engine::native::handle::Native;
use crate::image::Store;
use crate::image::build::configure;
use crate::image::build::unpacked::UnpackedFiles;
use crate::model::container::mounts::Mount;
use crate::model::error::Context;
use crate::model::image::Image;
use crate::model::image::build::{BuildSecret, RunMount, RunMountSource, RunStep};
use crate::model::{Error, Kind, Result};

/// What the mounts of one command keep.
#[derive(Debug, Default)]
pub(super) struct Mounted {
    pub(super) mounts: Vec<Mount>,
    files: Vec<UnpackedFiles>,
    locks: Vec<File>,
}

impl Native {
    /// Prepares the mounts of a command.
    pub(super) fn mounted(
        &self,
        parent: &Image,
        run: &RunStep,
        secrets: &[BuildSecret],
        cancel: &CancelToken,
    ) -> Result<Mounted> {
        let mut mounted = Mounted::default();
        let store = self.store()?;
        for mount in &run.mounts {
            self.add(&store, parent, (mount, secrets), &mut mounted, cancel)
                .context(|| format!("cannot mount `{}`", mount.target))?;
        }
        Ok(mounted)
    }

    fn add(
        &self,
        store: &Store,
        parent: &Image,
        (mount, secrets): (&RunMount, &[BuildSecret]),
        mounted: &mut Mounted,
        cancel: &CancelToken,
    ) -> Result<()> {
        let target = configure::absolute(&parent.document, &mount.target);
        let source = match &mount.source {
            RunMountSource::Tmpfs { size } => {
                let size = size.as_ref().map(|size| format!(",size={size}")).unwrap_or_default();
                let memory = format!("{target}:exec{size}");
                mounted.mounts.push(Mount::from_tmpfs(&memory)?);
                return Ok(());
            }
            RunMountSource::Files(copy) => {
                let files = store.unpack_copy(copy, &|| cancel.check())?;
                let path = files.path();
                mounted.files.push(files);
                path
            }
            RunMountSource::Secret { id, mode, owner } => {
                let secret = secrets.iter().find(|secret| secret.id == *id);
                let secret = secret
                    .ok_or_else(|| Error::new(Kind::NotFound, format!("secret {id}: not found")))?;
                let files = store.unpack_secret(&secret.content, *mode, *owner)?;
                let path = files.path();
                mounted.files.push(files);
                path
            }
            RunMountSource::Cache { id, mode, owner, locked } => {
                let path = self.cache_path(id);
                // Two mounts of a command may share a cache, which it locks once.
                let source = path.display().to_string();
                if mounted.mounts.iter().all(|mount| mount.source != source) {
                    let new = (*mode, *owner);
                    mounted.locks.push(self.build_cache(&path, new, *locked, cancel)?);
                }
                path
            }
        };
        // This reads the target as `--mount` does, and refuses what must not be covered.
        let mut made = Mount::from_mount(&format!("type=bind,source=/,target={target}"))?;
        made.source = source.display().to_string();
        made.read_only = mount.read_only;
        mounted.mounts.push(made);
        Ok(())
    }
}
