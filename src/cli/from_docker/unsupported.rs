//! What Docker has and cannot be said in the language.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::arg_errors;
use crate::model::{Error, Kind, Result};

/// Flags of Docker that lifebox has not. What is in no such list is no flag at all.
const FLAGS: [&str; 37] = [
    "--annotation",
    "--attach",
    "--blkio-weight-device",
    "--cgroup-parent",
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

/// Verbs of Docker that lifebox has not.
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

/// What the parser does not know, where Docker does.
pub fn known(error: &clap::Error, words: &[OsString]) -> Option<Error> {
    if error.kind() == ErrorKind::InvalidSubcommand {
        let verb = arg_errors::verb(words).filter(|verb| VERBS.contains(&verb.as_str()))?;
        return Some(no_verb_called(&verb));
    }
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let message = "`--help` and `--version` do nothing that could be said in the language";
        return Some(Error::new(Kind::Unsupported, message));
    }
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let unknown = error.kind() == ErrorKind::UnknownArgument && FLAGS.contains(&flag.as_str());
    let verb = arg_errors::verb(words).unwrap_or_default();
    let refused = || {
        let message = format!("flag `{flag}` of `docker {verb}` is not supported by lifebox");
        Error::new(Kind::Unsupported, message)
            .hint(format!("`lifebox {verb} --help` lists the flags that there are"))
    };
    unknown.then(refused)
}

/// A verb that there is no function for.
pub fn no_verb(words: &[OsString]) -> Error {
    no_verb_called(&arg_errors::verb(words).unwrap_or_default())
}

fn no_verb_called(verb: &str) -> Error {
    let message = format!("the language has no function for `docker {verb}`");
    Error::new(Kind::Unsupported, message).hint("help() lists what it has")
}

/// Refuses the first of these flags that was given.
///
/// # Errors
/// [`Kind::Unsupported`], with its name.
pub fn refuse(verb: &str, flags: &[(&str, bool)]) -> Result<()> {
    match flags.iter().find(|(_, given)| *given) {
        Some((flag, _)) => Err(refused(verb, flag)),
        None => Ok(()),
    }
}

/// A flag that no function has an option for.
pub fn refused(verb: &str, flag: &str) -> Error {
    let message = format!("flag `{flag}` of `{verb}` cannot be said in the language");
    Error::new(Kind::Unsupported, message)
}
