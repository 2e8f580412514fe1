//! The memory of this process.

pub use crate::sys::memory::{Bounded, bound};
