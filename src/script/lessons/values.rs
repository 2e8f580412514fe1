//! Values that are chosen for each learner, so that answers cannot be copied.

use std::collections::BTreeMap;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};

use crate::model::{Error, Kind, Result};

/// Values by name.
pub type Values = BTreeMap<String, String>;

const NAMES: [&str; 12] = [
    "lime", "fern", "otter", "comet", "maple", "pearl", "robin", "cedar", "amber", "delta",
    "willow", "sparrow",
];
const WORDS: [&str; 12] = [
    "apple", "river", "lantern", "violin", "pepper", "harbor", "meadow", "copper", "garden",
    "window", "silver", "planet",
];

/// Returns a random number below `end`.
pub fn below(end: u64) -> u64 {
    // The hasher has a new random key in each state.
    RandomState::new().build_hasher().finish() % end.max(1)
}

/// Chooses a value of a kind: `name`, `word`, or `A..B`, a number from A to B.
///
/// # Errors
/// [`Kind::Invalid`] for another kind.
pub fn choose(kind: &str) -> Result<String> {
    let pick =
        |list: &[&str]| list[usize::try_from(below(list.len() as u64)).unwrap_or(0)].to_owned();
    match kind {
        "name" => Ok(format!("{}-{}", pick(&NAMES), 10 + below(90))),
        "word" => Ok(format!("{}{}", pick(&WORDS), 10 + below(90))),
        _ => {
            let range = kind.split_once("..");
            let bounds = range.and_then(|(from, to)| Some((from.parse().ok()?, to.parse().ok()?)));
            let (from, to): (u64, u64) =
                bounds.filter(|(from, to)| from < to).ok_or_else(|| {
                    let message = format!("`{kind}` is not a kind of value");
                    Error::new(Kind::Invalid, message)
                        .hint("use name, word, or a range such as 3..99")
                })?;
            Ok((from + below(to - from + 1)).to_string())
        }
    }
}

/// Returns the names after each `$` in a text. `${` begins an expression of the language.
pub fn names(text: &str) -> impl Iterator<Item = &str> {
    text.split('$').skip(1).filter_map(|rest| {
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
        Some(&rest[..end]).filter(|name| name.starts_with(|c: char| c.is_ascii_lowercase()))
    })
}

/// Returns `text` with each `$name` replaced by its value.
pub fn put(text: &str, values: &Values) -> String {
    let mut parts = text.split('$');
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let name = names(&format!("${part}")).next().unwrap_or_default().to_owned();
        match values.get(&name) {
            Some(value) if !name.is_empty() => {
                whole.push_str(value);
                whole.push_str(&part[name.len()..]);
            }
            _ => {
                whole.push('$');
                whole.push_str(part);
            }
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_replaced_and_templates_of_the_language_are_not() {
        let values = Values::from([("name".to_owned(), "web".to_owned())]);
        assert_eq!(
            put("run(\"$name\"); `${x} $other $name-2`", &values),
            "run(\"web\"); `${x} $other web-2`"
        );
        assert_eq!(names("$a ${b} $c_d $1").collect::<Vec<_>>(), ["a", "c_d"]);
    }

    #[test]
    fn values_are_of_their_kind() {
        for _ in 0..50 {
            assert!((3..=9).contains(&choose("3..9").unwrap().parse::<u64>().unwrap()));
        }
        assert!(choose("name").unwrap().contains('-'));
        assert!(choose("9..3").is_err() && choose("colour").is_err());
    }
}
