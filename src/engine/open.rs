//! The way to the native engine of this machine.

use std::sync::Arc;

use super::backend::Backend;
use super::native::{Native, Settings};
use crate::model::Result;

/// Makes an ordinary user root of the user namespace of its store, as containers and their files
/// need; nothing to do for root. To be called before [`open`], while this process has one thread.
///
/// # Errors
/// Where this host does not let ordinary users do so; the hint says what allows it.
pub fn enter_user_namespace(settings: &Settings) -> Result<()> {
    crate::runtime::rootless::enter(&settings.root)
}

/// The native engine of this machine.
///
/// # Errors
/// When the store can't be made or read.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>> {
    Ok(Arc::new(Native::new(settings)))
}
