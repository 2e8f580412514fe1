//! The options of a volume: Docker's of its driver `local`, by which a volume mounts a device.

use std::collections::BTreeMap;

use crate::model::{Error, Kind, Result};

/// `type`, `device` and `o` of a volume; empty for a directory of the engine's.
pub type DriverOptions = BTreeMap<String, String>;

/// Each option, with those that it needs.
const KNOWN: [(&str, &[&str]); 4] =
    [("device", &["type"]), ("o", &["device", "type"]), ("size", &[]), ("type", &["device"])];

/// Checks the options of a new volume, in Docker's words.
///
/// # Errors
/// [`Kind::Invalid`], [`Kind::Unsupported`] for a quota.
pub fn check_options(options: &DriverOptions) -> Result<()> {
    let hint = "write -o type=none -o o=bind -o device=/srv, or -o type=tmpfs -o device=tmpfs";
    let invalid = |message: String| Error::new(Kind::Invalid, message).hint(hint);
    for key in options.keys() {
        if !KNOWN.iter().any(|(known, _)| known == key) {
            return Err(invalid(format!("invalid option: {key:?}")));
        }
    }
    for (key, needed) in KNOWN {
        let missing = needed.iter().find(|needed| !options.contains_key(**needed));
        if let Some(missing) = missing.filter(|_| options.contains_key(key)) {
            return Err(invalid(format!("missing required option: {missing:?}")));
        }
    }
    if options.contains_key("size") {
        let message = "quota size requested but no quota support";
        return Err(Error::new(Kind::Unsupported, message)
            .hint("use a tmpfs of this size: -o type=tmpfs -o device=tmpfs -o o=size=64m"));
    }
    if options.values().any(|value| value.contains('\0')) {
        return Err(invalid("NUL byte in an option of the volume".to_owned()));
    }
    Ok(())
}

/// Returns whether a volume with these options is memory. All other devices are of the host or of
/// the network.
pub fn is_memory(options: &DriverOptions) -> bool {
    let binds = |o: &String| o.split(',').any(|word| word == "bind" || word == "rbind");
    options.get("type").is_some_and(|kind| kind == "tmpfs") && !options.get("o").is_some_and(binds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(pairs: &[(&str, &str)]) -> DriverOptions {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn options_are_refused_in_dockers_words() {
        for (pairs, message) in [
            (&[("foo", "1")][..], "invalid option: \"foo\""),
            (&[("type", "tmpfs")], "missing required option: \"device\""),
            (&[("device", "/x")], "missing required option: \"type\""),
            (&[("o", "bind")], "missing required option: \"device\""),
            (&[("o", "bind"), ("device", "/x")], "missing required option: \"type\""),
            (&[("size", "1m")], "quota size requested but no quota support"),
        ] {
            let error = check_options(&options(pairs)).unwrap_err();
            assert_eq!(error.message(), message);
        }
        check_options(&options(&[("type", "nfs"), ("device", ":/x"), ("o", "addr=1.2.3.4")]))
            .unwrap();
        check_options(&options(&[("type", "tmpfs"), ("device", "")])).unwrap();
    }

    #[test]
    fn only_a_tmpfs_is_memory() {
        assert!(is_memory(&options(&[("type", "tmpfs"), ("device", "x"), ("o", "size=1m")])));
        assert!(!is_memory(&options(&[("type", "tmpfs"), ("device", "/etc"), ("o", "ro,bind")])));
        assert!(!is_memory(&options(&[("type", "none"), ("device", "/etc"), ("o", "bind")])));
        assert!(!is_memory(&DriverOptions::new()));
    }
}
