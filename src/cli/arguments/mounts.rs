//! Flags that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.

use clap::Args;

use crate::model::Result;
use crate::model::container::mounts::{Mount, Mounts};

/// Flags that say what a container sees of the host and of volumes: binds, named volumes, tmpfs.
#[derive(Args, Debug)]
pub struct MountsArguments {
    /// Show a path of the host or a volume inside: ro, suid, noexec, nocopy, rslave
    #[arg(short, long, value_name = "[SRC:]DST[:OPTIONS]")]
    pub volume: Vec<String>,
    /// The same in words: type=bind|volume|tmpfs,source=SRC,target=DST,readonly,...
    #[arg(long, value_name = "KEY=VALUE,...")]
    pub mount: Vec<String>,
    /// Memory as a directory: size=64m, mode=1777, ro, exec
    #[arg(long, value_name = "DST[:OPTIONS]")]
    pub tmpfs: Vec<String>,
    /// Mount what another container has mounted
    #[arg(long, value_name = "CONTAINER[:ro|rw]")]
    pub volumes_from: Vec<String>,
}

impl MountsArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Mounts> {
        let volumes = self.volume.iter().map(|text| Mount::from_volume(text));
        let mounts = self.mount.iter().map(|text| Mount::from_mount(text));
        let tmpfs = self.tmpfs.iter().map(|text| Mount::from_tmpfs(text));
        Ok(Mounts {
            list: volumes.chain(mounts).chain(tmpfs).collect::<Result<_>>()?,
            from: self.volumes_from.clone(),
        })
    }
}
