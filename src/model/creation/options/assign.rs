//! Sets fields of options to values that may not be readable.

use crate::model::Result;

/// Sets a field.
pub(super) fn set<T>(field: &mut T, value: Result<T>) -> Result<()> {
    *field = value?;
    Ok(())
}

/// Sets a field that is `None` by default.
pub(super) fn set_some<T>(field: &mut Option<T>, value: Result<T>) -> Result<()> {
    set(field, value.map(Some))
}

/// Adds to a list.
pub(super) fn extend<T>(list: &mut Vec<T>, values: Result<Vec<T>>) -> Result<()> {
    list.extend(values?);
    Ok(())
}
