//! Flags that say what a container may do: capabilities, system calls, privileges, a read-only
//! root, devices.

use clap::Args;

use crate::model::Result;
use crate::model::container::security::Security;
use crate::model::value::capability;

/// Flags that say what a container may do: capabilities, system calls, privileges, a read-only root, devices.
#[derive(Args, Debug)]
pub struct SecurityArguments {
    /// Add a capability, such as NET_ADMIN, or ALL
    #[arg(long, value_name = "NAME")]
    pub cap_add: Vec<String>,
    /// Drop a capability, or ALL
    #[arg(long, value_name = "NAME")]
    pub cap_drop: Vec<String>,
    /// Lift the confinement: all capabilities, devices and system calls
    #[arg(long)]
    pub privileged: bool,
    /// Make the root read-only
    #[arg(long)]
    pub read_only: bool,
    /// no-new-privileges, seccomp=FILE|unconfined, systempaths=unconfined, apparmor=PROFILE, label=PART:VALUE
    #[arg(long, value_name = "OPTION")]
    pub security_opt: Vec<String>,
    /// Show a device of the host
    #[arg(long, value_name = "HOST[:INSIDE[:rwm]]")]
    pub device: Vec<String>,
    /// Add a group, by name or number
    #[arg(long, value_name = "GROUP")]
    pub group_add: Vec<String>,
}

impl SecurityArguments {
    /// For the engine.
    ///
    /// # Errors
    /// What is wrong with a flag's value.
    pub fn options(&self) -> Result<Security> {
        let mut security = Security {
            cap_add: capability::canonical_all(&self.cap_add)?,
            cap_drop: capability::canonical_all(&self.cap_drop)?,
            privileged: self.privileged,
            read_only: self.read_only,
            devices: self.device.iter().map(|text| text.parse()).collect::<Result<_>>()?,
            groups: self.group_add.clone(),
            ..Security::default()
        };
        self.security_opt.iter().try_for_each(|option| security.set(option))?;
        Ok(security)
    }
}
