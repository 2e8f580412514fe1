//! Ports, as `EXPOSE` and `--expose` name them.

use crate::model::{Error, Kind, Result};

/// Expands a port or a range of ports to keys: `80` is `80/tcp`.
///
/// # Errors
/// [`Kind::Invalid`] for anything but ports from 0 to 65535 of TCP, UDP or SCTP.
pub fn expand(port: &str) -> Result<Vec<String>> {
    let wrong = || {
        Error::new(Kind::Invalid, format!("invalid containerPort: {port}"))
            .hint("write a port such as 80, 53/udp or 8000-8010")
    };
    let (range, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
    let protocol = protocol.to_ascii_lowercase();
    if !matches!(protocol.as_str(), "tcp" | "udp" | "sctp") {
        return Err(wrong());
    }
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let number = |text: &str| text.parse::<u16>().map_err(|_| wrong());
    let (first, last) = (number(first)?, number(last)?);
    if first > last {
        return Err(wrong());
    }
    Ok((first..=last).map(|port| format!("{port}/{protocol}")).collect())
}
