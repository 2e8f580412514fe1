//! Checks of processors and memory nodes against those of the host.

use std::fs;

use crate::model::container::resources::{Resources, parse_list};
use crate::model::{Error, Kind, Result};

/// Refuses processors and memory nodes that the host does not have.
///
/// # Errors
/// [`Kind::Invalid`] says which ones are available.
pub(super) fn check_processors(resources: &Resources) -> Result<()> {
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default().trim().to_owned();
    let online = read("/sys/devices/system/cpu/online");
    let count = parse_list(&online).map_or(0, |list| list.len());
    if let Some(cpus) = resources.nano_cpus
        && count > 0
        && cpus as f64 > count as f64 * 1e9
    {
        let message = format!(
            "Range of CPUs is from 0.01 to {count}.00, as there are only {count} CPUs available"
        );
        return Err(Error::new(Kind::Invalid, message));
    }
    let nodes = read("/sys/devices/system/node/online");
    let nodes = if nodes.is_empty() { "0".to_owned() } else { nodes };
    for (requested, there, name) in
        [(&resources.cpuset_cpus, online, "CPUs"), (&resources.cpuset_mems, nodes, "memory nodes")]
    {
        let Some(text) = requested else { continue };
        let available = parse_list(&there).unwrap_or_default();
        let requested = parse_list(text).unwrap_or_default();
        if requested.iter().any(|number| !available.contains(number)) {
            let message = format!(
                "Requested {name} are not available - requested {text}, available: {there}"
            );
            return Err(Error::new(Kind::Invalid, message));
        }
    }
    Ok(())
}
