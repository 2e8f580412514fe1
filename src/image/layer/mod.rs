//! Unpacked layers: unpacking, rebuilding the tar byte for byte, and comparing with a container's
//! changes.

pub(crate) mod attributes;
pub(crate) mod changes;
pub(crate) mod copied_root;
pub(crate) mod diff_tar;
pub(crate) mod extract;
pub(crate) mod implied_parents;
pub(crate) mod kernel_view;
pub(crate) mod lowers;
pub(crate) mod overlay_view;
pub(super) mod record;
mod storable;
pub(crate) mod tar_split;
pub(crate) mod unpack;
pub(crate) mod walk;

pub(crate) use record::{
    LayerId, Record, blob, has_root_entry, ids, key, key_of_name, keys, path, record, record_name,
    size, tar_size, tar_split, tar_split_name,
};
