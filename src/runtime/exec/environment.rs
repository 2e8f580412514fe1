//! What an exec process gets from the container: its environment, and an id.

use oci_spec::runtime::Spec;

use crate::model::Result;
use crate::model::value::digest::Digest;
use crate::runtime::host;
use crate::runtime::record::directory::Directory;

/// Returns the environment of a container's first process, on which that of an exec process is
/// based.
pub(in crate::runtime) fn environment_of(directory: &Directory) -> Result<Vec<String>> {
    let config: Spec = directory.read("config.json")?;
    let environment = config.process().as_ref().and_then(|process| process.env().clone());
    Ok(environment.unwrap_or_default())
}

/// Returns a new id of an exec process, for events.
pub(in crate::runtime) fn new_id() -> Result<String> {
    Ok(Digest::from_bytes(&host::random()?).hex().to_owned())
}
