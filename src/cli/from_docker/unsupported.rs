//! Verbs and flags of Docker that the language lacks.

use std::ffi::OsString;

use clap::error::ErrorKind;

use crate::cli::arg_errors;
use crate::cli::arguments::docker_only;
use crate::model::{Error, Kind, Result};

/// Explains a parser error about what Docker has and the language lacks.
pub fn known(error: &clap::Error, words: &[OsString]) -> Option<Error> {
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let verb = arg_errors::unknown_verb(error, words)?;
            docker_only::verb_hint(&verb).map(|_| no_verb_called(&verb))
        }
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let message = "`--help` and `--version` cannot be translated";
            Some(Error::new(Kind::Unsupported, message))
        }
        _ => None,
    }
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
