//! Checks the store against its digests, and repairs it.
//!
//! Each layer is unpacked again, from its blob or its tar-split, whose digests prove that the copy
//! is right; then the two are compared. So everything that unpacking checks is checked, and a copy
//! for the repair exists.
//!
//! The check takes no lock, so that other commands continue. Apparent damage may be an image that
//! is being imported or removed: it counts only if the image is still listed and its files were the
//! same before and after the check. Changes are made under the locks of `rmi`, by renames alone.

mod all_images;
mod checking;
mod compare;
mod damage;
mod one_layer;
mod repair;
mod unpack;

pub use damage::{InUse, InUseGuard};
