//! Environment variables: those that a container has without being given any, and the one way to
//! merge lists of them.

use std::collections::HashMap;

/// The `PATH` of a container where neither image nor user sets one.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Returns the name of an entry `KEY=VALUE`.
pub fn key(entry: &str) -> &str {
    entry.split_once('=').map_or(entry, |(key, _)| key)
}

/// Variables in Docker's order: a variable stands where it was first set, with the value that was
/// set last. Found by place, because an image or a user may bring tens of thousands.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The entries; `None` stands for one that was removed.
    entries: Vec<Option<String>>,
    places: HashMap<String, usize>,
}

impl Environment {
    /// Returns these entries. One without `=` stays as it is.
    pub fn new(entries: impl IntoIterator<Item = String>) -> Self {
        let mut environment = Environment::default();
        for entry in entries {
            match entry.contains('=') {
                true => environment.apply(entry),
                false => environment.entries.push(Some(entry)),
            }
        }
        environment
    }

    /// Sets a variable by `KEY=VALUE`; removes one by `KEY`.
    pub fn apply(&mut self, entry: String) {
        let name = key(&entry);
        if name.len() == entry.len() {
            self.remove(&entry);
        } else if let Some(place) = self.places.get(name) {
            self.entries[*place] = Some(entry);
        } else {
            self.places.insert(name.to_owned(), self.entries.len());
            self.entries.push(Some(entry));
        }
    }

    /// Removes a variable.
    pub fn remove(&mut self, name: &str) {
        if let Some(place) = self.places.remove(name) {
            self.entries[place] = None;
        }
    }

    /// Returns whether there is such a variable.
    pub fn has(&self, name: &str) -> bool {
        self.places.contains_key(name)
    }

    /// Returns the entries.
    pub fn into_entries(self) -> Vec<String> {
        self.entries.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_keeps_its_first_place_and_has_its_last_value() {
        let table = [
            ("A=1 B=1 A=2", "C=1 A=3 B", "A=3 C=1"),
            ("A=1", "A A=2", "A=2"),
            ("A= odd B=1", "B A=x=y", "A=x=y odd"),
            ("", "A", ""),
        ];
        for (first, more, expected) in table {
            let words = |text: &'static str| text.split_whitespace().map(str::to_owned);
            let mut environment = Environment::new(words(first));
            words(more).for_each(|entry| environment.apply(entry));
            assert_eq!(environment.into_entries().join(" "), expected, "{first} + {more}");
        }
    }
}
