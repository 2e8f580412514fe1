//! `--isolated`: an untrusted script in a process and a store of its own. This process only waits,
//! so the store is removed however the script ends, also at its memory limit.

use std::io::{self, IsTerminal as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::private_store::PrivateStore;
use crate::cli::arguments::SandboxFlags;
use crate::cli::route::{GlobalFlags, Program};
use crate::engine::CancelToken;
use crate::model::Result;
use crate::model::error::Context as _;

/// The exit code of a process that SIGINT ended.
const INTERRUPTED: u8 = 130;

/// Runs a script in `store`, removes the store, and returns the exit code of the script.
///
/// # Errors
/// When the script cannot be run, or the store cannot be removed.
pub fn run(
    store: &PrivateStore,
    before: &GlobalFlags,
    program: &Program,
    arguments: &[String],
) -> Result<u8> {
    store.remove()?;
    let cancel = CancelToken::new()?;
    cancel.cancel_on_signal()?;
    let child = command(store, before, program, arguments).spawn();
    let ended = wait(child.context(|| "start lifebox".to_owned())?, &cancel);
    store.remove()?;
    Ok(exit_code(ended?))
}

fn command(
    store: &PrivateStore,
    before: &GlobalFlags,
    program: &Program,
    arguments: &[String],
) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command.arg("--root").arg(&store.settings.root);
    let flags = [("--lang", &before.lang), ("--storage-driver", &before.storage_driver)];
    for (flag, value) in flags.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)))
    {
        command.arg(flag).arg(value);
    }
    if let Some(how) = &before.trace {
        command.arg(format!("--trace={how}"));
    }
    if matches!(program, Program::File(_)) {
        command.arg("script");
    }
    command.arg("--untrusted").args(limits(&before.sandbox_flags));
    match program {
        Program::File(path) => command.arg(path),
        Program::Stdin => command.arg("-"),
        Program::Text(text) => command.arg("-e").arg(text),
    };
    command.args(arguments);
    command
}

/// Returns the flags of the script, apart from `--untrusted` and `--isolated`.
fn limits(flags: &SandboxFlags) -> Vec<std::ffi::OsString> {
    let operations = flags.max_ops.map(|most| most.to_string());
    let values = [
        ("--timeout", flags.timeout.as_ref()),
        ("--max-ops", operations.as_ref()),
        ("--max-memory", flags.max_memory.as_ref()),
    ];
    let values = values.into_iter().filter_map(|(flag, value)| Some([flag.into(), value?.into()]));
    let report = flags.report.iter().map(|file| ["--report".into(), file.into()]);
    let dry_run = flags.dry_run.then(|| "--dry-run".into());
    values.chain(report).flatten().chain(dry_run).collect()
}

/// Waits for the script. The script gets this process's signals, except that Ctrl-C at a terminal
/// reaches both.
fn wait(mut child: Child, cancel: &CancelToken) -> Result<ExitStatus> {
    let (over, pid) = (cancel.child()?, Pid::from_child(&child));
    let ended = over.clone();
    let waiter = std::thread::spawn(move || {
        let status = child.wait();
        ended.cancel();
        status
    });
    while !waiter.is_finished() {
        let _ = over.sleep(Duration::from_secs(3600));
        if !cancel.is_cancelled() {
            break;
        }
        let interrupted = CancelToken::exit_code() == INTERRUPTED;
        if !(interrupted && io::stderr().is_terminal()) {
            let signal = if interrupted { Signal::INT } else { Signal::TERM };
            let _ = kill_process(pid, signal);
        }
        cancel.reset();
    }
    let status = waiter.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
    status.context(|| "wait for the script".to_owned())
}

fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}
