//! Notices values that are nested too deeply: arrays, maps, and closures that capture closures.
//!
//! The language compares, prints and drops a value by recursion, so a chain of 400,000 closures, or
//! an array that contains itself, would overflow the stack and end the process. Rhai has no hook
//! where a value is nested, but calls one before each use of a variable, without which nothing can
//! be nested deeper. There a value is probed: closures and captured variables each time, because
//! they can form a circle; others at random, so that no pattern of uses escapes. A loop in a method
//! that uses `this` alone passes no such hook, so after many operations without a variable the
//! next values are probed all.

use std::cell::Cell;

use rhai::{Array, Dynamic, FnPtr, Map};

/// The deepest value. Below it, comparing and printing fit the stack of a script's thread many
/// times.
pub const DEEPEST: usize = 1000;

/// How many of the first and last entries of an array or a map a probe looks at.
const EDGE: usize = 8;
/// The most values of a thorough probe: captured variables may be shared many times.
const THOROUGH: usize = 4_000_000;

/// After this number of operations without a variable, a method may have nested `this` unseen.
const UNSEEN: u64 = 256;
/// How many values are probed without exception after that.
const WATCHED: u32 = 4096;

thread_local! {
    static RANDOM: Cell<u32> = const { Cell::new(0x9e37_79b9) };
    /// The operations of the script so far, at the last operation and at the last variable.
    static OPERATIONS: Cell<(u64, u64)> = const { Cell::new((0, 0)) };
    static WATCHES: Cell<u32> = const { Cell::new(0) };
}

/// Notes the number of operations so far.
pub fn note_operations(count: u64) {
    OPERATIONS.with(|state| state.set((count, state.get().1)));
}

/// Notes the use of a variable.
pub fn note_variable() {
    OPERATIONS.with(|state| {
        let (now, before) = state.replace((state.get().0, state.get().0));
        // Another interpreter of this thread counts from 0.
        if now.abs_diff(before) > UNSEEN {
            WATCHES.with(|left| left.set(WATCHED));
        }
    });
}

fn is_watched() -> bool {
    WATCHES.with(|left| left.replace(left.get().saturating_sub(1)) > 0)
}

/// Returns whether a probe of this value finds it nested deeper than [`DEEPEST`].
pub fn is_too_deep(value: &Dynamic) -> bool {
    if !nests(value) {
        return false;
    }
    let circular = value.is_shared() || value.is_fnptr();
    match random() {
        number if number.is_multiple_of(262_144) => Probe { entries: THOROUGH, nodes: THOROUGH },
        number if number.is_multiple_of(4096) => {
            Probe { entries: 16 * DEEPEST, nodes: 16 * DEEPEST }
        }
        _ if is_watched() => Probe { entries: 16 * DEEPEST, nodes: 16 * DEEPEST },
        number if circular || number.is_multiple_of(16) => Probe::QUICK,
        _ => return false,
    }
    .finds(value, DEEPEST)
}

/// A cheap random number (xorshift, Marsaglia 2003).
fn random() -> u32 {
    RANDOM.with(|state| {
        let mut x = state.get();
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state.set(x);
        x
    })
}

/// A bounded search for a deep value.
struct Probe {
    /// How many entries of arrays and maps it may look at, beside those at the edges.
    entries: usize,
    /// How many values it may look into.
    nodes: usize,
}

impl Probe {
    /// A probe whose time does not grow with the value.
    const QUICK: Probe = Probe { entries: 0, nodes: DEEPEST + 64 };

    /// Returns whether `value` is nested deeper than `levels`.
    fn finds(&mut self, value: &Dynamic, levels: usize) -> bool {
        if levels == 0 {
            return true;
        }
        let Some(left) = self.nodes.checked_sub(1) else { return false };
        self.nodes = left;
        // A value that is being changed cannot be read; its next use is probed.
        if let Some(list) = value.read_lock::<Array>() {
            return self.among(list.iter(), list.len(), levels);
        }
        if let Some(map) = value.read_lock::<Map>() {
            return self.among(map.values(), map.len(), levels);
        }
        if let Some(function) = value.read_lock::<FnPtr>() {
            let captured = function.curry();
            return self.among(captured.iter(), captured.len(), levels);
        }
        false
    }

    fn among<'v>(
        &mut self,
        values: impl DoubleEndedIterator<Item = &'v Dynamic> + Clone,
        count: usize,
        levels: usize,
    ) -> bool {
        let mut deep = |value: &Dynamic| nests(value) && self.finds(value, levels - 1);
        if count <= 2 * EDGE {
            return values.clone().any(deep);
        }
        if values.clone().take(EDGE).any(&mut deep) || values.clone().rev().take(EDGE).any(deep) {
            return true;
        }
        let Some(left) = self.entries.checked_sub(count) else { return false };
        self.entries = left;
        values.clone().any(|value| nests(value) && self.finds(value, levels - 1))
    }
}

/// Returns whether a value may contain others.
pub fn nests(value: &Dynamic) -> bool {
    value.is_shared() || value.is_fnptr() || value.is_array() || value.is_map()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nested(levels: usize) -> Dynamic {
        (0..levels).fold(Dynamic::UNIT, |inner, level| match level % 3 {
            0 => Dynamic::from_array(vec![1.into(), 2.into(), inner]),
            1 => Dynamic::from_map(Map::from([("a".into(), inner)])),
            _ => Dynamic::from_array(vec![inner]).into_shared(),
        })
    }

    #[test]
    fn only_a_deep_value_is_too_deep() {
        let probe =
            |levels| Probe { entries: 0, nodes: 2 * DEEPEST }.finds(&nested(levels), DEEPEST);
        assert!(!probe(DEEPEST - 1));
        assert!(probe(DEEPEST + 1));
        assert!(!is_too_deep(&"text".into()));
    }

    #[test]
    fn every_deep_value_is_found_after_a_few_uses() {
        let deep = nested(DEEPEST + 1);
        let mut wide = vec![Dynamic::from(1); 3 * EDGE];
        wide[EDGE] = deep.clone();
        let wide = Dynamic::from_array(wide);
        let uses = |value: &Dynamic| (0..).find(|_| is_too_deep(value)).unwrap_or_default();
        assert!(uses(&deep) < 1000);
        assert!(uses(&wide) < 100_000);
    }
}
