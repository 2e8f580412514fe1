//! Runs a command call by call with ptrace(2), and does one thing to one of its processes.
//!
//! The processes are followed by role: the client, the monitor, and init until it executes the
//! container's program. After the fault all processes run freely.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::CommandExt as _;
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::ptrace::{self, Event, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use crate::calls::Call;
use crate::command::{Captured, Ran};

/// How long a command may take, call by call on a loaded machine.
const LIMIT: Duration = Duration::from_secs(60);

/// Whose calls are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Client,
    Monitor,
    /// What the monitor clones, until it executes a program.
    Init,
    /// What the client forks, until it becomes a monitor.
    Helper,
}

impl Role {
    pub const ALL: [Role; 4] = [Role::Client, Role::Monitor, Role::Init, Role::Helper];

    pub fn name(self) -> &'static str {
        match self {
            Role::Client => "client",
            Role::Monitor => "monitor",
            Role::Init => "init",
            Role::Helper => "helper",
        }
    }
}

/// What is done to a process.
#[derive(Clone, Copy, Debug)]
pub enum Act {
    /// The process is killed before the call.
    Kill,
    /// The call is not made, and returns this error.
    Fail(Errno),
    /// The process is stopped after the call.
    Stop,
}

/// One fault: at the `at`-th call of this role that `counts`.
#[derive(Clone, Copy)]
pub struct Fault<'a> {
    pub role: Role,
    pub at: usize,
    pub counts: &'a dyn Fn(&Call) -> bool,
    pub act: Act,
}

/// What came of a command.
#[derive(Debug)]
pub struct Stepped {
    pub ran: Ran,
    /// The call that the fault met, if it came to it.
    pub met: Option<String>,
    /// All calls, if nothing was done to any.
    pub calls: Vec<(Role, Call)>,
}

#[derive(Clone, Copy)]
struct Tracee {
    process: Pid,
    role: Option<Role>,
    /// What the call that the thread is in is to return.
    pretend: Option<Errno>,
}

/// A command that is being traced.
pub struct Stepper<'a> {
    client: Pid,
    tracees: BTreeMap<Pid, Tracee>,
    fault: Option<Fault<'a>>,
    seen: usize,
    calls: Vec<(Role, Call)>,
    met: Option<String>,
    stopped: Option<Pid>,
    status: Option<i32>,
    captured: Captured,
    /// Dropped with the stepper: ends the watch over its time.
    _watch: mpsc::Sender<()>,
}

fn options() -> Options {
    Options::PTRACE_O_TRACESYSGOOD
        | Options::PTRACE_O_TRACEFORK
        | Options::PTRACE_O_TRACEVFORK
        | Options::PTRACE_O_TRACECLONE
        | Options::PTRACE_O_TRACEEXEC
}

