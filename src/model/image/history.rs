//! The history of an image: the steps that its configuration names, and the size of each.

use jiff::Timestamp;
use serde_json::Value;

use super::metadata::Image;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;

/// A step in the history of an image.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The image after the step, where the store has it.
    pub id: Option<Digest>,
    /// When the step was done.
    pub created: Option<Timestamp>,
    /// The command of the step, as the author wrote it.
    pub created_by: String,
    /// The bytes of the files of the step's layer; 0 without a layer.
    pub size: u64,
    /// The author's comment.
    pub comment: String,
    /// The tags of the image after the step.
    pub tags: Vec<Reference>,
}

/// An image that another was built from.
#[derive(Clone, Debug, PartialEq)]
pub struct Ancestor {
    /// The image.
    pub id: Digest,
    /// The tags of the image.
    pub tags: Vec<Reference>,
    /// How many steps its configuration names.
    pub steps: usize,
}

/// Returns the steps of an image, latest first. `sizes` are those of its layers, lowest first;
/// `ancestors` are the images that it was built from, nearest first.
///
/// A history is untrusted: where it names more layers than there are, those have
/// no size; where it names fewer, the others follow without a command.
pub fn history(image: &Image, sizes: &[u64], ancestors: &[Ancestor]) -> Vec<History> {
    let mut sizes = sizes.iter().copied();
    let mut steps: Vec<History> =
        recorded_steps(image).iter().map(|step| from_step(step, &mut sizes)).collect();
    steps.extend(sizes.map(|size| from_step(&Value::Null, &mut std::iter::once(size))));
    if let Some(last) = steps.last_mut() {
        (last.id, last.tags) = (Some(image.id.clone()), image.tags.clone());
    }
    let mut above = steps.len();
    for ancestor in ancestors {
        let length = ancestor.steps;
        // Only below the one before it; else it is not what this image was built from.
        let Some(step) = length.checked_sub(1).filter(|_| length < above) else { break };
        (steps[step].id, steps[step].tags) = (Some(ancestor.id.clone()), ancestor.tags.clone());
        above = length;
    }
    steps.reverse();
    steps
}

fn recorded_steps(image: &Image) -> &[Value] {
    image.document.get("history").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn from_step(step: &Value, sizes: &mut impl Iterator<Item = u64>) -> History {
    let text = |key: &str| step.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let is_empty = step.get("empty_layer").and_then(Value::as_bool).unwrap_or_default();
    History {
        id: None,
        created: text("created").parse().ok(),
        created_by: text("created_by"),
        size: if is_empty { 0 } else { sizes.next().unwrap_or_default() },
        comment: text("comment"),
        tags: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn image(seed: u8, history: Value) -> Image {
        Image {
            tags: vec!["a".parse().unwrap()],
            document: json!({ "history": history }),
            ..Image::plain(seed)
        }
    }

    fn check(history: Value, sizes: &[u64], expected: &[(&str, u64)]) {
        let steps = super::history(&image(1, history), sizes, &[]);
        let shown: Vec<_> = steps.iter().map(|s| (s.created_by.as_str(), s.size)).collect();
        assert_eq!(shown, expected);
        let ids: Vec<bool> = steps.iter().map(|step| step.id.is_some()).collect();
        assert_eq!(ids, (0..steps.len()).map(|n| n == 0).collect::<Vec<_>>());
    }

    #[test]
    fn steps_are_the_latest_first_and_empty_ones_have_no_size() {
        let steps = json!([
            {"created_by": "ADD"},
            {"created_by": "ENV", "empty_layer": true},
            {"created_by": "RUN"}
        ]);
        check(steps, &[7, 5], &[("RUN", 5), ("ENV", 0), ("ADD", 7)]);
    }

    #[test]
    fn a_history_that_does_not_fit_its_layers_is_shown_all_the_same() {
        let one = json!([{"created_by": "ADD"}]);
        check(one.clone(), &[], &[("ADD", 0)]);
        check(one, &[7, 5], &[("", 5), ("ADD", 7)]);
        check(Value::Null, &[7], &[("", 7)]);
        check(json!(["x", 3, {"created": 5}]), &[1], &[("", 0), ("", 0), ("", 1)]);
        check(Value::Null, &[], &[]);
    }

    #[test]
    fn images_that_it_was_built_from_have_their_ids() {
        let step = json!({"empty_layer": true});
        let newest = image(1, vec![step; 4].into());
        let of = |seed: u8, steps: usize| {
            let image = Image::plain(seed);
            Ancestor { id: image.id, tags: image.tags, steps }
        };
        let steps = super::history(&newest, &[], &[of(2, 3), of(3, 1), of(4, 1), of(5, 0)]);
        let seeds: Vec<_> = steps.iter().map(|step| step.id.clone()).collect();
        let id = |seed: u8| Some(Digest::from_bytes(&[seed; 32]));
        assert_eq!(seeds, [id(1), id(2), None, id(3)]);
    }
}
