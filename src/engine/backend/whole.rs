//! The whole contract: everything that a user can ask.

use super::{Builds, Containers, Files, Images, Observe, Processes, Registries, Volumes};

/// A container engine: images in, containers through their life, images out.
///
/// Verbs take a `ContainerId`, which [`Containers::find`] gets from what the user typed. Each verb
/// asks the same table (`model::container::status`) whether it is legal. What may take long takes a
/// [`CancelToken`](super::CancelToken) and then fails with the kind `cancelled` soon after it is
/// raised.
///
/// An engine implements the eight parts. Whoever holds a `dyn Backend` calls their methods without
/// a further import.
pub trait Backend:
    Images + Registries + Builds + Containers + Processes + Files + Volumes + Observe
{
}

impl<T> Backend for T where
    T: Images + Registries + Builds + Containers + Processes + Files + Volumes + Observe
{
}
