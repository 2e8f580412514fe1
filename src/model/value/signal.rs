//! Signals by name and number, as Docker reads them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::{Error, Kind, Result};

/// A signal that can be sent: 1 to 64.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Signal(u8);

/// Names and numbers of signal(7); the same on x86_64 and aarch64.
const NAMES: [(&str, u8); 35] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
    ("RTMIN", 34),
    ("RTMAX", 64),
    ("IOT", 6),
    ("POLL", 29),
];

impl Signal {
    /// Kills a process; cannot be caught.
    pub const KILL: Signal = Signal(9);
    /// Asks a process to end.
    pub const TERM: Signal = Signal(15);
    /// What Ctrl-C sends.
    pub const INT: Signal = Signal(2);

    /// Returns the signal with this number, if there is one.
    pub fn from_number(number: i32) -> Option<Self> {
        u8::try_from(number).ok().filter(|n| (1..=64).contains(n)).map(Signal)
    }

    /// Returns the number.
    pub fn number(self) -> i32 {
        i32::from(self.0)
    }

    /// Returns the exit code of a process that died of the signal: 128 and the number.
    pub fn exit_code(self) -> i32 {
        128 + self.number()
    }
}

impl FromStr for Signal {
    type Err = Error;

    /// Parses a number, or a name in any case with or without `SIG`; `RTMIN+n` and `RTMAX-n` too.
    fn from_str(text: &str) -> Result<Self> {
        let invalid = || {
            Error::new(Kind::Invalid, format!("invalid signal: `{text}`"))
                .hint("use a number from 1 to 64, or a name such as TERM or SIGTERM")
        };
        if let Ok(number) = text.parse::<i32>() {
            return Signal::from_number(number).ok_or_else(invalid);
        }
        let upper = text.to_ascii_uppercase();
        let name = upper.strip_prefix("SIG").unwrap_or(&upper);
        if let Some((_, number)) = NAMES.iter().find(|(known, _)| *known == name) {
            return Ok(Signal(*number));
        }
        let realtime = match (name.strip_prefix("RTMIN+"), name.strip_prefix("RTMAX-")) {
            (Some(offset), _) => offset.parse::<i32>().ok().map(|n| 34 + n),
            (_, Some(offset)) => offset.parse::<i32>().ok().map(|n| 64 - n),
            _ => None,
        };
        realtime.filter(|n| (34..=64).contains(n)).and_then(Signal::from_number).ok_or_else(invalid)
    }
}

impl TryFrom<String> for Signal {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Signal> for String {
    fn from(signal: Signal) -> String {
        signal.to_string()
    }
}

/// The signal that `stop` sends, as its author wrote it: `inspect` shows `15` and `term` as such.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StopSignal {
    signal: Signal,
    text: String,
}

impl StopSignal {
    /// Returns the signal.
    pub fn signal(&self) -> Signal {
        self.signal
    }
}

impl FromStr for StopSignal {
    type Err = Error;

    /// Parses what [`Signal`] does.
    fn from_str(text: &str) -> Result<Self> {
        Ok(StopSignal { signal: text.parse()?, text: text.to_owned() })
    }
}

impl TryFrom<String> for StopSignal {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<StopSignal> for String {
    fn from(signal: StopSignal) -> String {
        signal.text
    }
}

/// Writes the text as its author wrote it.
impl fmt::Display for StopSignal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Writes `SIGTERM`, or the number of a signal without a name.
impl fmt::Display for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(_, number)| *number == self.0) {
            Some((name, _)) => write!(f, "SIG{name}"),
            None => write!(f, "{}", self.0),
        }
    }
}

impl fmt::Debug for Signal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_in_any_case() {
        for text in ["9", "KILL", "SIGKILL", "sigkill", "kill"] {
            assert_eq!(text.parse::<Signal>().unwrap(), Signal::KILL, "{text}");
        }
        assert_eq!("RTMIN+3".parse::<Signal>().unwrap().number(), 37);
        for text in ["0", "65", "-1", "NOPE", "", "RTMIN+99", "RTMAX-64"] {
            assert!(text.parse::<Signal>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_stop_signal_stays_as_it_was_written() {
        for text in ["15", "term", "SIGTERM", "TERM"] {
            let signal: StopSignal = text.parse().unwrap();
            assert_eq!((signal.signal(), signal.to_string().as_str()), (Signal::TERM, text));
        }
        assert!("NOPE".parse::<StopSignal>().is_err());
    }

    #[test]
    fn the_text_of_a_signal_reads_back_as_itself() {
        for number in 1..=64 {
            let signal = Signal::from_number(number).unwrap();
            assert_eq!(signal.to_string().parse::<Signal>().unwrap(), signal);
        }
    }
}
