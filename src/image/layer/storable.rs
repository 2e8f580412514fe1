//! The blob of a layer in a form that the store keeps.

use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::decompress;
use crate::image::bytes::file_range::FileRange;
use crate::image::bytes::source::Source;
use crate::image::bytes::spool;
use crate::image::bytes::staging::Staging;
use crate::model::{Error, Kind, Result};

/// Opens a blob. One that is compressed as no registry knows is uncompressed into the staging
/// directory: the tar is what the store keeps.
pub(super) fn storable(
    source: &dyn Source,
    staging: &Staging,
    name: &str,
    check: CancelCheck<'_>,
) -> Result<FileRange> {
    let span = source.open()?;
    let (stream, coding) = decompress(span.reader())?;
    let Some(coding) = coding.filter(|coding| coding.of_layers().is_none()) else {
        return Ok(span);
    };
    if source.digest().is_some() {
        let message = format!("it is compressed with {}", coding.name());
        return Err(Error::new(Kind::Unsupported, message)
            .hint("compress the layers with gzip or zstd: manifests have no other"));
    }
    let name = format!("{name}.plain");
    FileRange::whole(spool::write_stream(staging.directory(), &name, stream, check)?)
}
