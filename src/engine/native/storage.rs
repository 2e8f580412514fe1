//! The storage driver of the host: as configured, otherwise overlay, or copies where overlay does
//! not work.

use std::os::unix::fs::MetadataExt;

use super::handle::Native;
use crate::model::container::storage::Driver;
use crate::model::error::Context;
use crate::model::{Error, Result};
use crate::runtime::host;

/// The file in the store that caches the driver: the driver, the boot and the file system that it
/// was found in, and on the next line why it is not overlay.
const FOUND: &str = "storage-driver";

/// The storage driver, and why.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) driver: Driver,
    /// Why the driver is `vfs` although it was not configured, and the solution.
    pub(super) why: Option<String>,
}

impl Native {
    /// Returns the storage driver of new containers. The kernel is probed once per boot.
    pub(super) fn driver(&self) -> Result<Found> {
        if let Some(name) = &self.settings.storage {
            let driver: Result<Driver> = name.parse();
            let source = "--storage-driver, or LIFEBOX_STORAGE_DRIVER";
            return Ok(Found { driver: driver.context(|| source.to_owned())?, why: None });
        }
        let root = &self.settings.root;
        // Before the first container or image there is no store to probe.
        let metadata = match std::fs::metadata(root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Found::default());
            }
            found => found.context(|| format!("stat `{}`", root.display()))?,
        };
        let (path, place) = (root.join(FOUND), format!("{} {}", host::boot_id(), metadata.dev()));
        // What cannot be read is found out again.
        let known = host::record_file::read_text(&path).unwrap_or_default();
        if let Some(found) = parse(&known, &place) {
            return Ok(found);
        }
        if self.read_only {
            // Probing mounts an overlay in the store.
            return Ok(Found::default());
        }
        let why = self.runtime.overlay_problem()?.map(|error| explain(&error));
        let driver = if why.is_some() { Driver::Vfs } else { Driver::Overlay };
        let text = format!("{driver} {place}\n{}\n", why.as_deref().unwrap_or_default());
        // Written to another file and renamed: other processes may read the file, or probe
        // concurrently. If it cannot be written, the next process probes again.
        let unique = u64::from_le_bytes(crate::runtime::random()?);
        let new_file = root.join(format!("{FOUND}.{unique:016x}"));
        let written =
            std::fs::write(&new_file, text).and_then(|()| std::fs::rename(&new_file, &path));
        if written.is_err() {
            let _ = std::fs::remove_file(&new_file);
        }
        Ok(Found { driver, why })
    }
}

fn parse(text: &str, place: &str) -> Option<Found> {
    let (first, why) = text.split_once('\n')?;
    let (driver, found_place) = first.split_once(' ')?;
    let why = Some(why.trim_end().to_owned()).filter(|why| !why.is_empty());
    Some(Found { driver: driver.parse().ok()?, why }).filter(|_| found_place == place)
}

fn explain(error: &Error) -> String {
    format!(
        "overlay does not work on this store ({error}), so each container is a copy of its image: set a \
         store on a local disk with --root or LIFEBOX_ROOT"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_in_another_boot_or_file_system_does_not_count() {
        let found = parse("vfs boot 7\noverlay does not work here\n", "boot 7").unwrap();
        assert_eq!(found.driver, Driver::Vfs);
        assert_eq!(found.why.as_deref(), Some("overlay does not work here"));
        assert!(parse("overlay2 boot 7\n\n", "boot 7").unwrap().why.is_none());
        for other in ["", "overlay2 next 7\n\n", "overlay2 boot 8\n\n", "overlay2 boot 7", "odd\n"]
        {
            assert!(parse(other, "boot 7").is_none(), "{other}");
        }
    }
}
