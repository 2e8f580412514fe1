//! Ordered names and values, and those of the platform.

use std::collections::HashMap;

use crate::model::value::platform::Platform;

/// Names and values.
pub(super) type Pairs = Vec<(String, String)>;

/// Names and values in the order in which they were first set; found by name, because a Dockerfile
/// may have as many as it has lines.
#[derive(Clone, Default)]
pub(super) struct Arguments {
    list: Pairs,
    places: HashMap<String, usize>,
}

impl Arguments {
    pub(super) fn get(&self, name: &str) -> Option<String> {
        self.places.get(name).map(|place| self.list[*place].1.clone())
    }

    pub(super) fn set(&mut self, name: &str, value: String) {
        if let Some(place) = self.places.get(name) {
            self.list[*place].1 = value;
        } else {
            self.places.insert(name.to_owned(), self.list.len());
            self.list.push((name.to_owned(), value));
        }
    }

    pub(super) fn list(&self) -> &[(String, String)] {
        &self.list
    }
}

/// Returns a table of names, of which the first value counts.
pub(super) fn table(pairs: impl IntoIterator<Item = (String, String)>) -> HashMap<String, String> {
    let mut table = HashMap::new();
    for (name, value) in pairs {
        table.entry(name).or_insert(value);
    }
    table
}

/// Returns the predefined arguments of the build and target platforms.
pub(super) fn platform() -> Arguments {
    let architecture = Platform::host().architecture;
    let mut all = Arguments::default();
    for side in ["TARGET", "BUILD"] {
        let values = [
            ("PLATFORM", format!("linux/{architecture}")),
            ("OS", "linux".to_owned()),
            ("ARCH", architecture.clone()),
            ("VARIANT", String::new()),
        ];
        values.into_iter().for_each(|(name, value)| all.set(&format!("{side}{name}"), value));
    }
    all
}
