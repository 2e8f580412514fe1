//! Sorting arrays. An error of a comparing function ends the sort, and the array stays as it was.

use std::any::TypeId;
use std::cmp::Ordering;

use super::compare::work;
use super::pace::Pace;
use crate::script::context::thrown::RhaiResultOf;
use rhai::plugin::*;
use rhai::{Array, Dynamic, FLOAT, FnPtr, INT, ImmutableString};

/// Sorting.
#[export_module]
pub mod sort {
    /// Sorts an array of numbers, texts, characters or truth values.
    #[rhai_fn(name = "sort", return_raw)]
    pub fn sort(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<()> {
        by_value(&ctx, array, |order| order)
    }

    /// As `sort`, from the greatest to the least.
    #[rhai_fn(name = "sort_desc", return_raw)]
    pub fn sort_desc(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<()> {
        by_value(&ctx, array, Ordering::reverse)
    }

    /// Sorts an array by a function that returns a number below, equal to or above zero.
    #[rhai_fn(name = "sort", name = "sort_by", return_raw)]
    pub fn sort_by(ctx: NativeCallContext, array: &mut Array, comparer: FnPtr) -> RhaiResultOf<()> {
        by_function(&ctx, array, &comparer)
    }

    /// Returns a sorted copy.
    #[rhai_fn(name = "order", pure, return_raw)]
    pub fn order(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<Array> {
        let mut copy = array.clone();
        by_value(&ctx, &mut copy, |order| order)?;
        Ok(copy)
    }

    /// Returns a copy, sorted from the greatest to the least.
    #[rhai_fn(name = "order_desc", pure, return_raw)]
    pub fn order_desc(ctx: NativeCallContext, array: &mut Array) -> RhaiResultOf<Array> {
        let mut copy = array.clone();
        by_value(&ctx, &mut copy, Ordering::reverse)?;
        Ok(copy)
    }

    /// Returns a copy, sorted by a function.
    #[rhai_fn(name = "order", name = "order_by", pure, return_raw)]
    pub fn order_by(
        ctx: NativeCallContext,
        array: &mut Array,
        comparer: FnPtr,
    ) -> RhaiResultOf<Array> {
        let mut copy = array.clone();
        by_function(&ctx, &mut copy, &comparer)?;
        Ok(copy)
    }
}

/// Compares two values of one type.
type Compare = fn(&Dynamic, &Dynamic) -> Ordering;

fn by_value(
    ctx: &NativeCallContext,
    array: &mut Array,
    direction: fn(Ordering) -> Ordering,
) -> RhaiResultOf<()> {
    let mut pace = Pace::new(ctx);
    if array.len() <= 1 {
        return Ok(());
    }
    let hint = "sort by a function: list.sort(|a, b| a.len - b.len)";
    let is_number = |item: &Dynamic| item.is_int() || item.is_float();
    let name = |item: &Dynamic| type_name(ctx, item.type_name());
    let kind = array[0].type_id();
    let other = array.iter().find(|item| item.type_id() != kind);
    let compare = match other {
        Some(_) if array.iter().all(is_number) => Some(of_numbers as Compare),
        Some(other) => {
            let (one, other) = (name(&array[0]), name(other));
            let what = format!("items of type {one} and {other} cannot be compared");
            return Err(pace.refuse(&what, hint));
        }
        None => order_of(kind),
    };
    let Some(compare) = compare else {
        let what = format!("items of type {} cannot be compared", name(&array[0]));
        return Err(pace.refuse(&what, hint));
    };
    sorted(array, |one, other| {
        pace.spend(work(one))?;
        Ok(direction(compare(one, other)))
    })
}

/// Compares whole numbers and fractions.
fn of_numbers(one: &Dynamic, other: &Dynamic) -> Ordering {
    #[expect(clippy::cast_precision_loss, reason = "a fraction beside it has no more digits")]
    let float = |item: &Dynamic| item.as_float().or_else(|_| item.as_int().map(|n| n as FLOAT));
    let pair = float(one).ok().zip(float(other).ok());
    pair.and_then(|(one, other)| one.partial_cmp(&other)).unwrap_or(Ordering::Equal)
}

/// Returns the name of a type in the words of the documentation.
fn type_name(ctx: &NativeCallContext, name: &str) -> String {
    match ctx.engine().map_type_name(name) {
        "i64" => "int".to_owned(),
        "f64" => "float".to_owned(),
        "()" => "nothing".to_owned(),
        "Fn" => "function".to_owned(),
        other => other.to_owned(),
    }
}

fn order_of(kind: TypeId) -> Option<Compare> {
    Some(if kind == TypeId::of::<INT>() {
        |one, other| one.as_int().ok().cmp(&other.as_int().ok())
    } else if kind == TypeId::of::<FLOAT>() {
        |one, other| {
            let floats = one.as_float().ok().zip(other.as_float().ok());
            let order = floats.and_then(|(one, other)| one.partial_cmp(&other));
            order.unwrap_or(Ordering::Equal)
        }
    } else if kind == TypeId::of::<ImmutableString>() {
        |one, other| {
            let texts = (one.read_lock::<ImmutableString>(), other.read_lock::<ImmutableString>());
            texts.0.as_deref().cmp(&texts.1.as_deref())
        }
    } else if kind == TypeId::of::<char>() {
        |one, other| one.as_char().ok().cmp(&other.as_char().ok())
    } else if kind == TypeId::of::<bool>() {
        |one, other| one.as_bool().ok().cmp(&other.as_bool().ok())
    } else if kind == TypeId::of::<()>() {
        |_, _| Ordering::Equal
    } else {
        return None;
    })
}

fn by_function(ctx: &NativeCallContext, array: &mut Array, comparer: &FnPtr) -> RhaiResultOf<()> {
    let pace = Pace::new(ctx);
    sorted(array, |one, other| {
        pace.look()?;
        let order = comparer.call_raw(ctx, None, [one.clone(), other.clone()])?;
        let number =
            order.as_int().or_else(|_| order.as_bool().map(|before| if before { -1 } else { 1 }));
        let number = number.map_err(|given| {
            let given = type_name(ctx, given);
            let what = format!("expected a number from the function, got {given}");
            pace.refuse(&what, "return a number: list.sort(|a, b| a.len - b.len)")
        })?;
        Ok(number.cmp(&0))
    })
}

/// Sorts without changing the order of equal items, or leaves the array alone after an error. The
/// sorts of the standard library can neither fail nor stop.
fn sorted(
    array: &mut Array,
    mut compare: impl FnMut(&Dynamic, &Dynamic) -> RhaiResultOf<Ordering>,
) -> RhaiResultOf<()> {
    let mut order: Vec<usize> = (0..array.len()).collect();
    let mut merged = Vec::with_capacity(order.len());
    let mut run = 1;
    while run < order.len() {
        merged.clear();
        for pair in order.chunks(2 * run) {
            let (mut left, mut right) = pair.split_at(run.min(pair.len()));
            while let ([first, left_rest @ ..], [second, right_rest @ ..]) = (left, right) {
                if compare(&array[*first], &array[*second])? == Ordering::Greater {
                    merged.push(*second);
                    right = right_rest;
                } else {
                    merged.push(*first);
                    left = left_rest;
                }
            }
            merged.extend(left);
            merged.extend(right);
        }
        std::mem::swap(&mut order, &mut merged);
        run *= 2;
    }
    let mut old = std::mem::take(array);
    array.extend(order.into_iter().map(|at| std::mem::take(&mut old[at])));
    Ok(())
}
