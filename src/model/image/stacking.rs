//! The layers of an image as overlayfs stacks them.

use std::collections::HashSet;

use crate::model::value::digest::Digest;

/// Returns the layers (keys, lowest first) with each key once, at its topmost place.
///
/// An image may have one layer twice, such as the empty one, and overlayfs takes no directory
/// twice. The lower of two same layers shows nothing that the upper one does not show: the upper
/// one adds the same entries and hides the same below it.
#[must_use]
pub fn topmost_once(layers: &[Digest]) -> Vec<Digest> {
    let mut seen = HashSet::new();
    let mut once: Vec<Digest> =
        layers.iter().rev().filter(|key| seen.insert(*key)).cloned().collect();
    once.reverse();
    once
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_layer_that_comes_twice_is_kept_at_its_topmost_place() {
        let keys = |numbers: &[u8]| -> Vec<Digest> {
            numbers.iter().map(|number| Digest::from_bytes(&[*number; 32])).collect()
        };
        for (all, once) in [
            (&[][..], &[][..]),
            (&[1, 2, 3], &[1, 2, 3]),
            (&[1, 1], &[1]),
            (&[1, 2, 1], &[2, 1]),
            (&[9, 1, 2, 1, 2], &[9, 1, 2]),
        ] {
            assert_eq!(topmost_once(&keys(all)), keys(once), "{all:?}");
        }
    }
}
