//! The paths of a container's files on the host.

use super::handle::Native;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::inspect::ContainerPaths;
use crate::runtime::IMAGES;

impl Native {
    pub(super) fn paths(&self, container: &Container) -> Result<ContainerPaths> {
        let directory = self.runtime.directory(&container.spec.id);
        let file = |name: &str| directory.file(name).display().to_string();
        // Docker names no file before the first start.
        let started = |name: &str| {
            if container.state.started_at.is_some() { file(name) } else { String::new() }
        };
        let store = self.store()?;
        let layers = container.spec.image.layers.iter().rev();
        Ok(ContainerPaths {
            log: started("log.jsonl"),
            hostname: started("hostname"),
            hosts: started("hosts"),
            resolv_conf: started("resolv.conf"),
            lower: layers.map(|layer| store.layer_dir(layer).display().to_string()).collect(),
            upper: file("upper"),
            volumes: self.settings.root.join("volumes").display().to_string(),
            images: file(IMAGES),
            work: file("work"),
            merged: file("rootfs"),
        })
    }
}
