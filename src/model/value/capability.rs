//! Capabilities by name and number (capabilities(7), linux/capability.h).

use super::suggest::suggest;
use crate::model::{Error, Kind, Result};

/// The word for all capabilities.
pub const ALL: &str = "ALL";

/// The names of capabilities; the number of each is its index.
pub const NAMES: [&str; 41] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
];

/// The default capabilities: Podman's eleven.
pub const DEFAULT: [&str; 11] = [
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_NET_BIND_SERVICE",
    "CAP_SETFCAP",
    "CAP_SETGID",
    "CAP_SETPCAP",
    "CAP_SETUID",
    "CAP_SYS_CHROOT",
];

/// Normalizes a name with or without `CAP_`, in any case, to the form of `inspect`; or [`ALL`].
///
/// # Errors
/// [`Kind::Invalid`] for an unknown capability, with a suggestion.
pub fn canonical(text: &str) -> Result<String> {
    let upper = text.trim().to_uppercase();
    if upper == ALL {
        return Ok(upper);
    }
    let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let shorts = || NAMES.iter().filter_map(|name| name.strip_prefix("CAP_"));
    if shorts().any(|known| known == short) {
        return Ok(format!("CAP_{short}"));
    }
    let hint = match suggest(short, shorts().chain([ALL])) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "write a name of capabilities(7), such as NET_ADMIN, or ALL".to_owned(),
    };
    Err(Error::new(Kind::Invalid, format!("unknown capability `{text}`")).hint(hint))
}

/// Normalizes several names.
///
/// # Errors
/// As [`canonical`].
pub fn canonical_all(texts: &[String]) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for text in texts {
        let name = canonical(text)?;
        if !names.contains(&name) {
            names.push(name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_with_and_without_its_beginning_and_in_any_case() {
        for text in ["NET_ADMIN", "net_admin", "CAP_NET_ADMIN", "cap_Net_Admin"] {
            assert_eq!(canonical(text).unwrap(), "CAP_NET_ADMIN", "{text}");
        }
        assert_eq!(canonical("all").unwrap(), "ALL");
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest() {
        let error = canonical("SYS_ADMN").unwrap_err();
        assert_eq!(error.message(), "unknown capability `SYS_ADMN`");
        assert_eq!(error.hint_text(), Some("did you mean `SYS_ADMIN`?"));
        for text in ["", "CAP_", "CAP_ALL", "7"] {
            assert_eq!(canonical(text).unwrap_err().kind(), Kind::Invalid, "{text}");
        }
    }
}
