//! How roots are made on this host: as the user says, else stacked where the kernel does that, and
//! copied where it does not.

use std::os::unix::fs::MetadataExt;

use super::handle::Native;
use crate::model::container::storage::Driver;
use crate::model::error::Context;
use crate::model::{Error, Result};
use crate::runtime::host;

/// In the store: what was found, the boot and the file system that it was found in, and on the
/// next line why, where it is a copy.
const FOUND: &str = "storage-driver";

/// How roots are made.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) driver: Driver,
    /// Why copies are made though nobody asked for them, and the way out.
    pub(super) why: Option<String>,
}

impl Native {
    /// How the root of a new container is made. The kernel is asked once in each boot.
    pub(super) fn driver(&self) -> Result<Found> {
        if let Some(name) = &self.settings.storage {
            let driver: Result<Driver> = name.parse();
            let said = "--storage-driver, or LIFEBOX_STORAGE_DRIVER";
            return Ok(Found { driver: driver.context(|| said.to_owned())?, why: None });
        }
        let root = &self.settings.root;
        // Before the first container or image there is nothing to try it with.
        let Ok(metadata) = std::fs::metadata(root) else { return Ok(Found::default()) };
        let (path, here) = (root.join(FOUND), format!("{} {}", host::boot_id(), metadata.dev()));
        let known = std::fs::read_to_string(&path).unwrap_or_default();
        if let Some(found) = parse(&known, &here) {
            return Ok(found);
        }
        let why = self.runtime.overlay_problem()?.map(|error| explain(&error));
        let driver = if why.is_some() { Driver::Vfs } else { Driver::Overlay };
        let text = format!("{driver} {here}\n{}\n", why.as_deref().unwrap_or_default());
        // Written beside and renamed: others may be reading it, or finding the same just now. Where
        // it can't be written, the next one finds it out again.
        let unique = u64::from_le_bytes(crate::runtime::random()?);
        let fresh = root.join(format!("{FOUND}.{unique:016x}"));
        let kept = std::fs::write(&fresh, text).and_then(|()| std::fs::rename(&fresh, &path));
        if kept.is_err() {
            let _ = std::fs::remove_file(&fresh);
        }
        Ok(Found { driver, why })
    }
}

fn parse(text: &str, here: &str) -> Option<Found> {
    let (first, why) = text.split_once('\n')?;
    let (driver, there) = first.split_once(' ')?;
    let why = Some(why.trim_end().to_owned()).filter(|why| !why.is_empty());
    Some(Found { driver: driver.parse().ok()?, why }).filter(|_| there == here)
}

fn explain(error: &Error) -> String {
    format!(
        "overlay does not work here ({error}), so each container is a copy of its image: set a \
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
