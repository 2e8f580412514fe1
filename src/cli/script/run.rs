//! Runs a script within the limits that its flags set.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::host::{limits, open, sandbox_policy, simulated, source};
use super::report;
use crate::cli::arguments::{SandboxFlags, ScriptArguments};
use crate::cli::route::Program;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::finish::fail;
use crate::engine::{self, Settings};
use crate::model::{Error, Kind, Result};
use crate::script::{Limits, SandboxPolicy, ScriptHost, Source, Tracing};

/// The default time limit of a dry run.
const DRY: Duration = Duration::from_secs(60);

/// A script, the arguments that `args()` returns, and the values of its flags.
struct ScriptRun {
    program: Program,
    arguments: Vec<String>,
    limits: Limits,
    sandbox: Option<Arc<SandboxPolicy>>,
    dry_run: bool,
    report: Option<PathBuf>,
}

/// Runs a script and returns its exit code.
pub fn script(
    settings: &Settings,
    program: Program,
    arguments: Vec<String>,
    flags: &SandboxFlags,
    trace: Tracing,
) -> u8 {
    let prepared = ScriptRun::new(program, arguments, flags).and_then(|run| {
        let report = run.report.clone();
        let (host, source) = prepare(settings, run, trace)?;
        Ok((host, source, report))
    });
    match prepared {
        Ok((host, source, report)) => report::run(host, source, report.as_deref()),
        Err(error) => fail(&error),
    }
}

/// Runs a script typed into the REPL, with the REPL's engine and Ctrl-C.
///
/// # Errors
/// When a flag is wrong or not possible in the REPL, or the script cannot be read.
pub fn script_in_repl(
    settings: &Settings,
    host: &ScriptHost,
    script: ScriptArguments,
) -> CommandResult {
    let (program, arguments, flags) = script.parts();
    if flags.isolated {
        let message = "a script in the REPL uses the REPL's store";
        let error = Error::new(Kind::Invalid, message);
        return Err(error.hint("run it outside the REPL: lifebox script --isolated FILE").into());
    }
    let run = ScriptRun::new(program, arguments, &flags)?;
    report::check(run.report.as_deref(), run.dry_run)?;
    if run.limits.memory.is_some() {
        let message = "the memory of a script cannot be limited in the REPL";
        let error = Error::new(Kind::Invalid, message);
        return Err(error.hint("run it outside the REPL: lifebox script --untrusted FILE").into());
    }
    let ScriptRun { program, arguments: args, limits, sandbox, dry_run, report } = run;
    let host = ScriptHost { args, limits, sandbox, ..host.clone() };
    let host = if dry_run { simulated(settings, host)? } else { host };
    Ok(report::run(host, source(program)?, report.as_deref()))
}

impl ScriptRun {
    fn new(program: Program, arguments: Vec<String>, flags: &SandboxFlags) -> Result<ScriptRun> {
        let (limits, sandbox) = (limits(flags)?, sandbox_policy(flags, &program)?);
        let (dry_run, report) = (flags.dry_run, flags.report.clone());
        Ok(ScriptRun { program, arguments, limits, sandbox, dry_run, report })
    }
}

impl ScriptArguments {
    /// Splits the arguments into the script, the arguments of `args()`, and the flags.
    pub fn parts(self) -> (Program, Vec<String>, SandboxFlags) {
        let mut words = self.file_and_arguments.into_iter();
        let program = Program::from_word(&words.next().unwrap_or_default());
        (program, words.collect(), self.sandbox_flags)
    }
}

fn prepare(settings: &Settings, run: ScriptRun, trace: Tracing) -> Result<(ScriptHost, Source)> {
    let ScriptRun { program, arguments, limits, sandbox, dry_run, report } = run;
    // A dry run does not sleep, so a loop that waits would spin until this limit.
    let limits = if dry_run { limits.or(Limits { time: Some(DRY), ..limits }) } else { limits };
    let settings = &Settings { registries: sandbox.is_none(), ..settings.clone() };
    report::check(report.as_deref(), dry_run)?;
    let opened = open(settings, arguments, sandbox.as_deref())?;
    let host = ScriptHost { limits, sandbox, trace, ..opened };
    let host = if dry_run { simulated(settings, host)? } else { host };
    let source = source(program)?;
    host.cancel.cancel_on_signal()?;
    if let Some(most) = limits.memory {
        engine::bound_memory(most);
    }
    Ok((host, source))
}
