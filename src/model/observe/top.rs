//! The processes of a container, as `top` prints them.

/// A process. Numbers are those of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The user.
    pub uid: u32,
    /// The user's name on the host, where it has one.
    pub user: String,
    /// The process id.
    pub pid: u32,
    /// The process id of the parent.
    pub ppid: u32,
    /// The share of a processor since the start, in percent.
    pub cpu: u32,
    /// The start: the time, or the day if that was not today.
    pub started: String,
    /// The terminal; `?` where there is none.
    pub tty: String,
    /// The processor time, in seconds.
    pub time: u64,
    /// The command line, or the name in brackets.
    pub command: String,
}

impl Process {
    /// Docker's columns.
    pub const TITLES: [&'static str; 8] =
        ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

    /// Returns the values of the columns.
    pub fn row(&self) -> [String; 8] {
        let (minutes, seconds) = (self.time / 60, self.time % 60);
        [
            self.user.clone(),
            self.pid.to_string(),
            self.ppid.to_string(),
            self.cpu.to_string(),
            self.started.clone(),
            self.tty.clone(),
            format!("{:02}:{:02}:{seconds:02}", minutes / 60, minutes % 60),
            self.command.clone(),
        ]
    }
}
