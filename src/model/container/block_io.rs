//! Limits of single block devices, as Docker writes them: `/dev/sda:1mb`.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::value::units::parse_bytes;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// A limit of one block device.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceLimit {
    /// The path of its node on the host.
    pub path: String,
    /// Bytes or operations a second, where 0 is without limit; or a weight.
    pub value: i64,
}

impl fmt::Display for DeviceLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.value)
    }
}

/// What the number of a limit means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceLimitKind {
    /// Bytes a second.
    Bytes,
    /// Operations a second.
    Operations,
    /// A share, from 10 to 1000; 0 is the default.
    Weight,
}

impl DeviceLimitKind {
    /// Reads `PATH:NUMBER`; bytes may have a unit (docker/cli, `opts/throttledevice.go` and
    /// `opts/weightdevice.go`).
    ///
    /// # Errors
    /// [`Kind::Invalid`], in Docker's words.
    pub fn read(self, text: &str) -> Result<DeviceLimit> {
        let shown = visible::short(text);
        let wrong = |what: String| {
            let number = if self == DeviceLimitKind::Bytes { "1mb" } else { "300" };
            let hint = format!("write a node and a number, such as /dev/sda:{number}");
            Error::new(Kind::Invalid, what).hint(hint)
        };
        let (path, number) =
            text.rsplit_once(':').ok_or_else(|| wrong(format!("bad format: {shown}")))?;
        if !path.starts_with("/dev/") || path.contains('\0') {
            return Err(wrong(format!("bad format for device path: {shown}")));
        }
        let whole = || number.parse::<u32>().ok().map(i64::from);
        let value = match self {
            DeviceLimitKind::Bytes => {
                parse_bytes(number).ok().and_then(|bytes| i64::try_from(bytes).ok())
            }
            DeviceLimitKind::Operations => whole(),
            DeviceLimitKind::Weight => {
                whole().filter(|value| *value == 0 || (10..=1000).contains(value))
            }
        };
        let value = value.ok_or_else(|| {
            wrong(match self {
                DeviceLimitKind::Bytes => format!(
                    "invalid rate for device: {shown}. The correct format is \
                     <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is \
                     optional and can be kb, mb, or gb"
                ),
                DeviceLimitKind::Operations => format!(
                    "invalid rate for device: {shown}. The correct format is \
                     <device-path>:<number>. Number must be a positive integer"
                ),
                DeviceLimitKind::Weight => format!("invalid weight for device: {shown}"),
            })
        })?;
        Ok(DeviceLimit { path: path.to_owned(), value })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_of_devices_are_read_as_dockers() {
        use DeviceLimitKind::{Bytes, Operations, Weight};
        for (kind, text, value) in [
            (Bytes, "/dev/vda:1mb", 1 << 20),
            (Bytes, "/dev/disk/by-path/pci-0:1:0", 0),
            (Operations, "/dev/vda:50", 50),
            (Weight, "/dev/vda:0", 0),
            (Weight, "/dev/vda:1000", 1000),
        ] {
            assert_eq!(kind.read(text).unwrap().value, value, "{text}");
        }
        for (kind, text, message) in [
            (Bytes, "/dev/vda", "bad format: /dev/vda"),
            (Bytes, "vda:1mb", "bad format for device path: vda:1mb"),
            (Bytes, "/dev/vda:-1", "invalid rate for device: /dev/vda:-1."),
            (Bytes, "/dev/vda:x", "can be kb, mb, or gb"),
            (Operations, "/dev/vda:1mb", "<device-path>:<number>. Number must"),
            (Weight, "/dev/vda:9", "invalid weight for device: /dev/vda:9"),
            (Weight, "/dev/vda:1001", "invalid weight for device: /dev/vda:1001"),
        ] {
            let error = kind.read(text).unwrap_err();
            assert!(error.message().contains(message), "{text}: {error}");
        }
    }
}
