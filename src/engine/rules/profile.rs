//! Reads the file of a seccomp profile when a container is created: the container keeps the text.

use crate::image::stream::read_regular;
use crate::model::Result;
use crate::model::container::security::Seccomp;
use crate::model::error::Context;
use crate::model::value::bom::without_bom;

/// The largest profile, in bytes. Docker's own has 17 KB.
const MAX_PROFILE: u64 = 1 << 20;

/// Replaces the path of a profile by its text.
pub(in crate::engine) fn read(seccomp: &mut Seccomp) -> Result<()> {
    let Seccomp::File(path) = seccomp else { return Ok(()) };
    let text = read_regular(path.as_ref(), MAX_PROFILE);
    let text = text.context(|| format!("cannot read the seccomp profile `{path}`"))?;
    *seccomp = Seccomp::Profile(without_bom(&text).to_owned());
    Ok(())
}
