//! The processes of a container, read in the host's `/proc`: no program of the image is executed
//! (CVE-2022-1227).

use std::fs;
use std::os::unix::fs::MetadataExt;

use jiff::{Timestamp, tz::TimeZone};

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::container::status;
use crate::model::container::status::Action;
use crate::model::observe::event;
use crate::model::observe::top::Process;
use crate::model::value::id::ContainerId;
use crate::runtime::rootless;

/// Clock ticks per second, the unit of times in `/proc` (`USER_HZ`).
const TICKS: u64 = 100;

impl Runtime {
    /// Returns the processes of a container, in the order in which they were created.
    ///
    /// # Errors
    /// When the container does not run.
    pub fn top(&self, id: &ContainerId) -> Result<Vec<Process>> {
        let state = self.inspect(id)?.state;
        status::check(state.name.as_str(), state.status, Action::Top)?;
        let found = self.found(id, state.pid)?;
        self.event(id, event::EventAction::Top, &[]);
        Ok(found)
    }

    /// Returns the ids and commands of a container's processes; none if it does not run. Emits no
    /// event.
    pub(crate) fn processes(&self, id: &ContainerId) -> Result<Vec<(u32, String)>> {
        let state = self.inspect(id)?.state;
        if state.pid == 0 {
            return Ok(Vec::new());
        }
        let found = self.found(id, state.pid)?.into_iter();
        Ok(found.map(|process| (process.pid, process.command)).collect())
    }

    fn found(&self, id: &ContainerId, first: i32) -> Result<Vec<Process>> {
        let cgroup = self.cgroup(id)?;
        let mounts = Some(first).filter(|_| cgroup.has_no_hierarchy());
        let processes = match mounts.and_then(rootless::processes::mounts_of) {
            Some(mounts) => rootless::processes::with_mounts(&mounts),
            None => cgroup.processes(),
        };
        let mut found: Vec<_> = processes.into_iter().filter_map(process).collect();
        found.sort_by_key(|(began, process)| (*began, process.pid));
        Ok(found.into_iter().map(|(_, process)| process).collect())
    }
}

/// Reads a process and its start in ticks since boot; `None` if it has exited meanwhile.
fn process(pid: u32) -> Option<(u64, Process)> {
    let directory = format!("/proc/{pid}");
    let stat = fs::read_to_string(format!("{directory}/stat")).ok()?;
    // The second field is in parentheses and may hold anything (proc_pid_stat(5)).
    let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
    let fields: Vec<&str> = rest.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<u64>().ok();
    let began = number(22)?;
    let time = (number(14)? + number(15)?) / TICKS;
    let uid = fs::metadata(&directory).ok()?.uid();
    let uid = fs::read_to_string(format!("{directory}/status"))
        .ok()
        .and_then(|status| {
            let line = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
            // The fields are the real, effective, saved and file system user id.
            line.split_whitespace().nth(1)?.parse().ok()
        })
        .unwrap_or(uid);
    let words = fs::read(format!("{directory}/cmdline")).unwrap_or_default();
    let words = String::from_utf8_lossy(&words).trim_end_matches('\0').replace('\0', " ");
    let command = if words.is_empty() { format!("[{name}]") } else { words };
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let uptime = uptime.split('.').next().and_then(|text| text.parse().ok()).unwrap_or(0);
    let alive = u64::saturating_sub(uptime, began / TICKS);
    let process = Process {
        uid,
        user: user(uid),
        pid,
        ppid: u32::try_from(number(4)?).ok()?,
        cpu: u32::try_from(time * 100 / alive.max(1)).unwrap_or(u32::MAX),
        started: started(alive),
        tty: tty(number(7)?),
        time,
        command: command.escape_debug().to_string().replace("\\'", "'").replace("\\\"", "\""),
    };
    Some((began, process))
}

/// Formats the start of a process of this age, as ps(1) does.
fn started(seconds: u64) -> String {
    let now = Timestamp::now();
    let ago = jiff::SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    let zone = TimeZone::system();
    let began = zone.to_datetime(now.checked_sub(ago).unwrap_or(now));
    let today = zone.to_datetime(now).date() == began.date();
    began.strftime(if today { "%H:%M" } else { "%b%d" }).to_string()
}

/// Returns the name of a terminal by its device: bits 15 to 8 are the major number, the rest the
/// minor.
fn tty(device: u64) -> String {
    let (major, minor) = ((device >> 8) & 0xff, (device & 0xff) | ((device >> 12) & 0xf_ff00));
    match major {
        0 => "?".to_owned(),
        136..=143 => format!("pts/{}", (major - 136) * 256 + minor),
        4 => format!("tty{minor}"),
        _ => format!("{major}:{minor}"),
    }
}

/// Returns a user's name in the host's `/etc/passwd`; the number if there is none.
fn user(uid: u32) -> String {
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse() == Ok(uid)).then(|| name.to_owned())
    });
    entry.unwrap_or_else(|| uid.to_string())
}
