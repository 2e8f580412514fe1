//! Who owns the copies, and what they keep.

use crate::image::layer::attributes::is_allowed_xattr;
use crate::image::tar::member::{Member, MemberKind};

/// The owner of the copied files, and whether they keep what gives power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// This user and group.
    Is(u32, u32),
    /// The owner of the source.
    Same,
    /// This user and group, and no power: for files that leave a container. A set-id file of an
    /// image would give each local user the rights of its new owner.
    Powerless(u32, u32),
}

impl Owner {
    /// Returns the mode of a copy. A directory that loses its sticky bit, which kept its writers
    /// apart, is written by its owner only.
    pub(super) fn mode(self, member: &Member) -> u32 {
        let kept = match member.kind {
            MemberKind::Directory if member.mode & 0o1000 != 0 => 0o755,
            _ => 0o777,
        };
        if self.is_powerless() { member.mode & kept } else { member.mode }
    }

    pub(super) fn is_powerless(self) -> bool {
        matches!(self, Owner::Powerless(..))
    }

    /// Whether a copy keeps an extended attribute.
    pub(super) fn keeps(self, key: &str) -> bool {
        is_allowed_xattr(key) && !(self.is_powerless() && key == "security.capability")
    }
}
