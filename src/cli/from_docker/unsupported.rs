//! Verbs and flags of Docker that the language lacks.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::arg_errors;
use crate::model::{Error, Kind, Result};

/// Flags of Docker that lifebox lacks. A flag outside this list is not Docker's either.
const FLAGS: [&str; 36] = [
    "--annotation",
    "--attach",
    "--blkio-weight-device",
    "--cgroupns",
    "--cpu-count",
    "--cpu-rt-period",
    "--cpu-rt-runtime",
    "--device-cgroup-rule",
    "--device-read-bps",
    "--device-read-iops",
    "--device-write-bps",
    "--device-write-iops",
    "--disable-content-trust",
    "--expose",
    "--gpus",
    "--ip",
    "--ip6",
    "--isolation",
    "--kernel-memory",
    "--label-file",
    "--link",
    "--link-local-ip",
    "--log-driver",
    "--mac-address",
    "--memory-swappiness",
    "--network-alias",
    "--oom-kill-disable",
    "--publish",
    "--publish-all",
    "--runtime",
    "--storage-opt",
    "--userns",
    "--volume-driver",
    "-P",
    "-a",
    "-p",
];

/// Verbs of Docker that lifebox lacks.
const VERBS: [&str; 15] = [
    "builder",
    "buildx",
    "checkpoint",
    "compose",
    "config",
    "context",
    "manifest",
    "network",
    "node",
    "plugin",
    "search",
    "secret",
    "service",
    "stack",
    "swarm",
];

/// Explains a parser error about a verb or a flag that only Docker has.
pub fn known(error: &clap::Error, words: &[OsString]) -> Option<Error> {
    if error.kind() == ErrorKind::InvalidSubcommand {
        let verb = arg_errors::verb(words).filter(|verb| VERBS.contains(&verb.as_str()))?;
        return Some(no_verb_called(&verb));
    }
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let message = "`--help` and `--version` cannot be translated";
        return Some(Error::new(Kind::Unsupported, message));
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let unknown = error.kind() == ErrorKind::UnknownArgument && FLAGS.contains(&flag.as_str());
    let verb = arg_errors::verb(words).unwrap_or_default();
    let refused = || {
        let message = format!("flag `{flag}` of `docker {verb}` is not supported by lifebox");
        Error::new(Kind::Unsupported, message).hint(format!("see `lifebox {verb} --help`"))
    };
    unknown.then(refused)
}

/// Returns the error for a verb that has no function.
pub fn no_verb(words: &[OsString]) -> Error {
    no_verb_called(&arg_errors::verb(words).unwrap_or_default())
}

fn no_verb_called(verb: &str) -> Error {
    let message = format!("the language has no function for `docker {verb}`");
    Error::new(Kind::Unsupported, message).hint("see help()")
}

/// Refuses the first of these flags that is set.
///
/// # Errors
/// [`Kind::Unsupported`], with the flag's name.
pub fn refuse(verb: &str, flags: &[(&str, bool)]) -> Result<()> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(refused(verb, flag)),
        None => Ok(()),
    }
}

/// Returns the error for a flag that has no option.
pub fn refused(verb: &str, flag: &str) -> Error {
    let message = format!("flag `{flag}` of `{verb}` cannot be translated");
    Error::new(Kind::Unsupported, message)
}
