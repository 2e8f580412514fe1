//! New ids, of containers and of volumes without a name.

use crate::model::Result;
use crate::model::value::id::ContainerId;

/// Returns a new id.
pub(super) fn new_id() -> Result<ContainerId> {
    loop {
        if let Some(id) = ContainerId::from_random(crate::runtime::random()?) {
            return Ok(id);
        }
    }
}
