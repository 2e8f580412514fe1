//! A cache of the specs that this process has read.

use std::collections::HashMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, PoisonError};

use super::directory::Directory;
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::error::Context;
use crate::model::value::id::ContainerId;
use crate::sys::store_dir;

/// How many specs are kept, some kilobytes each.
const MAX_SPECS: usize = 10_000;

/// Specs that were read before. A spec is written once, so it need not be read again while its file
/// is unchanged.
#[derive(Debug, Default)]
pub(crate) struct SpecCache(Mutex<HashMap<ContainerId, (Stamp, ContainerSpec)>>);

/// The identity of a file's content: inode, length and time of the last change.
type Stamp = (u64, u64, i64, i64);

impl SpecCache {
    /// Returns the spec of a container.
    pub(crate) fn read(&self, directory: &Directory, id: &ContainerId) -> Result<ContainerSpec> {
        let path = directory.file("spec.json");
        // Of a link itself: a dangling one is a damaged record, not a missing one.
        let file = fs::symlink_metadata(&path);
        let file = file.map_err(|error| store_dir::explain(directory.path(), error));
        let file = file.context(|| format!("read `{}`", path.display()))?;
        let stamp = (file.ino(), file.len(), file.ctime(), file.ctime_nsec());
        {
            let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some((_, spec)) = known.get(id).filter(|(known, _)| *known == stamp) {
                return Ok(spec.clone());
            }
        }
        let spec = directory.read_spec()?;
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= MAX_SPECS {
            known.clear();
        }
        known.insert(id.clone(), (stamp, spec.clone()));
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Kind;
    use crate::model::container::{Config, HostConfig, ImageUse, VERSION};
    use crate::model::value::digest::Digest;

    #[test]
    fn a_spec_that_is_another_or_damaged_or_gone_is_not_taken_from_memory() {
        let place = tempfile::tempdir().unwrap();
        let directory = Directory::new(place.path().to_owned());
        let id = ContainerId::from_random([0xa7; 32]).unwrap();
        let (specs, path) = (SpecCache::default(), directory.file("spec.json"));
        let write = |workdir: &str| {
            let spec = ContainerSpec {
                version: VERSION,
                id: id.clone(),
                created: jiff::Timestamp::UNIX_EPOCH,
                image: ImageUse {
                    reference: "x".to_owned(),
                    id: Digest::from_bytes(&[1; 32]),
                    layers: Vec::new(),
                },
                config: Config { workdir: workdir.to_owned(), ..Config::default() },
                host_config: HostConfig::default(),
                session: None,
            };
            let spec = serde_json::to_vec(&spec).unwrap();
            fs::write(place.path().join("new"), spec).unwrap();
            fs::rename(place.path().join("new"), &path).unwrap();
        };
        let read = || specs.read(&directory, &id).map(|spec| spec.config.workdir);
        write("/a");
        assert_eq!((read().unwrap(), read().unwrap()), ("/a".to_owned(), "/a".to_owned()));
        write("/b");
        assert_eq!(read().unwrap(), "/b");
        fs::write(&path, "{").unwrap();
        assert_eq!(read().unwrap_err().kind(), Kind::Corrupt);
        fs::remove_file(&path).unwrap();
        assert_eq!(read().unwrap_err().kind(), Kind::NotFound);
    }
}
