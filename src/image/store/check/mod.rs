//! Checks the store against its digests, and repairs it.
//!
//! Each layer is unpacked once more, from its blob or its recipe, whose digests prove that the
//! copy is right; then the two are compared. So whatever unpacking heeds is checked, and a copy
//! to mend with is at hand.
//!
//! Looking takes no lock, so that others go on working. What seems damaged may be on its way out
//! or in: it counts only if the image is still listed and its files were the same before and
//! after the look. Changes are made under the locks of `rmi`, by renames alone.

mod all_images;
mod checking;
mod compare;
mod damage;
mod one_layer;
mod repair;
mod unpack;

pub use damage::{InUse, InUseGuard};
