//! Storage drivers, under Docker's and Podman's names.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Error, Kind};

/// A storage driver (`dockerd --storage-driver`, `podman --storage-driver`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// The layers stacked by overlayfs, with the container's writable directory on top.
    #[default]
    Overlay,
    /// A copy of the layers for each container.
    Vfs,
}

impl fmt::Display for Driver {
    /// Writes Docker's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Driver::Overlay => "overlay2",
            Driver::Vfs => "vfs",
        })
    }
}

impl FromStr for Driver {
    type Err = Error;

    /// Parses Podman's `overlay`, Docker's `overlay2`, or `vfs`.
    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "overlay" | "overlay2" => Ok(Driver::Overlay),
            "vfs" => Ok(Driver::Vfs),
            _ => Err(Error::new(Kind::Invalid, format!("unknown storage driver `{text}`")).hint(
                "use overlay, which stacks the layers of an image, or vfs, which copies them",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drivers_have_the_names_that_docker_and_podman_give_them() {
        let shown = |text: &str| text.parse::<Driver>().map(|driver| driver.to_string());
        assert_eq!(shown("overlay").unwrap(), "overlay2");
        assert_eq!(shown("overlay2").unwrap(), "overlay2");
        assert_eq!(shown("vfs").unwrap(), "vfs");
        assert!(shown("btrfs").unwrap_err().to_string().contains("`btrfs`"));
        assert_eq!(serde_json::to_string(&Driver::Overlay).unwrap(), "\"overlay\"");
    }
}
