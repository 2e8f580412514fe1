//! How JSON that other tools write is read.

use serde::{Deserialize, Deserializer};

/// Reads `null` as the default, because images write it for absent values.
pub(in crate::model) fn null_as_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Default + Deserialize<'de>,
{
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
