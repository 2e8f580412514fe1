//! The tar of a new layer, written into the staging directory.

use std::io::Write;

use crate::image::bytes::limits::RESERVE;
use crate::image::bytes::spool::{SpoolWriter, Spooled};
use crate::image::bytes::staging::Staging;
use crate::image::layer::extract::explain;
use crate::image::store::Store;
use crate::model::Result;
use crate::sys::fs;

/// The length of an empty tar in bytes: two blocks of zeros.
pub(super) const LONGEST_EMPTY: u64 = 1024;

impl Store {
    /// Writes a layer into the staging directory; `None` if it is empty.
    pub(super) fn write_layer(
        &self,
        staging: &Staging,
        write: impl FnOnce(&mut dyn Write) -> Result<()>,
    ) -> Result<Option<Spooled>> {
        let mut out = Bounded {
            inner: SpoolWriter::create(staging.directory(), "new-layer.tar")?,
            staging,
            left: 0,
        };
        write(&mut out).map_err(|error| explain(error, self.images()))?;
        let layer = out.inner.finish();
        // Docker keeps no layer for it either.
        Ok(Some(layer).filter(|layer| layer.size > LONGEST_EMPTY))
    }
}

/// A writer that stops before the disk is full.
struct Bounded<'a> {
    inner: SpoolWriter,
    staging: &'a Staging,
    /// How many bytes remain until the next check of the free space.
    left: u64,
}

impl Write for Bounded<'_> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        const PORTION: u64 = 16 << 20;
        if self.left == 0 {
            let free = fs::free_space(self.staging.directory()).unwrap_or(u64::MAX);
            if free < RESERVE {
                return Err(std::io::Error::from_raw_os_error(libc::ENOSPC));
            }
            self.left = PORTION;
        }
        let count = self.inner.write(bytes)?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.inner.flush()
    }
}
