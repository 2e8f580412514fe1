//! Comparing arrays and maps, and finding in arrays.

use super::pace::Pace;
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Dynamic, EvalAltResult, FnPtr, INT, ImmutableString, Map};

/// Comparing.
#[export_module]
pub mod compare {
    /// Returns whether an array has an equal item.
    #[rhai_fn(name = "contains", pure, return_raw)]
    pub fn contains(
        ctx: NativeCallContext,
        array: &mut Array,
        value: Dynamic,
    ) -> RhaiResultOf<bool> {
        position(&ctx, array, value, 0).map(|found| found.is_some())
    }

    /// Returns the index of the first equal item, or -1.
    #[rhai_fn(name = "index_of", pure, return_raw)]
    pub fn index_of(
        ctx: NativeCallContext,
        array: &mut Array,
        value: Dynamic,
    ) -> RhaiResultOf<INT> {
        position(&ctx, array, value, 0).map(index)
    }

    /// Returns the index of the first equal item from `start` on, or -1.
    #[rhai_fn(name = "index_of", pure, return_raw)]
    pub fn index_of_from(
        ctx: NativeCallContext,
        array: &mut Array,
        value: Dynamic,
        start: INT,
    ) -> RhaiResultOf<INT> {
        let start = match usize::try_from(start) {
            Ok(start) => start,
            Err(_) => {
                let back = usize::try_from(start.unsigned_abs()).unwrap_or(usize::MAX);
                array.len().saturating_sub(back)
            }
        };
        position(&ctx, array, value, start).map(index)
    }

    /// Returns whether two arrays are equal.
    #[rhai_fn(name = "==", pure, return_raw)]
    pub fn equal_arrays(
        ctx: NativeCallContext,
        array1: &mut Array,
        array2: Array,
    ) -> RhaiResultOf<bool> {
        same_arrays(&ctx, array1, array2)
    }

    /// Returns whether two arrays differ.
    #[rhai_fn(name = "!=", pure, return_raw)]
    pub fn different_arrays(
        ctx: NativeCallContext,
        array1: &mut Array,
        array2: Array,
    ) -> RhaiResultOf<bool> {
        same_arrays(&ctx, array1, array2).map(|same| !same)
    }

    /// Returns whether two maps are equal.
    #[rhai_fn(name = "==", pure, return_raw)]
    pub fn equal_maps(ctx: NativeCallContext, map1: &mut Map, map2: Map) -> RhaiResultOf<bool> {
        same_maps(&ctx, map1, map2)
    }

    /// Returns whether two maps differ.
    #[rhai_fn(name = "!=", pure, return_raw)]
    pub fn different_maps(ctx: NativeCallContext, map1: &mut Map, map2: Map) -> RhaiResultOf<bool> {
        same_maps(&ctx, map1, map2).map(|same| !same)
    }

    /// Removes each item that equals the one before it.
    #[rhai_fn(name = "dedup", return_raw)]
    pub fn dedup(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<()> {
        let mut pace = Pace::new(&ctx);
        remove_repeated(array, |kept, next| {
            pace.spend(work(kept))?;
            same(&ctx, &mut kept.clone(), &mut next.clone())
        })
    }

    /// Removes each item that a function calls equal to the one before it.
    #[rhai_fn(name = "dedup", return_raw)]
    pub fn dedup_by(
        ctx: NativeCallContext,
        array: &mut Array,
        comparer: FnPtr,
    ) -> RhaiResultOf<()> {
        let pace = Pace::new(&ctx);
        remove_repeated(array, |kept, next| {
            pace.look()?;
            let equal = comparer.call_raw(&ctx, None, [kept.clone(), next.clone()])?;
            Ok(equal.as_bool().unwrap_or(false))
        })
    }
}

fn index(found: Option<usize>) -> INT {
    found.and_then(|at| INT::try_from(at).ok()).unwrap_or(-1)
}

/// Returns the index of the first item from `start` on that equals a value.
fn position(
    ctx: &NativeCallContext,
    array: &mut Array,
    value: Dynamic,
    start: usize,
) -> RhaiResultOf<Option<usize>> {
    let mut pace = Pace::new(ctx);
    for (at, item) in array.iter_mut().enumerate().skip(start) {
        pace.spend(work(item))?;
        if same(ctx, item, &mut value.clone())? {
            return Ok(Some(at));
        }
    }
    Ok(None)
}

fn same_arrays(ctx: &NativeCallContext, one: &mut Array, mut other: Array) -> RhaiResultOf<bool> {
    if one.len() != other.len() {
        return Ok(false);
    }
    let mut pace = Pace::new(ctx);
    for (one, other) in one.iter_mut().zip(other.iter_mut()) {
        pace.spend(work(one))?;
        if !same(ctx, one, other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn same_maps(ctx: &NativeCallContext, one: &mut Map, mut other: Map) -> RhaiResultOf<bool> {
    if one.len() != other.len() {
        return Ok(false);
    }
    let mut pace = Pace::new(ctx);
    for (key, one) in one.iter_mut() {
        let Some(other) = other.get_mut(key) else { return Ok(false) };
        pace.spend(work(one))?;
        if !same(ctx, one, other)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps the first of each run of items that are the same. After an error all items stay.
fn remove_repeated(
    array: &mut Array,
    mut is_same: impl FnMut(&Dynamic, &Dynamic) -> RhaiResultOf<bool>,
) -> RhaiResultOf<()> {
    let mut kept = vec![true; array.len()];
    let mut last = 0;
    for at in 1..array.len() {
        if is_same(&array[last], &array[at])? {
            kept[at] = false;
        } else {
            last = at;
        }
    }
    let mut kept = kept.into_iter();
    array.retain(|_| kept.next().unwrap_or(true));
    Ok(())
}

/// Compares by `==`; values of two types without one differ.
fn same(ctx: &NativeCallContext, one: &mut Dynamic, other: &mut Dynamic) -> RhaiResultOf<bool> {
    let same_type = one.type_id() == other.type_id();
    match ctx.call_native_fn_raw("==", true, &mut [one, other]) {
        Ok(equal) => Ok(equal.as_bool().unwrap_or(false)),
        Err(error) => match *error {
            EvalAltResult::ErrorFunctionNotFound(ref signature, ..)
                if signature.starts_with("==") && !same_type =>
            {
                Ok(false)
            }
            _ => Err(error),
        },
    }
}

/// Returns about how much work a comparison is.
pub(super) fn work(value: &Dynamic) -> usize {
    64 + value.read_lock::<ImmutableString>().map_or(0, |text| text.len())
}
