//! Whose namespaces a container shares: names become ids, and the host name goes along.

use super::native::Native;
use crate::model::Result;
use crate::model::container::ContainerSpec;
use crate::model::sharing::Mode;
use crate::runtime::host;

impl Native {
    /// Puts the ids of other containers in the place of their names; who shares a network is
    /// called like it, as in Docker.
    pub(super) fn resolve_sharing(&self, spec: &mut ContainerSpec) -> Result<()> {
        let sharing = &mut spec.host.sharing;
        for mode in [&mut sharing.network, &mut sharing.ipc, &mut sharing.pid] {
            if let Mode::Container(name) = mode {
                *mode = Mode::Container(self.runtime.find(name)?.as_str().to_owned());
            }
        }
        let unnamed = spec.config.hostname == spec.id.short();
        match &sharing.network {
            Mode::Container(id) => {
                let other = self.runtime.directory(&id.parse()?).read_spec()?;
                spec.config.hostname = other.config.hostname;
            }
            Mode::Host if unnamed => spec.config.hostname = host::name(),
            _ if sharing.uts == Mode::Host => spec.config.hostname = host::name(),
            _ => {}
        }
        Ok(())
    }
}
