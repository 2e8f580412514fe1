//! Arrays and blobs: growing them.

use super::pace::Pace;
use super::text::collect;
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Blob, Dynamic, INT};

/// Arrays and blobs.
#[export_module]
pub mod lists {
    /// Pads an array at its end with copies of an item, to this length.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_array(
        ctx: NativeCallContext,
        array: &mut Array,
        len: INT,
        item: Dynamic,
    ) -> RhaiResultOf<()> {
        let mut pace = Pace::new(&ctx);
        let len = usize::try_from(len).unwrap_or(0);
        let missing = len.saturating_sub(array.len());
        let each = size(&item, &mut pace)?;
        if missing == 0 {
            return Ok(());
        }
        pace.fits_items(array.len().saturating_add(missing.saturating_mul(each)))?;
        for _ in 0..missing {
            pace.spend(each.saturating_mul(16))?;
            array.push(item.clone());
        }
        Ok(())
    }

    /// Pads a blob at its end with a byte, to this length.
    #[rhai_fn(name = "pad", return_raw)]
    pub fn pad_blob(
        ctx: NativeCallContext,
        blob: &mut Blob,
        len: INT,
        value: INT,
    ) -> RhaiResultOf<()> {
        let len = usize::try_from(len).unwrap_or(0);
        if len > blob.len() {
            Pace::new(&ctx).fits_blob(len)?;
            blob.resize(len, byte(value));
        }
        Ok(())
    }

    /// Returns a blob of zeros, of this length.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob(ctx: NativeCallContext, len: INT) -> RhaiResultOf<Blob> {
        filled(&ctx, len, 0)
    }

    /// Returns a blob of one byte again and again, of this length.
    #[rhai_fn(name = "blob", return_raw)]
    pub fn blob_of(ctx: NativeCallContext, len: INT, value: i64) -> RhaiResultOf<Blob> {
        filled(&ctx, len, value)
    }

    /// Returns the bytes of a blob as an array.
    #[rhai_fn(name = "to_array", pure, return_raw)]
    pub fn to_array(ctx: NativeCallContext, blob: &mut Blob) -> RhaiResultOf<Array> {
        Pace::new(&ctx).fits_items(blob.len())?;
        collect(&ctx, blob.iter().map(|byte| (Dynamic::from(INT::from(*byte)), 0)))
    }
}

fn filled(ctx: &NativeCallContext, len: INT, value: INT) -> RhaiResultOf<Blob> {
    let len = usize::try_from(len).unwrap_or(0);
    Pace::new(ctx).fits_blob(len)?;
    Ok(vec![byte(value); len])
}

/// Returns the lowest byte of a number.
fn byte(value: INT) -> u8 {
    value.to_le_bytes()[0]
}

/// Returns how many values a copy of a value makes; its texts are shared.
fn size(value: &Dynamic, pace: &mut Pace<'_, '_>) -> RhaiResultOf<usize> {
    pace.spend(16)?;
    let mut all = 1_usize;
    // A captured variable is shared, not copied.
    if value.is_shared() {
        return Ok(all);
    }
    if let Some(list) = value.read_lock::<Array>() {
        for item in list.iter() {
            all = all.saturating_add(size(item, pace)?);
        }
    } else if let Some(map) = value.read_lock::<rhai::Map>() {
        for item in map.values() {
            all = all.saturating_add(1 + size(item, pace)?);
        }
    } else if let Some(blob) = value.read_lock::<Blob>() {
        all = all.saturating_add(blob.len() / 16);
    }
    Ok(all)
}
