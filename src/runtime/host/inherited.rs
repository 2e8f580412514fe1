//! What this process inherited from its caller.

pub use crate::sys::inherited::reset_for_client;
