//! Opens the native engine of the host.

use std::sync::Arc;

use super::backend::Backend;
use super::native::{Native, Settings};
use crate::model::Result;
use crate::model::image::own::OwnImages;

/// Enters the user namespace of an ordinary user's store, as containers and their files need; does
/// nothing for root. Called before [`open`], while this process has one thread.
///
/// # Errors
/// When the host does not let ordinary users do so; the hint says what allows it.
pub fn enter_user_namespace(settings: &Settings) -> Result<()> {
    crate::runtime::rootless::enter(&settings.root)
}

/// Refuses the store of another user, as all functions here do. To be called before anything is
/// written below the root.
///
/// # Errors
/// When the store belongs to another user; names the owner.
pub fn check_owner(settings: &Settings) -> Result<()> {
    crate::runtime::host::owner::check(&settings.root)
}

/// Returns the native engine of the host.
///
/// # Errors
/// When the store belongs to another user.
pub fn open(settings: &Settings) -> Result<Arc<dyn Backend>> {
    check_owner(settings)?;
    Ok(Arc::new(Native::new(settings)))
}

/// As [`open`], for a run that is not trusted: of tags and images it changes only those that `own`
/// records, which are its own.
///
/// # Errors
/// As [`open`].
pub fn open_fenced(settings: &Settings, own: Arc<OwnImages>) -> Result<Arc<dyn Backend>> {
    check_owner(settings)?;
    Ok(Arc::new(Native::fenced(settings, own)))
}

/// As [`open`], for a dry run: the readers create no store, probe no driver and write no cache.
/// `own` is as in [`open_fenced`], for a run that is not trusted.
///
/// # Errors
/// As [`open`].
pub fn open_read_only(
    settings: &Settings,
    own: Option<Arc<OwnImages>>,
) -> Result<Arc<dyn Backend>> {
    check_owner(settings)?;
    Ok(Arc::new(Native::read_only(settings, own)))
}

/// Removes the root of a store that has no container any more, with everything in it.
///
/// # Errors
/// The first obstacle, such as an immutable file.
pub fn remove_root(settings: &Settings) -> Result<()> {
    crate::runtime::record::aside::remove_root(&settings.root)
}
