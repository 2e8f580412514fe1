//! The processes of a container, as `top` shows them.

/// A process. Numbers are those of the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its user.
    pub uid: u32,
    /// The user's name on the host, where it has one.
    pub user: String,
    /// Its number.
    pub pid: u32,
    /// The number of its parent.
    pub ppid: u32,
    /// Its share of a processor since it started, in percent.
    pub cpu: u32,
    /// When it started: the time, or the day if that was not today.
    pub started: String,
    /// Its terminal; `?` where it has none.
    pub tty: String,
    /// Its time on processors, in seconds.
    pub time: u64,
    /// Its command line, or its name in brackets.
    pub command: String,
}

impl Process {
    /// Docker's columns.
    pub const TITLES: [&'static str; 8] =
        ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"];

    /// What stands in them.
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
