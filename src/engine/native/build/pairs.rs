//! Ordered names and values, and those of the platform.

use crate::model::value::platform::Platform;

/// Names and values.
pub(super) type Pairs = Vec<(String, String)>;

pub(super) fn get(list: &[(String, String)], name: &str) -> Option<String> {
    list.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

pub(super) fn set(list: &mut Vec<(String, String)>, name: &str, value: String) {
    match list.iter_mut().find(|(known, _)| known == name) {
        Some(known) => known.1 = value,
        None => list.push((name.to_owned(), value)),
    }
}

/// Returns the predefined arguments of the build and target platforms.
pub(super) fn platform() -> Vec<(String, String)> {
    let architecture = Platform::host().architecture;
    let mut all = Vec::new();
    for side in ["TARGET", "BUILD"] {
        let values = [
            ("PLATFORM", format!("linux/{architecture}")),
            ("OS", "linux".to_owned()),
            ("ARCH", architecture.clone()),
            ("VARIANT", String::new()),
        ];
        all.extend(values.map(|(name, value)| (format!("{side}{name}"), value)));
    }
    all
}
