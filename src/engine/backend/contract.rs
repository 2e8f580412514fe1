//! The whole contract.

use super::{Builds, Containers, Files, Images, Observe, Processes, Registries, Volumes};

/// A container engine: images in, containers through their life, images out.
///
/// Verbs take a `ContainerId`, which [`Containers::find`] finds by the user's text. One table
/// (`model::container::status`) says which verbs are legal in which status. A slow method takes a
/// [`CancelToken`](super::CancelToken) and fails with the kind `cancelled` soon after that is
/// cancelled.
///
/// An engine implements the eight parts. A caller with a `dyn Backend` needs no other import for
/// their methods.
pub trait Backend:
    Images + Registries + Builds + Containers + Processes + Files + Volumes + Observe
{
}

impl<T> Backend for T where
    T: Images + Registries + Builds + Containers + Processes + Files + Volumes + Observe
{
}
