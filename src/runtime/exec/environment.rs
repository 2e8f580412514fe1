//! What a further program in a container gets from the container: its environment, and an id.

use oci_spec::runtime::Spec;

use crate::model::Result;
use crate::model::value::digest::Digest;
use crate::runtime::host;
use crate::runtime::record::directory::Directory;

/// The environment of a container's first process, which further ones begin with.
pub(in crate::runtime) fn environment_of(directory: &Directory) -> Result<Vec<String>> {
    let config: Spec = directory.read("config.json")?;
    let environment = config.process().as_ref().and_then(|process| process.env().clone());
    Ok(environment.unwrap_or_default())
}

/// The id that events tell of a further program.
pub(in crate::runtime) fn new_id() -> Result<String> {
    Ok(Digest::from_bytes(&host::random()?).hex().to_owned())
}
