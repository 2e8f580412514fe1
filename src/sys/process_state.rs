//! What a process does, for who waits for it: proc_pid_stat(5).

use std::fmt;
use std::fs;

/// The longest command that is shown, in characters.
const LONGEST: usize = 40;

/// A process, at one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessState {
    /// Its id.
    pub pid: i32,
    /// Its name, which a program may choose.
    name: String,
    /// The letter of its state.
    pub letter: char,
    /// The processor time that it has used, in clock ticks.
    pub cpu: u64,
    /// When it started, in clock ticks since boot.
    pub start: u64,
}

impl ProcessState {
    /// Reads the state of a process; `None` if there is none.
    pub fn of(pid: i32) -> Option<Self> {
        // The second field is in parentheses and may hold any bytes, so it is skipped from the end.
        let text = fs::read(format!("/proc/{pid}/stat")).ok()?;
        let text = String::from_utf8_lossy(&text);
        let (before, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |field: usize| fields.get(field - 3).and_then(|text| text.parse().ok());
        let name = before.split_once('(').map_or("", |(_, name)| name);
        Some(ProcessState {
            pid,
            name: name.to_owned(),
            letter: fields.first()?.chars().next()?,
            cpu: number(14).unwrap_or(0) + number(15).unwrap_or(0),
            start: number(22).unwrap_or(0),
        })
    }

    /// Returns whether another process keeps it from running: it is stopped by a signal or a
    /// tracer, or frozen with its cgroup.
    pub fn is_held(&self) -> bool {
        matches!(self.letter, 'T' | 't') || self.is_frozen()
    }

    /// Returns whether its cgroup is frozen.
    fn is_frozen(&self) -> bool {
        // Of v2, where the function may be part of its caller, and of v1.
        matches!(self.waits_in().as_str(), "do_freezer_trap" | "get_signal" | "__refrigerator")
    }

    /// Returns the function of the kernel in which it sleeps, where this user may see that.
    fn waits_in(&self) -> String {
        let name = fs::read_to_string(format!("/proc/{}/wchan", self.pid)).unwrap_or_default();
        // Without what a compiler adds to it.
        name.split('.').next().unwrap_or_default().to_owned()
    }

    /// Returns the name of the file in its first argument, or its own: printable, and cut.
    fn command(&self) -> String {
        let line = fs::read(format!("/proc/{}/cmdline", self.pid)).unwrap_or_default();
        let first = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let file = first.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let file = String::from_utf8_lossy(file);
        printable(if file.is_empty() { &self.name } else { &file })
    }

    /// Describes its state.
    pub fn words(&self) -> String {
        let place = match self.waits_in() {
            place if place.is_empty() || place == "0" => String::new(),
            place => format!(" in {place}"),
        };
        match self.letter {
            'T' | 't' => "stopped".to_owned(),
            'Z' | 'X' => "exited".to_owned(),
            _ if self.is_frozen() => "frozen with its cgroup".to_owned(),
            'D' => format!("unkillable{place}"),
            'S' | 'I' => format!("waiting{place}"),
            _ => "running".to_owned(),
        }
    }
}

/// Shows who is waited for, such as "process 7 (`sh`), stopped".
impl fmt::Display for ProcessState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "process {} (`{}`), {}", self.pid, self.command(), self.words())
    }
}

/// Returns a text of a stranger's for a message: one line of printable ASCII.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_ascii_graphic() && c != '`' { c } else { '?' };
    text.chars().take(LONGEST).map(shown).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_runs_and_a_missing_one_has_no_state() {
        let own = ProcessState::of(rustix::process::getpid().as_raw_nonzero().get()).unwrap();
        assert!(own.start > 0 && !own.is_held(), "{own:?}");
        assert!(ProcessState::of(i32::MAX).is_none());
    }

    #[test]
    fn a_command_is_shown_in_printable_characters_and_cut() {
        assert_eq!(printable("a\u{1b}[31m`\u{202e}é"), "a?[31m???");
        assert_eq!(printable(&"x".repeat(100)).len(), LONGEST);
    }
}
