//! Unpacked layers: how a layer is unpacked, packed again byte for byte, and compared with a container's changes.

pub(crate) mod changes;
pub(crate) mod diff_tar;
pub(crate) mod extract;
pub(crate) mod implied_parents;
pub(crate) mod overlay_view;
pub(super) mod record;
pub(crate) mod tar_split;
pub(crate) mod unpack;
pub(crate) mod walk;
pub(crate) mod whole;

pub use record::bytes_below;
pub(crate) use record::{
    LayerId, Record, blob, describes_root, ids, key, keys, path, recipe, recipe_name, record,
    record_name, size, stem, tar_size,
};
