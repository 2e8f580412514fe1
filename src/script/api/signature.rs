//! The types that signatures show, and arrays of handles.

use rhai::{Array, Dynamic, Map};

// Aliases for signatures: the name says what a value means; for Rhai they are transparent.

/// A Container, a name or an id.
pub type ContainerOrName = Dynamic;
/// An Image or a reference.
pub type ImageOrName = Dynamic;
/// A Container, a name, an id, or a map of options.
pub type ContainerOrOptions = Dynamic;
/// A Container, an Image, a name, an id or a reference.
pub type AnyOrName = Dynamic;
/// An array of strings, or a string of words.
pub type Command = Dynamic;
/// A map of options.
pub type Options = Map;
/// A number of seconds, or a text such as `"10s"`.
pub type Duration = Dynamic;
/// A timeout or a map of options.
pub type DurationOrOptions = Dynamic;
/// An action of events, or an array of them.
pub type ActionOrActions = Dynamic;
/// A signal's name or number.
pub type Signal = Dynamic;
/// A value of any type.
pub type Anything = Dynamic;

/// Returns handles as an array.
pub(super) fn array_of<T: Clone + Send + Sync + 'static>(
    items: impl IntoIterator<Item = T>,
) -> Array {
    items.into_iter().map(Dynamic::from).collect()
}