impl<'a> Stepper<'a> {
    /// Begins a command, stopped before its first call. `monitor` runs already and is traced too.
    #[expect(clippy::zombie_processes, reason = "waitpid(2) reaps it, as every process it traces")]
    pub fn begin(command: &Command, monitor: Option<Pid>, fault: Option<Fault<'a>>) -> Self {
        // A process cannot ask to be traced without unsafe code here; one that waits is seized.
        let mut waiting = Command::new("sh");
        waiting.args(["-c", r#"kill -STOP $$; exec "$@""#, "sh"]);
        waiting.arg(command.get_program()).args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => waiting.env(name, value),
                None => waiting.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            waiting.current_dir(directory);
        }
        let captured = Captured::new(&mut waiting);
        let child = waiting.process_group(0).spawn().unwrap();
        let client = Pid::from_raw(i32::try_from(child.id()).unwrap());
        let status = waitpid(client, Some(WaitPidFlag::WUNTRACED)).unwrap();
        assert!(matches!(status, WaitStatus::Stopped(..)), "{status:?}");
        let (watch, ended) = mpsc::channel::<()>();
        std::thread::spawn(move || {
            if ended.recv_timeout(LIMIT) == Err(mpsc::RecvTimeoutError::Timeout) {
                let _ = kill(client, Signal::SIGKILL);
            }
        });
        let mut stepper = Stepper {
            client,
            tracees: BTreeMap::new(),
            fault,
            seen: 0,
            calls: Vec::new(),
            met: None,
            stopped: None,
            status: None,
            captured,
            _watch: watch,
        };
        stepper.seize(client, client, None);
        kill(client, Signal::SIGCONT).unwrap();
        if let Some(monitor) = monitor {
            for task in tasks(monitor) {
                stepper.seize(task, monitor, Some(Role::Monitor));
                let _ = ptrace::interrupt(task);
            }
        }
        stepper
    }

    fn seize(&mut self, thread: Pid, process: Pid, role: Option<Role>) {
        if ptrace::seize(thread, options()).is_ok() {
            self.tracees.insert(thread, Tracee { process, role, pretend: None });
        }
    }

    /// Runs the command to its end, and with `whole` its monitor too.
    pub fn finish(mut self, whole: bool) -> Stepped {
        while !(self.status.is_some() && (!whole || self.tracees.is_empty())) {
            let met = self.step();
            if met {
                break;
            }
        }
        self.release();
        let code = self.status.unwrap_or_else(|| wait_for(self.client));
        self.result(code)
    }

    /// Runs the command until the fault has happened, or to its end.
    pub fn until_fault(&mut self) {
        while self.status.is_none() && !self.step() {}
        self.release();
    }

    /// Waits for the end of a command whose fault has happened.
    pub fn end(self) -> Stepped {
        let code = self.status.unwrap_or_else(|| wait_for(self.client));
        self.result(code)
    }

    /// The process that was stopped.
    pub fn stopped(&self) -> Option<Pid> {
        self.stopped
    }

    fn result(self, code: i32) -> Stepped {
        let ran = self.captured.ran(code);
        Stepped { ran, met: self.met, calls: self.calls }
    }

    /// Goes from one stop to the next; whether the fault happened.
    fn step(&mut self) -> bool {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let Ok(status) = waitpid(Pid::from_raw(-1), Some(flags)) else {
            // No process is left.
            self.status.get_or_insert(-1);
            return false;
        };
        match status {
            WaitStatus::PtraceEvent(pid, _, event) => self.event(pid, event),
            WaitStatus::PtraceSyscall(pid) => return self.call(pid),
            WaitStatus::Stopped(pid, signal) => proceed(pid, Some(signal)),
            WaitStatus::Exited(pid, code) => self.ended(pid, code),
            WaitStatus::Signaled(pid, signal, _) => self.ended(pid, -(signal as i32)),
            _ => {}
        }
        false
    }

    fn ended(&mut self, pid: Pid, code: i32) {
        self.tracees.remove(&pid);
        if pid == self.client {
            self.status = Some(code);
        }
    }

    fn event(&mut self, pid: Pid, event: i32) {
        let is = |wanted: Event| event == wanted as i32;
        if is(Event::PTRACE_EVENT_EXEC) {
            let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
            let name = line.split(|byte| *byte == 0).next().unwrap_or_default();
            let name = String::from_utf8_lossy(name);
            let name = name.rsplit('/').next().unwrap_or_default();
            let role = match name {
                "lifebox-monitor" => Some(Role::Monitor),
                "lifebox" if pid == self.client => Some(Role::Client),
                name if name.starts_with("lifebox") => Some(Role::Helper),
                _ => None,
            };
            // A program of a container is not ours to look at. A wrapper of the client is.
            if role.is_none() && self.tracees.get(&pid).is_none_or(|it| it.role.is_some()) {
                self.tracees.remove(&pid);
                let _ = ptrace::detach(pid, None);
                return;
            }
            self.tracees.insert(pid, Tracee { process: pid, role, pretend: None });
        } else if is(Event::PTRACE_EVENT_FORK)
            || is(Event::PTRACE_EVENT_VFORK)
            || is(Event::PTRACE_EVENT_CLONE)
        {
            self.born(pid);
        }
        proceed(pid, None);
    }

    /// A thread or process was born of `parent`.
    fn born(&mut self, parent: Pid) {
        let Some(Tracee { process, role, .. }) = self.tracees.get(&parent).copied() else { return };
        let Ok(child) = ptrace::getevent(parent) else { return };
        let Ok(child) = i32::try_from(child) else { return };
        let child = Pid::from_raw(child);
        let is_thread = std::path::Path::new(&format!("/proc/{process}/task/{child}")).exists();
        let tracee = match is_thread {
            true => Tracee { process, role, pretend: None },
            false => {
                let role = role.map(|role| match role {
                    Role::Monitor | Role::Init => Role::Init,
                    Role::Client | Role::Helper => Role::Helper,
                });
                Tracee { process: child, role, pretend: None }
            }
        };
        self.tracees.insert(child, tracee);
    }

    /// A thread is before or after a call; whether the fault happened.
    fn call(&mut self, pid: Pid) -> bool {
        let Some(Tracee { process, role, pretend }) = self.tracees.get(&pid).copied() else {
            proceed(pid, None);
            return false;
        };
        let before = ptrace::syscall_info(pid).is_ok_and(|info| info.op == 1);
        let Some(role) = role else {
            proceed(pid, None);
            return false;
        };
        if !before {
            if let (Some(errno), Ok(mut registers)) = (pretend, ptrace::getregs(pid)) {
                registers.rax = i64::from(-(errno as i32)).cast_unsigned();
                let _ = ptrace::setregs(pid, registers);
                self.tracees.insert(pid, Tracee { process, role: Some(role), pretend: None });
                proceed(pid, None);
                return true;
            }
            proceed(pid, None);
            return false;
        }
        let Ok(registers) = ptrace::getregs(pid) else { return false };
        let call = Call::of(pid, &registers);
        let met = self.meets(role, &call);
        if met {
            self.met = Some(call.name());
        }
        match self.fault.map(|fault| fault.act).filter(|_| met) {
            None => {
                if self.fault.is_none() {
                    self.calls.push((role, call));
                }
            }
            Some(Act::Kill) => {
                let _ = kill(process, Signal::SIGKILL);
                return true;
            }
            Some(Act::Stop) => {
                let _ = kill(process, Signal::SIGSTOP);
                self.stopped = Some(process);
                let _ = ptrace::detach(pid, None);
                self.tracees.remove(&pid);
                return true;
            }
            Some(Act::Fail(errno)) => {
                let mut registers = registers;
                registers.orig_rax = u64::MAX;
                let _ = ptrace::setregs(pid, registers);
                let pretend = Some(errno);
                self.tracees.insert(pid, Tracee { process, role: Some(role), pretend });
            }
        }
        proceed(pid, None);
        false
    }

    fn meets(&mut self, role: Role, call: &Call) -> bool {
        let Some(fault) = self.fault.filter(|fault| fault.role == role) else { return false };
        let counts = self.met.is_none() && (fault.counts)(call);
        self.seen += usize::from(counts);
        counts && self.seen == fault.at
    }

    /// Lets all processes run freely.
    fn release(&mut self) {
        let threads: BTreeSet<Pid> = self.tracees.keys().copied().collect();
        for thread in &threads {
            let _ = ptrace::interrupt(*thread);
        }
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        while !self.tracees.is_empty() {
            let Ok(status) = waitpid(Pid::from_raw(-1), Some(flags)) else { break };
            match status {
                WaitStatus::PtraceEvent(pid, _, event) => {
                    let births = [
                        Event::PTRACE_EVENT_FORK,
                        Event::PTRACE_EVENT_VFORK,
                        Event::PTRACE_EVENT_CLONE,
                    ];
                    if births.iter().any(|birth| event == *birth as i32) {
                        self.born(pid);
                    }
                    let _ = ptrace::detach(pid, None);
                    self.tracees.remove(&pid);
                }
                WaitStatus::PtraceSyscall(pid) => {
                    self.pretend_now(pid);
                    let _ = ptrace::detach(pid, None);
                    self.tracees.remove(&pid);
                }
                WaitStatus::Stopped(pid, signal) => {
                    let _ = ptrace::detach(pid, Some(signal));
                    self.tracees.remove(&pid);
                }
                WaitStatus::Exited(pid, code) => self.ended(pid, code),
                WaitStatus::Signaled(pid, signal, _) => self.ended(pid, -(signal as i32)),
                _ => {}
            }
        }
    }

    fn pretend_now(&self, pid: Pid) {
        let pretend = self.tracees.get(&pid).and_then(|tracee| tracee.pretend);
        if let (Some(errno), Ok(mut registers)) = (pretend, ptrace::getregs(pid)) {
            registers.rax = i64::from(-(errno as i32)).cast_unsigned();
            let _ = ptrace::setregs(pid, registers);
        }
    }
}

/// Lets a thread run to its next call, with a signal if one waits for it.
fn proceed(pid: Pid, signal: Option<Signal>) {
    let _ = ptrace::syscall(pid, signal);
}

fn wait_for(client: Pid) -> i32 {
    loop {
        match waitpid(client, None) {
            Ok(WaitStatus::Exited(_, code)) => return code,
            Ok(WaitStatus::Signaled(_, signal, _)) => return -(signal as i32),
            Ok(_) => {}
            Err(Errno::EINTR) => {}
            Err(_) => return -1,
        }
    }
}

/// The threads of a process.
fn tasks(process: Pid) -> Vec<Pid> {
    let entries = std::fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten();
    let ids = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    ids.map(Pid::from_raw).collect()
}
